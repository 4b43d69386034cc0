/// What a case needs, as a rule says it: plain values, names as text, times in milliseconds.
public struct Plan: Sendable, Hashable {
  public var queue: String
  /// Higher is served sooner; a queue says how many seconds of waiting one point is worth.
  public var priority: Int = 0
  public var requiredSkills: [SkillNeed] = []
  public var preferredSkills: [SkillNeed] = []
  public var preference: AgentPreference?
  public var excludedAgents: [String] = []
  /// Where not empty: only these agents, …
  public var requiredAgents: [String] = []
  /// … and only members of one of these teams.
  public var requiredTeams: [String] = []
  public var excludedTeams: [String] = []
  public var serviceLevelMilliseconds: Int64?
  /// - Units: capacity units; nil for the channel's own weight.
  public var weight: Int?
  /// Callers hear this, leave a message and go; their case waits without them. nil: they wait
  /// themselves. Whoever comes by another channel waits as ever.
  public var leaveMessage: String?
  /// Ascending by `afterMilliseconds`.
  public var steps: [Step] = []
  /// What the conversation is filed under from now on.
  public var tags: [String] = []

  public init(queue: String) { self.queue = queue }

  // What the router takes of one case: more than this is a case that nobody gets.
  public static let skillsMax = 16
  /// Two more are kept free: what a queue says to whom it is closed, and at the end of `max_wait`.
  public static let stepsMax = 30
  public static let widenedMax = 16
  /// Agents and teams together.
  public static let namesMax = 64

  /// Skills that it names, each once.
  public var skillsCount: Int { Set((requiredSkills + preferredSkills).map(\.name)).count }

  /// Agents and teams that it names, all together.
  public var namesCount: Int {
    excludedAgents.count + requiredAgents.count + requiredTeams.count + excludedTeams.count
  }

  /// Whether the agent is among those whom the plan allows, whatever their queues and skills.
  public func admits(_ agent: String, teams: [String]) -> Bool {
    (requiredAgents.isEmpty || requiredAgents.contains(agent))
      && (requiredTeams.isEmpty || requiredTeams.contains(where: teams.contains))
      && !excludedAgents.contains(agent) && !excludedTeams.contains(where: teams.contains)
  }

  public struct SkillNeed: Sendable, Hashable {
    public var name: String
    /// 1…10.
    public var level: Int
    public init(name: String, level: Int = 1) {
      self.name = name
      self.level = level
    }
  }

  /// Who should have the case for a while before anybody may.
  public struct AgentPreference: Sendable, Hashable {
    public enum Whom: Sendable, Hashable {
      case lastAgent
      case named(String)
      case accountTeam
    }
    public var whom: Whom
    public var forMilliseconds: Int64
    public init(whom: Whom, forMilliseconds: Int64) {
      self.whom = whom
      self.forMilliseconds = forMilliseconds
    }
  }

  /// A change while the case waits.
  public struct Step: Sendable, Hashable {
    public enum Change: Sendable, Hashable {
      case relaxSkill(String)
      case lowerSkill(String, level: Int)
      case raisePriority(by: Int)
      case changeQueue(String)
      /// Agents of these queues may take it too.
      case widen([String])
      /// Said to the customer.
      case message(String)
    }
    public var afterMilliseconds: Int64
    public var change: Change
    public init(afterMilliseconds: Int64, change: Change) {
      self.afterMilliseconds = afterMilliseconds
      self.change = change
    }
  }
}

/// What a rule does instead of routing.
public enum Action: Sendable, Hashable {
  case answer(String)
  case handBack(reason: String)
  case reject(reason: String)
}

public enum Outcome: Sendable, Hashable {
  case route(Plan)
  case action(Action)
}
