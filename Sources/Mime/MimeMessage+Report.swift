import MailCodec

extension MimeMessage {
  /// What a mail server reports of a mail; nil for anything else (RFC 3464, RFC 6533 §5).
  var deliveryReport: DeliveryReport? {
    guard contentType == "multipart/report",
      let status = part(of: ["message/delivery-status", "message/global-delivery-status"])
    else { return nil }
    // The mail itself, or its header alone (RFC 6522 §4).
    let original = part(of: [
      "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers",
    ])
    let named = original.flatMap { MimeMessage(bytes: $0).first("Message-ID") }
    return DeliveryReport(status: status, messageID: named.flatMap { MessageIDs.one($0.raw) })
  }

  private func part(of types: [String]) -> [UInt8]? {
    attachments.first { types.contains($0.type) }?.bytes
  }
}
