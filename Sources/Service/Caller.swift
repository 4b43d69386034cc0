import Channels
import Model
import Routing

/// Who calls, as their token proves. A token says who, never what: every read and write is
/// authorised on its own.
public struct Caller: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var scope: Scope
  /// The name the token is bound to, such as `robin` or `ann`.
  public var holder: String
  public var token: TokenID

  public init(workspace: WorkspaceID, scope: Scope, holder: String, token: TokenID) {
    self.workspace = workspace
    self.scope = scope
    self.holder = holder
    self.token = token
  }

  public enum Scope: String, Hashable, Sendable, CaseIterable {
    case bot, telephony, integration, agent, supervisor, admin

    /// `agent, supervisor or admin`.
    public static func sentence(_ scopes: [Scope]) -> String {
      let names = scopes.map(\.rawValue)
      guard let last = names.last, names.count > 1 else { return names.first ?? "" }
      return names.dropLast().joined(separator: ", ") + " or " + last
    }
  }
}

/// The names of a workspace's configuration and their handles, as one rule version has them. A
/// value: lanes keep a copy and get a new one when the rules change.
public struct Directory: Sendable {
  public var workspace: WorkspaceID
  public var workspaceName: String
  public var bots: [String: BotID] = [:]
  public var agents: [String: AgentID] = [:]
  public var queues: [String: QueueID] = [:]
  public var skills: Set<String> = []
  /// Numbers that belong to this workspace, in E.164 or as the rules write them; none: it does not
  /// say.
  public var dialledNumbers: Set<String> = []
  /// The phone systems of this workspace, by name, and those of them that speak FastAGI.
  public var phoneSystems: Set<String> = []
  public var asterisks: Set<String> = []
  public var botNames: [UInt32: String] = [:]
  public var agentNames: [UInt32: String] = [:]
  public var queueNames: [UInt32: String] = [:]
  /// What agents may choose to be: what every workspace has, then its own.
  public var statuses = Directory.Status.ofEveryWorkspace
  var statusNames: [UInt32: String] = [:]
  /// What a bot's word about identities is worth, by name.
  public var botsSay: [String: IdentityWord] = [:]
  public var integrationsSay: [String: IdentityWord] = [:]
  /// Names of the rules of `ruleVersion`, in order.
  public var ruleNames: [String] = []
  public var defaultRegion = "US"
  public var emailRules = EmailRules()
  /// Where mail comes in, as identities are spelled.
  public var mailAddresses: Set<String> = []
  /// Where mail that begins a thread comes from; nil where the workspace takes no mail.
  public var mailAddress: String?
  public var ruleVersion: UInt32 = 0
  public var conversationWindow: Duration64 = .seconds(72 * 3_600)

  public init(workspace: WorkspaceID, name: String) {
    self.workspace = workspace
    workspaceName = name
  }

  /// The names as the machine has them.
  public init(_ workspace: WorkspaceID, _ name: String, _ router: borrowing Router) {
    self.init(workspace: workspace, name: name)
    guard let configuration = router.configuration else { return }
    for name in configuration.bots {
      guard let id = router.botID(named: name) else { continue }
      bots[name] = id
    }
    for agent in configuration.agents {
      if let id = router.agentID(named: agent.name) { agents[agent.name] = id }
    }
    for queue in configuration.queues {
      if let id = router.queueID(named: queue.name) { queues[queue.name] = id }
    }
    // Retired names too: old cases still tell of them.
    for id in router.everyBotID { botNames[id.raw] = router.name(id) }
    for id in router.everyAgentID { agentNames[id.raw] = router.name(id) }
    for id in router.everyQueueID { queueNames[id.raw] = router.name(id) }
    skills = Set(configuration.skills)
    for (id, settings) in router.everyStatus { statusNames[id.raw] = settings.name }
    for status in configuration.statuses {
      guard let id = router.statusID(named: status.name) else { continue }
      statuses.append(
        Status(
          .custom(id), status.name, title: status.name, as: status.counts,
          channels: status.channels))
    }
  }
}

extension Directory {
  /// Whether it is where customers reach this workspace.
  func isOurs(_ identity: Identity) -> Bool {
    switch identity.kind {
    case .email: mailAddresses.contains(identity.value)
    case .phone: dialledNumbers.contains(identity.value)
    case .chat, .external: false
    }
  }

  /// A status that an agent may choose.
  public struct Status: Sendable {
    public var status: AgentStatus
    public var name: String
    /// What people read.
    public var title: String
    /// As which of those that every workspace has it counts.
    public var counts: AgentStatus
    /// Where it counts as available: on these.
    public var channels: [Channel]
    /// Whoever chooses it must say why.
    public var needsReason = false

    init(
      _ status: AgentStatus, _ name: String, title: String, as counts: AgentStatus,
      channels: [Channel] = Channel.allCases
    ) {
      (self.status, self.name, self.title) = (status, name, title)
      (self.counts, self.channels) = (counts, channels)
    }

    static let ofEveryWorkspace: [Status] = [
      ("available", "Available", AgentStatus.available), ("busy", "Busy", .busy),
      ("break", "Break", .onBreak), ("meeting", "Meeting", .meeting),
      ("training", "Training", .training), ("offline", "Offline", .offline),
    ].map { Status($2, $0, title: $1, as: $2) }
  }

  /// As agents say it.
  public func name(_ status: AgentStatus) -> String {
    if case .custom(let id) = status { return statusNames[id.raw] ?? "" }
    return Status.ofEveryWorkspace.first { $0.status == status }?.name ?? ""
  }
}

/// What somebody may say of identities.
public struct IdentityWord: Sendable {
  public var kinds: Set<IdentityKind>
  /// The most that they may say of these kinds; of others they only pass claims on.
  public var assurance: Assurance
  public init(_ kinds: Set<IdentityKind>, upTo assurance: Assurance = .asserted) {
    self.kinds = kinds
    self.assurance = assurance
  }
}

/// Who asks, for the record: `admin:ann`.
extension Caller {
  public var signature: String { "\(scope.rawValue):\(holder)" }
}
