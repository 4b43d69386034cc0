import Model
import Pipeline
import Records
import Routing
import WebCodec
import Wire

/// What the live machine says of a case that is still open.
public struct LiveExplanation: Sendable {
  public var ahead: Int?
  public var eligible: Int
  public var passedOver: PassedOver
  public var oneChangeAway: PassedOver
  public var nextChange: Instant?
  public var waited: Duration64

  public init?(_ id: CaseID, _ router: borrowing Router) {
    guard let why = router.why(id) else { return nil }
    ahead = why.ahead
    eligible = why.eligible
    passedOver = why.passedOver
    oneChangeAway = why.oneChangeAway
    nextChange = why.nextChange
    waited = why.waited
  }
}

/// The reasons of a routing decision, as JSON.
public enum ExplainPage {
  public static func read(
    _ id: CaseID, _ api: API, live: LiveExplanation?, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8]? {
    let directory = api.directory
    guard let row = try reads.aCase(directory.workspace, id), let about = CaseView.decoded(row.about) else {
      return nil
    }
    let facts = try reads.facts(directory.workspace, of: id)
    let rules = try api.ruleNames(about.ruleVersion, reads)
    var json = JSONWriter()
    json.object {
      $0.field("case", id.description)
      $0.field("state", CaseState(rawValue: row.state)?.name ?? "unknown")
      $0.field("queue", directory.queueNames[row.queue] ?? "")
      if let agent = row.agent { $0.field("agent", directory.agentNames[agent] ?? "") }
      $0.field("cause", Explanation.cause(about.cause))
      var why: [UInt8] = []
      Explanation.append(about, directory, rules, to: &why)
      $0.field("why", raw: why)
      if let facts { $0.field("facts", raw: facts.bytes) }
      if let live {
        $0.field("now", object: { now in
          now.field("waited_seconds", live.waited.milliseconds / 1_000)
          if let ahead = live.ahead { now.field("ahead", ahead) }
          now.field("agents_who_could_take_it", live.eligible)
          now.field("passed_over", object: { Self.counts(live.passedOver, &$0) })
          now.field("one_change_away", object: { Self.counts(live.oneChangeAway, &$0) })
          if let next = live.nextChange { now.field("next_change", next.description) }
        })
      }
    }
    return json.bytes
  }

  static func counts(_ passed: PassedOver, _ json: inout JSONWriter) {
    for (reason, count) in zip(PassedOverReason.allCases, passed.counts) where count > 0 {
      json.key(text: Explanation.name(reason))
      json.int(count)
    }
  }
}
