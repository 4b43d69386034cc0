import Foundation
import System
import WebCodec

/// An agent's desk: a WebSocket on `/v1/stream`, on which cases, ringing calls and customers' words
/// arrive.
final class Desk {
  private let peer: Peer
  private var decoder = WebSocketDecoder(role: .client, messageBytesMax: Peer.bytesMax)

  init(port: UInt16, token: String) throws {
    peer = try Peer(port: port)
    let key = Data(Entropy.bytes(16)).base64EncodedString()
    try peer.write(
      "GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\nUpgrade: websocket\r\n"
        + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n\r\n")
    var head: [UInt8] = []
    let mark: [UInt8] = [13, 10, 13, 10]
    while head.firstRange(of: mark) == nil {
      let more = try peer.read()
      guard !more.isEmpty else { throw Peer.Fault("the stream was not opened") }
      head += more
    }
    guard head.starts(with: "HTTP/1.1 101".utf8), let end = head.firstRange(of: mark) else {
      throw Peer.Fault(
        "the stream was refused: \(String(decoding: head.prefix(60), as: UTF8.self))")
    }
    decoder.append(head[end.upperBound...])
  }

  deinit { peer.end() }

  /// The next message of this type; others are passed over.
  func next(_ type: String) throws -> [UInt8] {
    while true {
      switch decoder.next() {
      case .needMore:
        let more = try peer.read()
        guard !more.isEmpty else { throw Peer.Fault("the stream ended") }
        decoder.append(more)
      case .message(_, let bytes, _):
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        if object?["type"] as? String == type { return bytes }
      case .ping(let payload):
        var out: [UInt8] = []
        WebSocketEncoder.pong(payload, mask: UInt32(truncatingIfNeeded: Entropy.word), into: &out)
        try peer.write(out)
      case .pong: break
      case .closed, .failed: throw Peer.Fault("the stream ended")
      }
    }
  }
}
