import Continuity
import Expressions
import Model
import Pipeline
import Routing
import Rules
import WebCodec

extension AskedFacts {
  /// What must be gathered for rules that ask these.
  init(_ asked: Set<Fact>) {
    self = []
    let told: Set<Fact> = [
      .sessionContext, .conversationIntent, .conversationReopened, .conversationMessages,
      .conversationText,
      .conversationLanguage, .customerLanguage, .conversationFields,
    ]
    if !asked.isDisjoint(with: told) { insert(.transcript) }
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
    let told = facts.gathered.transcript.map(ToldFacts.init)
    conversation(facts, told, &seen)
    channel(facts, &seen)
    place(facts.channel, router, at, &seen)
    return seen
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
    var fields = facts.handoff?.fields.map { ($0.name, Self.value($0.value)) } ?? []
    // A phone system has no handoff of its own: what it says of a call is the session's context.
    if facts.channel == .phone, !fields.isEmpty { seen[.sessionContext] = .map(MapValue(fields)) }
    if case .map(let context) = seen[.sessionContext] {
      for case (.string(let name), let value) in zip(context.keys, context.values) {
        fields.append((name, value))
      }
    }
    let all = MapValue(fields)
    seen[.conversationFields] = .map(all)
    if case .string(let intent)? = all.find(text: "intent") {
      seen[.conversationIntent] = .string(intent)
    }
    if case .string(let language)? = all.find(text: "language") {
      seen[.conversationLanguage] = .string(language)
      seen[.customerLanguage] = .string(language)
    }
    if let sessions = facts.gathered.sessions {
      seen[.conversationSessions] = .int(Int64(sessions))
    }
    seen[.conversationReopened] = .bool(facts.gathered.isReopened || told?.isReopened ?? false)
    if let messages = told?.messages ?? (facts.channel == .email ? 0 : nil) {
      seen[.conversationMessages] = .int(Int64(messages + (facts.mail == nil ? 0 : 1)))
    }
    if let text = facts.mail?.text ?? told?.words {
      seen[.conversationText] = .string(
        String(text.unicodeScalars.prefix(4_000).map(Character.init)))
    }
  }

  private func channel(_ facts: RouteFacts, _ seen: inout Facts) {
    if let handoff = facts.handoff, facts.channel == .chat {
      seen[.handoffReason] = .string(handoff.reason)
      seen[.handoffSummary] = .string(handoff.summary)
      seen[.handoffFields] = .map(MapValue(handoff.fields.map { ($0.name, Self.value($0.value)) }))
      seen[.handoffSkills] = .list(handoff.wantedSkills.map { .string($0) })
    }
    if let mail = facts.mail {
      seen[.mailSubject] = .string(mail.subject)
      seen[.mailFrom] = .string(mail.from)
      seen[.mailTo] = .list([.string(mail.to)])
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
    seen[.hours] = .map(MapValue(checked.hours.map { ($0.name, .bool($0.isOpen(at: at))) }))
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

  private static func value(_ fact: FactValue) -> Value {
    switch fact {
    case .text(let text): .string(text)
    case .number(let number): .int(number)
    case .decimal(let text): Double(text).map { .double($0) } ?? .string(text)
    case .flag(let flag): .bool(flag)
    }
  }
}

/// What the entries of a conversation tell.
private struct ToldFacts {
  var messages = 0
  /// The customer's last words.
  var words: String?
  /// What the bot said when it opened the last session.
  var context: Value?
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
      case "session_opened": if let found = entry["context"] { context = Value(found) }
      case "reopened": isReopened = true
      default: break
      }
    }
  }
}

extension Value {
  init(_ json: JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let bool): self = .bool(bool)
    case .int(let int): self = .int(int)
    case .number(let text):
      self = UInt64(text).map(Value.uint) ?? Double(text).map(Value.double) ?? .string(text)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .list(elements.map { Value($0) })
    case .object(let object):
      self = .map(MapValue(object.members.map { ($0.name, Value($0.value)) }))
    }
  }

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
