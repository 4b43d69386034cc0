import Foundation

/// The HTTP API as somebody with a token calls it; a connection a call.
struct APIClient: Sendable {
  let port: UInt16
  let token: String

  struct Reply {
    var status: Int
    /// The body, byte for byte: a timeline's proof is over exactly these bytes.
    var bytes: [UInt8]
    var json: [String: Any]
  }

  /// - Parameter body: anything that JSON can hold.
  func call(_ method: String, _ target: String, _ body: [String: Any]? = nil, on peer: Peer? = nil)
    throws
    -> Reply
  {
    let peer = try peer ?? Peer(port: port)
    let bytes =
      try body.map { try JSONSerialization.data(withJSONObject: $0, options: [.sortedKeys]) }
      ?? Data()
    var head =
      "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\n"
    head += "Connection: close\r\n"
    if method != "GET" { head += "Content-Length: \(bytes.count)\r\n" }
    if body != nil { head += "Content-Type: application/json\r\n" }
    try peer.write(Array((head + "\r\n").utf8) + bytes)
    return try Self.read(peer)
  }

  /// The same, and nothing but success will do.
  func done(_ method: String, _ target: String, _ body: [String: Any]? = nil) throws -> Reply {
    let reply = try call(method, target, body)
    guard reply.status < 300 else {
      throw Peer.Fault("\(method) \(target): \(Self.sentence(reply))")
    }
    return reply
  }

  static func sentence(_ reply: Reply) -> String {
    let detail = reply.json["detail"] as? String ?? reply.json["title"] as? String ?? ""
    return "\(reply.status) \(detail)"
  }

  private static func read(_ peer: Peer) throws -> Reply {
    var bytes: [UInt8] = []
    while bytes.count < Peer.bytesMax {
      let more = try peer.read()
      if more.isEmpty { break }
      bytes += more
    }
    let mark: [UInt8] = [13, 10, 13, 10]
    guard let end = bytes.firstRange(of: mark) else {
      throw Peer.Fault("the connection ended before an answer came")
    }
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
    guard let status = head.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw Peer.Fault("this is no HTTP answer: \(head.prefix(80))")
    }
    let body = Array(bytes[end.upperBound...])
    let object = body.isEmpty ? nil : try JSONSerialization.jsonObject(with: Data(body))
    return Reply(status: status, bytes: body, json: object as? [String: Any] ?? [:])
  }
}
