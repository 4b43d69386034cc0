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
    if case .string(let language)? = fields["language"] {
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
    completeFields() + completeHours(hours)
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
    let sources: [Fact] = [.conversationFields, .sessionContext, .handoffFields]
    guard !sources.contains(where: { self[$0]?.isUnknown ?? false }) else { return [] }
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
    var members: [(String, Value)] = []
    var stated = MapValue.empty
    if case .map(let map)? = self[fact] { stated = map }
    for case (.string(let name), let value) in zip(stated.keys, stated.values) {
      members.append((name, value))
    }
    for case (.string(let name), let value) in zip(derived.keys, derived.values) {
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
