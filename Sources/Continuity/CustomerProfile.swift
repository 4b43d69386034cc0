import Model
import Wire

/// What is known of a person besides identities.
public struct CustomerProfile: Hashable, Sendable {
  public var displayName: String?
  /// The last journey events, newest last, so that rules see them without a search.
  public var journey: [JourneyEvent] = []
  /// Who last took a case of theirs, and when.
  public var lastAgent: LastAgent?
  /// What integrations keep about the customer, such as `tier`; by name.
  public private(set) var attributes: [Attribute] = []

  public struct JourneyEvent: Hashable, Sendable {
    public var name: String
    public var at: Instant
    /// Who told it, such as `shop`.
    public var source: String
    /// What it is about, as JSON; empty for nothing, or for more than `detailBytesMax`.
    public var detail: [UInt8]
    public init(name: String, at: Instant, source: String = "", detail: [UInt8] = []) {
      self.name = name
      self.at = at
      self.source = source
      self.detail = detail.count <= CustomerProfile.detailBytesMax ? detail : []
    }
  }

  public struct Attribute: Hashable, Sendable {
    public var name: String
    /// JSON.
    public var value: [UInt8]
    public init(name: String, value: [UInt8]) {
      self.name = name
      self.value = value
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
  /// - Units: bytes of JSON of one event's detail that rules can see; the timeline holds all of it.
  public static let detailBytesMax = 1_024
  /// How many attributes one customer can have; a new one past it is left out.
  public static let attributesMax = 100

  public init(displayName: String? = nil) { self.displayName = displayName }

  public mutating func saw(_ event: JourneyEvent) {
    journey.append(event)
    journey.removeFirst(max(0, journey.count - Self.journeyMax))
  }

  /// An empty value forgets the attribute.
  public mutating func set(_ name: String, _ value: [UInt8]) {
    if let known = attributes.firstIndex(where: { $0.name == name }) {
      if value.isEmpty { attributes.remove(at: known) } else { attributes[known].value = value }
    } else if !value.isEmpty, attributes.count < Self.attributesMax {
      attributes.append(Attribute(name: name, value: value))
      attributes.sort { $0.name < $1.name }
    }
  }

  // MARK: - As bytes

  public var encoded: [UInt8] {
    var out = ByteWriter()
    out.uint8(2)
    out.optional(displayName) { $0.string($1) }
    out.array(journey) {
      $0.string($1.name)
      $0.signed($1.at.milliseconds)
      $0.string($1.source)
      $0.blob($1.detail)
    }
    out.optional(lastAgent) {
      $0.varint(UInt64($1.agent.raw))
      $0.signed($1.at.milliseconds)
    }
    out.array(attributes) {
      $0.string($1.name)
      $0.blob($1.value)
    }
    return out.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      let version = try r.uint8()
      var profile = CustomerProfile(displayName: try r.optional { r throws(WireError) in try r.string() })
      profile.journey = try r.array(each: 2) { r throws(WireError) in
        JourneyEvent(
          name: try r.string(), at: Instant(milliseconds: try r.signed()),
          source: version >= 2 ? try r.string() : "", detail: version >= 2 ? try r.blob() : [])
      }
      profile.lastAgent = try r.optional { r throws(WireError) in
        LastAgent(agent: AgentID(try r.uint32()), at: Instant(milliseconds: try r.signed()))
      }
      guard version >= 2 else { return profile }
      profile.attributes = try r.array(each: 2) { r throws(WireError) in
        Attribute(name: try r.string(), value: try r.blob())
      }
      return profile
    }
  }
}
