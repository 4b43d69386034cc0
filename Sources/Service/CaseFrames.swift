import Model
import Pipeline
import Records
import Routing
import Wire

/// What an agent's stream says of cases (`docs/api.md`, `/v1/stream`).
extension API {
  /// To an agent whose advice another asks: the case as an offer shows it.
  public func consultFrame(
    _ id: CaseID, by agent: AgentID, until: Instant, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8] {
    var out = Array("{\"type\":\"consult\",\"by\":".utf8)
    JSONText.append(directory.agentNames[agent.raw] ?? "", to: &out)
    out += Array(",\"until\":\"\(until)\",".utf8)
    return try whole(id, after: out, reads)
  }

  /// What became of a case of theirs; the whole of it where it came without an offer.
  public func caseFrame(_ id: CaseID, _ news: CaseNews, _ reads: any StoreReader)
    throws(StoreFault) -> [UInt8]
  {
    guard news.showsWhole else { return news.frame(of: id, directory) }
    return try whole(id, after: Array("{\"type\":\"case\",\"cause\":\"\(news.name)\",".utf8), reads)
  }

  private func whole(_ id: CaseID, after head: [UInt8], _ reads: any StoreReader)
    throws(StoreFault) -> [UInt8]
  {
    var out = head
    try CaseView.append(id, self, timelineLimit: 200, reads, to: &out)
    out.append(UInt8(ascii: "}"))
    return out
  }
}

extension CaseNews {
  /// The agent may never have seen it, or long ago.
  public var showsWhole: Bool { self == .assigned || self == .woke }

  /// That it is, without what the case is.
  public func frame(of id: CaseID, _ directory: Directory) -> [UInt8] {
    var text =
      "{\"type\":\"\(isGone ? "case_gone" : "case")\",\"cause\":\"\(name)\",\"case\":\"\(id)\""
    if let state { text += ",\"state\":\"\(state.name)\"" }
    if let until { text += ",\"until\":\"\(until)\"" }
    var out = Array(text.utf8)
    if case .consulting(let agent, _) = self {
      out += Array(",\"agent\":".utf8)
      JSONText.append(directory.agentNames[agent.raw] ?? "", to: &out)
    }
    if case .consultEnded(let end) = self { out += Array(",\"end\":\"\(end.name)\"".utf8) }
    return out + [UInt8(ascii: "}")]
  }

  private var isGone: Bool {
    switch self {
    case .closed, .requeued, .reassigned, .takenOver: true
    case .accepted, .assigned, .tookOver, .parked, .resumed, .woke, .held, .holdEnded,
      .wrappingUp, .consulting, .consultEnded:
      false
    }
  }

  /// Where it stands, if that may be another than before.
  private var state: CaseState? {
    switch self {
    case .accepted, .assigned, .tookOver, .resumed, .woke, .held, .holdEnded: .assigned
    case .parked: .parked
    case .wrappingUp: .wrapUp
    case .consulting, .consultEnded, .closed, .requeued, .reassigned, .takenOver: nil
    }
  }

  private var until: Instant? {
    switch self {
    case .parked(let until), .held(let until), .consulting(_, let until): until
    case .wrappingUp(let until): until
    case .accepted, .assigned, .tookOver, .resumed, .woke, .holdEnded, .consultEnded, .closed,
      .requeued, .reassigned, .takenOver:
      nil
    }
  }

  var name: String {
    switch self {
    case .accepted: "accepted"
    case .assigned: "assigned"
    case .tookOver: "took_over"
    case .parked: "parked"
    case .resumed: "resumed"
    case .woke: "woke"
    case .held: "held"
    case .holdEnded(.byAgent): "hold_ended"
    case .holdEnded(.timedOut): "hold_timed_out"
    case .wrappingUp: "wrap_up"
    case .consulting: "consulting"
    case .consultEnded: "consult_ended"
    case .closed(let end): end.name
    case .requeued(let why): why.name
    case .reassigned: "reassigned"
    case .takenOver: "taken_over"
    }
  }
}

extension ConsultEnd {
  public var name: String {
    switch self {
    case .tookOver: "took_over"
    case .ended: "ended"
    case .timedOut: "timed_out"
    case .movedOn: "moved_on"
    case .agentLeft: "agent_left"
    case .reconfigured: "reconfigured"
    }
  }
}
