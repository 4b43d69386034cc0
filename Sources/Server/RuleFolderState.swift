import Model
import Routing
import RuleFiles
import Rules
import System

/// One workspace's folder, read and found to be in order.
struct RuleFolderState {
  var name: String
  var checked: CheckedWorkspace
  /// As the store keeps it; its `folder` tells two states of a rule folder apart.
  var kept: RuleVersion
  var warnings: String
  /// Which of the folder's own tests fail; nil where none does.
  var failing: String?

  struct Faults: Error { var text: String }

  static func read(_ name: String, in root: String, by who: String) -> Result<
    RuleFolderState, Faults
  > {
    let folder = "\(root)/\(name)"
    let loaded = WorkspaceFolder.load(folder)
    guard let checked = loaded.workspace else {
      return .failure(Faults(text: "the workspace \(name):\n\(loaded.refusal)"))
    }
    if let fault = Self.fault(checked) {
      return .failure(Faults(text: "the workspace \(name): \(fault)"))
    }
    let files = RuleSource.texts(in: folder)
    guard RuleSource.version(of: files) == checked.rules.version else {
      return .failure(
        Faults(text: "the workspace \(name): its files changed while they were read; try again"))
    }
    let kept = RuleVersion(
      folder: fingerprint(files), origin: .folder, by: who, at: Instant.now, files: files)
    let failing = WorkspaceFolder.failing(loaded)
    let warnings = [loaded.rendered, failing ?? ""].filter { !$0.isEmpty }
    return .success(
      RuleFolderState(
        name: name, checked: checked, kept: kept, warnings: warnings.joined(separator: "\n\n"),
        failing: failing))
  }

  /// What the router would not take of rules that are otherwise in order; nil when all is well.
  static func fault(_ checked: CheckedWorkspace) -> String? {
    RoutingConfiguration(checked, version: 1).fault.map {
      "the router cannot take it: \(sentence($0, checked))"
    }
  }

  /// The reader checks what a file says; these are the machine's own bounds.
  private static func sentence(_ fault: Rejection, _ checked: CheckedWorkspace) -> String {
    for agent in checked.agents {
      if agent.phoneDevices.count > RoutingLimits.devicesPerAgentMax {
        return "agents.yaml: \(agent.name) has \(agent.phoneDevices.count) devices; at most "
          + "\(RoutingLimits.devicesPerAgentMax) are possible"
      }
    }
    switch fault {
    case .needTooLarge:
      return
        "it has more skills, queues, agents, bots or teams than the \(RoutingLimits.skillsMax) skills, "
        + "\(RoutingLimits.queuesMax) queues, \(RoutingLimits.agentsMax) agents, "
        + "\(RoutingLimits.botsMax) bots and \(RoutingLimits.teamsMax) teams that are possible"
    case .unknownQueue: return "an agent works in a queue that queues.yaml does not have"
    default: return "an agent's skills, levels or capacity, or a time, are out of bounds (\(fault))"
    }
  }

  /// Of what is read of a folder: two that differ elsewhere are one.
  static func fingerprint(_ files: [String: String]) -> [UInt8] {
    var all: [UInt8] = []
    for (path, text) in RuleSource.read(from: files).sorted(by: { $0.path < $1.path }) {
      all += Array(path.utf8) + [0] + Array(text.utf8) + [0]
    }
    return SHA256.hash(all).bytes
  }

  func change(_ what: Workspaces.Change.What, _ version: UInt32) -> Workspaces.Change {
    Workspaces.Change(
      name: name, what: what, version: version, rules: checked.rules.rules.count,
      agents: checked.agents.count,
      queues: checked.queues.count, warnings: warnings, failing: failing)
  }
}
