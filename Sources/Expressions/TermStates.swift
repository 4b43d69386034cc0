/// Of a term's values those that stand for all.
///
/// Whatever a term is, one of these gives the same answer to every test of it: between and beside
/// the constants that it is compared with, all values are alike.
enum TermStates {
  /// - Returns: nil where too little is known of how values compare, or there are too many.
  static func representatives(
    of type: Type, constants: [Value], range: ClosedRange<Int64>?, values: [Value]?
  ) -> [Value]? {
    if let values { return values }
    guard constants.count <= constantsMax else { return nil }
    let isWhole = constants.allSatisfy { if case .int = $0 { true } else { false } }
    // Where whole numbers meet others, both are compared as doubles: beyond this those are not all.
    if !isWhole, constants.contains(where: { magnitude($0) >= 9e15 }) { return nil }
    switch type {
    case .bool: return [.bool(true), .bool(false)]
    case .int: return integers(constants, range ?? Int64.min...Int64.max)
    case .string: return strings(constants)
    case .timestamp: return timestamps(constants)
    case .duration: return spans(constants)
    case .null: return [.null]
    default: return anything(constants)
    }
  }
  static let constantsMax = 256

  private static func magnitude(_ value: Value) -> Double {
    switch value {
    case .int(let int): Double(int).magnitude
    case .uint(let uint): Double(uint)
    case .double(let double): double.isNaN ? 0 : double.magnitude
    default: 0
    }
  }

  /// Around each constant, and the ends.
  private static func integers(_ constants: [Value], _ range: ClosedRange<Int64>) -> [Value] {
    var found = [range.lowerBound, range.upperBound]
    for constant in constants {
      let near: Int64
      switch constant {
      case .int(let int): near = int
      case .uint(let uint): near = Int64(clamping: uint)
      case .double(let double):
        guard let whole = Int64(exactly: double.rounded(.down)) else { continue }
        near = whole
      default: continue
      }
      for step in -1...2 as ClosedRange<Int64> {
        let (value, isOver) = near.addingReportingOverflow(step)
        if !isOver, range.contains(value) { found.append(value) }
      }
    }
    return found.map(Value.int)
  }

  /// Right behind a text comes that text with a zero.
  private static func strings(_ constants: [Value]) -> [Value] {
    var found: [Value] = [.string("")]
    for case .string(let text) in constants { found += [.string(text), .string(text + "\0")] }
    // Different from all, though no constant is a text.
    return found + [.string("\0")]
  }

  /// From a moment or a length of time to itself and its neighbours, a nanosecond away.
  private static let near = [(-1, 999_999_999), (0, 0), (0, 1)].compactMap {
    Span(seconds: $0, nanoseconds: $1)
  }

  private static func timestamps(_ constants: [Value]) -> [Value] {
    var found = [Timestamp.secondsMin, 0, Timestamp.secondsMax].compactMap {
      Timestamp(seconds: $0)
    }
    if let last = Timestamp(seconds: Timestamp.secondsMax, nanoseconds: 999_999_999) {
      found.append(last)
    }
    for case .timestamp(let time) in constants { found += near.compactMap { time.adding($0) } }
    return found.map(Value.timestamp)
  }

  private static func spans(_ constants: [Value]) -> [Value] {
    var found = [-Span.secondsMax, 0, Span.secondsMax].compactMap { Span(seconds: $0) }
    for case .duration(let span) in constants { found += near.compactMap { span.adding($0) } }
    return found.map(Value.duration)
  }

  /// Of no type that is known beforehand: something of each kind that a constant has, and something
  /// that equals none of them and has no order.
  private static func anything(_ constants: [Value]) -> [Value] {
    var found: [Value] = [.type("\0"), .bool(true), .bool(false), .null] + constants
    found += strings(constants) + timestamps(constants) + spans(constants)
    for case .bytes(let bytes) in constants + [.bytes([])] { found += [.bytes(bytes + [0])] }
    found += [.bytes([]), .uint(0)] + integers(constants, Int64.min...Int64.max)
    found += [.double(.nan), .double(.infinity), .double(-.infinity), .double(0.5)]
    for constant in constants {
      let near: Double
      switch constant {
      case .int(let int): near = Double(int)
      case .uint(let uint): near = Double(uint)
      case .double(let double): near = double
      default: continue
      }
      found += [.double(near), .double(near.nextUp), .double(near.nextDown)]
    }
    return found
  }
}
