import Model
import Wire

/// An identity as somebody brought it: normalised, hashed, with how well it is proven and by whom.
public struct IdentityClaim: Hashable, Sendable {
  public var identity: Identity
  /// Keyed hash of kind and value, 16 bytes, made at the edge.
  public var hash: [UInt8]
  public var assurance: Assurance
  /// Who said so, such as `bot:robin` or `mail:dmarc`.
  public var source: String

  public init(identity: Identity, hash: [UInt8], assurance: Assurance, source: String) {
    self.identity = identity
    self.hash = hash
    self.assurance = assurance
    self.source = source
  }
}

/// Who said that an identity belongs to a customer, and when.
public struct Evidence: Hashable, Sendable {
  public var source: String
  public var at: Instant
  public init(source: String, at: Instant) {
    self.source = source
    self.at = at
  }

  public var encoded: [UInt8] {
    var out = ByteWriter()
    out.uint8(1)
    out.string(source)
    out.signed(at.milliseconds)
    return out.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      _ = try r.uint8()
      return Evidence(source: try r.string(), at: Instant(milliseconds: try r.signed()))
    }
  }
}

/// What is known of a person besides identities.
public struct CustomerProfile: Hashable, Sendable {
  public var displayName: String?
  /// The last journey events, newest last, so that rules see them without a search.
  public var journey: [JourneyEvent] = []
  /// Who last took a case of theirs, and when.
  public var lastAgent: LastAgent?

  public struct JourneyEvent: Hashable, Sendable {
    public var name: String
    public var at: Instant
    public init(name: String, at: Instant) {
      self.name = name
      self.at = at
    }
  }

  public struct LastAgent: Hashable, Sendable {
    public var agent: AgentID
    public var at: Instant
    public init(agent: AgentID, at: Instant) {
      self.agent = agent
      self.at = at
    }
  }

  /// How many journey events rules can look back on.
  public static let journeyMax = 20

  public init(displayName: String? = nil) { self.displayName = displayName }

  public mutating func saw(_ event: JourneyEvent) {
    journey.append(event)
    journey.removeFirst(max(0, journey.count - Self.journeyMax))
  }

  public var encoded: [UInt8] {
    var out = ByteWriter()
    out.uint8(1)
    out.optional(displayName) { $0.string($1) }
    out.array(journey) {
      $0.string($1.name)
      $0.signed($1.at.milliseconds)
    }
    out.optional(lastAgent) {
      $0.varint(UInt64($1.agent.raw))
      $0.signed($1.at.milliseconds)
    }
    return out.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      _ = try r.uint8()
      var profile = CustomerProfile(displayName: try r.optional { r throws(WireError) in try r.string() })
      profile.journey = try r.array(each: 2) { r throws(WireError) in
        JourneyEvent(name: try r.string(), at: Instant(milliseconds: try r.signed()))
      }
      profile.lastAgent = try r.optional { r throws(WireError) in
        LastAgent(agent: AgentID(try r.uint32()), at: Instant(milliseconds: try r.signed()))
      }
      return profile
    }
  }
}
