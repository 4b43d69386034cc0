import Dispatch
import Glibc

/// One answer over HTTP.
struct Reply: Sendable, CustomStringConvertible {
  var status: Int
  var headers: [String: String]
  var body: [UInt8]

  var json: JSON { JSON(body) }
  subscript(name: String) -> JSON { json[name] }
  var description: String { "\(status) \(String(decoding: body, as: UTF8.self))" }
}

/// One request over a connection of its own, read with nothing of the server's own code.
struct HTTPCall: Sendable {
  var method: String
  var target: String
  var headers: [(String, String)] = []
  var body: [UInt8]?
  var keepsAlive = false

  var bytes: [UInt8] {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    if !keepsAlive { head += "Connection: close\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    return Array((head + "\r\n").utf8) + (body ?? [])
  }

  func send(on socket: Socket) throws -> Reply {
    try socket.send(bytes)
    return try Self.read(from: socket)
  }

  static func read(from socket: Socket) throws -> Reply {
    var bytes: [UInt8] = []
    while true {
      if let reply = Self.parse(bytes) { return reply }
      let more = try socket.receive()
      guard !more.isEmpty else {
        throw Socket.Fault(description: "the connection ended after \(bytes.count) bytes")
      }
      bytes += more
    }
  }

  static func parse(_ bytes: [UInt8]) -> Reply? { parseFirst(bytes)?.reply }

  /// - Returns: the first answer, and how many bytes it has.
  static func parseFirst(_ bytes: [UInt8]) -> (reply: Reply, size: Int)? {
    guard let end = headEnd(bytes) else { return nil }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    guard let first = lines.first,
      let status = Int(first.split(separator: " ").dropFirst().first ?? "")
    else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 {
        headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
      }
    }
    let length = Int(headers["content-length"] ?? "") ?? 0
    let size = end + 4 + length
    guard bytes.count >= size else { return nil }
    let body = Array(bytes[(end + 4)..<size])
    return (Reply(status: status, headers: headers, body: body), size)
  }

  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    var at = 0
    while at + 3 < bytes.count {
      if bytes[at] == 13, bytes[at + 1] == 10, bytes[at + 2] == 13, bytes[at + 3] == 10 {
        return at
      }
      at += 1
    }
    return nil
  }
}

/// Runs blocking work on a thread of its own, so that no test holds up the others.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "blocking").async { continuation.resume(with: Result(catching: body)) }
  }
}

/// Waits until something is true, at most so long; a condition that never comes is a failure, not a
/// hang.
func eventually(
  _ what: String, seconds: Int = 10, _ isTrue: @Sendable () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let end = clock.now + .seconds(seconds)
  while try await !isTrue() {
    guard clock.now < end else {
      throw Socket.Fault(description: "after \(seconds) s still not: \(what)")
    }
    try await Task.sleep(for: .milliseconds(20))
  }
}

/// Between two bytes of a peer that drips.
func usleepBriefly() { usleep(20_000) }
