/// The header block with which Asterisk opens a FastAGI connection: `agi_` variables, then an empty
/// line.
///
/// - Shape:  `agi_network: yes`, `agi_uniqueid: 1795290054.7`, …, `agi_arg_1: support`; names are
///   unique.
/// - Errors: see `AGIError`; a block with a field twice never becomes a request.
/// - Source: `asterisk-16-basic.session`.
public struct AGIRequest: Equatable, Sendable {
  public struct Field: Equatable, Sendable {
    public var name: String
    public var value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Every variable but the arguments, in the order in which it came.
  public private(set) var fields: [Field] = []
  /// The values of `agi_arg_1`, `agi_arg_2`, … in order.
  public internal(set) var arguments: [String] = []

  public init(fields: [Field] = [], arguments: [String] = []) {
    self.fields = fields
    self.arguments = arguments
  }

  /// The value of a variable, such as `agi_callerid`; nil when the block had none.
  public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

  /// What the URL named, without a leading slash and query: `route` for `agi://router:4573/route`.
  public var script: String? { self["agi_network_script"] }

  mutating func add(_ field: Field) { fields.append(field) }
}

extension AGIRequest {
  /// Asterisk writes `unknown` where it knows nothing, and nothing where a value is empty.
  func known(_ name: String) -> String? {
    guard let value = self[name], !value.isEmpty, value != "unknown" else { return nil }
    return value
  }
}
