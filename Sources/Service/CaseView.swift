import Model
import Pipeline
import Records
import Routing
import WebCodec
import Wire

/// A case as whoever takes it sees it: what it is, why it came here, who the customer is, what the
/// handoff said, and everything said so far.
public enum CaseView {
  /// - Parameters:
  ///   - now: what the machine had of it when it was asked, where it was.
  ///   - agent: to whom it is shown as offered: of several, each sees themselves.
  static func append(
    _ id: CaseID, _ api: API, now: CaseNow? = nil, offeredTo agent: AgentID? = nil,
    timelineLimit: Int, _ reads: any StoreReader, to out: inout [UInt8]
  ) throws(StoreFault) {
    // Of one moment: who has it, who the customer is and what was said must not contradict each
    // other.
    out += try reads.snapshot { reads throws(StoreFault) in
      var view: [UInt8] = []
      try appendNow(id, api, now, agent, timelineLimit: timelineLimit, reads, to: &view)
      return view
    }
  }

  private static func appendNow(
    _ id: CaseID, _ api: API, _ now: CaseNow?, _ offeredTo: AgentID?, timelineLimit: Int,
    _ reads: any StoreReader, to out: inout [UInt8]
  ) throws(StoreFault) {
    let directory = api.directory
    guard let row = try reads.aCase(directory.workspace, id), let about = decoded(row.about),
      let conversation = try reads.conversation(directory.workspace, row.conversation)
    else { throw StoreFault.corrupt(what: "a case that was offered") }
    func text(_ s: String) { out.append(contentsOf: s.utf8) }
    text(
      "\"case\":\"\(id)\",\"conversation\":\"\(row.conversation)\",\"session\":\"\(about.session)\",\"channel\":\"\(about.channel.name)\""
    )
    let state = CaseState(rawValue: row.state)
    text(",\"state\":\"\(state?.name ?? "unknown")\",\"queue\":")
    JSONText.append(directory.queueNames[row.queue] ?? "", to: &out)
    // The row names one of those to whom it is offered.
    if let agent = state == .offered ? offeredTo?.raw ?? row.agent : row.agent {
      text(",\"agent\":")
      JSONText.append(directory.agentNames[agent] ?? "", to: &out)
    }
    // Another than the row's is of a moment before.
    if let now, now.state == state { now.append(directory, to: &out) }
    text(",\"tags\":")
    var tags = JSONWriter()
    tags.array { for tag in ConversationPage.tags(conversation) { $0.string(tag) } }
    out += tags.bytes
    text(",\"waiting_since\":\"\(about.age)\",\"why\":")
    Explanation.append(about, directory, try api.ruleNames(about.ruleVersion, reads), to: &out)
    text(",\"handoff\":{\"cause\":\"\(Explanation.cause(about.cause))\"")
    out.append(contentsOf: about.handoff)
    text("},\"customer\":")
    let whose = about.customer ?? conversation.customer
    guard let customer = try CustomerPage.read(whose, api, reads) else {
      throw StoreFault.corrupt(what: "the customer of a case")
    }
    out += customer.json
    let page = try TimelinePage.read(
      directory.workspace, of: whose, .before(EntryID(.max)), limit: timelineLimit,
      visible: .internal, reads)
    text(",\"brief\":")
    out += try Brief.json(conversation, page, name: customer.profile.displayName, directory, reads)
    text(",\"timeline\":")
    page.append(to: &out)
  }

  public static func decoded(_ bytes: [UInt8]) -> CaseAbout? {
    do throws(WireError) { return try CaseAbout(decoding: bytes) } catch { return nil }
  }
}

/// What the machine has of a case at a moment, and its row does not.
struct CaseNow: Sendable {
  let state: CaseState
  /// All to whom it is offered, the eldest offer first.
  let offeredTo: [AgentID]
  private let until: Instant?
  private let heldUntil: Instant?
  private let consult: ConsultView?

  /// Nil where it is open no longer.
  init?(_ id: CaseID, _ router: borrowing Router) {
    guard let view = router.case(id) else { return nil }
    state = CaseState(view.state)
    var offered: [AgentID] = []
    for offer in view.offers { if let agent = router.offer(offer)?.agent { offered.append(agent) } }
    offeredTo = offered
    until = view.state.until
    heldUntil = view.heldUntil
    consult = view.consult
  }

  fileprivate func append(_ directory: Directory, to out: inout [UInt8]) {
    if !offeredTo.isEmpty {
      out += Array(",\"offered_to\":[".utf8)
      for (place, agent) in offeredTo.enumerated() {
        if place > 0 { out.append(UInt8(ascii: ",")) }
        JSONText.append(directory.agentNames[agent.raw] ?? "", to: &out)
      }
      out.append(UInt8(ascii: "]"))
    }
    if let until { out += Array(",\"until\":\"\(until)\"".utf8) }
    if let heldUntil { out += Array(",\"held_until\":\"\(heldUntil)\"".utf8) }
    if let consult {
      out += Array(",\"consult\":{\"agent\":".utf8)
      JSONText.append(directory.agentNames[consult.agent.raw] ?? "", to: &out)
      out += Array(",\"until\":\"\(consult.until)\"}".utf8)
    }
  }
}

/// Why a case went where it went, from the story kept with it.
public enum Explanation {
  /// - Parameter rules: names of the rules of the version that routed it.
  static func append(
    _ about: CaseAbout, _ directory: Directory, _ rules: [String], to out: inout [UInt8]
  ) {
    out.append(
      contentsOf:
        "{\"rule\":\(about.rule.map(String.init) ?? "null"),\"rule_version\":\(about.ruleVersion)"
        .utf8)
    if let rule = about.rule, rules.indices.contains(Int(rule)) {
      out.append(contentsOf: ",\"rule_name\":".utf8)
      JSONText.append(rules[Int(rule)], to: &out)
    }
    out.append(contentsOf: ",\"priority\":\(about.priority),\"story\":[".utf8)
    for (index, step) in about.history.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.append(contentsOf: "{\"at\":\"\(step.at)\",\"what\":\"\(name(step.what))\"".utf8)
      if let agent = step.agent {
        out.append(contentsOf: ",\"agent\":".utf8)
        JSONText.append(directory.agentNames[agent.raw] ?? "", to: &out)
      }
      if step.what == .stepTaken { out.append(contentsOf: ",\"step\":\(step.code + 1)".utf8) }
      if let why = why(step) { out.append(contentsOf: ",\"why\":\"\(why)\"".utf8) }
      let passed = zip(PassedOverReason.allCases, step.passedOver).filter { $0.1 > 0 }
      if !passed.isEmpty {
        out.append(contentsOf: ",\"passed_over\":{".utf8)
        for (at, (reason, count)) in passed.enumerated() {
          if at > 0 { out.append(UInt8(ascii: ",")) }
          out.append(contentsOf: "\"\(name(reason))\":\(count)".utf8)
        }
        out.append(UInt8(ascii: "}"))
      }
      out.append(UInt8(ascii: "}"))
    }
    out.append(contentsOf: "]}".utf8)
  }

  /// What a step's code says, where it says more than the step.
  private static func why(_ step: CaseAbout.Step) -> String? {
    guard let code = UInt8(exactly: step.code) else { return nil }
    return switch step.what {
    case .closed: CaseEnd(rawValue: code)?.name
    case .overflowed: OverflowReason(rawValue: code)?.name
    case .queued: RequeueReason(rawValue: code)?.name
    case .revoked: OfferEnd.Revocation(rawValue: code)?.name
    case .failed: OfferFailure(rawValue: code)?.name
    case .consultEnded: ConsultEnd(rawValue: code)?.name
    default: nil
    }
  }

  public static func cause(_ code: UInt8) -> String {
    switch RouteReason.Cause(rawValue: code) {
    case .handoff: "handoff"
    case .mail: "mail"
    case .call: "call"
    case .reopened: "reopened"
    case .transfer: "transfer"
    case .botSilent: "bot_silent"
    case .message: "message"
    case .undelivered: "undelivered"
    case nil: "unknown"
    }
  }

  public static func name(_ what: CaseAbout.Step.What) -> String {
    switch what {
    case .queued: "queued"
    case .offered: "offered"
    case .accepted: "accepted"
    case .declined: "declined"
    case .timedOut: "timed_out"
    case .revoked: "revoked"
    case .failed: "failed"
    case .stepTaken: "step_taken"
    case .wrappingUp: "wrapping_up"
    case .closed: "closed"
    case .parked: "parked"
    case .resumed: "resumed"
    case .overflowed: "overflowed"
    case .consulted: "consulted"
    case .consultEnded: "consult_ended"
    case .held: "held"
    case .holdEnded: "hold_ended"
    }
  }

  public static func name(_ reason: PassedOverReason) -> String {
    switch reason {
    case .notInQueue: "not_in_queue"
    case .lacksSkill: "lacks_skill"
    case .notAvailable: "not_available"
    case .notPresent: "not_present"
    case .notAsking: "not_asking"
    case .noDevice: "no_device"
    case .full: "full"
    case .onCall: "on_call"
    case .offered: "offered_another"
    case .backingOff: "backing_off"
    case .excluded: "excluded"
    case .notPreferredYet: "not_preferred_yet"
    case .longerIdleFirst: "longer_idle_first"
    case .queueClosed: "queue_closed"
    case .notRequired: "not_required"
    }
  }
}

extension OfferEnd.Revocation {
  public var name: String {
    switch self {
    case .customerLeft: "customer_left"
    case .wonByAnother: "won_by_another"
    case .agentLeft: "agent_left"
    case .reconfigured: "reconfigured"
    case .movedOn: "moved_on"
    }
  }
}

extension OfferFailure {
  public var name: String {
    switch self {
    case .connectionClosed: "connection_closed"
    case .deviceBusy: "device_busy"
    case .deviceUnavailable: "device_unavailable"
    case .deviceError: "device_error"
    case .notAnswered: "not_answered"
    case .lineGone: "line_gone"
    }
  }
}
