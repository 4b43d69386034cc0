import Foundation
import MailCodec
import Model
import Pipeline
import Service
import Testing

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

  /// The signed address to which its recipient answers.
  func replyAddress(_ sent: Sent) throws -> String {
    let field = try #require(sent.header("Reply-To"))
    return String(field.drop { $0 == "<" }.prefix { $0 != ">" })
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
    _ sent: Sent, _ fate: String = "Action: failed", id: String = "bounce@mx.home.example",
    of recipients: [String] = ["jo@home.example"], to: String = "help@shop.example"
  ) throws -> (conversation: ConversationID, entry: EntryID, isDuplicate: Bool) {
    let fates = recipients.flatMap {
      [
        "", "Final-Recipient: rfc822;\($0)", fate, "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 nobody here",
      ]
    }
    let head = [
      "From: Mail Delivery System <MAILER-DAEMON@mx.home.example>", "To: \(to)",
      "Message-ID: <\(id)>", "Auto-Submitted: auto-replied",
      "Content-Type: multipart/report; report-type=delivery-status; boundary=x", "", "--x", "",
      "It could not be delivered.", "--x", "Content-Type: message/delivery-status", "",
      "Reporting-MTA: dns; mx.home.example",
    ]
    let original = [
      "", "--x", "Content-Type: text/rfc822-headers", "",
      "Message-ID: \(sent.header("Message-ID") ?? "")", "--x--", "",
    ]
    return try deliver(
      Array((head + fates + original).joined(separator: "\r\n").utf8),
      from: "MAILER-DAEMON@mx.home.example", to: to)
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
