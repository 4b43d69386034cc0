/// A connection that is kept, as a proxy keeps one: whoever's requests come are sent on it, several
/// before the first is answered.
final class KeptConnection {
  private let port: UInt16
  private var socket: Socket
  private var unread: [UInt8] = []

  init(port: UInt16) throws {
    self.port = port
    socket = try Socket.connect(port: port)
  }

  func send(_ call: HTTPCall) throws -> Reply { try send([call])[0] }

  /// The answers come in the order of the requests. What a server that closed did not answer is sent
  /// again.
  func send(_ calls: [HTTPCall]) throws -> [Reply] {
    var replies: [Reply] = []
    while replies.count < calls.count {
      try socket.send(
        calls[replies.count...].flatMap { call in
          var call = call
          call.keepsAlive = true
          return call.bytes
        })
      while replies.count < calls.count {
        let reply = try receive()
        replies.append(reply)
        guard reply.headers["connection"]?.lowercased() == "close" else { continue }
        (socket, unread) = (try Socket.connect(port: port), [])
        break
      }
    }
    return replies
  }

  private func receive() throws -> Reply {
    while true {
      if let (reply, size) = HTTPCall.parseFirst(unread) {
        unread.removeFirst(size)
        return reply
      }
      let more = try socket.receive()
      guard !more.isEmpty else {
        throw Socket.Fault(description: "the connection ended after \(unread.count) bytes")
      }
      unread += more
    }
  }
}
