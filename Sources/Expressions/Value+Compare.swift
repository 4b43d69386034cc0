/// Equality and order over values. Numbers of different types compare by what they stand for;
/// everything else of different types is unequal, and has no order.
extension Value {
  /// - Returns: nil when the meter ran out: values may share parts, and comparing them all could
  ///   take for ever.
  func equals(_ other: Value, _ meter: inout Meter) -> Bool? {
    guard meter.spend() else { return nil }
    switch (self, other) {
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.int(let a), .int(let b)): return a == b
    case (.string(let a), .string(let b)):
      guard a.utf8.count == b.utf8.count else { return false }
      return a.utf8.count < 16 || meter.spend(bytes: a.utf8.count) ? sameText(a, b) : nil
    case (.bytes(let a), .bytes(let b)):
      guard a.count == b.count else { return false }
      return a.count < 16 || meter.spend(bytes: a.count) ? a == b : nil
    case (.timestamp(let a), .timestamp(let b)): return a == b
    case (.duration(let a), .duration(let b)): return a == b
    case (.type(let a), .type(let b)): return a == b
    case (.ip(let a), .ip(let b)): return a == b
    case (.cidr(let a), .cidr(let b)): return a == b
    case (.list(let a), .list(let b)):
      guard a.count == b.count else { return false }
      for at in a.indices {
        guard let same = a[at].equals(b[at], &meter) else { return nil }
        if !same { return false }
      }
      return true
    case (.map(let a), .map(let b)): return Self.equals(a, b, &meter)
    case (.optional(let a), .optional(let b)):
      guard let a = a.value else { return b.value == nil }
      guard let b = b.value else { return false }
      return a.equals(b, &meter)
    default: return Self.order(self, other) == .same
    }
  }

  private static func equals(_ a: MapValue, _ b: MapValue, _ meter: inout Meter) -> Bool? {
    guard a.count == b.count else { return false }
    for at in a.keys.indices {
      guard let found = b.find(a.keys[at]) else { return false }
      guard let same = a.values[at].equals(found, &meter) else { return nil }
      if !same { return false }
    }
    return true
  }

  enum Order { case before, same, after, unordered }

  /// The order of two values, or nil when their types have none between them.
  static func order(_ a: Value, _ b: Value) -> Order? {
    switch (a, b) {
    case (.bool(let a), .bool(let b)): a == b ? .same : (b ? .before : .after)
    case (.int(let a), .int(let b)): compare(a, b)
    case (.uint(let a), .uint(let b)): compare(a, b)
    case (.double(let a), .double(let b)): compare(a, b)
    case (.int(let a), .uint(let b)): a < 0 ? .before : compare(UInt64(a), b)
    case (.uint(let a), .int(let b)): b < 0 ? .after : compare(a, UInt64(b))
    case (.int(let a), .double(let b)): compareInteger(a, b)
    case (.double(let a), .int(let b)): reverse(compareInteger(b, a))
    case (.uint(let a), .double(let b)): compareInteger(a, b)
    case (.double(let a), .uint(let b)): reverse(compareInteger(b, a))
    case (.string(let a), .string(let b)):
      sameText(a, b) ? .same : (textPrecedes(a, b) ? .before : .after)
    case (.bytes(let a), .bytes(let b)):
      a == b ? .same : (a.lexicographicallyPrecedes(b) ? .before : .after)
    case (.timestamp(let a), .timestamp(let b)): compare(a, b)
    case (.duration(let a), .duration(let b)): compare(a, b)
    default: nil
    }
  }

  private static func compare<T: Comparable>(_ a: T, _ b: T) -> Order {
    a < b ? .before : a > b ? .after : a == b ? .same : .unordered
  }

  /// By the double nearest to the integer, as the reference implementation and its suite have it:
  /// the greatest `int` and 2^63 as a double are the same.
  private static func compareInteger<T: FixedWidthInteger>(_ a: T, _ b: Double) -> Order {
    compare(Double(a), b)
  }

  private static func reverse(_ order: Order) -> Order {
    switch order {
    case .before: .after
    case .after: .before
    case .same: .same
    case .unordered: .unordered
    }
  }
}

extension Value: Equatable {
  /// As the language's `==`, but a NaN equals itself, so that results can be compared in tests;
  /// bounded.
  public static func == (a: Value, b: Value) -> Bool {
    if case .double(let x) = a, case .double(let y) = b, x.isNaN { return y.isNaN }
    if case .error(let x) = a, case .error(let y) = b {
      return x.kind == y.kind && x.message == y.message
    }
    var meter = Meter(1_000_000)
    return a.typeName == b.typeName && a.equals(b, &meter) == true
  }
}
