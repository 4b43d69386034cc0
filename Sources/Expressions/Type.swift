/// A type of the Common Expression Language, as the checker sees it.
public indirect enum Type: Hashable, Sendable {
  /// Anything; checked when evaluated.
  case dyn
  case null, bool, int, uint, double, string, bytes, timestamp, duration
  case list(Type)
  case map(Type, Type)
  /// The type of a type.
  case type
  /// A group of facts with declared fields; at run time a map.
  case object(String)
  /// A named type with parameters, such as `optional_type<int>` or `net.IP`.
  case abstract(String, [Type])
  /// `int` or null, and so on: the wrappers of protocol buffers.
  case wrapper(Type)
  /// A value of this type or null, as a list or a conditional that holds both makes it.
  case nullable(Type)
  /// A type variable.
  case param(String)

  public static func optional(_ type: Type) -> Type { .abstract("optional_type", [type]) }
  static let ip = Type.abstract("net.IP", [])
  static let cidr = Type.abstract("net.CIDR", [])
}

extension Type {
  /// With null, for what knows values that are null; nil for what does not.
  var withNull: Type? {
    switch self {
    case .null, .dyn, .wrapper, .nullable: self
    case .abstract, .object, .timestamp, .duration: .nullable(self)
    default: nil
    }
  }

  /// As others name it: what may be null is of its type, as the specification has it.
  var withoutNull: Type {
    switch self {
    case .nullable(let inner): inner.withoutNull
    case .list(let element): .list(element.withoutNull)
    case .map(let key, let value): .map(key.withoutNull, value.withoutNull)
    case .abstract(let name, let parameters): .abstract(name, parameters.map(\.withoutNull))
    default: self
    }
  }

  /// Whether something in it is checked when it is evaluated.
  var isGradual: Bool {
    switch self {
    case .dyn, .param: true
    case .nullable(let inner), .wrapper(let inner): inner.isGradual
    case .list(let element): element.isGradual
    case .map(let key, let value): key.isGradual || value.isGradual
    case .abstract(_, let parameters): parameters.contains(where: \.isGradual)
    default: false
    }
  }

  /// Whether its values stand in an order.
  var isOrdered: Bool {
    switch self {
    case .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .dyn, .param: true
    default: false
    }
  }
}

extension Type: CustomStringConvertible {
  public var description: String {
    switch self {
    case .dyn: "dyn"
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .list(let element): "list(\(element))"
    case .map(let key, let value): "map(\(key), \(value))"
    case .type: "type"
    case .object(let name): name
    case .abstract(let name, let parameters):
      parameters.isEmpty
        ? name : "\(name)(\(parameters.map(\.description).joined(separator: ", ")))"
    case .wrapper(let type): "wrapper(\(type))"
    case .nullable(let type): "\(type) or null"
    case .param(let name): name
    }
  }
}

/// Reads a type as signatures write it: `list<map<string, int>>`, `optional<A>`; one capital is a
/// variable.
struct TypeReader {
  let text: [UInt8]
  var at = 0
  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func skipSpace() { while at < text.count, text[at] == 0x20 { at += 1 } }

  mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard at < text.count, text[at] == byte else { return false }
    at += 1
    return true
  }

  mutating func name() -> String {
    skipSpace()
    let start = at
    while at < text.count, !Array("<>(),: ".utf8).contains(text[at]) { at += 1 }
    return String(decoding: text[start..<at], as: UTF8.self)
  }

  mutating func type() -> Type {
    let name = name()
    var parameters: [Type] = []
    if take(UInt8(ascii: "<")) {
      repeat { parameters.append(type()) } while take(UInt8(ascii: ","))
      _ = take(UInt8(ascii: ">"))
    }
    switch name {
    case "dyn": return .dyn
    case "null": return .null
    case "bool": return .bool
    case "int": return .int
    case "uint": return .uint
    case "double": return .double
    case "string": return .string
    case "bytes": return .bytes
    case "timestamp": return .timestamp
    case "duration": return .duration
    case "type": return .type
    case "list": return .list(parameters.first ?? .dyn)
    case "map": return .map(parameters.first ?? .dyn, parameters.count > 1 ? parameters[1] : .dyn)
    case "optional": return .optional(parameters.first ?? .dyn)
    default: return name.utf8.count == 1 ? .param(name) : .abstract(name, parameters)
    }
  }
}
