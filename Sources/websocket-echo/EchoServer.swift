import Dispatch
import HTTPTypes
import Sockets
import System
import WebCodec

/// A WebSocket server that sends back what it is sent, over the server's own codec and sockets: for
/// conformance suites and load tools, as in `Tests/Autobahn/run`.
///
///     websocket-echo [ADDRESS:PORT] [--without-context]
@main struct EchoServer {
  static func main() throws {
    let keepsContexts = !CommandLine.arguments.contains("--without-context")
    let place = CommandLine.arguments.dropFirst().first { !$0.hasPrefix("--") } ?? "127.0.0.1:9001"
    let parts = place.split(separator: ":")
    guard parts.count == 2, let port = UInt16(parts[1]),
      let address = SocketAddress(host: String(parts[0]), port: port)
    else {
      print("usage: websocket-echo [ADDRESS:PORT] [--without-context], such as 127.0.0.1:9001")
      return
    }
    SignalWatch.ignoreBrokenPipes()
    _ = ProcessFacts.raiseDescriptorLimit()
    let sockets = try SocketServer(SocketServer.Options())
    var listening = ListenerOptions(address)
    listening.limits.outputMaxBytes = 64 << 20
    let listener = try sockets.listen(listening) { _ in
      { _ in EchoConnection(keepsContexts: keepsContexts) }
    }
    print("echoing on \(listener.address)")
    dispatchMain()
  }
}

/// One connection: a handshake, then echoes.
private final class EchoConnection: ConnectionHandler {
  private let keepsContexts: Bool
  private var http = HTTPRequestDecoder()
  private var frames: WebSocketDecoder?
  private var compressor = WebSocketCompressor(nil)
  private var isClosing = false

  init(keepsContexts: Bool) { self.keepsContexts = keepsContexts }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    if isClosing { return }
    guard frames == nil else {
      frames?.append(bytes)
      return echo(connection)
    }
    http.append(bytes)
    var out: [UInt8] = []
    switch http.next() {
    case .needMore: return
    case .request(let request): answer(request, &out)
    case .head: refuse(.malformed, &out)
    case .failed(let error):
      http.problem(of: error).encode(to: .closing(isHead: http.isHead), into: &out)
      isClosing = true
    }
    connection.write(out)
    if isClosing { return connection.closeAfterFlush() }
    echo(connection)
  }

  private func answer(_ request: IncomingRequest, _ out: inout [UInt8]) {
    do throws(WebSocketHandshake.Refusal) {
      let accept = try WebSocketHandshake.check(request)
      let compression = try WebSocketHandshake.compression(request, keepsContexts: keepsContexts)
      WebSocketHandshake.respond(accept: accept, extensions: compression?.field, into: &out)
      compressor = WebSocketCompressor(compression?.agreed)
      frames = WebSocketDecoder(messageBytesMax: 32 << 20, compression: compression?.agreed)
      frames?.append(http.takeRest())
    } catch { refuse(error, &out) }
  }

  private func refuse(_ refusal: WebSocketHandshake.Refusal, _ out: inout [UInt8]) {
    WebSocketHandshake.refuse(refusal, into: &out)
    isClosing = true
  }

  private func echo(_ connection: Connection) {
    while !isClosing, let event = frames?.next() {
      var out: [UInt8] = []
      switch event {
      case .needMore: return
      case .message(let kind, let bytes, _): compressor.message(kind, bytes, into: &out)
      case .ping(let payload): WebSocketEncoder.pong(payload, into: &out)
      case .pong: continue
      case .closed(let code, _): close(code, &out)
      case .failed(let failure): close(failure.closeCode, &out)
      }
      connection.write(out)
      if isClosing { connection.closeAfterFlush() }
    }
  }

  private func close(_ code: WebSocketCloseCode?, _ out: inout [UInt8]) {
    isClosing = true
    WebSocketEncoder.close(code, into: &out)
  }
}
