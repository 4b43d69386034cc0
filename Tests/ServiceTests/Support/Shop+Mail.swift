import Foundation
import MailCodec
import Model
import Pipeline
import Service

extension Shop {
  /// A message as it leaves, with its header fields.
  struct Sent {
    var bytes: [UInt8]
    func header(_ name: String) -> String? {
      let text = String(decoding: bytes, as: UTF8.self)
      guard let end = text.range(of: "\r\n\r\n") else { return nil }
      let unfolded = text[..<end.lowerBound].replacing("\r\n ", with: " ").replacing(
        "\r\n\t", with: " ")
      let line = unfolded.split(separator: "\r\n").first {
        $0.lowercased().hasPrefix(name.lowercased() + ":")
      }
      return line.map { String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces) }
    }
  }

  /// The oldest mail in the outbox, composed as it leaves, and delivered.
  func outgoing() throws -> Sent? {
    guard let row = try reader.outbox(workspace, limit: 1).first, let payload = row.payload else {
      return nil
    }
    let mail = try OutgoingMail(decoding: payload)
    try submit(.outboxDelivered(row.id))
    return self.mail.compose(mail, attachments: []).map { Sent(bytes: $0.bytes) }
  }

  /// A mail server's report of it, from nobody in particular.
  @discardableResult
  func bounce(
    _ sent: Sent, _ fate: String = "Action: failed", id: String = "bounce@mx.home.example"
  ) throws -> (conversation: ConversationID, entry: EntryID, isDuplicate: Bool) {
    let lines = [
      "From: Mail Delivery System <MAILER-DAEMON@mx.home.example>", "To: help@shop.example",
      "Message-ID: <\(id)>", "Auto-Submitted: auto-replied",
      "Content-Type: multipart/report; report-type=delivery-status; boundary=x", "", "--x", "",
      "It could not be delivered.", "--x", "Content-Type: message/delivery-status", "",
      "Reporting-MTA: dns; mx.home.example", "", "Final-Recipient: rfc822;jo@home.example", fate,
      "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 nobody here", "", "--x",
      "Content-Type: text/rfc822-headers", "", "Message-ID: \(sent.header("Message-ID") ?? "")",
      "--x--", "",
    ]
    return try deliver(
      Array(lines.joined(separator: "\r\n").utf8), from: "MAILER-DAEMON@mx.home.example")
  }

  func upload(_ bytes: [UInt8], by caller: Caller) throws -> APIResponse {
    try perform(
      api.handle(
        APIRequest(
          method: "POST", path: ["v1", "blobs"], query: [], body: bytes, contentType: "text/plain",
          idempotencyKey: nil),
        caller), caller)
  }
}
