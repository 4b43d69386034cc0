/// Optional values.
extension Evaluation {
  mutating func optionals(_ function: Function, _ arguments: [Value]) -> Value? {
    switch function {
    case .optionalNone: return arguments.isEmpty ? .optional(.none) : nil
    case .optionalOf: return arguments.count == 1 ? .optional(OptionalValue(arguments[0])) : nil
    case .optionalOfNonZero:
      guard arguments.count == 1 else { return nil }
      return .optional(Self.isZero(arguments[0]) ? .none : OptionalValue(arguments[0]))
    case .optionalUnwrap, .unwrapOpt:
      guard arguments.count == 1, case .list(let list) = arguments[0] else { return nil }
      var out: [Value] = []
      for element in list {
        guard meter.spend() else { return Self.spent }
        guard case .optional(let optional) = element else { return nil }
        if let inner = optional.value { out.append(inner) }
      }
      return .list(out)
    default: break
    }
    guard case .optional(let optional)? = arguments.first else { return nil }
    switch (function, arguments.count) {
    case (.hasValue, 1): return .bool(optional.value != nil)
    case (.value, 1):
      return optional.value ?? .fault(.invalidArgument, "optional.none() dereference")
    default: return nil
    }
  }

  /// `or` and `orValue` look at the other value only where there is none, as the reference
  /// implementation in C++ does.
  mutating func otherwise(_ optional: Value, _ other: Int32, _ unwraps: Bool) -> Value {
    guard case .optional(let held) = optional else {
      return optional.isError ? optional : noOverload(unwraps ? "orValue" : "or", [optional])
    }
    if let inner = held.value { return unwraps ? inner : optional }
    let other = value(other)
    if unwraps || other.isError { return other }
    if case .optional = other { return other }
    return noOverload("or", [optional, other])
  }

  private static func isZero(_ value: Value) -> Bool {
    switch value {
    case .null: true
    case .bool(let bool): !bool
    case .int(let int): int == 0
    case .uint(let uint): uint == 0
    case .double(let double): double == 0
    case .string(let text): text.isEmpty
    case .bytes(let bytes): bytes.isEmpty
    case .list(let list): list.isEmpty
    case .map(let map): map.count == 0
    case .duration(let span): span.seconds == 0 && span.nanoseconds == 0
    case .timestamp(let timestamp): timestamp.seconds == 0 && timestamp.nanoseconds == 0
    case .optional(let optional): optional.value == nil
    case .ip(let address): address.isUnspecified
    case .type, .cidr, .error: false
    }
  }
}
