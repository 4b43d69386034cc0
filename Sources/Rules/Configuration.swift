import Model

/// What an operations person configures for one workspace. Plain values with documented defaults.
public struct WorkspaceConfiguration: Sendable, Hashable {
  public var name: String
  public var title: String
  public var mailAddresses: [String] = []
  /// E.164.
  public var dialledNumbers: [String] = []
  /// ISO 3166, such as `US`: how a number without a country is read.
  public var defaultRegion = "US"
  public var trustedRelays: [TrustedRelay] = []
  public var phoneSystems: [PhoneSystem] = []
  public var bots: [BotConfiguration] = []
  public var integrations: [IntegrationConfiguration] = []
  /// A customer who returns within this time continues the same conversation. 72 hours.
  public var conversationWindowMilliseconds: Int64 = 72 * 3_600_000
  /// Which mail continues a conversation that its headers do not name.
  public var conversationSubject = SubjectRule.same
  public enum SubjectRule: String, Sendable, Hashable, CaseIterable { case same, any, never }
  /// Which addresses of a mail provider reach one mailbox; nothing is assumed of those that are not
  /// named.
  public var emailProviders: [EmailProvider] = []
  public var capacity = CapacityWeights()
  /// What becomes of a customer whose bot does not answer; nil: they wait for it.
  public var botSilence: BotSilence?
  /// What agents may choose to be beside what every workspace has.
  public var statuses: [StatusConfiguration] = []
  /// Which words go by age; none unless told.
  public var retention: [RetentionConfiguration] = []
  /// What is taken out of what comes in, beside card numbers and tokens.
  public var redactions: [RedactionConfiguration] = []

  public init(name: String) {
    self.name = name
    title = name
  }
}

/// A status of the workspace's own that its agents may choose.
public struct StatusConfiguration: Sendable, Hashable {
  /// What every workspace has, by the names that agents say.
  public enum Plain: String, Sendable, Hashable, CaseIterable {
    case available, busy
    case onBreak = "break"
    case meeting, training, offline
  }
  public var name: String
  public var title: String
  /// As which it counts: whether cases come, and whether a preferred agent is waited for.
  public var counts: Plain
  /// Where it counts as available: on these alone; none: on all.
  public var channels: [Channel] = []
  /// Whoever chooses it must say why.
  public var needsReason = false

  public init(name: String, as counts: Plain) {
    self.name = name
    self.counts = counts
    title = name
  }
}

public struct EmailProvider: Sendable, Hashable {
  /// In lower case; the first stands for all.
  public var domains: [String]
  public var ignoresDots: Bool
  /// Such as `+`: what follows it in a local part does not tell mailboxes apart.
  public var tag: String?
  public init(domains: [String], ignoresDots: Bool = false, tag: String? = nil) {
    self.domains = domains
    self.ignoresDots = ignoresDots
    self.tag = tag
  }
}

/// A mail relay whose `Authentication-Results` are believed.
public struct TrustedRelay: Sendable, Hashable {
  /// CIDR, such as `127.0.0.1/32`.
  public var network: String
  public var authservID: String
  public init(network: String, authservID: String) {
    self.network = network
    self.authservID = authservID
  }
}

public struct PhoneSystem: Sendable, Hashable {
  public enum API: String, Sendable, Hashable, CaseIterable {
    case fastagi, eventSocket = "event_socket", http, twilio
  }
  public var name: String
  public var api: API
  /// CIDRs that may connect.
  public var networks: [String]
  /// Said among the AGI arguments; nil where the address is enough.
  public var secret: String?
  public init(name: String, api: API, networks: [String], secret: String? = nil) {
    self.name = name
    self.api = api
    self.networks = networks
    self.secret = secret
  }
}

public struct BotConfiguration: Sendable, Hashable {
  public var name: String
  /// Kinds of identity that this bot may assert: `email`, `phone`, `chat`, or any external kind.
  public var identityKinds: [String]
  /// The most that it may say of those kinds.
  public var assurance: WordOfIdentity
  public init(name: String, identityKinds: [String] = [], assurance: WordOfIdentity = .asserted) {
    self.name = name
    self.identityKinds = identityKinds
    self.assurance = assurance
  }
}

/// A bot that leaves the customer's word unanswered for so long loses the conversation to a queue.
public struct BotSilence: Sendable, Hashable {
  public var afterMilliseconds: Int64
  public var queue: String
  public init(afterMilliseconds: Int64, queue: String) {
    self.afterMilliseconds = afterMilliseconds
    self.queue = queue
  }
}

/// What somebody's word about an identity is worth: `verified` with evidence of what they checked,
/// `asserted` where they are believed, `claimed` where they are not.
public enum WordOfIdentity: String, Sendable, Hashable, CaseIterable {
  case verified, asserted, claimed
}

/// A shop, a site or a till that tells what customers do.
public struct IntegrationConfiguration: Sendable, Hashable {
  public var name: String
  /// Kinds of identity that it may assert: `email`, `phone`, `chat`, `external`.
  public var identityKinds: [String]
  /// The most that it may say of those kinds.
  public var assurance: WordOfIdentity
  public init(name: String, identityKinds: [String] = [], assurance: WordOfIdentity = .asserted) {
    self.name = name
    self.identityKinds = identityKinds
    self.assurance = assurance
  }
}

/// How much of an agent's capacity a case takes, by channel.
public struct CapacityWeights: Sendable, Hashable {
  /// - Units: capacity units. A phone call takes the whole agent when `phoneIsWhole`.
  public var chat = 1
  public var email = 1
  public var phone = 1
  public var phoneIsWhole = true
  /// Channels whose cases take no room from those of the other channels: a call comes to who has
  /// only mail open.
  public var interruptible: Set<String> = []
  public init() {}
}

public struct QueueConfiguration: Sendable, Hashable {
  public enum Ordering: String, Sendable, Hashable, CaseIterable {
    /// Arrival, moved forward by what priority is worth: nothing starves.
    case ageing
    /// The earliest service-level deadline first.
    case deadline
    /// Priority before age, always.
    case strict
  }
  public enum Strategy: String, Sendable, Hashable, CaseIterable {
    case longestIdle = "longest_idle"
    case leastOccupied = "least_occupied"
    case mostSkilled = "most_skilled"
    case leastSkilled = "least_skilled"
    case roundRobin = "round_robin"
    case fewestCasesToday = "fewest_cases_today"
  }
  public enum MissPolicy: String, Sendable, Hashable, CaseIterable {
    case notResponding = "not_responding"
    case backOff = "back_off"
  }
  /// What happens when a limit is passed or the queue is closed.
  public enum Overflow: Sendable, Hashable {
    case queue(String)
    case answer(String)
    case handBack(String)
    case reject(String)
    /// A caller hears this, leaves a message and goes; who comes by another channel waits.
    case leaveMessage(String)
  }
  public struct ServiceLevel: Sendable, Hashable {
    public var targetSeconds: Int
    public var percent: Int
    public init(targetSeconds: Int, percent: Int) {
      self.targetSeconds = targetSeconds
      self.percent = percent
    }
  }
  public struct Cap: Sendable, Hashable {
    /// Cases for `max_waiting`, seconds for `max_wait`.
    public var limit: Int
    public var then: Overflow
    public init(limit: Int, then: Overflow) {
      self.limit = limit
      self.then = then
    }
  }

  public var name: String
  public var title: String
  public var ordering: Ordering = .ageing
  /// What one point of priority is worth, in seconds of waiting.
  public var ageingSeconds = 60
  public var serviceLevel = ServiceLevel(targetSeconds: 60, percent: 80)
  public var offerTimeoutMilliseconds = ByChannel(chat: 20_000, email: 60_000, phone: 20_000)
  public var wrapUpMilliseconds: Int64 = 30_000
  /// The first decides; each next one breaks ties.
  public var strategy: [Strategy] = [.longestIdle]
  public var missPolicy: MissPolicy = .notResponding
  /// For how long an agent is left alone who missed an offer, under `.backOff`.
  public var missBackOffMilliseconds: Int64 = 60_000
  /// A case is offered to so many agents at once; the first to accept has it.
  public var offersAtOnce = 1
  /// An agent who took a case and says nothing for so long loses it; zero: never. Calls are
  /// answered by voice.
  public var firstReplyMilliseconds = ByChannel(chat: 0, email: 0, phone: 0)
  public var waitingMax: Cap?
  public var waitMax: Cap?
  /// The name of opening hours; nil is always open.
  public var hours: String?
  /// What happens to cases while closed; nil lets them wait.
  public var closed: Overflow?
  /// Its part of the agents who serve several queues; nil: the queue says none.
  public var weight: Int?
  /// What a second of waiting here counts beside one in another queue, in thousandths.
  public var slopePermille = 1_000

  public init(name: String) {
    self.name = name
    title = name
  }
}

public struct ByChannel: Sendable, Hashable {
  public var chat: Int64
  public var email: Int64
  public var phone: Int64
  public init(chat: Int64, email: Int64, phone: Int64) {
    self.chat = chat
    self.email = email
    self.phone = phone
  }
}

public struct SkillConfiguration: Sendable, Hashable {
  public var name: String
  public var title: String
  /// The language that this skill is, such as `de`: then `language: required` in a rule finds it.
  public var language: String?
  public init(name: String) {
    self.name = name
    title = name
  }
}

public struct AgentConfiguration: Sendable, Hashable {
  public var name: String
  public var displayName: String
  public var skills: [Plan.SkillNeed] = []
  public var queues: [String] = []
  public var teams: [String] = []
  public var capacityUnits = 3
  /// The most cases of one channel at once; nil is bounded by capacity only.
  public var chatMax: Int?
  public var emailMax: Int?
  public var phoneMax: Int? = 1
  /// While on a call nothing else comes.
  public var voiceExclusive = true
  /// Such as `PJSIP/agent1`.
  public var phoneDevices: [String] = []
  public var autoAccept = false
  public var mailAddress: String?

  public init(name: String) {
    self.name = name
    displayName = name
  }
}

/// When a place is open, as UTC intervals: zones and holidays are settled already.
public struct HoursConfiguration: Sendable, Hashable {
  public var name: String
  public var zone: String
  /// Ascending, apart from one another; the end is not inside.
  public var open: [Interval]
  /// What is known begins and ends here: expand again before.
  public var expandedFrom = Instant(milliseconds: .min)
  public var expandedUntil: Instant
  /// As the file says it, so that it can be spelt out for any moment.
  public var written = Written()

  /// - Units: minutes of the day; 24:00 is its end.
  public struct Written: Sendable, Hashable {
    /// By the day of the week, from Sunday on.
    public var week = Array(repeating: [ClosedRange<Int>](), count: 7)
    /// By the date, such as 2026-12-25.
    public var holidays: [String: [ClosedRange<Int>]] = [:]
    public init() {}
  }

  public struct Interval: Sendable, Hashable {
    public var start: Instant
    public var end: Instant
    public init(start: Instant, end: Instant) {
      self.start = start
      self.end = end
    }
  }

  public init(name: String, zone: String, open: [Interval], expandedUntil: Instant) {
    self.name = name
    self.zone = zone
    self.open = open
    self.expandedUntil = expandedUntil
  }

  public func isOpen(at instant: Instant) -> Bool {
    var low = 0
    var high = open.count
    while low < high {
      let middle = (low + high) / 2
      if open[middle].start <= instant { low = middle + 1 } else { high = middle }
    }
    return low > 0 && instant < open[low - 1].end
  }
}

/// Everything of one workspace's folder, checked.
public struct CheckedWorkspace: Sendable {
  public var workspace: WorkspaceConfiguration
  public var queues: [QueueConfiguration]
  public var skills: [SkillConfiguration]
  public var agents: [AgentConfiguration]
  public var hours: [HoursConfiguration]
  public var rules: RuleSet

  public init(
    workspace: WorkspaceConfiguration, queues: [QueueConfiguration], skills: [SkillConfiguration],
    agents: [AgentConfiguration], hours: [HoursConfiguration], rules: RuleSet
  ) {
    self.workspace = workspace
    self.queues = queues
    self.skills = skills
    self.agents = agents
    self.hours = hours
    self.rules = rules
  }
}
