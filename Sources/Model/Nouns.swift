/// A small number that names something declared in a workspace's configuration, stable for the life
/// of the workspace: a name keeps its number through every later version of the rules, so that
/// events can carry it.
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
public enum StatusTag {}

public typealias AgentID = Handle<AgentTag>
public typealias QueueID = Handle<QueueTag>
public typealias SkillID = Handle<SkillTag>
public typealias TeamID = Handle<TeamTag>
public typealias BotID = Handle<BotTag>
/// A status of a workspace's own.
public typealias StatusID = Handle<StatusTag>

/// One entry of a workspace's transcripts: they are numbered by its one writer, from 1, without
/// gaps. Number
/// order is the order in which they were decided, so that it serves as cursor of every stream.
public struct EntryID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let raw: Int64
  public init(_ raw: Int64) { self.raw = raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public var description: String { String(raw) }
}

/// A tenant or brand, by its number in this data folder; every table and every key begins with it.
public struct WorkspaceID: Hashable, Sendable, Comparable {
  public let raw: UInt32
  public init(_ raw: UInt32) { self.raw = raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

/// A SHA-256.
public struct Digest: Hashable, Sendable {
  public var words: (UInt64, UInt64, UInt64, UInt64)  // big-endian, first word first
  public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { words = (a, b, c, d) }

  /// From 32 bytes; nil for any other count.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    // A digest is made of every entry and every record, and a generic walk costs 2,000 instructions.
    if let digest = bytes.withContiguousStorageIfAvailable({ Digest(UnsafeRawBufferPointer($0)) }) {
      self = digest
    } else {
      self = Array(bytes).withUnsafeBytes { Digest($0) }
    }
  }

  /// From the first 32 of at least 32 bytes.
  private init(_ bytes: UnsafeRawBufferPointer) {
    func word(_ at: Int) -> UInt64 {
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: at * 8, as: UInt64.self))
    }
    words = (word(0), word(1), word(2), word(3))
  }

  public var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(32)
    for word in [words.0, words.1, words.2, words.3] {
      for shift in stride(from: 56, through: 0, by: -8) {
        result.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return result
  }

  public static let zero = Digest(0, 0, 0, 0)
  public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.3)
  }
}

/// Proof that a set of entries is complete: how many there are, and the sum of their hashes modulo
/// 2^256.
///
/// A sum and no chain, because timelines are unions: two customers' digests add when they merge and
/// subtract when they are split again, and the receiver may add the hashes up in any order.
public struct TimelineDigest: Hashable, Sendable {
  public var count: Int64 = 0
  public var sum = Digest.zero
  public init() {}
  public init(count: Int64, sum: Digest) {
    self.count = count
    self.sum = sum
  }

  public mutating func add(_ hash: Digest) { add(TimelineDigest(count: 1, sum: hash)) }

  /// The same entry has other words now, and their hash.
  public mutating func replace(_ old: Digest, by new: Digest) {
    // Modulo 2²⁵⁶, taking away is adding the complement and one.
    let words = old.words
    add(TimelineDigest(count: 0, sum: Digest(~words.0, ~words.1, ~words.2, ~words.3)))
    add(TimelineDigest(count: 0, sum: Digest(0, 0, 0, 1)))
    add(TimelineDigest(count: 0, sum: new))
  }

  public mutating func add(_ other: TimelineDigest) {
    count += other.count
    let (d, c0) = sum.words.3.addingReportingOverflow(other.sum.words.3)
    let (c, c1) = Self.add(sum.words.2, other.sum.words.2, c0)
    let (b, c2) = Self.add(sum.words.1, other.sum.words.1, c1)
    let (a, _) = Self.add(sum.words.0, other.sum.words.0, c2)
    sum = Digest(a, b, c, d)
  }

  private static func add(_ x: UInt64, _ y: UInt64, _ carry: Bool) -> (UInt64, Bool) {
    let (first, over) = x.addingReportingOverflow(y)
    let (second, again) = first.addingReportingOverflow(carry ? 1 : 0)
    return (second, over || again)
  }
}

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
  /// Checked by someone who may say so, with evidence of what they checked.
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

/// An identity in its normal form: what makes two of them the same. Normalising (lower case of a
/// mail domain, E.164) happens at the edge, where the workspace's configuration is known.
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
