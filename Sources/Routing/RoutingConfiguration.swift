import Model

/// What the machine must know of a workspace's rule folder: a version of it is one event in the log, so that a
/// replay needs no files. Names are given handles in order of first appearance and keep them for ever; what a
/// later version leaves out is retired, not forgotten.
public struct RoutingConfiguration: Hashable, Sendable {
  public var version: UInt32
  public var skills: [String]
  public var bots: [String]
  public var teams: [String] = []
  public var queues: [Queue]
  public var agents: [Agent]
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
    public var offerTimeout = PerChannel<Duration64>(chat: .seconds(20), email: .seconds(60), phone: .seconds(15))
    public var waitingMax: UInt32 = 1_000_000
    public var order: Order = .age
    /// A case is offered to so many agents at once, as far as so many suit; the first to accept has it.
    public var offersAtOnce: UInt8 = 1
    /// An agent who took a case and says nothing to the customer for so long loses it, and it waits again with
    /// its age. Zero: never.
    public var firstReply = PerChannel<Duration64>(chat: .zero, email: .zero, phone: .zero)
    public init(name: String) { self.name = name }
  }

  public enum Strategy: UInt8, Hashable, Sendable {
    case longestIdle = 1, leastOccupied, mostSkilled, leastSkilled, roundRobin, fewestToday
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
    public init() {}
  }
}
