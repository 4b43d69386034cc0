import Model

/// What the machine must know of a workspace's rule folder: a version of it is one event in the
/// log, so that a replay needs no files. Names are given handles in order of first appearance and
/// keep them for ever; what a later version leaves out is retired, not forgotten.
public struct RoutingConfiguration: Hashable, Sendable {
  public var version: UInt32
  public var skills: [String]
  public var bots: [String]
  public var teams: [String] = []
  public var queues: [Queue]
  public var agents: [Agent]
  /// What agents may choose to be beside what every workspace has.
  public var statuses: [Status] = []
  public var limits = Limits()

  public init(version: UInt32, skills: [String], bots: [String], queues: [Queue], agents: [Agent]) {
    self.version = version
    self.skills = skills
    self.bots = bots
    self.queues = queues
    self.agents = agents
  }

  public struct Queue: Hashable, Sendable {
    public var name: String
    /// What one point of priority is worth in waiting time; zero makes priority strict.
    public var prioritySeconds: UInt32 = 60
    public var serviceLevel: Duration64 = .seconds(30)
    public var strategy: [Strategy] = [.longestIdle]
    public var onMiss: MissPolicy = .notResponding
    public var wrapUp = PerChannel<Duration64>(chat: .zero, email: .zero, phone: .seconds(30))
    public var offerTimeout = PerChannel<Duration64>(
      chat: .seconds(20), email: .seconds(60), phone: .seconds(15))
    public var waitingMax: UInt32 = 1_000_000
    public var order: Order = .age
    /// A case is offered to so many agents at once, as far as so many suit; the first to accept has
    /// it.
    public var offersAtOnce: UInt8 = 1
    /// An agent who took a case and says nothing to the customer for so long loses it, and it waits
    /// again with its age. Zero: never.
    public var firstReply = PerChannel<Duration64>(chat: .zero, email: .zero, phone: .zero)
    /// When it is open, in order, apart from each other; nil for always. While it is closed its
    /// cases wait, and nobody is offered one by way of it.
    public var hours: [OpenInterval]?
    /// What becomes of what comes, and of what waits, when it is closed.
    public var whenClosed: Overflow = .wait
    /// What becomes of what comes when `waitingMax` cases wait. `.wait` refuses, too: a cap is a
    /// cap.
    public var whenFull: Overflow = .refuse
    /// A case that has waited here for so long goes the way of `whenWaitedOut`. Zero: never.
    public var waitMax: Duration64 = .zero
    public var whenWaitedOut: Overflow = .wait
    /// What a second of waiting here counts beside one in another queue, in thousandths: how
    /// steeply its cases' right to be next grows.
    public var slopePermille: UInt32 = 1_000
    /// Its part of the agents who serve several queues. Zero: not said, which counts as one where
    /// another queue says.
    public var share: UInt16 = 0
    public init(name: String) { self.name = name }
  }

  public enum Strategy: UInt8, Hashable, Sendable {
    case longestIdle = 1, leastOccupied, mostSkilled, leastSkilled, roundRobin, fewestToday
  }

  /// Open from the first instant until before the second.
  public struct OpenInterval: Hashable, Sendable {
    public var from: Instant
    public var until: Instant
    public init(from: Instant, until: Instant) {
      self.from = from
      self.until = until
    }
  }

  /// Where a case goes that a queue does not take or keep.
  public enum Overflow: Hashable, Sendable {
    case wait
    /// Whoever asks hears why not; what waits already goes on waiting.
    case refuse
    case queue(String)
    /// To the conversation's bot; without one as `refuse`.
    case handBack
    /// A caller who has waited too long leaves a message, and their case waits on without them;
    /// every other case waits. Who of those that come leaves one, the rules decide.
    case message
  }

  /// What waiting counts from. Codes are stored: append only.
  public enum Order: UInt8, Hashable, Sendable {
    /// The case that came first goes first.
    case age = 1
    /// The case whose service level ends first goes first.
    case deadline
  }

  public enum MissPolicy: Hashable, Sendable {
    /// The agent is set *not responding* and gets nothing until they say they are back.
    case notResponding
    /// The agent gets nothing for so long.
    case backOff(Duration64)
  }

  public struct PerChannel<Value: Hashable & Sendable>: Hashable, Sendable {
    public var chat: Value, email: Value, phone: Value
    public init(chat: Value, email: Value, phone: Value) {
      self.chat = chat
      self.email = email
      self.phone = phone
    }
    public subscript(channel: Channel) -> Value {
      switch channel {
      case .chat: chat
      case .email: email
      case .phone: phone
      }
    }
  }

  public struct Agent: Hashable, Sendable {
    public var name: String
    public var skills: [Skill]
    public var queues: [String]
    public var teams: [String] = []
    /// One budget over all channels.
    public var capacity: UInt16 = 3
    /// At most so many cases of a channel at once.
    public var channelMax = PerChannel<UInt16>(chat: 3, email: 3, phone: 1)
    /// Phone devices, such as `PJSIP/agent1`. An agent without one is offered no calls.
    public var devices: [String] = []
    public var autoAccept = false
    /// Where a call takes the whole agent (`Limits.voiceExclusive`), it does so of this one.
    public var voiceExclusive = true
    public init(name: String, skills: [Skill], queues: [String]) {
      self.name = name
      self.skills = skills
      self.queues = queues
    }
    public struct Skill: Hashable, Sendable {
      public var name: String
      public var level: UInt8
      public init(_ name: String, level: UInt8) {
        self.name = name
        self.level = level
      }
    }
  }

  /// A status of the workspace's own. What people read, and whether a reason must be said, is not
  /// the machine's concern.
  public struct Status: Hashable, Sendable {
    public var name: String
    /// As which it counts: never `custom`.
    public var counts: AgentStatus
    /// Where it counts as available: on these alone.
    public var channels: [Channel]
    public init(name: String, as counts: AgentStatus, channels: [Channel] = Channel.allCases) {
      self.name = name
      self.counts = counts
      self.channels = channels
    }
  }

  /// Bounds and times of the whole workspace.
  public struct Limits: Hashable, Sendable {
    /// Capacity units that a case takes where its need does not say.
    public var weight = PerChannel<UInt16>(chat: 1, email: 1, phone: 3)
    /// While an agent is on a call they get nothing else.
    public var voiceExclusive = true
    public var presenceLease: Duration64 = .seconds(60)
    /// How long leases live on after a restart, since nobody could renew them meanwhile.
    public var restartGrace: Duration64 = .seconds(30)
    public var declineBackOff: Duration64 = .seconds(30)
    public var declineBackOffMax: Duration64 = .seconds(600)
    /// The bot of an open chat that says nothing for so long has lost it: the session ends.
    public var sessionIdleMax: Duration64 = .seconds(24 * 3_600)
    /// Work that other work may interrupt: it takes no room from cases of the other channels, so
    /// that a call comes to an agent who has only mail open.
    public var interruptible = PerChannel<Bool>(chat: false, email: false, phone: false)
    /// A bot that leaves the customer's word unanswered for so long loses the conversation to the
    /// queue of that name, and the case has waited since that word. Zero, or no such queue: never.
    public var botSilenceMax: Duration64 = .zero
    public var botSilenceQueue = ""
    public init() {}
  }
}
