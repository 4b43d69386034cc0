/// What an expression may name: variables in slots, groups of fields, further functions, time
/// zones.
public struct Environment: Sendable {
  public struct Variable: Sendable, Hashable {
    /// May be qualified: `customer.name`.
    public var name: String
    public var type: Type
    /// How many elements a list or a map here has at most; for what an expression costs.
    public var elementsMax: Int
    public init(_ name: String, _ type: Type, elementsMax: Int = Environment.elementsAssumed) {
      self.name = name
      self.type = type
      self.elementsMax = elementsMax
    }
  }

  /// How many elements a list or a map is taken to have of which nothing else is known.
  public static let elementsAssumed = 100
  /// The same of a list that lies in one of which nothing is said: many lists of many elements are
  /// more than a fact ever holds.
  static let elementsAssumedHeld = 20

  /// A variable's slot is its place here.
  public let variables: [Variable]
  /// Fields of `Type.object`s by the object's name.
  public var objects: [String: [Variable]] = [:]
  /// Names are looked up inside it first: `x` means `container.x` where that exists.
  public var container = ""
  public var overloads: [String: [Overload]] = [:]
  /// What is known of the names that some maps have, for whoever leaves out the map's.
  public var members: [(map: String, names: Set<String>)] = []
  /// All that `zone` knows, for whoever misspells one.
  public var zoneNames: @Sendable () -> [String] = { [] }
  /// Time zones by their IANA names; nil for an unknown one.
  public var zone: @Sendable (String) -> ZoneTable?

  let slots: [String: Int]
  /// Every proper prefix of a qualified variable: `customer` for `customer.name`.
  let groups: Set<String>

  public init(
    variables: [Variable], zone: @escaping @Sendable (String) -> ZoneTable? = { _ in nil }
  ) {
    self.variables = variables
    self.zone = zone
    slots = Dictionary(
      variables.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    var groups: Set<String> = []
    for variable in variables {
      var parts = variable.name.split(separator: ".")
      while parts.count > 1 {
        parts.removeLast()
        groups.insert(parts.joined(separator: "."))
      }
    }
    self.groups = groups
  }

  public func slot(_ name: String) -> Int? { slots[name] }

  /// Names to try for `name`, the most deeply contained first.
  func candidates(_ name: String, absolute: Bool) -> [String] {
    if absolute || container.isEmpty { return [name] }
    var parts = container.split(separator: ".")
    var found: [String] = []
    while !parts.isEmpty {
      found.append(parts.joined(separator: ".") + "." + name)
      parts.removeLast()
    }
    return found + [name]
  }

  static let typeNames: [String: String] = [
    "bool": "bool", "int": "int", "uint": "uint", "double": "double", "string": "string",
    "bytes": "bytes",
    "list": "list", "map": "map", "null_type": "null_type", "type": "type",
    "google.protobuf.Timestamp": "google.protobuf.Timestamp",
    "google.protobuf.Duration": "google.protobuf.Duration", "optional_type": "optional_type",
    "net.IP": "net.IP", "net.CIDR": "net.CIDR",
  ]
}
