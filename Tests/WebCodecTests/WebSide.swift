import HTTPTypes
import SessionScripts

@testable import WebCodec

/// A server of a few lines around the codec: answers `METHOD target [body]` so that framing can be
/// seen, and echoes WebSocket messages on `/ws`. Limits are small, so that sessions can pass them.
struct WebSide: ScriptedSide {
  static var limits: HTTPLimits {
    var limits = HTTPLimits()
    limits.requestLineBytesMax = 160
    limits.fieldLineBytesMax = 150
    limits.fieldBytesMax = 260
    limits.fieldCountMax = 8
    limits.bodyBytesMax = 100
    limits.chunkLineBytesMax = 100
    limits.chunkExtensionBytesMax = 200
    return limits
  }

  var http = HTTPRequestDecoder(limits: WebSide.limits)
  var socket: WebSocketDecoder?
  var hasClosed = false

  mutating func received(_ bytes: [UInt8]) -> [UInt8] {
    if hasClosed { return [] }
    var out: [UInt8] = []
    if socket == nil {
      http.append(bytes)
      answerRequests(&out)
    } else {
      socket?.append(bytes)
    }
    answerMessages(&out)
    return out
  }

  mutating func peerClosed() -> [UInt8] { [] }

  private mutating func answerRequests(_ out: inout [UInt8]) {
    while !hasClosed, socket == nil {
      switch http.next() {
      case .needMore: return
      case .head(let request) where request.rawPath == "/closed": refuse(request, &out)
      case .head(let request):
        if request.rawPath == "/small" { http.admit(bodyBytesMax: 10) }
        if request.expectsContinue { out += HTTPResponseEncoder.continueBytes }
      case .request(let request) where request.wantsWebSocket: upgrade(request, &out)
      case .request(let request):
        let query = request.rawQuery.map { "?" + $0 } ?? ""
        let body =
          Array("\(request.method.rawValue) \(request.rawPath)\(query) [".utf8) + request.body + [
            0x5D
          ]
        HTTPResponseEncoder.whole(.ok, body: body, to: request.reply, into: &out)
        hasClosed = !request.keepAlive
      case .failed(let error):
        http.problem(of: error).encode(to: .closing(isHead: http.isHead), into: &out)
        hasClosed = true
      }
    }
  }

  /// Answers at the head. Where the content's end is certain the connection lives on.
  private mutating func refuse(_ request: IncomingRequest, _ out: inout [UInt8]) {
    var reply = request.reply
    if !http.dropContent(bytesMax: 50) { reply.keepAlive = false }
    HTTPResponseEncoder.whole(.unauthorized, to: reply, into: &out)
    hasClosed = !reply.keepAlive
  }

  private mutating func upgrade(_ request: IncomingRequest, _ out: inout [UInt8]) {
    do throws(WebSocketHandshake.Refusal) {
      let accept = try WebSocketHandshake.check(request)
      let compression = try WebSocketHandshake.compression(request, keepsContexts: true)
      WebSocketHandshake.respond(accept: accept, extensions: compression?.field, into: &out)
      socket = WebSocketDecoder(messageBytesMax: 200, compression: compression?.agreed)
      socket?.append(http.takeRest())
    } catch {
      WebSocketHandshake.refuse(error, into: &out)
      hasClosed = true
    }
  }

  private mutating func answerMessages(_ out: inout [UInt8]) {
    while !hasClosed, let event = socket?.next() {
      switch event {
      case .needMore: return
      case .message(.text, let bytes, _): WebSocketEncoder.text(utf8: bytes, into: &out)
      case .message(.binary, let bytes, _): WebSocketEncoder.binary(bytes, into: &out)
      case .ping(let payload): WebSocketEncoder.pong(payload, into: &out)
      case .pong: break
      case .closed(let code, _):
        WebSocketEncoder.close(code, into: &out)
        hasClosed = true
      case .failed(let failure):
        WebSocketEncoder.close(failure.closeCode, into: &out)
        hasClosed = true
      }
    }
  }
}
