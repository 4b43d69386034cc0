import Model
import Pipeline
import Records
import Routing
import Service
import System
import Wire

/// Says why a case waits or an agent is idle: now from the live state, at an earlier instant from a
/// machine that
/// applies the log up to there. The second costs about a microsecond an event, and is bounded.
enum Explainer {
  /// A replay that takes longer is given up: whoever asks is a person, and waits.
  static let replaySecondsMax = 20

  /// - Parameter reads: any reader; the past should be asked where it may take time.
  static func page(
    _ asked: ExplainRequest, _ writer: Writer, _ api: API, live: Live, _ reads: any StoreReader
  ) throws -> APIResponse {
    let json: [UInt8]? =
      switch (asked.subject, live) {
      case (.aCase(let id), .aCase(let found)):
        try ExplainPage.read(id, api, live: found, at: asked.at, reads)
      case (.agent, .agent(let found)):
        try found.map { try ExplainPage.agent($0, api.directory, at: asked.at, reads) }
      case (.aCase, .agent), (.agent, .aCase): nil
      }
    guard let json else {
      let when = asked.at.map { " at \($0)" } ?? ""
      switch asked.subject {
      case .aCase: throw APIProblem.notFound("case\(when)")
      case .agent: throw APIProblem.notFound("agent\(when)")
      }
    }
    if case .aCase(let id) = asked.subject, let row = try reads.aCase(writer.workspace, id) {
      api.record(.explanation, by: asked.by, of: try api.customers(of: row, reads))
    }
    return APIResponse(200, json: json)
  }

  /// What a machine said; nil inside: it does not know them.
  enum Live: Sendable {
    case aCase(LiveExplanation?)
    case agent(AgentLiveExplanation?)

    init(_ subject: ExplainRequest.Subject, _ router: borrowing Router, at: Instant) {
      switch subject {
      case .aCase(let id): self = .aCase(LiveExplanation(id, router, at: at))
      case .agent(let id): self = .agent(AgentLiveExplanation(id, router))
      }
    }
  }

  static func past(
    _ asked: ExplainRequest, _ at: Instant, _ writer: Writer, _ api: API, _ reads: any StoreReader,
    for errand: Errand
  ) -> APIResponse {
    do {
      var router = Router()
      let clock = ContinuousClock()
      let end = clock.now + .seconds(replaySecondsMax)
      var (count, isWanted) = (0, true)
      try reads.walkLog(
        writer.workspace, upTo: at,
        record: {
          if count.isMultiple(of: 1_024) { isWanted = clock.now < end && !errand.isOver }
          count += 1
          return isWanted
        }, { router.apply($0, at: $1) })
      guard isWanted else {
        throw APIProblem(
          503, "replay-too-long", "The log is too long",
          "\(count) records in \(replaySecondsMax) s did not reach \(at); ask on a faster machine, of a copy of the data folder"
        )
      }
      router.settleReplay()
      return try page(asked, writer, api, live: Live(asked.subject, router, at: at), reads)
    } catch let problem as APIProblem {
      return APIResponse(problem)
    } catch {
      return failed("explaining the past", error)
    }
  }

  /// Answers whoever asks; the present is asked for when what it rests on is durable, or by an
  /// administrator.
  /// - Parameter errand: called off, nobody hears: then a replay that is under way ends, too.
  static func answer(
    _ asked: ExplainRequest, _ writer: Writer, _ api: API, _ edge: Edge,
    for errand: Errand, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) {
    if let at = asked.at {
      return errand.run(in: edge.heavy) { reply(past(asked, at, writer, api, $0, for: errand)) }
    }
    let live = writer.peek { Live(asked.subject, $0.router, at: edge.health.clock.now) }
    edge.reads.run { reply(present(asked, writer, api, live, $0)) }
  }

  static func present(
    _ asked: ExplainRequest, _ writer: Writer, _ api: API, _ live: Live, _ reads: any StoreReader
  ) -> APIResponse {
    do { return try page(asked, writer, api, live: live, reads) } catch let problem as APIProblem {
      return APIResponse(problem)
    } catch {
      return failed("explaining", error)
    }
  }

  /// Of damage the log has heard by whoever read it.
  private static func failed(_ doing: String, _ error: any Error) -> APIResponse {
    if let fault = error as? StoreFault {
      if case .corrupt = fault { return APIResponse(APIProblem.damaged) }
    }
    Log.fault(doing, "\(error)")
    return APIResponse(APIProblem.unavailable)
  }
}
