/// The list and set extensions.
extension Evaluation {
  mutating func lists(_ function: Function, _ arguments: [Value]) -> Value? {
    if function == .range { return range(arguments) }
    guard case .list(let list)? = arguments.first else { return nil }
    switch (function, arguments.count) {
    case (.slice, 3): return slice(list, arguments)
    case (.flatten, 1): return flatten(list, depth: 1)
    case (.flatten, 2):
      guard case .int(let depth) = arguments[1] else { return nil }
      guard depth >= 0 else { return .fault(.range, "level must be non-negative") }
      return flatten(list, depth: Int(min(depth, 64)))
    case (.sort, 1): return sorted(list, by: list)
    case (.distinct, 1): return distinct(list)
    case (.reverse, 1): return meter.spend(list.count) ? .list(list.reversed()) : Self.spent
    case (.first, 1): return .optional(OptionalValue(list.first))
    case (.last, 1): return .optional(OptionalValue(list.last))
    case (.setsContains, 2), (.setsEquivalent, 2), (.setsIntersects, 2):
      guard case .list(let other) = arguments[1] else { return nil }
      return sets(function, list, other)
    case (.greatest, 1), (.least, 1):
      guard meter.spend(list.count) else { return Self.spent }
      return extreme(list, greatest: function == .greatest)
    default: return nil
    }
  }

  private mutating func range(_ arguments: [Value]) -> Value? {
    guard arguments.count == 1, case .int(let count) = arguments[0] else { return nil }
    guard count >= 0 else { return .list([]) }
    guard count <= 1_000_000, meter.spend(Int(count)) else { return Self.spent }
    return .list((0..<count).map(Value.int))
  }

  private mutating func slice(_ list: [Value], _ arguments: [Value]) -> Value? {
    guard case .int(let start) = arguments[1], case .int(let end) = arguments[2] else { return nil }
    guard start >= 0, end >= 0 else {
      return .fault(.range, "cannot slice(\(start), \(end)), negative indexes not supported")
    }
    guard start <= end else {
      return .fault(.range, "cannot slice(\(start), \(end)), start is behind the end")
    }
    guard end <= Int64(list.count) else {
      return .fault(.range, "cannot slice(\(start), \(end)), list is length \(list.count)")
    }
    guard meter.spend(Int(end - start)) else { return Self.spent }
    return .list(Array(list[Int(start)..<Int(end)]))
  }

  private mutating func flatten(_ list: [Value], depth: Int) -> Value {
    var out: [Value] = []
    return flatten(list, depth, &out) ? .list(out) : Self.spent
  }

  private mutating func flatten(_ list: [Value], _ depth: Int, _ out: inout [Value]) -> Bool {
    for element in list {
      guard meter.spend() else { return false }
      if depth > 0, case .list(let inner) = element {
        guard flatten(inner, depth - 1, &out) else { return false }
      } else {
        out.append(element)
      }
    }
    return true
  }

  private mutating func distinct(_ list: [Value]) -> Value {
    var out: [Value] = []
    for element in list {
      guard let known = contains(out, element) else { return Self.spent }
      if !known { out.append(element) }
    }
    return .list(out)
  }

  private mutating func contains(_ list: [Value], _ wanted: Value) -> Bool? {
    for element in list {
      guard let same = element.equals(wanted, &meter) else { return nil }
      if same { return true }
    }
    return false
  }

  private mutating func sets(_ function: Function, _ a: [Value], _ b: [Value]) -> Value {
    if function == .setsIntersects {
      for element in a {
        guard let known = contains(b, element) else { return Self.spent }
        if known { return .bool(true) }
      }
      return .bool(false)
    }
    for element in b {
      guard let known = contains(a, element) else { return Self.spent }
      if !known { return .bool(false) }
    }
    if function == .setsEquivalent {
      for element in a {
        guard let known = contains(b, element) else { return Self.spent }
        if !known { return .bool(false) }
      }
    }
    return .bool(true)
  }

  func extreme(_ values: [Value], greatest: Bool) -> Value? {
    guard var best = values.first else {
      return .fault(.invalidArgument, "there is no greatest or least of an empty list")
    }
    for value in values {
      switch value {
      case .int, .uint, .double: break
      default: return nil
      }
      let order = Value.order(value, best)
      if order == (greatest ? .after : .before) { best = value }
    }
    return best
  }
}
