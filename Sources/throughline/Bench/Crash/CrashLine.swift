import Sockets

/// One FastAGI connection as Asterisk opens it: a header block, then a line for every command and
/// one for its reply.
final class CrashLine: ConnectionHandler {
  private var connection: Connection?
  private var line: [UInt8] = []
  private var heard: ((String) -> Void)?
  private var ended: (() -> Void)?

  /// - Parameters:
  ///   - heard: each command; `ended`: the connection is over, once.
  init(
    _ address: SocketAddress, _ script: String, _ unique: String, from number: String,
    _ arguments: [String],
    on loop: LaneLoop, heard: @escaping (String) -> Void, ended: @escaping () -> Void
  ) {
    (self.heard, self.ended) = (heard, ended)
    connection = loop.connect(to: address, timeoutMilliseconds: 10_000, handler: self)
    var block = [
      ("network", "yes"), ("network_script", script), ("request", "agi://127.0.0.1/\(script)"),
      ("channel", "PJSIP/trunk-\(unique)"), ("language", "en"), ("type", "PJSIP"),
      ("uniqueid", unique),
      ("version", "16.28.0"), ("callerid", number), ("calleridname", "unknown"),
      ("callingpres", "0"),
      ("callingani2", "0"), ("callington", "0"), ("callingtns", "0"), ("dnid", "110"),
      ("rdnis", "unknown"),
      ("context", "throughline"), ("extension", "110"), ("priority", "6"), ("enhanced", "0.0"),
      ("accountcode", ""),
      ("threadid", "1"),
    ]
    for (index, argument) in arguments.enumerated() { block.append(("arg_\(index + 1)", argument)) }
    connection?.write(Array((block.map { "agi_\($0): \($1)\n" }.joined() + "\n").utf8))
  }

  func say(_ text: String) { connection?.write(Array((text + "\n").utf8)) }

  /// From here on somebody else hears the commands, and nobody the end.
  func hears(_ heard: @escaping (String) -> Void) { (self.heard, ended) = (heard, nil) }

  /// The channel is gone: nothing more is said or heard here.
  func close() {
    (heard, ended) = (nil, nil)
    connection?.closeAfterFlush(lingering: false)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    for byte in bytes {
      if byte != 10 {
        line.append(byte)
        continue
      }
      let text = String(decoding: line, as: UTF8.self)
      line = []
      heard?(text)
    }
  }

  func peerClosedWrite(_ connection: Connection) { connection.closeAfterFlush(lingering: false) }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    self.connection = nil
    let last = ended
    (heard, ended) = (nil, nil)
    last?()
  }
}
