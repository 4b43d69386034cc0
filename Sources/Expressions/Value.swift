/// A value of the Common Expression Language.
///
/// Strings are sequences of code points and are compared byte for byte: Swift's own `==` would call
/// two spellings of one character equal, which the language does not.
public enum Value: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case timestamp(Timestamp)
  case duration(Span)
  case list([Value])
  case map(MapValue)
  /// A type as a value, by its name: `int`, `google.protobuf.Timestamp`.
  case type(String)
  case optional(OptionalValue)
  case ip(NetworkAddress)
  case cidr(NetworkPrefix)
  /// Errors are values, since `false && error` is false whichever side is evaluated first. An
  /// unknown is one of them: see `Value+Unknown.swift`.
  case error(EvaluationError)
}

/// `optional.of(x)` or `optional.none()`.
public final class OptionalValue: Sendable {
  public let value: Value?
  public init(_ value: Value?) { self.value = value }
  static let none = OptionalValue(nil)
}

/// Why an expression has no value.
public final class EvaluationError: Sendable {
  public enum Kind: Sendable, Equatable {
    case noSuchOverload, noSuchKey, unknownVariable, unboundFunction, divisionByZero, overflow,
      range
    case invalidArgument, unsupportedKey, repeatedKey, conversion, budget, unknown
  }
  public let kind: Kind
  public let message: String
  /// Of an unknown: what would have to be known, in order and each once.
  public let needs: [String]

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
    needs = []
  }

  init(unknown needs: [String]) {
    kind = .unknown
    message = "unknown: \(needs.joined(separator: ", "))"
    self.needs = needs
  }
}

/// A map in the order in which it was written. Numbers of different types that are equal are one
/// key.
public final class MapValue: Sendable {
  public let keys: [Value]
  public let values: [Value]
  private let index: [MapKey: Int]
  private let textKeys: [(key: String, at: Int)]
  /// Below this many entries comparing is faster than hashing.
  private static let scanned = 8

  public static let empty = MapValue(unique: [], [])

  /// - Precondition: `keys` are keys, and none stands twice.
  init(unique keys: [Value], _ values: [Value]) {
    self.keys = keys
    self.values = values
    guard keys.count > Self.scanned else {
      index = [:]
      textKeys = keys.enumerated().compactMap { at, key in
        if case .string(let text) = key { (text, at) } else { nil }
      }
      return
    }
    textKeys = []
    var index: [MapKey: Int] = [:]
    index.reserveCapacity(keys.count)
    for (at, key) in keys.enumerated() {
      if let key = MapKey(key) { index[key] = at }
    }
    self.index = index
  }

  /// A map with text keys; the first of equal keys counts.
  public convenience init(_ pairs: [(String, Value)]) {
    var seen: Set<MapKey> = []
    var keys: [Value] = []
    var values: [Value] = []
    for (key, value) in pairs where seen.insert(.text(CodePoints(key))).inserted {
      keys.append(.string(key))
      values.append(value)
    }
    self.init(unique: keys, values)
  }

  public var count: Int { keys.count }

  public func find(_ key: Value) -> Value? {
    guard let wanted = MapKey(key) else { return nil }
    if keys.count > Self.scanned {
      guard let at = index[wanted] else { return nil }
      return values[at]
    }
    for (at, key) in keys.enumerated() where MapKey(key) == wanted { return values[at] }
    return nil
  }

  public func find(text: String) -> Value? { position(text: text).map { values[$0] } }

  func position(text: String) -> Int? {
    if keys.count > Self.scanned { return index[.text(CodePoints(text))] }
    // Kept apart from the other keys: most maps have text keys only, and this is where conditions
    // spend time.
    for at in textKeys.indices where sameText(textKeys[at].key, text) { return textKeys[at].at }
    return nil
  }

  /// The map that is the value there, not retained: it lives as long as this one.
  func borrowedMap(_ at: Int) -> Unmanaged<MapValue>? {
    if case .map(let map) = values[at] { Unmanaged.passUnretained(map) } else { nil }
  }
}

/// The identity of a map's key: a `uint` or a whole `double` that equals an `int` is that `int`.
enum MapKey: Hashable {
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case text(CodePoints)

  init?(_ value: Value) {
    switch value {
    case .bool(let bool): self = .bool(bool)
    case .int(let int): self = .int(int)
    case .uint(let uint): self = Int64(exactly: uint).map(MapKey.int) ?? .uint(uint)
    case .double(let double):
      if let int = Int64(exactly: double) {
        self = .int(int)
      } else if let uint = UInt64(exactly: double) {
        self = .uint(uint)
      } else {
        return nil
      }
    case .string(let text): self = .text(CodePoints(text))
    case .null, .bytes, .timestamp, .duration, .list, .map, .type, .optional, .ip, .cidr, .error:
      return nil
    }
  }
}

/// Text whose identity is its bytes.
struct CodePoints: Hashable {
  let text: String
  init(_ text: String) { self.text = text }
  static func == (a: Self, b: Self) -> Bool { sameText(a.text, b.text) }
  func hash(into hasher: inout Hasher) {
    let done: Void? = text.utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: .init($0))
    }
    if done == nil { for byte in text.utf8 { hasher.combine(byte) } }
  }
}

/// Byte for byte. Through contiguous storage, since going over `utf8` one by one takes three times
/// as long.
@inline(__always)
func sameText(_ a: String, _ b: String) -> Bool {
  guard a.utf8.count == b.utf8.count else { return false }
  let same: Bool?? = a.utf8.withContiguousStorageIfAvailable { left in
    b.utf8.withContiguousStorageIfAvailable { right in
      var at = 0
      while at < left.count {
        if left[at] != right[at] { return false }
        at += 1
      }
      return true
    }
  }
  return (same ?? nil) ?? a.utf8.elementsEqual(b.utf8)
}

func textPrecedes(_ a: String, _ b: String) -> Bool {
  // UTF-8 sorts as its code points do.
  a.utf8.lexicographicallyPrecedes(b.utf8)
}

extension Value {
  /// The name of its type, as `type()` gives it.
  public var typeName: String {
    switch self {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .list: "list"
    case .map: "map"
    case .type: "type"
    case .optional: "optional_type"
    case .ip: "net.IP"
    case .cidr: "net.CIDR"
    case .error: "error"
    }
  }

  public var isError: Bool {
    if case .error = self { true } else { false }
  }

  static func fault(_ kind: EvaluationError.Kind, _ message: String) -> Value {
    .error(EvaluationError(kind, message))
  }
}

/// Counts work, so that no expression runs long and no value grows without end.
///
/// - Units: one per node evaluated, element visited, or 16 bytes of text touched.
public struct Meter {
  public private(set) var left: Int
  public init(_ budget: Int) { left = budget }
  public var isSpent: Bool { left < 0 }

  /// False when the budget is spent.
  @inline(__always)
  mutating func spend(_ amount: Int = 1) -> Bool {
    left = amount > left ? -1 : left - amount
    return left >= 0
  }
  mutating func spend(bytes: Int) -> Bool { spend(bytes / 16 + 1) }

  /// Before a text or bytes are compared with others of their kind; all else is nothing.
  mutating func spend(comparing value: Value) -> Bool {
    switch value {
    case .string(let text): spend(bytes: text.utf8.count)
    case .bytes(let bytes): spend(bytes: bytes.count)
    default: true
    }
  }
}
