import Expressions
import Model

/// Facts that follow from others, for a case that is routed and for one that is only told of.
extension Facts {
  /// Which opening hours are open at a moment.
  ///
  /// - Parameter hours: spelt out for that moment.
  public mutating func setHours(_ hours: [HoursConfiguration], at moment: Instant) {
    self[.hours] = .map(MapValue(hours.map { ($0.name, .bool($0.isOpen(at: moment))) }))
  }

  /// What has been collected, and what two of its fields mean.
  ///
  /// - Parameter isWhole: whether these are all fields of the conversation.
  public mutating func setCollected(_ fields: CollectedFields, isWhole: Bool = true) {
    if isWhole { self[.conversationFields] = .map(fields.map) }
    if case .string(let intent)? = fields["intent"] { self[.conversationIntent] = .string(intent) }
    if case .string(let told)? = fields["language"] {
      let language = LanguageTag.canonical(told)
      self[.conversationLanguage] = .string(language)
      self[.customerLanguage] = .string(language)
    }
  }
}

extension Facts {
  /// Gives names that look alike each one of its own, as a real case has them.
  ///
  /// - Returns: each name that became another, and in which fact.
  public mutating func tellNamesApart() -> [(fact: Fact, name: String, own: String)] {
    var found: [(fact: Fact, name: String, own: String)] = []
    for fact in Fact.allCases {
      guard let value = self[fact] else { continue }
      var renamed: [(String, String)] = []
      let apart = value.withDistinctNames(&renamed)
      guard !renamed.isEmpty else { continue }
      self[fact] = apart
      found += renamed.map { (fact, $0.0, $0.1) }
    }
    return found
  }
}

extension Value {
  /// - Parameter renamed: takes each name that became another, and what it became.
  fileprivate func withDistinctNames(_ renamed: inout [(String, String)]) -> Value {
    switch self {
    case .list(let held): return .list(held.map { $0.withDistinctNames(&renamed) })
    case .map(let map):
      var names = DistinctNames()
      var pairs: [(String, Value)] = []
      for case (.string(let name), let value) in zip(map.keys, map.values) {
        let own = names.own(name)
        if own != name { renamed.append((name, own)) }
        pairs.append((own, value.withDistinctNames(&renamed)))
      }
      return pairs.count == map.count ? .map(MapValue(pairs)) : self
    default: return self
    }
  }
}

/// Fields by name, of which the newest word counts, whoever said it.
public struct CollectedFields: Sendable {
  private var values: [String: Value] = [:]
  /// In the order in which they came up first.
  private var names: [String] = []

  public init() {}

  public subscript(_ name: String) -> Value? { values[name] }

  public mutating func take(_ name: String, _ value: Value) {
    if values.updateValue(value, forKey: name) == nil { names.append(name) }
  }

  public mutating func take(_ fields: MapValue) {
    for case (.string(let name), let value) in zip(fields.keys, fields.values) {
      take(name, value)
    }
  }

  public var map: MapValue {
    MapValue(names.compactMap { name in values[name].map { (name, $0) } })
  }
}

/// A stated fact beside which another is stated that says otherwise.
public struct Contradiction: Sendable {
  public var fact: Fact
  /// Below the fact: a set of hours, or a field.
  public var name: String?
  public var stated: Value
  /// What follows, and from which fact, and field of it.
  public var derived: Value
  public var from: Fact
  public var field: String?

  /// As a condition names it.
  public var path: String { name.map { "\(fact.name).\($0)" } ?? fact.name }
}

/// What is known of the place that a case comes to, whatever the case is.
public struct CaseSurroundings {
  /// All sets of hours, spelt out for a moment.
  public var hours: (Instant) -> [HoursConfiguration]
  public var about: WorkspaceConfiguration
  /// Names of `conversation.fields` that rules ask for: those that are not stated are open where
  /// something that was said is. Nil where they ask more of it, such as how many there are.
  public var fieldsAsked: [String]? = []

  public init(
    hours: @escaping (Instant) -> [HoursConfiguration], about: WorkspaceConfiguration
  ) {
    self.hours = hours
    self.about = about
  }
}

extension Facts {
  /// Adds what follows from facts that somebody states, where they do not state it themselves, as a
  /// running server would have it. What they state stands; what is unknown stays so, and what follows
  /// from it is unknown, too.
  ///
  /// - Returns: where a stated fact says something else.
  public mutating func complete(_ around: CaseSurroundings) -> [Contradiction] {
    openByChannel()
    let found = completeFields(around) + completeHours(around.hours)
    completeFirst(around)
    return found
  }

  private func isOpen(_ fact: Fact) -> Bool { self[fact]?.isUnknown ?? false }

  /// What only some channels bring is open where the channel is, and absent where that is another.
  public mutating func openByChannel() {
    for fact in Fact.allCases where !fact.declaration.channels.isEmpty {
      switch self[.sessionChannel] {
      case .string(let channel)?
      where isOpen(fact) && !fact.declaration.channels.contains(channel):
        self[fact] = nil
      case let channel? where channel.isUnknown && self[fact] == nil: setUnknown(fact)
      default: break
      }
    }
  }

  /// What every case has and nobody states is as when somebody comes for the first time.
  private mutating func completeFirst(_ around: CaseSurroundings) {
    // What a mail has whatever it is, and others may not have.
    let ofMail: [Fact] = [.conversationText, .customerAssurance]
    for fact in ofMail where self[fact] == nil && isOpen(.sessionChannel) { setUnknown(fact) }
    let isMet = isMet
    for (fact, value) in firstHere(around) + firstEverywhere where self[fact] == nil {
      self[fact] = value
    }
    if self[.conversationMessages] == nil {
      let isMail = self[.sessionChannel] == .string(Channel.email.name)
      if isOpen(.conversationText), !isMail {
        setUnknown(.conversationMessages)
      } else {
        self[.conversationMessages] = .int(isMail || self[.conversationText] != nil ? 1 : 0)
      }
    }
    guard self[.customerKnown] == nil else { return }
    switch isMet {
    case .yes: self[.customerKnown] = .bool(true)
    case .no: self[.customerKnown] = .bool(false)
    case .unsaid: break
    case .unknown: setUnknown(.customerKnown)
    }
  }

  private var firstEverywhere: [(Fact, Value)] {
    [
      (.customerAttributes, .map(.empty)), (.customerEvents, .list([])),
      (.customerConversations, .int(0)), (.conversationReopened, .bool(false)),
      (.conversationSessions, .int(1)), (.conversationFields, .map(.empty)),
    ]
  }

  /// Whom nobody knows writes from here: the name is kept free for what does not exist.
  /// Source: RFC 2606 §2.
  public static let strangersAddress = "stranger@mail.invalid"

  /// What whoever comes by the channel for the first time has there.
  private func firstHere(_ around: CaseSurroundings) -> [(Fact, Value)] {
    // Of several nobody can say which.
    func only(_ names: [String]) -> [Value] { names.count == 1 ? [.string(names[0])] : [] }
    let about = around.about
    switch self[.sessionChannel] {
    case .string(Channel.chat.name):
      return [
        (.handoffFields, .map(.empty)), (.handoffSkills, .list([])), (.handoffSummary, .string("")),
        (.handoffReason, .string("")),
      ] + only(about.bots.map(\.name)).map { (.sessionBot, $0) }
    case .string(Channel.email.name):
      return [
        (.mailAutomatic, .bool(false)), (.mailAttachments, .int(0)), (.mailSubject, .string("")),
        (.mailFrom, .string(Self.strangersAddress)),
        (.conversationText, .string("")), (.customerAssurance, .string(Assurance.claimed.name)),
      ] + only(about.mailAddresses).map { (.mailTo, .list([$0])) }
    case .string(Channel.phone.name): return only(about.dialledNumbers).map { (.callTo, $0) }
    default: return []
    }
  }

  private enum Acquaintance { case yes, no, unsaid, unknown }

  /// Whether we have met the customer before. Unsaid where what is told leaves that open: the first
  /// mail or call of somebody brings a name, too, and with it attributes.
  private var isMet: Acquaintance {
    if self[.sessionChannel] == .string(Channel.chat.name) { return .yes }
    let proving: [Fact] = [
      .customerEvents, .customerConversations, .customerLastAgent, .conversationReopened,
      .conversationSessions,
    ]
    let firstTimes: [Value] = [.list([]), .int(0), .bool(false)]
    for fact in proving {
      guard let value = self[fact], !value.isUnknown else { continue }
      if fact == .conversationSessions {
        if case .int(2...) = value { return .yes }
      } else if !firstTimes.contains(value) {
        return .yes
      }
    }
    let telling: [Fact] = [.customerName, .customerAttributes]
    if (proving + telling + [.sessionChannel]).contains(where: isOpen) { return .unknown }
    return telling.compactMap { self[$0] }.contains { $0 != .map(.empty) } ? .unsaid : .no
  }

  /// Queues of which nothing is said are as the quiet ones.
  ///
  /// - Parameter quiet: `quietQueues` of all queues.
  public mutating func completeQueues(_ quiet: MapValue) {
    guard let own = self[.queues] else {
      self[.queues] = .map(quiet)
      return
    }
    guard case .map(let stated) = own else { return }
    var queues = stated.members.map { ($0, Self.completed($1)) }
    queues += quiet.members.filter { stated.find(text: $0.0) == nil }
    self[.queues] = .map(MapValue(queues))
  }

  /// Nobody waits there. How many agents are available nobody can guess.
  public static func quietQueues(_ names: [String]) -> MapValue {
    let quiet = completed(.map(.empty))
    return MapValue(names.map { ($0, quiet) })
  }

  private static func completed(_ queue: Value) -> Value {
    guard case .map(let map) = queue else { return queue }
    let missing = ["waiting", "oldest_seconds"].filter { map.find(text: $0) == nil }
    return .map(MapValue(map.members + missing.map { ($0, .int(0)) }))
  }

  private mutating func completeHours(_ hours: (Instant) -> [HoursConfiguration])
    -> [Contradiction]
  {
    if isOpen(.now) {
      if self[.hours] == nil { setUnknown(.hours) }
      setUnknown(hours(Instant(milliseconds: 0)).map(\.name), of: .hours)
    }
    guard case .timestamp(let now)? = self[.now], !isOpen(.hours) else { return [] }
    let moment = Instant(
      milliseconds: now.seconds * 1_000 + Int64(now.nanoseconds / 1_000_000))
    var derived = Facts()
    derived.setHours(hours(moment), at: moment)
    return merge(derived[.hours], into: .hours, from: .now)
  }

  /// What was said, the oldest first, as far back as it is known: what was said when the session was
  /// opened is the oldest, what was handed over the newest.
  ///
  /// - Returns: with it whether that is all.
  private var collected: (fields: CollectedFields, isWhole: Bool) {
    var known: [MapValue] = []
    var isWhole = true
    for fact in [Fact.handoffFields, .conversationFields, .sessionContext] {
      if isOpen(fact) {
        isWhole = false
        break
      }
      if case .map(let fields)? = self[fact] { known.append(fields) }
    }
    var collected = CollectedFields()
    for fields in known.reversed() { collected.take(fields) }
    return (collected, isWhole)
  }

  private mutating func completeFields(_ around: CaseSurroundings) -> [Contradiction] {
    var (collected, isWhole) = collected
    let meanings: [(fact: Fact, name: String)] = [
      (.conversationIntent, "intent"), (.conversationLanguage, "language"),
      (.customerLanguage, "language"),
    ]
    for (fact, name) in meanings where collected[name] == nil {
      if case .string(let text)? = self[fact] { collected.take(name, .string(text)) }
    }
    // What meant something stands among the fields, too.
    let open = meanings.filter { isOpen($0.fact) && collected[$0.name] == nil }.map(\.name)
    var derived = Facts()
    derived.setCollected(collected)
    var found: [Contradiction] = []
    for (fact, name) in meanings {
      guard let value = derived[fact] else {
        let mayBeSaid = collected[name] == nil && (!isWhole || open.contains(name))
        if self[fact] == nil, mayBeSaid { setUnknown(fact) }
        continue
      }
      guard let stated = self[fact] else {
        self[fact] = value
        continue
      }
      guard stated != value, !stated.isUnknown else { continue }
      if name == "language", case .string(let text) = stated,
        .string(LanguageTag.canonical(text)) == value
      {
        self[fact] = value
        continue
      }
      found.append(
        .init(
          fact: fact, stated: stated, derived: value, from: .conversationFields, field: name))
    }
    // Of what is not known nobody can say what is among it.
    if self[.conversationFields] == nil, !isWhole || !open.isEmpty {
      setUnknown(.conversationFields)
    }
    if case .map(let fields)? = derived[.conversationFields], fields.count > 0,
      !isOpen(.conversationFields)
    {
      found += merge(.map(fields), into: .conversationFields, from: .handoffFields)
    }
    guard !isWhole || !open.isEmpty else { return found }
    if let asked = around.fieldsAsked {
      setUnknown(open + (isWhole ? [] : asked), of: .conversationFields)
    } else {
      setUnknown(.conversationFields)
    }
    return found
  }

  /// Adds the members of a map that a fact does not have.
  private mutating func merge(_ derived: Value?, into fact: Fact, from source: Fact)
    -> [Contradiction]
  {
    guard case .map(let derived)? = derived else { return [] }
    var found: [Contradiction] = []
    var stated = MapValue.empty
    if case .map(let map)? = self[fact] { stated = map }
    var members = stated.members
    for (name, value) in derived.members {
      guard let own = stated.find(text: name) else {
        members.append((name, value))
        continue
      }
      if own != value, !own.isUnknown {
        found.append(.init(fact: fact, name: name, stated: own, derived: value, from: source))
      }
    }
    if !members.isEmpty { self[fact] = .map(MapValue(members)) }
    return found
  }
}

extension MapValue {
  /// Those with names, in order.
  var members: [(String, Value)] {
    zip(keys, values).compactMap { key, value in
      if case .string(let name) = key { (name, value) } else { nil }
    }
  }
}
