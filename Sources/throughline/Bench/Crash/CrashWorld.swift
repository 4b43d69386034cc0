import HTTPTypes
import Simulation
import Sockets
import System

extension SeededRandom {
  mutating func chance(_ perHundred: Int) -> Bool { below(100) < perHundred }
}

/// The clients of one server that is going to be killed: bots, agents, streams and mail, all on one
/// lane. It holds the ledger while they live, and asks for the verifier when they are gone.
final class CrashWorld {
  struct Holder: Sendable {
    enum Kind: Sendable { case bot, agent, phone, shop, supervisor }
    var kind: Kind
    var name: String
    var token: String
  }

  let loop: LaneLoop
  var ledger = CrashLedger()
  var random = SeededRandom(seed: 0)
  var holders: [Holder] = []
  private(set) var isOver = true
  /// Devices that ring or speak.
  var busy: Set<String> = []
  /// Calls that came out of a dead server's life, to come back.
  private var open: [Int] = []
  private var number = 0
  private let unique = String(Entropy.word, radix: 36)
  private var actors: [AnyObject] = []
  private var askers: [HTTPPeer] = []

  init(_ loop: LaneLoop) { self.loop = loop }

  func text() -> String {
    number += 1
    return "t\(number)-\(unique)"
  }

  func indexes(_ kind: Holder.Kind) -> [Int] { holders.indices.filter { holders[$0].kind == kind } }

  // MARK: - A server's life

  /// - Parameter awayMilliseconds: how long the calls had no server; past their patience they gave
  ///   up.
  func begin(
    http: SocketAddress, smtp: SocketAddress, fastAGI: SocketAddress, awayMilliseconds: Int64
  ) {
    isOver = false
    actors = []
    busy = []
    if awayMilliseconds > 25_000 {
      for index in ledger.calls.indices { ledger.calls[index].isOver = true }
    }
    open = ledger.calls.indices.filter { !ledger.calls[$0].isOver }
    for holder in indexes(.bot) {
      for _ in 0..<6 { actors.append(CrashBot(peer(http, holder), holder, self)) }
      actors.append(CrashStream(http, holder, self))
    }
    for (place, holder) in indexes(.agent).enumerated() {
      let stream = place < 2 ? CrashStream(http, holder, self) : nil
      actors.append(CrashAgent(peer(http, holder), holder, stream, self))
    }
    for _ in 0..<2 { actors.append(CrashMailer(smtp, self)) }
    for holder in indexes(.phone) {
      let desk = peer(http, holder)
      desk.send(.put, "/v1/agents/me/status", #"{"status":"available","lease_seconds":3600}"#) {
        _ in
      }
      actors.append(desk)
    }
    for _ in 0..<max(4, open.count) { actors.append(CrashCall(fastAGI, self)) }
    if let shop = indexes(.shop).first, let supervisor = indexes(.supervisor).first {
      for pair in pairs() {
        actors.append(CrashPeople(peer(http, shop), peer(http, supervisor), pair: pair, self))
      }
    }
  }

  func end() {
    isOver = true
    for asker in askers { asker.close() }
    askers = []
  }

  /// A call that comes back, else a new one.
  func takeCall() -> Int {
    if !open.isEmpty { return open.removeFirst() }
    let digits = String(2_000_000 + number % 7_999_999)
    ledger.calls.append(.init(unique: text(), number: "+1202" + digits))
    return ledger.calls.count - 1
  }

  /// Those of the last life, and in each folder's first life some new ones.
  private func pairs() -> Range<Int> {
    while ledger.pairs.count < 3 {
      ledger.pairs.append(.init(cards: ["card-\(text())", "card-\(text())"]))
    }
    return ledger.pairs.indices
  }

  func streams(of holder: Int) -> [CrashStream] {
    actors.compactMap { $0 as? CrashStream }.filter { $0.holder == holder }
  }

  func peer(_ address: SocketAddress, _ holder: Int) -> HTTPPeer {
    HTTPPeer(address, token: holders[holder].token, on: loop)
  }

  /// Sends what changes something, and keeps it in the ledger.
  func send(
    _ peer: HTTPPeer, _ send: CrashLedger.Send, then: @escaping (Int, HTTPPeer.Reply) -> Void
  ) {
    guard !isOver else { return }
    let index = ledger.begin(send)
    peer.post(send.target, send.body, key: send.key) { [self] reply in
      guard let reply else { return }
      ledger.answered(index, reply.status, reply.body)
      then(index, reply)
    }
  }

  // MARK: - Asking, for the verifier

  func openAskers(_ address: SocketAddress) {
    end()
    askers = holders.indices.map { peer(address, $0) }
  }

  func ask(
    _ holder: Int, _ method: HTTPRequest.Method, _ target: String, _ body: String?, _ key: String?,
    _ then: @escaping (HTTPPeer.Reply?) -> Void
  ) {
    guard holder < askers.count else { return then(nil) }
    askers[holder].send(method, target, body, key: key, then: then)
  }
}
