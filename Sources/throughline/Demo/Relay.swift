import Foundation

/// The shop's mail relay: it has checked the sender and hands the customer's mail in over SMTP (RFC
/// 5321).
struct Relay: Sendable {
  let port: UInt16

  /// - Returns: once the server has answered 250 to the message, and not before.
  func deliver(from sender: String, to recipient: String, _ message: String) throws {
    let peer = try Peer(port: port)
    var lines = LineReader(peer)
    try Self.expect(220, &lines)
    try peer.write("EHLO relay.shop.example\r\n")
    try Self.expect(250, &lines)
    try peer.write("MAIL FROM:<\(sender)>\r\nRCPT TO:<\(recipient)>\r\nDATA\r\n")  // PIPELINING, RFC 2920
    try Self.expect(250, &lines)
    try Self.expect(250, &lines)
    try Self.expect(354, &lines)
    try peer.write(Self.stuffed(message) + ".\r\n")
    try Self.expect(250, &lines)
    try peer.write("QUIT\r\n")
    try Self.expect(221, &lines)
  }

  /// RFC 5321 §4.5.2: a line that begins with a dot gets another.
  private static func stuffed(_ message: String) -> String {
    message.split(separator: "\n", omittingEmptySubsequences: false)
      .map { ($0.hasPrefix(".") ? "." : "") + $0 }.joined(separator: "\r\n") + "\r\n"
  }

  private static func expect(_ code: Int, _ lines: inout LineReader) throws {
    while let line = try lines.next() {
      guard line.hasPrefix("\(code)") else {
        throw Peer.Fault("SMTP: expected \(code), got \"\(line)\"")
      }
      if line.dropFirst(3).first != "-" { return }
    }
    throw Peer.Fault("SMTP: the connection ended")
  }
}
