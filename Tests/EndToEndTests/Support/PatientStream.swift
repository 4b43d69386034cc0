import Glibc

/// A WebSocket whose frames are looked at when the test wants: as far as they have come, and never
/// waited for. It speaks as little of RFC 6455 as a client may.
final class PatientStream {
  private let socket: Socket
  private var unread: [UInt8] = []
  private(set) var isClosed = false

  /// - Throws: the answer, where the server does not agree.
  init(port: UInt16, token: String) throws {
    socket = try Socket.connect(port: port)
    let head = [
      "GET /v1/stream HTTP/1.1", "Host: localhost", "Authorization: Bearer \(token)",
      "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    ]
    try socket.send(Array(head.joined(separator: "\r\n").utf8))
    while true {
      if let (reply, size) = HTTPCall.parseFirst(unread) {
        guard reply.status == 101 else { throw Socket.Fault(description: "\(reply)") }
        unread.removeFirst(size)
        return
      }
      unread += try socket.receive()
    }
  }

  /// Into the void, where the server has ended it.
  func say(_ frame: Body) {
    let text = Array(frame.encoded.utf8)
    let size: [UInt8] =
      text.count < 126
      ? [UInt8(text.count)] : [126, UInt8(text.count >> 8), UInt8(text.count & 0xFF)]
    // RFC 6455 §5.3: masked with a key, which may be any; zeros leave the words as they are.
    guard !isClosed else { return }
    do { try socket.send([0x81, 0x80 | size[0]] + size.dropFirst() + [0, 0, 0, 0] + text) } catch {
      isClosed = true
    }
  }

  /// The texts that have come since.
  func heard() -> [JSON] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !isClosed {
      let count = recv(socket.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { unread += buffer[..<count] } else if count == 0 { isClosed = true }
      guard count == buffer.count else { break }
    }
    var (texts, at) = ([JSON](), 0)
    while let frame = Self.frame(unread[at...]) {
      if frame.opcode == 1 { texts.append(JSON(Array(frame.payload))) }
      if frame.opcode == 8 { isClosed = true }
      at = frame.payload.endIndex
    }
    unread.removeFirst(at)
    return texts
  }

  func close() { socket.close() }

  /// RFC 6455 §5.2; a server masks nothing, and ours sends every message in one frame.
  private static func frame(_ bytes: ArraySlice<UInt8>) -> (
    opcode: UInt8, payload: ArraySlice<UInt8>
  )? {
    guard bytes.count >= 2 else { return nil }
    let first = bytes.startIndex
    let wide = [126: 2, 127: 8][Int(bytes[first + 1])] ?? 0
    guard bytes.count >= 2 + wide else { return nil }
    let size =
      wide == 0
      ? Int(bytes[first + 1])
      : bytes[(first + 2)..<(first + 2 + wide)].reduce(0) { $0 << 8 | Int($1) }
    let start = first + 2 + wide
    guard bytes.endIndex - start >= size else { return nil }
    return (bytes[first] & 0xF, bytes[start..<(start + size)])
  }
}
