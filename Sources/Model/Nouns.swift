/// A small number that names something declared in a workspace's configuration, stable for the life of the
/// workspace: a name keeps its number through every later version of the rules, so that events can carry it.
public struct Handle<Kind>: Hashable, Sendable, Comparable {
  public let raw: UInt32
  public init(_ raw: UInt32) { self.raw = raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

public enum AgentTag {}
public enum QueueTag {}
public enum SkillTag {}
public enum TeamTag {}
public enum BotTag {}

public typealias AgentID = Handle<AgentTag>
public typealias QueueID = Handle<QueueTag>
public typealias SkillID = Handle<SkillTag>
public typealias TeamID = Handle<TeamTag>
public typealias BotID = Handle<BotTag>

/// How a session reaches us. Codes are stored: append only.
public enum Channel: UInt8, Sendable, CaseIterable, Hashable {
  case chat = 1
  case email = 2
  case phone = 3

  public var name: String {
    switch self {
    case .chat: "chat"
    case .email: "email"
    case .phone: "phone"
    }
  }
  public init?(name: String) {
    guard let found = Channel.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

/// How well an identity is proven. Order matters: more is stronger. Codes are stored: append only.
public enum Assurance: UInt8, Sendable, Comparable, CaseIterable {
  /// The customer typed it, or a mail merely says so. Suggests, never joins, never reveals.
  case claimed = 1
  /// A trusted bot, phone system or relay says so.
  case asserted = 2
  /// Signed by someone we trust.
  case verified = 3

  public static func < (a: Assurance, b: Assurance) -> Bool { a.rawValue < b.rawValue }
  public var name: String {
    switch self {
    case .claimed: "claimed"
    case .asserted: "asserted"
    case .verified: "verified"
    }
  }
  public init?(name: String) {
    guard let found = Assurance.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
  public var joins: Bool { self >= .asserted }
}

/// What kind of thing an identity is. Codes are stored: append only.
public enum IdentityKind: UInt8, Sendable, CaseIterable {
  case email = 1
  case phone = 2
  case chat = 3
  case external = 4

  public var name: String {
    switch self {
    case .email: "email"
    case .phone: "phone"
    case .chat: "chat"
    case .external: "external"
    }
  }
  public init?(name: String) {
    guard let found = IdentityKind.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

/// An identity in its normal form: what makes two of them the same. Normalising (lower case of a mail domain,
/// E.164) happens at the edge, where the workspace's configuration is known.
public struct Identity: Hashable, Sendable, Comparable {
  public var kind: IdentityKind
  public var value: String

  public init(kind: IdentityKind, value: String) {
    self.kind = kind
    self.value = value
  }

  public static func < (a: Identity, b: Identity) -> Bool {
    a.kind == b.kind ? a.value < b.value : a.kind.rawValue < b.kind.rawValue
  }
  public var description: String { "\(kind.name):\(value)" }
}

/// Who may see an entry.
public enum Visibility: UInt8, Sendable {
  /// Said by or to the customer.
  case customer = 1
  /// For whoever acts for the business: bots and agents.
  case business = 2
  /// For agents only: notes. Never sent to a bot.
  case `internal` = 3

  public var name: String {
    switch self {
    case .customer: "customer"
    case .business: "business"
    case .internal: "internal"
    }
  }
}

/// Who said or did something.
public enum Author: Hashable, Sendable {
  case customer
  case bot(BotID)
  case agent(AgentID)
  /// A phone system, a shop, a site: whatever reports what happened.
  case system
}
