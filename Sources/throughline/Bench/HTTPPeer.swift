import HTTPTypes
import Sockets
import WebCodec

/// A client's kept-open HTTP connection on a lane: one request at a time, its answer to a closure.
final class HTTPPeer: ConnectionHandler {
  struct Reply {
    var status: Int
    var body: [UInt8]
  }
  typealias Then = (Reply?) -> Void

  private let host: HeaderValue
  private let authorization: HeaderField?
  private let json = HeaderField(.contentType, HeaderValue(fixed: "application/json"))
  private var decoder: HTTPResponseDecoder
  private var connection: Connection?
  private var then: Then?
  private(set) var isClosed = false
  static let idempotencyKey = HTTPField.Name("Idempotency-Key")

  init(_ address: SocketAddress, token: String, on loop: LaneLoop) {
    host = HeaderValue(address.description) ?? HeaderValue(fixed: "localhost")
    authorization = HeaderValue("Bearer \(token)").map { HeaderField(.authorization, $0) }
    var limits = HTTPLimits()
    limits.bodyBytesMax = 64 << 20
    decoder = HTTPResponseDecoder(limits: limits)
    var options = ConnectionLimits()
    options.outputMaxBytes = 64 << 20
    connection = loop.connect(
      to: address, timeoutMilliseconds: 10_000, limits: options, handler: self)
  }

  /// Sends one request; `then` hears nil when the connection ended before an answer.
  func send(
    _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, key: String? = nil,
    then: @escaping Then
  ) {
    guard !isClosed, let connection else { return then(nil) }
    var fields = body == nil ? [] : [json]
    if let authorization { fields.append(authorization) }
    if let key = key.flatMap({ HeaderValue($0) }), let name = Self.idempotencyKey {
      fields.append(HeaderField(name, key))
    }
    let bytes = HTTPRequestEncoder.encode(
      method, target, host: host, fields,
      body: body.map { Array($0.utf8) } ?? (method == .get ? nil : []))
    self.then = then
    connection.write(bytes ?? [])
  }

  func post(_ target: String, _ body: String? = nil, key: String? = nil, then: @escaping Then) {
    send(.post, target, body, key: key, then: then)
  }

  func close() { connection?.abort() }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    decoder.append(bytes)
    while true {
      switch decoder.next() {
      case .needMore: return
      case .interim: break
      case .response(let response):
        guard let then else { return connection.abort() }
        self.then = nil
        then(Reply(status: response.status, body: response.body))
      case .failed: return connection.abort()
      }
    }
  }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    isClosed = true
    self.connection = nil
    let waiting = then
    then = nil
    waiting?(nil)
  }
}
