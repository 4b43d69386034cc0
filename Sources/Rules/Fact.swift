import Expressions
import Model

/// The facts that a condition may name. This declaration is their documentation, their types and
/// their slots.
public enum Fact: Int, CaseIterable, Sendable, Hashable {
  case sessionChannel, sessionBot, sessionContext
  case customerKnown, customerName, customerAssurance, customerAttributes, customerLanguage
  case customerConversations, customerLastAgent, customerEvents
  case conversationIntent, conversationFields, conversationReopened, conversationSessions
  case conversationMessages, conversationLanguage, conversationText
  case handoffReason, handoffSummary, handoffFields, handoffSkills
  case mailSubject, mailFrom, mailTo, mailAutomatic, mailAttachments
  case callFrom, callTo
  case queues, hours, now

  public var declaration: Declaration { Self.declarations[rawValue] }
  public var name: String { declaration.name }

  /// How many events of a customer `customer.events` holds.
  public static let eventsMax = 20
  /// - Units: code points of `conversation.text`.
  public static let textMax = 4_000
  /// As many entries are counted, and the mail that comes.
  public static let messagesMax: Int64 = 501
  /// How far `customer.conversations` is counted.
  public static let conversationsMax: Int64 = 1_000

  public struct Declaration: Sendable {
    public var name: String
    public var type: Type
    /// The channels on which it can be present; empty for all.
    public var channels: [String]
    public var text: String
    /// How many elements it has at most, where that is less than is taken of any list.
    public var elementsMax = Environment.elementsAssumed
    /// Whether every case has it.
    public var isAlways = false
    /// What a number is at least and at most.
    public var range: ClosedRange<Int64>?
  }

  static let declarations: [Declaration] = allCases.map(declare)

  private static func declare(_ fact: Fact) -> Declaration {
    var declaration = describe(fact)
    switch fact {
    case .sessionChannel, .customerKnown, .customerAttributes, .customerEvents,
      .conversationFields, .conversationReopened, .queues, .hours, .now:
      declaration.isAlways = true
    case .conversationMessages: (declaration.isAlways, declaration.range) = (true, 0...messagesMax)
    // Of these nobody knows while a row of the customer's is damaged.
    case .customerConversations: declaration.range = 0...conversationsMax
    case .conversationSessions: declaration.range = 1...Int64.max
    case .mailAttachments: declaration.range = 0...Int64.max
    default: break
    }
    return declaration
  }

  private static func describe(_ fact: Fact) -> Declaration {
    func make(_ name: String, _ type: Type, _ text: String, _ channels: [String] = [])
      -> Declaration
    {
      Declaration(name: name, type: type, channels: channels, text: text)
    }
    let fields = Type.map(.string, .dyn)
    switch fact {
    case .sessionChannel: return make("session.channel", .string, "`chat`, `email` or `phone`.")
    case .sessionBot:
      return make("session.bot", .string, "The bot that opened the session.", ["chat"])
    case .sessionContext:
      return make(
        "session.context", fields,
        "What the bot or phone system said when it opened the session, where that is an object.")
    case .customerKnown:
      return make(
        "customer.known", .bool,
        "True for whoever we have met before; in a chat always, since opening it made the customer known."
      )
    case .customerName: return make("customer.name", .string, "Absent while nobody has told it.")
    case .customerAssurance:
      return make(
        "customer.assurance", .string,
        "How well we know who it is: `verified`, `asserted` or `claimed`. Of a mail or a call, what came with it; of a chat, the strongest known."
      )
    case .customerAttributes:
      return make(
        "customer.attributes", fields,
        "What shops and bots keep about the customer, such as `tier`; of several who differ, who spoke last."
      )
    case .customerLanguage:
      return make(
        "customer.language", .string,
        "The customer's language as `de`, when a bot told it as `language` in this conversation.")
    case .customerConversations:
      return make(
        "customer.conversations", .int,
        "How many conversations there were before this one; counted up to 1,000.")
    case .customerLastAgent:
      return make(
        "customer.last_agent", .string, "Who served this customer last; absent when nobody did.")
    case .customerEvents:
      var events = make(
        "customer.events", .list(.object("event")),
        "What the customer did of late elsewhere, the newest first, at most \(eventsMax); each has `kind`, `at`, `source`, `fields`."
      )
      events.elementsMax = eventsMax
      return events
    case .conversationIntent:
      return make(
        "conversation.intent", .string,
        "What the customer wants, as a bot understood it: the field `intent` of `conversation.fields`, where it is a text."
      )
    case .conversationFields:
      return make(
        "conversation.fields", fields,
        "What has been collected in this conversation so far: what bots learned, handed over and said when they opened a session, and what phone systems knew; of several that share a name the newest. Looked for in the conversation's last 500 entries."
      )
    case .conversationReopened:
      return make(
        "conversation.reopened", .bool, "True when the conversation had been closed before.")
    case .conversationSessions:
      return make(
        "conversation.sessions", .int,
        "How many sessions this conversation has had, this one included.")
    case .conversationMessages:
      return make(
        "conversation.messages", .int,
        "How many messages the transcript holds; counted in its last 500 entries.")
    case .conversationLanguage:
      return make(
        "conversation.language", .string,
        "The language spoken here as `de`: the field `language` of `conversation.fields`.")
    case .conversationText:
      return make(
        "conversation.text", .string, "The customer's last words, at most 4,000 characters.")
    case .handoffReason:
      return make(
        "handoff.reason", .string,
        "Why the bot handed over; or what the phone system says a call is about.",
        ["chat", "phone"])
    case .handoffSummary: return make("handoff.summary", .string, "The bot's summary.", ["chat"])
    case .handoffFields:
      return make("handoff.fields", fields, "What the bot collected for the handoff.", ["chat"])
    case .handoffSkills:
      return make("handoff.skills", .list(.string), "Skills that the bot asked for.", ["chat"])
    case .mailSubject: return make("mail.subject", .string, "The subject of the mail.", ["email"])
    case .mailFrom:
      return make("mail.from", .string, "The sender's address in lower case.", ["email"])
    case .mailTo:
      return make(
        "mail.to", .list(.string),
        "The addresses of ours that this delivery named, the one that this copy came to first.",
        ["email"])
    case .mailAutomatic:
      return make(
        "mail.automatic", .bool,
        "True for automatic answers and lists (RFC 3834). They are kept, and ask no rule today.",
        ["email"])
    case .mailAttachments:
      return make("mail.attachments", .int, "How many attachments it has.", ["email"])
    case .callFrom:
      return make(
        "call.from", .string, "The caller's number in E.164; absent when withheld.", ["phone"])
    case .callTo: return make("call.to", .string, "The number dialled, in E.164.", ["phone"])
    case .queues:
      return make(
        "queues", .map(.string, .object("queue")),
        "Every queue by name, with `waiting`, `oldest_seconds` and `available_agents` (who could take a case of this channel now): `queues.support.waiting`."
      )
    case .hours:
      return make(
        "hours", .map(.string, .bool), "Whether opening hours are open now: `hours.office`.")
    case .now: return make("now", .timestamp, "The moment of routing.")
    }
  }

  /// What is known of facts whatever the case is: conditions are judged by it.
  public static let premises: Premises = {
    var premises = Premises()
    for fact in allCases {
      let (slot, declaration) = (fact.rawValue, fact.declaration)
      if declaration.isAlways { premises.always.insert(slot) }
      premises.ranges[slot] = declaration.range
      if !declaration.channels.isEmpty { premises.places[slot] = Set(declaration.channels) }
    }
    premises.place = sessionChannel.rawValue
    premises.values[sessionChannel.rawValue] = Channel.allCases.map { .string($0.name) }
    // Opening a chat made its customer known.
    premises.valuesAt[customerKnown.rawValue] = [Channel.chat.name: .bool(true)]
    premises.values[customerAssurance.rawValue] = assurances.map { .string($0) }
    premises.sizes = [
      customerEvents.rawValue: Int64(eventsMax), conversationText.rawValue: Int64(textMax),
    ]
    // A queue or hours that there are not are refused where they are asked for.
    premises.whole = [queues.rawValue, hours.rawValue]
    for field in objects["queue"] ?? [] {
      premises.fieldRanges["queue.\(field.name)"] = 0...Int64.max
    }
    return premises
  }()

  /// How well it can be known who somebody is.
  public static let assurances = ["verified", "asserted", "claimed"]

  /// The fields of the objects among the facts.
  public static let objects: [String: [Environment.Variable]] = [
    "event": [
      .init("kind", .string), .init("at", .timestamp), .init("source", .string),
      .init("fields", .map(.string, .dyn)),
    ],
    "queue": [
      .init("waiting", .int), .init("oldest_seconds", .int), .init("available_agents", .int),
    ],
  ]

  /// What rules' conditions are checked against.
  public static func environment(zone: @escaping @Sendable (String) -> ZoneTable?) -> Environment {
    var environment = Environment(
      variables: declarations.map { .init($0.name, $0.type, elementsMax: $0.elementsMax) },
      zone: zone)
    environment.objects = objects
    return environment
  }
}

/// The facts of one case: a value for each slot, nil for what is absent.
public struct Facts: Sendable {
  public private(set) var slots: [Value?]

  public init() { slots = Array(repeating: nil, count: Fact.allCases.count) }

  /// Leaves a fact open: it may be anything.
  public mutating func setUnknown(_ fact: Fact) {
    slots[fact.rawValue] = Self.unknown[fact.rawValue]
  }
  /// Leaves open those of a map's names that are not in it: rules that are newer than the case may
  /// ask of hours and queues that came after it.
  public mutating func setUnknown(_ names: [String], of fact: Fact) {
    guard case .map(let map)? = self[fact] else { return }
    let missing = names.filter { map.find(text: $0) == nil }
    self[fact] = .map(MapValue(map.members + missing.map { ($0, .unknown("\(fact.name).\($0)")) }))
  }
  /// Each made once: most cases leave several facts open, which their rules do not ask for.
  private static let unknown = Fact.allCases.map { Value.unknown($0.name) }

  public subscript(_ fact: Fact) -> Value? {
    get { slots[fact.rawValue] }
    set { slots[fact.rawValue] = newValue }
  }

  public static func event(kind: String, at: Timestamp, source: String, fields: [(String, Value)])
    -> Value
  {
    .map(
      MapValue([
        ("kind", .string(kind)), ("at", .timestamp(at)), ("source", .string(source)),
        ("fields", .map(MapValue(fields))),
      ]))
  }

  public static func queue(waiting: Int, oldestSeconds: Int, availableAgents: Int) -> Value {
    .map(
      MapValue([
        ("waiting", .int(Int64(waiting))), ("oldest_seconds", .int(Int64(oldestSeconds))),
        ("available_agents", .int(Int64(availableAgents))),
      ]))
  }
}
