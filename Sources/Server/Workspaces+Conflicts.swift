import Model
import Pipeline
import RuleFiles
import Routing
import Rules

/// What rules that are in order by themselves would break around them.
extension Workspaces {
  /// Mail to an address is one workspace's: who else names it would never see any.
  static func sharedAddresses(_ all: [(name: String, addresses: [String])]) -> [String] {
    var owners: [String: String] = [:]
    var faults: [String] = []
    for (name, addresses) in all {
      for address in Set(addresses).sorted() {
        guard let owner = owners[address] else {
          owners[address] = name
          continue
        }
        faults.append(
          "\(address) stands in \(owner)/workspace.yaml and in \(name)/workspace.yaml: mail to it can be for one of them"
        )
      }
    }
    return faults
  }

  /// Cases that would stay in queues, or with agents, that are no more.
  static func stranded(by checked: CheckedWorkspace, _ writer: Writer) -> [String] {
    let queues = Set(checked.queues.map(\.name))
    let agents = Set(checked.agents.map(\.name))
    return writer.peek { pipeline in
      var faults: [String] = []
      for id in pipeline.router.queueIDs {
        guard let queue = pipeline.router.statistics(id), !queues.contains(queue.name) else {
          continue
        }
        for (count, how) in [
          (queue.waiting + queue.offered, "in it: keep it until they are taken"),
          // Put back, left unanswered or waking, these wait in it again.
          (queue.assigned, "from it, with an agent or parked: keep it until they are closed"),
          (
            pipeline.router.casesLed(to: id),
            "to come to it by a step: keep it until they are closed"
          ),
        ] where count > 0 {
          faults.append("the queue \(queue.name) is to go while \(Self.cases(count)) \(how)")
        }
      }
      for id in pipeline.router.agentIDs {
        guard let agent = pipeline.router.agent(id), !agents.contains(agent.name),
          !agent.cases.isEmpty
        else { continue }
        faults.append(
          "the agent \(agent.name) is to go while \(Self.cases(agent.cases.count)) with them: let them close these, or a "
            + "supervisor put them back (POST /v1/cases/\(agent.cases[0])/requeue)")
      }
      return faults
    }
  }

  /// Whom the rules that just came leave without anybody, in one sentence; nil for nobody.
  func tellOfUntakable(_ writer: Writer) -> String? {
    let untakable = writer.peek { $0.router.untakable() }
    guard untakable.count > 0 else { return nil }
    let examples = untakable.examples.map { "\($0)" }.joined(separator: ", ")
    let sentence =
      "\(Self.cases(untakable.count)) waiting for whom nobody has the queue, skills or teams any more, "
      + "such as \(examples): GET /v1/explain?case= says what each lacks"
    Log.note("workspace \(writer.name): \(sentence)")
    return sentence
  }

  private static func cases(_ count: Int) -> String {
    count == 1 ? "one case is" : "\(count) cases are"
  }
}
