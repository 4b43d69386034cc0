import HTTPTypes
import Wire

/// The opening handshake, RFC 6455 §4.2. Origin and token are the service's to check, before it
/// accepts.
public enum WebSocketHandshake {
  public enum Refusal: Error, Equatable, Sendable {
    /// 426: not an upgrade to WebSocket, or not to version 13, which the answer names.
    case upgradeRequired
    /// 400.
    case malformed
  }

  /// - Returns: the value of `Sec-WebSocket-Accept`.
  public static func check(_ request: IncomingRequest) throws(Refusal) -> HeaderValue {
    guard request.wantsWebSocket else { throw .upgradeRequired }
    let versions = request.fields.values("sec-websocket-version")
    guard versions == ["13"] else { throw versions.count > 1 ? .malformed : .upgradeRequired }  // §4.4
    let keys = request.fields.values("sec-websocket-key")
    guard keys.count == 1, Base64.decode(keys[0])?.count == 16, request.body.isEmpty else {
      throw .malformed
    }
    guard let value = HeaderValue(accept(key: keys[0])) else { throw .malformed }
    return value
  }

  /// What is agreed on about compression, and the field that says so; nil without an offer that can
  /// be accepted.
  /// - Parameter keepsContexts: whether there is memory for contexts that live as long as the
  ///   connection.
  public static func compression(
    _ request: IncomingRequest, keepsContexts: Bool
  ) throws(Refusal) -> (agreed: PermessageDeflate, field: HeaderValue)? {
    try PermessageDeflate.answer(
      to: request.fields.values("sec-websocket-extensions"), keepsContexts: keepsContexts)
  }

  /// Base64 of SHA-1 of the key and the protocol's own GUID, RFC 6455 §4.2.2.
  public static func accept(key: String) -> String {
    Base64.encode(SHA1.hash(Array(key.utf8) + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
  }

  /// Appends the `101` answer.
  public static func respond(
    accept: HeaderValue, subprotocol: HeaderValue? = nil, extensions: HeaderValue? = nil,
    into out: inout [UInt8]
  ) {
    append(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n", &out)
    field("sec-websocket-accept: ", accept, &out)
    if let subprotocol { field("sec-websocket-protocol: ", subprotocol, &out) }
    if let extensions { field("sec-websocket-extensions: ", extensions, &out) }
    append("\r\n", &out)
  }

  /// The fields of a `426` (RFC 6455 §4.2.2, RFC 9110 §15.5.22), by name and value.
  public static let spoken: [(name: String, value: String)] = [
    ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
  ]

  /// Appends the answer to a refused handshake; the connection closes.
  public static func refuse(_ refusal: Refusal, into out: inout [UInt8]) {
    switch refusal {
    case .upgradeRequired:
      let fields = spoken.compactMap { field -> HeaderField? in
        guard let name = HTTPField.Name(field.name), let value = HeaderValue(field.value) else {
          return nil
        }
        return HeaderField(name, value)
      }
      HTTPResponseEncoder.whole(HTTPResponse.Status(code: 426), fields, to: .closing(), into: &out)
    case .malformed:
      Problem(
        type: Problem.typePrefix + "malformed-websocket", title: "Bad Request", status: 400,
        detail: "malformed WebSocket handshake"
      ).encode(to: .closing(), into: &out)
    }
  }

  /// A client's request, for benches and tests.
  /// - Parameter key: base64 of 16 fresh random bytes, handed in.
  public static func request(
    _ target: String, host: HeaderValue, key: HeaderValue, _ fields: [HeaderField] = []
  ) -> [UInt8]? {
    var all = fields
    for (name, value) in [
      ("upgrade", HeaderValue(fixed: "websocket")), ("connection", HeaderValue(fixed: "Upgrade")),
      ("sec-websocket-version", HeaderValue(fixed: "13")), ("sec-websocket-key", key),
    ] {
      if let name = HTTPField.Name(name) { all.append(HeaderField(name, value)) }
    }
    return HTTPRequestEncoder.encode(.get, target, host: host, all)
  }

  private static func field(_ name: StaticString, _ value: HeaderValue, _ out: inout [UInt8]) {
    append(name, &out)
    out += value.bytes
    append("\r\n", &out)
  }
}
