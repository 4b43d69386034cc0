/// The math extension.
extension Evaluation {
  mutating func mathematics(_ function: Function, _ arguments: [Value]) -> Value? {
    switch function {
    case .greatest where !arguments.isEmpty: return extreme(arguments, greatest: true)
    case .least where !arguments.isEmpty: return extreme(arguments, greatest: false)
    case .bitAnd, .bitOr, .bitXor:
      guard arguments.count == 2 else { return nil }
      switch (arguments[0], arguments[1]) {
      case (.int(let a), .int(let b)): return .int(Self.bits(function, a, b))
      case (.uint(let a), .uint(let b)): return .uint(Self.bits(function, a, b))
      default: return nil
      }
    case .bitShiftLeft, .bitShiftRight:
      guard arguments.count == 2, case .int(let by) = arguments[1] else { return nil }
      return shift(function, arguments[0], by)
    default: break
    }
    guard arguments.count == 1 else { return nil }
    switch arguments[0] {
    case .double(let x): return real(function, x)
    case .int(let x):
      switch function {
      case .abs: return x == .min ? .fault(.overflow, "integer overflow") : .int(Swift.abs(x))
      case .sign: return .int(x.signum())
      case .bitNot: return .int(~x)
      case .sqrt: return .double(Double(x).squareRoot())
      default: return nil
      }
    case .uint(let x):
      switch function {
      case .abs: return .uint(x)
      case .sign: return .uint(x == 0 ? 0 : 1)
      case .bitNot: return .uint(~x)
      case .sqrt: return .double(Double(x).squareRoot())
      default: return nil
      }
    default: return nil
    }
  }

  private func real(_ function: Function, _ x: Double) -> Value? {
    switch function {
    case .ceil: .double(x.rounded(.up))
    case .floor: .double(x.rounded(.down))
    case .round: .double(x.rounded(.toNearestOrAwayFromZero))
    case .trunc: .double(x.rounded(.towardZero))
    case .abs: .double(x.magnitude)
    case .sign: .double(x.isNaN ? x : x > 0 ? 1 : x < 0 ? -1 : 0)
    case .sqrt: .double(x.squareRoot())
    case .isNaN: .bool(x.isNaN)
    case .isInf: .bool(x.isInfinite)
    case .isFinite: .bool(x.isFinite)
    default: nil
    }
  }

  private static func bits<T: FixedWidthInteger>(_ function: Function, _ a: T, _ b: T) -> T {
    switch function {
    case .bitAnd: a & b
    case .bitOr: a | b
    default: a ^ b
    }
  }

  /// Shifting by 64 or more gives 0; to the right the sign is not kept, as the extension says.
  private func shift(_ function: Function, _ value: Value, _ by: Int64) -> Value? {
    guard by >= 0 else {
      return .fault(
        .range,
        "math.\(function == .bitShiftLeft ? "bitShiftLeft" : "bitShiftRight")() negative offset: \(by)"
      )
    }
    let isLeft = function == .bitShiftLeft
    switch value {
    case .int(let x):
      guard by < 64 else { return .int(0) }
      let bits = UInt64(bitPattern: x)
      return .int(Int64(bitPattern: isLeft ? bits << UInt64(by) : bits >> UInt64(by)))
    case .uint(let x): return .uint(by > 63 ? 0 : isLeft ? x << UInt64(by) : x >> UInt64(by))
    default: return nil
    }
  }
}
