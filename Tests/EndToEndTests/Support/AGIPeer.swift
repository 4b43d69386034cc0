import Synchronization

/// One FastAGI connection as Asterisk opens it: the header block, then an answer to every command.
final class AGIPeer: Sendable {
  private let socket: Socket
  private let buffer: LineBuffer
  private let heard = Mutex<[String]>([])

  var lines: [String] { heard.withLock { $0 } }

  init(
    port: UInt16, script: String, arguments: [String], unique: String, number: String = "2025550143"
  ) throws {
    socket = try Socket.connect(port: port)
    buffer = LineBuffer(socket)
    var head = [
      "agi_network: yes", "agi_network_script: \(script)", "agi_request: agi://127.0.0.1/\(script)",
      "agi_channel: PJSIP/trunk-1", "agi_language: en", "agi_type: PJSIP",
      "agi_uniqueid: \(unique)",
      "agi_version: 16.28", "agi_callerid: \(number)", "agi_calleridname: Ann",
      "agi_callingpres: 0",
      "agi_callingani2: 0", "agi_callington: 0", "agi_callingtns: 0", "agi_dnid: 18005551212",
      "agi_rdnis: unknown",
      "agi_context: from", "agi_extension: 18005551212", "agi_priority: 1", "agi_enhanced: 0.0",
      "agi_accountcode: ", "agi_threadid: 1",
    ]
    for (index, argument) in arguments.enumerated() {
      head.append("agi_arg_\(index + 1): \(argument)")
    }
    try socket.send(Array((head.joined(separator: "\n") + "\n\n").utf8))
  }

  func say(_ line: String) throws { try socket.send(Array((line + "\n").utf8)) }
  func close() { socket.close() }

  /// Answers every command until one holds this text, which is left unanswered; nil when the
  /// connection ends first.
  /// - Parameters:
  ///   - dial: what `DIALSTATUS` says.
  ///   - talked: whether caller and device were bridged.
  func until(_ text: String, dial: String = "", talked: Bool = true) async throws -> String? {
    try await blocking { [self] in
      while let line = try next() {
        if line.contains(text) { return line }
        try say(Self.answer(line, dial, talked))
      }
      return nil
    }
  }

  /// Answers every command until the other side closes.
  func toTheEnd(dial: String = "", talked: Bool = true) async throws {
    _ = try await until("no command holds this", dial: dial, talked: talked)
  }

  private static func answer(_ line: String, _ dial: String, _ talked: Bool) -> String {
    if line.contains("DIALSTATUS") { return "200 result=1 (\(dial))" }
    if line.contains("ANSWEREDTIME") { return talked ? "200 result=1 (3)" : "200 result=0" }
    return line.hasPrefix("SET VARIABLE") ? "200 result=1" : "200 result=0"
  }

  private func next() throws -> String? {
    guard let line = try buffer.next() else { return nil }
    heard.withLock { $0.append(line) }
    return line
  }
}

/// Lines out of a socket, read by one thread at a time.
final class LineBuffer: Sendable {
  private let socket: Socket
  private let pending = Mutex<[UInt8]>([])

  init(_ socket: Socket) { self.socket = socket }

  /// The next line without its end; nil when the connection has ended.
  func next() throws -> String? {
    while true {
      let line = pending.withLock { pending -> String? in
        guard let end = pending.firstIndex(of: 10) else { return nil }
        defer { pending.removeFirst(end + 1) }
        return String(decoding: pending[..<end], as: UTF8.self)
      }
      if let line { return line }
      let more = try socket.receive()
      if more.isEmpty { return nil }
      pending.withLock { $0 += more }
    }
  }
}
