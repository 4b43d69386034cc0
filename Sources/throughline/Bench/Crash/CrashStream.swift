import HTTPTypes
import Sockets
import System
import WebCodec
import Wire

/// A WebSocket on `/v1/stream`: a bot's subscriptions, or an agent's offers.
final class CrashStream: ConnectionHandler {
  let holder: Int
  private unowned let world: CrashWorld
  private var head = HTTPResponseDecoder()
  private var frames: WebSocketDecoder?
  private var connection: Connection?
  private var unsent: [String] = []
  private var customers: [String: String] = [:]
  private var offers: [[UInt8]] = []
  /// Of a conversation, where in the ledger its pushes are listed.
  private var lists: [String: Int] = [:]
  private var waiting: (([UInt8]) -> Void)?

  init(_ address: SocketAddress, _ holder: Int, _ world: CrashWorld) {
    (self.holder, self.world) = (holder, world)
    connection = world.loop.connect(to: address, timeoutMilliseconds: 10_000, handler: self)
    let key =
      HeaderValue(Base64.encode(Entropy.bytes(16)))
      ?? HeaderValue(fixed: "AAAAAAAAAAAAAAAAAAAAAA==")
    let token =
      HeaderValue("Bearer \(world.holders[holder].token)").map { [HeaderField(.authorization, $0)] }
      ?? []
    let opening = WebSocketHandshake.request(
      "/v1/stream", host: HeaderValue(fixed: "localhost"), key: key, token)
    connection?.write(opening ?? [])
  }

  func subscribe(_ session: String, _ customer: String, after: Int64) {
    customers[session] = customer
    send(#"{"type":"subscribe","session":"\#(session)","after":\#(after)}"#)
  }

  func nextOffer(_ then: @escaping ([UInt8]) -> Void) {
    if offers.isEmpty { waiting = then } else { then(offers.removeFirst()) }
  }

  private func send(_ text: String) {
    guard frames != nil else { return unsent.append(text) }
    var out: [UInt8] = []
    WebSocketEncoder.text(text, mask: UInt32(truncatingIfNeeded: world.random.next()), into: &out)
    connection?.write(out)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    guard frames == nil else {
      frames?.append(bytes)
      return listen(connection)
    }
    head.append(bytes)
    guard case .response(let response) = head.next() else { return }
    guard response.status == 101 else {
      world.ledger.violated("a stream was refused with \(response.status)")
      return connection.abort()
    }
    var decoder = WebSocketDecoder(role: .client, messageBytesMax: 64 << 20)
    head.takeRest().withUnsafeBytes { decoder.append($0) }
    frames = decoder
    for text in unsent { send(text) }
    unsent = []
    listen(connection)
  }

  private func listen(_ connection: Connection) {
    while true {
      switch frames?.next() {
      case .message(_, let bytes, _): heard(bytes)
      case .ping(let payload):
        var out: [UInt8] = []
        WebSocketEncoder.pong(payload, mask: 7, into: &out)
        connection.write(out)
      case .pong: break
      case .closed, .failed: return connection.abort()
      case .needMore, nil: return
      }
    }
  }

  private func heard(_ bytes: [UInt8]) {
    world.ledger.heard += 1
    switch JSONPick.find("type", in: bytes) {
    case "events":
      guard let customer = JSONPick.find("session", in: bytes).flatMap({ customers[$0] }) else {
        return
      }
      world.ledger.saw(CrashEntry.all("events", in: bytes), of: customer)
    case "offer":
      if let waiting {
        self.waiting = nil
        waiting(bytes)
      } else {
        offers.append(bytes)
      }
    case "entry": entryPushed(bytes)
    case "ready", "offer_ended", "ringing", "pong", "status", "case", "case_gone": break
    case let other: world.ledger.violated("a stream brought \(other ?? "what has no type")")
    }
  }

  /// A word of a customer whose case this agent has.
  private func entryPushed(_ bytes: [UInt8]) {
    guard let conversation = JSONPick.find("conversation", in: bytes),
      let talk = world.ledger.talkOf[conversation],
      let start = JSONPick.position(after: "\"entry\":{", in: bytes),
      let end = JSONPick.end(ofObjectAt: start - 1, in: bytes)
    else { return notUnderstood(bytes) }
    let object = Array(bytes[(start - 1)..<end])
    guard let id = JSONPick.number("entry", in: object) else { return notUnderstood(bytes) }
    let customer = world.ledger.talks[talk].customer
    world.ledger.saw([CrashEntry(id: id, bytes: object, hash: SHA256.hash(object))], of: customer)
    let place = lists[conversation] ?? world.ledger.pushed.count
    if place == world.ledger.pushed.count {
      world.ledger.pushed.append((customer, conversation, []))
    }
    lists[conversation] = place
    if let last = world.ledger.pushed[place].entries.last, last >= id {
      world.ledger.violated("\(conversation): entry \(id) was pushed after \(last)")
    }
    world.ledger.pushed[place].entries.append(id)
  }

  private func notUnderstood(_ bytes: [UInt8]) {
    world.ledger.violated(
      "a push that cannot be understood: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
  }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    self.connection = nil
    waiting = nil
  }
}
