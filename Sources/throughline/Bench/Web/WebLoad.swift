import Glibc
import Sockets
import System

/// Many clients on one lane, each with one request in flight: what a round of `bench web` measures.
final class WebLoad {
  struct Plan: Sendable {
    enum Talk: Sendable {
      /// The same request again and again on a connection that stays.
      case http
      /// After an upgrade, the same frame again and again.
      case webSocket(opening: [UInt8])
      /// A connection, and under TLS a handshake, for each request.
      case connections
    }
    var address: SocketAddress
    var talk: Talk
    var isSecure = false
    /// Taken in turn by the connections.
    var requests: [[UInt8]]
    var connections: Int
    /// Connections are opened and asked once, and then left alone.
    var isIdle = false
  }

  struct Counts: Sendable {
    var latencies = LatencyHistogram()
    var failures = 0
    var open = 0
  }

  let plan: Plan
  let tls: TLSLoopbackClient?
  private(set) var counts = Counts()
  private var begun = 0
  private var isOver = false
  private unowned let loop: LaneLoop
  /// Called once, when every connection has had its first answer.
  private var whenReady: (() -> Void)?

  /// So many are opened at once, so that no listener's backlog overflows.
  private static let openingMax = 128

  init(_ loop: LaneLoop, _ plan: Plan) {
    (self.loop, self.plan) = (loop, plan)
    tls = plan.isSecure ? TLSLoopbackClient(protocols: ["http/1.1"]) : nil
  }

  func start(whenReady: @escaping () -> Void) {
    self.whenReady = whenReady
    for _ in 0..<min(Self.openingMax, plan.connections) { openNext() }
  }

  private func openNext() {
    guard begun < plan.connections, !isOver else { return }
    begun += 1
    connect(begun)
  }

  func connect(_ number: Int) {
    if isOver { return }
    let client = WebClient(self, plan.requests[number % plan.requests.count], number)
    // An own address for every few thousand, or the ports of one would run out.
    let source = SocketAddress(host: "127.0.0.\(1 + number / 8_000)", port: 0)
    var limits = ConnectionLimits()
    limits.handshakeMilliseconds = 60_000
    loop.connect(
      to: plan.address, timeoutMilliseconds: 60_000, limits: limits, from: source, tls: tls,
      handler: client)
  }

  /// A connection has had its first answer.
  func stands() {
    counts.open += 1
    if counts.open == plan.connections {
      whenReady?()
      whenReady = nil
    } else {
      openNext()
    }
  }

  func answered(_ nanoseconds: Int64) { if !isOver { counts.latencies.record(nanoseconds) } }
  func failed() { if !isOver { counts.failures += 1 } }

  /// Forgets what was counted while warming up.
  func restart() { counts.latencies = LatencyHistogram() }

  func finish() -> Counts {
    isOver = true
    return counts
  }
}

/// One client. It reads no more of an answer than its length: a bench's client must cost little.
final class WebClient: ConnectionHandler {
  private unowned let load: WebLoad
  private let request: [UInt8]
  private let number: Int
  private var begun: Int64
  private var partial: [UInt8] = []
  private var stands = false
  private var isUpgraded = false

  init(_ load: WebLoad, _ request: [UInt8], _ number: Int) {
    (self.load, self.request, self.number) = (load, request, number)
    begun = MonotonicClock.nowNanoseconds
  }

  func opened(_ connection: Connection) {
    switch load.plan.talk {
    case .http: ask(connection)
    case .connections: connection.write(request)
    case .webSocket(let opening): connection.write(opening)
    }
  }

  private func ask(_ connection: Connection) {
    begun = MonotonicClock.nowNanoseconds
    connection.write(request)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    if partial.isEmpty, length(bytes) == bytes.count { return answered(connection) }
    partial += bytes
    while let length = partial.withUnsafeBytes(length), length <= partial.count {
      partial.removeFirst(length)
      answered(connection)
    }
  }

  private func length(_ bytes: UnsafeRawBufferPointer) -> Int? {
    isUpgraded ? Self.frameLength(bytes) : Self.responseLength(bytes)
  }

  private func answered(_ connection: Connection) {
    if case .webSocket = load.plan.talk, !stands {
      // First the upgrade's answer, then the server's greeting.
      if !isUpgraded { return isUpgraded = true }
    } else {
      load.answered(MonotonicClock.nowNanoseconds - begun)
    }
    if !stands {
      stands = true
      load.stands()
    }
    if load.plan.isIdle { return }
    if case .connections = load.plan.talk { connection.abort() } else { ask(connection) }
  }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    if case .connections = load.plan.talk, reason == .aborted { return load.connect(number) }
    if reason != .shutdown { load.failed() }
  }

  // MARK: Lengths

  /// Head and content; nil while the head is incomplete.
  private static func responseLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress, let end = find("\r\n\r\n", base, bytes.count) else {
      return nil
    }
    let field = find("ontent-Length: ", base, end) ?? find("ontent-length: ", base, end)
    var (at, content) = (field ?? end, 0)
    while at < end, case let digit = Int(bytes[at]) - 48, (0...9).contains(digit), content < 1 << 40
    {
      content = content * 10 + digit
      at += 1
    }
    return end + (field == nil ? 0 : content)
  }

  /// Where the text ends; nil when it is not there.
  private static func find(_ text: StaticString, _ base: UnsafeRawPointer, _ count: Int) -> Int? {
    let length = text.utf8CodeUnitCount
    var at = 0
    while at + length <= count,
      let found = memchr(base + at, Int32(text.utf8Start[0]), count - at - length + 1)
    {
      if memcmp(found, text.utf8Start, length) == 0 {
        return UnsafeRawPointer(found) - base + length
      }
      at = UnsafeRawPointer(found) - base + 1
    }
    return nil
  }

  /// A server's frame (RFC 6455 §5.2), all of ours being short.
  private static func frameLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 2 else { return nil }
    let short = Int(bytes[1] & 127)
    if short < 126 { return 2 + short }
    return bytes.count < 4 ? nil : 4 + Int(bytes[2]) << 8 + Int(bytes[3])
  }
}
