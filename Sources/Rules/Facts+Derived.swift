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

extension Facts {
  /// Adds what follows from facts that somebody states, where they do not state it themselves, as a
  /// running server would have it. What they state stands; what is unknown stays so.
  ///
  /// - Parameter hours: all sets of hours, spelt out for a moment.
  /// - Returns: where a stated fact says something else.
  public mutating func complete(hours: (Instant) -> [HoursConfiguration]) -> [Contradiction] {
    openWhatFollows(hours)
    let found = completeFields() + completeHours(hours)
    completeFirst()
    return found
  }

  private func isOpen(_ fact: Fact) -> Bool { self[fact]?.isUnknown ?? false }

  /// What follows from something that is not known is not known either, unless it is stated.
  private mutating func openWhatFollows(_ hours: (Instant) -> [HoursConfiguration]) {
    let meanings: [Fact] = [.conversationIntent, .conversationLanguage, .customerLanguage]
    let said: [Fact] = [.conversationFields, .sessionContext, .handoffFields]
    var following: [(fact: Fact, from: [Fact])] = [
      (.conversationFields, said + meanings), (.hours, [.now]),
      (.conversationMessages, [.sessionChannel, .conversationText]),
    ]
    following += meanings.map { ($0, said) }
    following += [
      (.conversationLanguage, [.customerLanguage]), (.customerLanguage, [.conversationLanguage]),
    ]
    for fact in Fact.allCases where !fact.declaration.channels.isEmpty {
      following.append((fact, [.sessionChannel]))
    }
    // What meant something stands among the fields, too.
    let names =
      (isOpen(.conversationIntent) ? ["intent"] : [])
      + (isOpen(.conversationLanguage) || isOpen(.customerLanguage) ? ["language"] : [])
    var isSettled = false
    while !isSettled {
      isSettled = true
      for (fact, sources) in following where self[fact] == nil && sources.contains(where: isOpen) {
        setUnknown(fact)
        isSettled = false
      }
    }
    setUnknown(names, of: .conversationFields)
    if isOpen(.now) { setUnknown(hours(Instant(milliseconds: 0)).map(\.name), of: .hours) }
  }

  /// What every case has and nobody states is as when somebody comes for the first time.
  private mutating func completeFirst() {
    let hasWords = self[.conversationText] != nil || self[.sessionChannel] == .string("email")
    let first: [(Fact, Value)] = [
      (.customerAttributes, .map(.empty)), (.customerEvents, .list([])),
      (.customerConversations, .int(0)), (.conversationReopened, .bool(false)),
      (.conversationSessions, .int(1)), (.conversationMessages, .int(hasWords ? 1 : 0)),
    ]
    let isMet = isMet
    for (fact, value) in first + firstHere where self[fact] == nil { self[fact] = value }
    if self[.conversationFields] == nil { self[.conversationFields] = .map(.empty) }
    guard self[.customerKnown] == nil else { return }
    switch isMet {
    case .yes: self[.customerKnown] = .bool(true)
    case .no: self[.customerKnown] = .bool(false)
    case .unsaid: break
    case .unknown: setUnknown(.customerKnown)
    }
  }

  /// What whoever comes by the channel for the first time has there.
  private var firstHere: [(Fact, Value)] {
    switch self[.sessionChannel] {
    case .string(Channel.chat.name):
      [
        (.handoffFields, .map(.empty)), (.handoffSkills, .list([])), (.handoffSummary, .string("")),
      ]
    case .string(Channel.email.name):
      [(.mailAutomatic, .bool(false)), (.mailAttachments, .int(0)), (.mailSubject, .string(""))]
    default: []
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
    guard case .timestamp(let now)? = self[.now], !(self[.hours]?.isUnknown ?? false) else {
      return []
    }
    let moment = Instant(
      milliseconds: now.seconds * 1_000 + Int64(now.nanoseconds / 1_000_000))
    var derived = Facts()
    derived.setHours(hours(moment), at: moment)
    return merge(derived[.hours], into: .hours, from: .now)
  }

  private mutating func completeFields() -> [Contradiction] {
    // Of what is not known nobody can say what follows.
    guard !isOpen(.conversationFields) else { return [] }
    var collected = CollectedFields()
    // What was said when the session was opened is the oldest, what was handed over the newest.
    for fact in [Fact.sessionContext, .conversationFields, .handoffFields] {
      if case .map(let fields)? = self[fact] { collected.take(fields) }
    }
    let meanings: [(Fact, String)] = [
      (.conversationIntent, "intent"), (.conversationLanguage, "language"),
      (.customerLanguage, "language"),
    ]
    for (fact, name) in meanings where collected[name] == nil {
      if case .string(let text)? = self[fact] { collected.take(name, .string(text)) }
    }
    var derived = Facts()
    derived.setCollected(collected)
    var found: [Contradiction] = []
    for (fact, name) in meanings {
      guard let value = derived[fact] else { continue }
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
    guard case .map(let fields)? = derived[.conversationFields], fields.count > 0 else {
      return found
    }
    return found + merge(.map(fields), into: .conversationFields, from: .handoffFields)
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
