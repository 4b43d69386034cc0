import Continuity
import Expressions
import Model
import Pipeline
import Routing
import RuleFiles
import Rules
import Service
import WebCodec

extension AskedFacts {
  /// The facts that are read out of the conversation's entries.
  fileprivate static let told: Set<Fact> = [
    .sessionContext, .conversationIntent, .conversationReopened, .conversationMessages,
    .conversationText, .conversationLanguage, .customerLanguage, .conversationFields,
  ]

  /// What must be gathered for rules that ask these.
  init(_ asked: Set<Fact>) {
    self = []
    if !asked.isDisjoint(with: Self.told) { insert(.transcript) }
    if asked.contains(.customerConversations) { insert(.history) }
    if asked.contains(.conversationSessions) { insert(.sessions) }
    if asked.contains(.customerAssurance) { insert(.assurance) }
  }
}

/// A case as its rules see it: every fact that is known, in its slot.
extension RulePlanner {
  func facts(_ facts: RouteFacts, _ router: borrowing Router, _ at: Instant) -> Facts {
    var seen = Facts()
    seen[.now] = .timestamp(Timestamp(milliseconds: at.milliseconds))
    seen[.sessionChannel] = .string(facts.channel.name)
    if let bot = facts.bot { seen[.sessionBot] = .string(bot) }
    customer(facts, router, &seen)
    conversation(facts, facts.gathered.transcript.map(ToldFacts.init), &seen)
    channel(facts, &seen)
    place(facts.channel, router, at, &seen)
    leaveOpen(facts.gathered, &seen)
    return seen
  }

  /// What no rule asks for is not gathered, and so not known: other rules that are tried on the
  /// same case later must not take it for absent.
  private func leaveOpen(_ gathered: GatheredFacts, _ seen: inout Facts) {
    if gathered.transcript == nil {
      for fact in AskedFacts.told where seen[fact] == nil { seen.setUnknown(fact) }
    }
    if gathered.conversationsBefore == nil { seen.setUnknown(.customerConversations) }
    if gathered.sessions == nil { seen.setUnknown(.conversationSessions) }
    if gathered.assurance == nil, !asks.contains(.assurance) {
      seen.setUnknown(.customerAssurance)
    }
    if !checked.rules.asked.contains(.queues) { seen.setUnknown(.queues) }
  }

  private func customer(_ facts: RouteFacts, _ router: borrowing Router, _ seen: inout Facts) {
    let profile = facts.profile
    seen[.customerKnown] = .bool(!facts.isNewCustomer)
    if let name = profile.displayName { seen[.customerName] = .string(name) }
    if let assurance = facts.gathered.assurance {
      seen[.customerAssurance] = .string(assurance.name)
    }
    if let count = facts.gathered.conversationsBefore {
      seen[.customerConversations] = .int(Int64(count))
    }
    if let last = profile.lastAgent {
      seen[.customerLastAgent] = .string(router.name(of: last.agent))
    }
    // Where sources differ, what was said last counts.
    let names = Set(profile.attributes.map(\.name)).sorted()
    seen[.customerAttributes] = .map(
      MapValue(
        names.compactMap { name in profile.newest(name).map { (name, Value(json: $0.value)) } }))
    seen[.customerEvents] = .list(
      profile.journey.reversed().map { event in
        var fields: [(String, Value)] = []
        if case .map(let map) = Value(json: event.detail) {
          for case (.string(let name), let value) in zip(map.keys, map.values) {
            fields.append((name, value))
          }
        }
        return Facts.event(
          kind: event.name, at: Timestamp(milliseconds: event.at.milliseconds),
          source: event.source, fields: fields)
      })
  }

  private func conversation(_ facts: RouteFacts, _ told: ToldFacts?, _ seen: inout Facts) {
    if let context = told?.context { seen[.sessionContext] = context }
    let handed = facts.handoff?.fields ?? []
    // A phone system has no handoff of its own: what it says of a call is the session's context.
    if facts.channel == .phone, !handed.isEmpty { seen[.sessionContext] = Self.map(handed) }
    collected(facts, told, &seen)
    if let sessions = facts.gathered.sessions {
      seen[.conversationSessions] = .int(Int64(sessions))
    }
    if facts.gathered.isReopened || told != nil {
      seen[.conversationReopened] = .bool(facts.gathered.isReopened || told?.isReopened ?? false)
    }
    if let messages = told?.messages {
      seen[.conversationMessages] = .int(Int64(messages + (facts.mail == nil ? 0 : 1)))
    }
    if let text = facts.mail?.text ?? told?.words {
      seen[.conversationText] = .string(
        String(text.unicodeScalars.prefix(Fact.textMax).map(Character.init)))
    }
  }

  /// What was collected in the conversation, this handoff's fields as the newest of all.
  private func collected(_ facts: RouteFacts, _ told: ToldFacts?, _ seen: inout Facts) {
    var collected = told?.collected ?? CollectedFields()
    for field in facts.handoff?.fields ?? [] {
      guard let value = JSONValue.read(field.value) else { continue }
      collected.take(
        field.name, Value(facts.channel == .phone ? LearnedField(value).value : value))
    }
    // Without the entries these are not all.
    seen.setCollected(collected, isWhole: told != nil)
  }

  private static func map(_ fields: [HandoffFacts.Field]) -> Value {
    .map(MapValue(fields.map { ($0.name, Value(json: $0.value)) }))
  }

  private func channel(_ facts: RouteFacts, _ seen: inout Facts) {
    if let handoff = facts.handoff, facts.channel == .chat {
      seen[.handoffReason] = .string(handoff.reason)
      seen[.handoffSummary] = .string(handoff.summary)
      seen[.handoffFields] = Self.map(handoff.fields)
      seen[.handoffSkills] = .list(handoff.wantedSkills.map { .string($0) })
    }
    if let handoff = facts.handoff, facts.channel == .phone, !handoff.reason.isEmpty {
      seen[.handoffReason] = .string(handoff.reason)
    }
    if let mail = facts.mail {
      seen[.mailSubject] = .string(mail.subject)
      // The part before the `@` comes as its owner writes it; no server tells `Ann@` from `ann@`.
      seen[.mailFrom] = .string(mail.from.lowercased())
      seen[.mailTo] = .list(mail.to.map { .string($0) })
      seen[.mailAutomatic] = .bool(false)
      seen[.mailAttachments] = .int(Int64(facts.gathered.attachments))
    }
    if let call = facts.call {
      // `anonymous` is how a withheld number is kept.
      if call.from.hasPrefix("+") { seen[.callFrom] = .string(call.from) }
      seen[.callTo] = .string(call.to)
    }
  }

  /// How it stands here: hours, and queues where a rule asks for them.
  private func place(
    _ channel: Channel, _ router: borrowing Router, _ at: Instant, _ seen: inout Facts
  ) {
    seen.setHours(checked.hours, at: at)
    guard checked.rules.asked.contains(.queues) else { return }
    var queues: [(String, Value)] = []
    for id in router.queueIDs {
      guard let queue = router.statistics(id) else { continue }
      let oldest = queue.oldest.map { max(0, at.milliseconds - $0.milliseconds) / 1_000 } ?? 0
      queues.append(
        (
          queue.name,
          Facts.queue(
            waiting: queue.waiting, oldestSeconds: Int(oldest),
            availableAgents: queue.agents.readyFor[channel])
        ))
    }
    seen[.queues] = .map(MapValue(queues))
  }
}

/// What the entries of a conversation tell.
private struct ToldFacts {
  var messages = 0
  /// The customer's last words.
  var words: String?
  /// What the bot said when it opened the last session; nil for what is no object.
  var context: Value?
  var collected = CollectedFields()
  var isReopened = false

  init(_ bodies: [[UInt8]]) {
    for body in bodies {
      guard let entry = JSONValue.read(body) else { continue }
      switch entry["kind"]?.string {
      case "message":
        messages += 1
        if entry["author"]?["kind"]?.string == "customer", let text = entry["text"]?.string {
          words = text
        }
      case "session_opened":
        guard case .object(let object)? = entry["context"] else { continue }
        context = Value(.object(object))
        for member in object.members { collected.take(member.name, Value(member.value)) }
      case "learned", "handoff", "handed_back", "transferred":
        if case .object(let object)? = entry["fields"] { collected.take(learned: object) }
      case "call":
        if case .object(let object)? = entry["known"] { collected.take(learned: object) }
      case "reopened": isReopened = true
      default: break
      }
    }
  }
}

extension CollectedFields {
  fileprivate mutating func take(learned object: JSONObject) {
    for member in object.members { take(member.name, Value(LearnedField(member.value).value)) }
  }
}

extension Value {
  /// Null for what is no JSON.
  init(json bytes: [UInt8]) {
    self = JSONValue.read(bytes).map { Value($0) } ?? .null
  }
}

extension JSONValue {
  /// Nil for what we did not write ourselves, or no longer can read: a rule then has one fact less.
  fileprivate static func read(_ bytes: [UInt8]) -> JSONValue? {
    do throws(JSONError) { return try JSONValue(parsing: bytes) } catch { return nil }
  }
}
