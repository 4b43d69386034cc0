import Model
import Wire

/// What one record of a customer holds besides identities: attributes, the latest of the journey,
/// and how the record
/// hangs together with others. A person's profile is the union of those of their records.
public struct CustomerProfile: Hashable, Sendable {
  /// Values that somebody gave, each with its source. Two sources that differ are both kept:
  /// nobody's word is thrown away, and whoever looks sees who says what.
  public private(set) var attributes: [Attribute] = []
  /// The last journey events, newest last, so that rules see them without a search.
  public var journey: [JourneyEvent] = []
  /// Who last took a case of theirs, and when.
  public var lastAgent: LastAgent?
  /// Other records that this one is, or was, joined with.
  public var links: [Link] = []

  public struct Attribute: Hashable, Sendable {
    public var name: String
    /// JSON; empty to forget what the source said before.
    public var value: [UInt8]
    /// Who says so, such as `bot:robin`.
    public var source: String
    public var at: Instant
    /// Why it was corrected, in the words of the agent who did; empty where nothing was said.
    public var reason = ""
    public init(name: String, value: [UInt8], source: String = "", at: Instant = .distantPast) {
      self.name = name
      self.value = value
      self.source = source
      self.at = at
    }
    public init(name: String, text: String, source: String = "", at: Instant = .distantPast) {
      var json: [UInt8] = []
      JSONText.append(text, to: &json)
      self.init(name: name, value: json, source: source, at: at)
    }
  }

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
  public static let attributesMax = 200
  /// The attribute that says what the customer is called.
  public static let name = "name"

  public init() {}

  /// The name that was given last.
  public var displayName: String? {
    newest(Self.name).flatMap { JSONText.string($0.value) }
  }

  /// Of what several sources say, what was said last.
  public func newest(_ name: String) -> Attribute? {
    attributes.filter { $0.name == name }.max { $0.at < $1.at }
  }

  /// What a source says now replaces what it said before, and nothing else. False when there is no
  /// room.
  @discardableResult
  public mutating func set(_ attribute: Attribute) -> Bool {
    if let known = attributes.firstIndex(where: {
      $0.name == attribute.name && $0.source == attribute.source
    }) {
      // An event that comes late is no newer word; and who says the same again says it now.
      guard attribute.at >= attributes[known].at else { return true }
      if attribute.value.isEmpty {
        attributes.remove(at: known)
      } else {
        attributes[known] = attribute
      }
      return true
    }
    guard !attribute.value.isEmpty else { return true }
    guard attributes.count < Self.attributesMax else { return false }
    attributes.append(attribute)
    return true
  }

  /// The same, of what somebody brings along who cannot be refused for it: where there is no room,
  /// what was said longest ago gives way.
  public mutating func hear(_ attribute: Attribute) {
    guard !set(attribute),
      let oldest = attributes.indices.min(by: { attributes[$0].at < attributes[$1].at }),
      attributes[oldest].at <= attribute.at
    else { return }
    attributes.remove(at: oldest)
    set(attribute)
  }

  mutating func change(_ body: (inout Attribute) -> Void) {
    for index in attributes.indices { body(&attributes[index]) }
  }

  public mutating func saw(_ event: JourneyEvent) {
    journey.append(event)
    journey.sort { $0.at < $1.at }
    journey.removeFirst(max(0, journey.count - Self.journeyMax))
  }

  /// What is known of the person whose records have these profiles, in order of the records.
  public static func union(_ profiles: [CustomerProfile]) -> CustomerProfile {
    var all = CustomerProfile()
    // Each link stands in two profiles, and somebody may have thousands.
    var links: Set<Link.Pair> = []
    for profile in profiles {
      for attribute in profile.attributes where !all.attributes.contains(attribute) {
        all.attributes.append(attribute)
      }
      all.journey += profile.journey
      if let last = profile.lastAgent, all.lastAgent.map({ $0.at < last.at }) ?? true {
        all.lastAgent = last
      }
      for link in profile.links where links.insert(link.pair).inserted {
        all.links.append(link)
      }
    }
    all.journey.sort { $0.at < $1.at }
    all.journey.removeFirst(max(0, all.journey.count - Self.journeyMax))
    return all
  }

  public var encoded: [UInt8] {
    var out = ByteWriter()
    out.uint8(5)
    out.array(attributes) {
      $0.string($1.name)
      $0.blob($1.value)
      $0.string($1.source)
      $0.signed($1.at.milliseconds)
      $0.string($1.reason)
    }
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
    out.array(links) { $1.encode(into: &$0) }
    return out.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      let version = try r.uint8()
      var profile = CustomerProfile()
      if version < 3 {
        if let name = try r.optional({ r throws(WireError) in try r.string() }) {
          profile.set(.init(name: Self.name, text: name, at: Instant(milliseconds: 0)))
        }
      } else {
        profile.attributes = try r.array(each: 4) { r throws(WireError) in
          var attribute = Attribute(
            name: try r.string(), value: try r.blob(), source: try r.string(),
            at: Instant(milliseconds: try r.signed()))
          if version >= 5 { attribute.reason = try r.string() }
          return attribute
        }
      }
      profile.journey = try r.array(each: 2) { r throws(WireError) in
        JourneyEvent(
          name: try r.string(), at: Instant(milliseconds: try r.signed()),
          source: version >= 2 ? try r.string() : "",
          detail: version >= 2 ? try r.blob() : [])
      }
      profile.lastAgent = try r.optional { r throws(WireError) in
        LastAgent(agent: AgentID(try r.uint32()), at: Instant(milliseconds: try r.signed()))
      }
      if version == 2 {
        // Attributes without a source.
        for attribute in try r.array(
          each: 2, { r throws(WireError) in Attribute(name: try r.string(), value: try r.blob()) })
        { profile.set(attribute) }
      }
      if version >= 3 {
        profile.links = try r.array(each: 36) { r throws(WireError) in try Link(from: &r) }
      }
      return profile
    }
  }
}
