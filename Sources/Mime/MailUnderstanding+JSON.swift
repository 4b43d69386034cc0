import MailCodec

extension MailUnderstanding {
  /// What was understood, as one JSON object on one line; what `throughline mail` prints.
  /// - Shape: absent things are null; `date` is RFC 3339 in UTC; an attachment's bytes are counted,
  ///   not shown.
  public var json: String {
    let people = [("from", from), ("replyTo", replyTo), ("to", to), ("cc", cc)].map { name, list in
      "\"\(name)\":[\(list.map(Self.address).joined(separator: ","))]"
    }
    let files = attachments.map { file in
      "{\"name\":\(Self.quote(file.name)),\"type\":\(Self.quote(file.type)),\"bytes\":\(file.bytes.count),"
        + "\"contentID\":\(Self.quote(file.contentID)),\"inline\":\(file.isInline)}"
    }
    let fields =
      people + [
        "\"authorIsClear\":\(author != .unclear)", "\"subject\":\(Self.quote(subjectText))",
        "\"subjectBase\":\(Self.quote(subject.base))", "\"isReply\":\(subject.isReply)",
        "\"isForward\":\(subject.isForward)", "\"date\":\(Self.quote(date?.description))",
        "\"messageID\":\(Self.quote(thread.messageID))",
        "\"parents\":[\(thread.parents.map { Self.quote($0) }.joined(separator: ","))]",
        "\"own\":\(Self.quote(own))", "\"quoted\":\(Self.quote(quoted))",
        "\"signature\":\(Self.quote(signature))",
        "\"attachments\":[\(files.joined(separator: ","))]",
        "\"automatic\":\(Self.quote(automatic?.rawValue))",
        "\"report\":\(report.map(Self.report) ?? "null")",
        "\"dmarc\":\(Self.quote(dmarcWord))", "\"truncated\":\(isTruncated)",
      ]
    return "{\(fields.joined(separator: ","))}"
  }

  private static func report(_ report: DeliveryReport) -> String {
    let recipients = report.recipients.map { one in
      "{\"original\":\(quote(one.original)),\"final\":\(quote(one.final)),"
        + "\"action\":\(quote(one.action?.rawValue)),\"status\":\(quote(one.status)),"
        + "\"diagnostic\":\(quote(one.diagnostic))}"
    }
    return
      "{\"messageID\":\(quote(report.messageID)),\"recipients\":[\(recipients.joined(separator: ","))]}"
  }

  private var dmarcWord: String {
    switch dmarc {
    case .unknown: "unknown"
    case .pass: "pass"
    case .fail(let word): word
    case .otherDomain(let domain): "pass for \(domain)"
    }
  }

  private static func address(_ address: MailAddress) -> String {
    "{\"name\":\(quote(address.name)),\"address\":\(quote(address.address))}"
  }

  /// RFC 8259 §7: quotes, backslashes and controls are escaped.
  private static func quote(_ text: String?) -> String {
    guard let text else { return "null" }
    var out: [UInt8] = [34]
    let hex = Array("0123456789abcdef".utf8)
    for byte in text.utf8 {
      switch byte {
      case 34, 92: out += [92, byte]
      case 10: out += [92, 110]
      case 0..<32, 127: out += [92, 117, 48, 48, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    return String(decoding: out + [34], as: UTF8.self)
  }
}
