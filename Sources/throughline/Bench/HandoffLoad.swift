import Sockets
import System

/// Whole lives of conversations, driven from one lane: each bot connection leads one life after the
/// other, each agent connection pulls its next case, and none of them waits for anything but its
/// own answers.
///
/// ```
/// bot:    open ─ four messages ─ handoff ─────────────────────────────▶ open …
/// agent:  next ······················ case ─ accept ─ reply ─ close ─┘  next …
/// ```
final class HandoffLoad {
  struct Plan: Sendable {
    var address: SocketAddress
    var botToken: String
    var agentTokens: [String]
    var livesInFlight: Int
  }

  /// What was counted since the last `restart`.
  struct Counts: Sendable {
    var lives = 0
    var handed = LatencyHistogram()
    var accepted = LatencyHistogram()
    var life = LatencyHistogram()
    var failures: [String] = []
  }

  private let loop: LaneLoop
  private let plan: Plan
  private var counts = Counts()
  private var isOver = false
  private var number = 0
  /// Lives between their handoff and their close, by conversation.
  private var open: [String: Life] = [:]
  private var lives: [Life] = []
  private var seats: [Seat] = []

  init(_ loop: LaneLoop, _ plan: Plan) {
    self.loop = loop
    self.plan = plan
  }

  func start() {
    seats = plan.agentTokens.map { Seat(HTTPPeer(plan.address, token: $0, on: loop), self) }
    for seat in seats { seat.begin() }
    lives = (0..<plan.livesInFlight).map { _ in
      Life(HTTPPeer(plan.address, token: plan.botToken, on: loop), self)
    }
    for life in lives { life.begin() }
  }

  func restart() { counts = Counts() }

  func finish() -> Counts {
    isOver = true
    return counts
  }

  private func failed(_ what: String, _ reply: HTTPPeer.Reply?) {
    guard !isOver, counts.failures.count < 20 else { return }
    let body = reply.map { "\($0.status) \(String(decoding: $0.body.prefix(300), as: UTF8.self))" }
    counts.failures.append("\(what): \(body ?? "the connection ended")")
  }

  // MARK: - A bot's side

  private final class Life {
    private let peer: HTTPPeer
    private unowned let load: HandoffLoad
    private var session = ""
    private var conversation = ""
    private var begun: Int64 = 0
    var handedOff: Int64 = 0
    private var isAnswered = false
    private var isClosed = false

    init(_ peer: HTTPPeer, _ load: HandoffLoad) {
      self.peer = peer
      self.load = load
    }

    func begin() {
      guard !load.isOver else { return }
      load.number += 1
      begun = MonotonicClock.nowNanoseconds
      (isAnswered, isClosed) = (false, false)
      let body =
        #"{"channel":"chat","customer":{"name":"Customer \#(load.number)","identities":[{"kind":"chat","value":"u-\#(load.number)","assurance":"asserted"}]},"context":{"page":"/returns"}}"#
      peer.post("/v1/sessions", body) { [self] reply in
        guard let reply, reply.status == 201,
          let session = JSONPick.find("session", in: reply.body),
          let conversation = JSONPick.find("conversation", in: reply.body)
        else { return load.failed("open", reply) }
        (self.session, self.conversation) = (session, conversation)
        say(0)
      }
    }

    private static let said = [
      #"{"author":"customer","text":"Hello, my parcel arrived with a broken lamp in it."}"#,
      #"{"author":"bot","text":"I am sorry to hear that. Could you tell me the order number?"}"#,
      #"{"author":"customer","text":"It is A-1042. I would like a new lamp, not the money."}"#,
      #"{"author":"bot","text":"Thank you. I will bring in somebody who can arrange that."}"#,
    ]

    private func say(_ index: Int) {
      guard index < Self.said.count else { return handOff() }
      peer.post("/v1/sessions/\(session)/messages", Self.said[index]) { [self] reply in
        guard reply?.status == 201 else { return load.failed("message", reply) }
        say(index + 1)
      }
    }

    private func handOff() {
      load.open[conversation] = self
      handedOff = MonotonicClock.nowNanoseconds
      let body =
        #"{"reason":"wants a human","summary":"broken lamp, wants a new one","fields":{"order":"A-1042","amount":129}}"#
      peer.post("/v1/sessions/\(session)/handoff", body) { [self] reply in
        guard reply?.status == 201 else { return load.failed("handoff", reply) }
        isAnswered = true
        goOn()
      }
    }

    func closed() {
      isClosed = true
      goOn()
    }

    private func goOn() {
      guard isAnswered, isClosed else { return }
      load.counts.lives += 1
      load.counts.life.record(MonotonicClock.nowNanoseconds - begun)
      begin()
    }
  }

  // MARK: - An agent's side

  private final class Seat {
    private let peer: HTTPPeer
    private unowned let load: HandoffLoad

    init(_ peer: HTTPPeer, _ load: HandoffLoad) {
      self.peer = peer
      self.load = load
    }

    func begin() {
      peer.send(.put, "/v1/agents/me/status", #"{"status":"available","lease_seconds":3600}"#) {
        [self] reply in
        guard reply?.status == 200 else { return load.failed("status", reply) }
        next()
      }
    }

    private func next() {
      guard !load.isOver else { return }
      peer.post("/v1/agents/me/next?wait=30") { [self] reply in
        if reply?.status == 204 { return next() }
        guard let reply, reply.status == 200, let offer = JSONPick.find("offer", in: reply.body),
          let aCase = JSONPick.find("case", in: reply.body),
          let conversation = JSONPick.find("conversation", in: reply.body)
        else { return load.failed("next", reply) }
        let life = load.open[conversation]
        if let life { load.counts.handed.record(MonotonicClock.nowNanoseconds - life.handedOff) }
        accept(offer, aCase, conversation)
      }
    }

    private func accept(_ offer: String, _ aCase: String, _ conversation: String) {
      peer.post("/v1/offers/\(offer)/accept") { [self] reply in
        guard reply?.status == 200 else { return load.failed("accept", reply) }
        if let life = load.open[conversation] {
          load.counts.accepted.record(MonotonicClock.nowNanoseconds - life.handedOff)
        }
        self.reply(aCase, conversation)
      }
    }

    private func reply(_ aCase: String, _ conversation: String) {
      let body = #"{"text":"Hello, I have read it all. A new lamp leaves today."}"#
      peer.post("/v1/cases/\(aCase)/reply", body) { [self] reply in
        guard reply?.status == 201 else { return load.failed("reply", reply) }
        close(aCase, conversation)
      }
    }

    private func close(_ aCase: String, _ conversation: String) {
      peer.post("/v1/cases/\(aCase)/close") { [self] reply in
        guard reply?.status == 200 else { return load.failed("close", reply) }
        load.open.removeValue(forKey: conversation)?.closed()
        next()
      }
    }
  }
}
