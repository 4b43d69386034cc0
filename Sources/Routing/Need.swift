import Model

/// What a case needs, as the rules said it, with names already turned into handles.
public struct Need: Hashable, Sendable {
  public var queue: QueueID
  /// Higher is sooner. What one point is worth in seconds of waiting is the queue's setting.
  public var priority: Int16 = 0
  /// Sorted by skill, each once.
  public var skills: [SkillRequirement] = []
  /// Asked first, alone, until the instant; then the queue.
  public var preferred: PreferredAgent?
  public var steps: [Step] = []
  /// Capacity units that the case takes; nil for the channel's usual weight.
  public var weight: UInt16?
  public var serviceLevel: Duration64?
  public var excluded: [AgentID] {
    get { circle?.excludedAgents ?? [] }
    set { limit { $0.excludedAgents = newValue } }
  }
  /// Where not empty: only these agents, …
  public var requiredAgents: [AgentID] {
    get { circle?.requiredAgents ?? [] }
    set { limit { $0.requiredAgents = newValue } }
  }
  /// … and only members of one of these teams.
  public var requiredTeams: [TeamID] {
    get { circle?.requiredTeams ?? [] }
    set { limit { $0.requiredTeams = newValue } }
  }
  public var excludedTeams: [TeamID] {
    get { circle?.excludedTeams ?? [] }
    set { limit { $0.excludedTeams = newValue } }
  }
  /// Apart, since few needs have one, and each array in a need costs each copy of it; nil where
  /// nobody is named.
  private(set) var circle: Circle?
  private mutating func limit(_ change: (inout Circle) -> Void) {
    var new = circle ?? Circle()
    change(&new)
    circle = new == Circle() ? nil : new
  }

  public init(queue: QueueID) { self.queue = queue }

  public struct SkillRequirement: Hashable, Sendable {
    public var skill: SkillID
    public var level: UInt8
    public var required: Bool
    public init(skill: SkillID, level: UInt8, required: Bool) {
      self.skill = skill
      self.level = level
      self.required = required
    }
  }

  public struct PreferredAgent: Hashable, Sendable {
    public var agent: AgentID
    public var `for`: Duration64
    public init(agent: AgentID, for time: Duration64) {
      self.agent = agent
      self.for = time
    }
  }

  /// A change that comes when the case has waited so long, counted from when it first began to
  /// wait.
  public struct Step: Hashable, Sendable {
    public enum Change: Hashable, Sendable {
      case dropSkill(SkillID)
      case lowerSkill(SkillID, level: UInt8)
      case raisePriority(by: Int16)
      case changeQueue(QueueID)
      /// Agents of these queues may take it too.
      case widen([QueueID])
      /// Number of a text in the rule version; the channel sends it to the customer.
      case message(UInt32)
    }
    public var after: Duration64
    public var change: Change
    public var isMessage: Bool { if case .message = change { true } else { false } }
    public init(after: Duration64, change: Change) {
      self.after = after
      self.change = change
    }
  }
}
