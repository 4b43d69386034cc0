import Wire

/// Text that may stand in a header: without CR, LF, NUL or other controls, by construction
/// (CVE-2024-6923, CVE-2026-1299).
public struct HeaderText: Hashable, Sendable {
  public let text: String

  /// Nil when the text holds a control character or is longer than 8,000 bytes.
  public init?(_ text: String) {
    guard text.utf8.count <= 8_000,
      text.unicodeScalars.allSatisfy({
        $0.value >= 32 && $0.value != 127 && !(0x80...0x9F).contains($0.value)
          && $0.value != 0x2028 && $0.value != 0x2029
      })
    else { return nil }
    self.text = text
  }

  /// The text with each run of controls turned into a space.
  public init(repairing text: String) {
    var kept = ""
    for scalar in text.unicodeScalars {
      if kept.utf8.count > 7_900 { break }
      let bad =
        scalar.value < 32 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
        || scalar.value == 0x2029
      if !bad { kept.unicodeScalars.append(scalar) } else if kept.last != " " { kept += " " }
    }
    self.text = kept
  }
}

/// A message that we send, as bytes of RFC 5322 and MIME (RFC 2045).
///
/// - Shape: CRLF line ends; headers folded at 76 columns; words outside ASCII encoded (RFC 2047) in
///   UTF-8; the body quoted-printable in UTF-8; attachments base64 in `multipart/mixed`. Everything
///   is ASCII, so that it passes any relay without 8BITMIME or SMTPUTF8, except addresses that are
///   themselves not ASCII.
/// - A body's own line ends, of any kind, become CRLF; one is added at its end.
public struct MailComposer: Sendable {
  public struct Attachment: Equatable, Sendable {
    public var name: HeaderText
    /// `type/subtype`; anything else is sent as `application/octet-stream`.
    public var type: String
    public var bytes: [UInt8]
    public init(name: HeaderText, type: String, bytes: [UInt8]) {
      self.name = name
      self.type = type
      self.bytes = bytes
    }
  }

  public var from: MailAddress
  public var to: [MailAddress]
  public var replyTo: MailAddress?
  public var subject: HeaderText
  /// Ids without brackets. One that could not stand in a header is left out.
  public var messageID: String
  public var inReplyTo: String?
  public var references: [String] = []
  public var text: String
  public var attachments: [Attachment] = []
  /// Milliseconds since 1970.
  public var date: Int64
  /// `auto-replied` or `auto-generated` (RFC 3834 §5); nil for what a person wrote.
  public var autoSubmitted: HeaderText?
  public var extra: [(name: HeaderText, value: HeaderText)] = []

  public init(
    from: MailAddress, to: [MailAddress], subject: HeaderText, messageID: String, text: String,
    date: Int64
  ) {
    self.from = from
    self.to = to
    self.subject = subject
    self.messageID = messageID
    self.text = text
    self.date = date
  }

  public func bytes() -> [UInt8] {
    var out = HeaderWriter()
    out.field("Date", words: [MailDate.format(date)])
    out.field("From", words: Self.words([from]))
    if let replyTo { out.field("Reply-To", words: Self.words([replyTo])) }
    out.field("To", words: Self.words(to))
    out.field("Subject", words: EncodedWords.words(of: subject.text))
    out.field("Message-ID", words: Self.ids([messageID]))
    if let inReplyTo { out.field("In-Reply-To", words: Self.ids([inReplyTo])) }
    out.field("References", words: Self.ids(references))
    if let autoSubmitted {
      out.field("Auto-Submitted", words: [autoSubmitted.text])
      // Exchange does not know RFC 3834 and answers all the same.
      out.field("X-Auto-Response-Suppress", words: ["All"])
    }
    for (name, value) in extra where name.text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 58 })
    {
      out.field(name.text, words: EncodedWords.words(of: value.text))
    }
    out.field("MIME-Version", words: ["1.0"])
    let body = QuotedPrintable.encode(Array(text.utf8))
    guard !attachments.isEmpty else {
      out.textHeaders()
      return out.bytes + [13, 10] + body
    }
    // The boundary holds `=_`, which neither base64 nor quoted-printable can make (RFC 2045 §6.7).
    let boundary = "=_throughline_\(Hex.encode(EncodedWords.fingerprint(messageID)))"
    out.field("Content-Type", words: ["multipart/mixed;", "boundary=\"\(boundary)\""])
    var all = out.bytes + Array("\r\n--\(boundary)\r\n".utf8)
    var part = HeaderWriter()
    part.textHeaders()
    all += part.bytes + [13, 10] + body
    for attachment in attachments {
      all += Array("--\(boundary)\r\n".utf8) + Self.part(attachment)
    }
    return all + Array("--\(boundary)--\r\n".utf8)
  }

  private static func part(_ attachment: Attachment) -> [UInt8] {
    var out = HeaderWriter()
    let halves = attachment.type.split(separator: "/", omittingEmptySubsequences: false)
    let isType =
      halves.count == 2
      && halves.allSatisfy { half in
        !half.isEmpty
          && half.utf8.allSatisfy {
            ($0 | 32 >= 97 && $0 | 32 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 45 || $0 == 43
              || $0 == 46
          }
      }
    // A whole message or a multipart may not be base64 (RFC 2046 §5.2.1), so it goes as plain
    // bytes.
    let isPlain = isType && halves[0] != "message" && halves[0] != "multipart"
    out.field("Content-Type", words: [isPlain ? attachment.type : "application/octet-stream"])
    out.field("Content-Transfer-Encoding", words: ["base64"])
    out.field(
      "Content-Disposition",
      words: ["attachment;"] + EncodedWords.parameter("filename", attachment.name.text))
    var body: [UInt8] = [13, 10]
    var at = 0
    while at < attachment.bytes.count {
      let end = min(at + 57, attachment.bytes.count)  // 76 columns, RFC 2045 §6.8
      body += Base64.encode(attachment.bytes[at..<end]).utf8
      body += [13, 10]
      at = end
    }
    return out.bytes + body
  }

  private static func words(_ addresses: [MailAddress]) -> [String] {
    var words: [String] = []
    for (index, address) in addresses.enumerated() {
      let comma = index + 1 < addresses.count ? "," : ""
      let plain = HeaderText(repairing: address.address).text
      if let name = address.name, !name.isEmpty {
        words += EncodedWords.phrase(HeaderText(repairing: name).text) + ["<\(plain)>\(comma)"]
      } else {
        words.append(plain + comma)
      }
    }
    return words
  }

  private static func ids(_ ids: [String]) -> [String] {
    ids.filter { id in
      !id.isEmpty && id.utf8.count <= MessageIDs.bytesMax
        && id.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 60 && $0 != 62 }
    }.map { "<\($0)>" }
  }
}

/// Writes header fields, folded between words (RFC 5322 §2.2.3).
struct HeaderWriter {
  var bytes: [UInt8] = []

  mutating func field(_ name: String, words: [String]) {
    guard !words.isEmpty else { return }
    var line = name.utf8.count + 1
    bytes += Array(name.utf8) + [58]
    for (index, word) in words.enumerated() {
      if index > 0, line + 1 + word.utf8.count > 76 {
        bytes += [13, 10]
        line = 0
      }
      bytes.append(32)
      bytes += word.utf8
      line += 1 + word.utf8.count
    }
    bytes += [13, 10]
  }

  mutating func textHeaders() {
    field("Content-Type", words: ["text/plain;", "charset=utf-8"])
    field("Content-Transfer-Encoding", words: ["quoted-printable"])
  }
}

/// RFC 2047 and RFC 2231: text outside ASCII in headers.
enum EncodedWords {
  /// The words of unstructured text. One that could be mistaken for an encoded word, or that is
  /// longer than a
  /// line, is encoded too; white space is kept exactly by encoding what holds two blanks or more.
  static func words(of text: String) -> [String] {
    let plain = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let isPlain = plain.allSatisfy { word in
      !word.isEmpty && word.utf8.count <= 60 && word.utf8.allSatisfy { $0 > 32 && $0 < 127 }
        && !word.hasPrefix("=?")
    }
    return isPlain ? plain : encoded(text)
  }

  /// The words of a display name: atoms, a quoted string, or encoded words.
  static func phrase(_ name: String) -> [String] {
    guard name.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }), name.utf8.count <= 60,
      !name.contains("=?")
    else {
      return encoded(name)
    }
    let isAtoms = name.split(separator: " ", omittingEmptySubsequences: false).allSatisfy { word in
      !word.isEmpty && word.utf8.allSatisfy(MailAddress.isAtomText)
    }
    if isAtoms { return name.split(separator: " ").map(String.init) }
    var quoted = "\""
    for scalar in name.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { quoted += "\\" }
      quoted.unicodeScalars.append(scalar)
    }
    return [quoted + "\""]
  }

  /// `filename="plain.txt"`, or `filename*=utf-8''…` in pieces (RFC 2231 §3, §4).
  static func parameter(_ name: String, _ value: String) -> [String] {
    if value.utf8.count <= 60,
      value.utf8.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != 34 && $0 != 92 }), !value.contains("=?")
    {
      return ["\(name)=\"\(value)\""]
    }
    var pieces: [String] = []
    var piece = ""
    for byte in value.utf8 {
      let plain =
        (byte | 32 >= 97 && byte | 32 <= 122) || (byte >= 48 && byte <= 57) || byte == 45
        || byte == 46 || byte == 95
      piece += plain ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte]).uppercased()
      if piece.utf8.count >= 48 {
        pieces.append(piece)
        piece = ""
      }
    }
    if !piece.isEmpty || pieces.isEmpty { pieces.append(piece) }
    if pieces.count == 1 { return ["\(name)*=utf-8''\(pieces[0])"] }
    return pieces.enumerated().map { index, piece in
      "\(name)*\(index)*=\(index == 0 ? "utf-8''" : "")\(piece)\(index + 1 < pieces.count ? ";" : "")"
    }
  }

  /// 64 bits of FNV-1a: tells one message's boundary from that of a message inside it.
  static func fingerprint(_ text: String) -> [UInt8] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return withUnsafeBytes(of: hash.bigEndian) { Array($0) }
  }

  /// Base64 words of at most 75 columns, each of whole characters (RFC 2047 §2, §5).
  private static func encoded(_ text: String) -> [String] {
    var words: [String] = []
    var run: [UInt8] = []
    func flush(_ run: inout [UInt8], _ words: inout [String]) {
      if !run.isEmpty { words.append("=?utf-8?B?\(Base64.encode(run))?=") }
      run = []
    }
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      if run.count + bytes.count > 42 { flush(&run, &words) }
      run += bytes
    }
    flush(&run, &words)
    return words
  }
}

/// Quoted-printable of text (RFC 2045 §6.7).
public enum QuotedPrintable {
  /// What is none stays as it stands.
  public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var at = text.startIndex
    while at < text.endIndex {
      guard text[at] == 61 else {
        out.append(text[at])
        at += 1
        continue
      }
      let rest = text[(at + 1)...]
      let blanks = rest.prefix { $0 == 32 || $0 == 9 || $0 == 13 }.count
      if blanks == rest.count || rest[rest.startIndex + blanks] == 10 {
        at += blanks + 2  // a soft line break, or the end
      } else if rest.count >= 2, let high = Hex.value(rest[at + 1]),
        let low = Hex.value(rest[at + 2])
      {
        out.append(high << 4 | low)
        at += 3
      } else {
        out.append(61)
        at += 1
      }
    }
    return out
  }

  public static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var column = 0
    let hex = Array("0123456789ABCDEF".utf8)
    var at = 0
    func isBreak(_ index: Int) -> Bool {
      index >= bytes.count || bytes[index] == 10 || bytes[index] == 13
    }
    while at < bytes.count {
      let byte = bytes[at]
      if byte == 10 || byte == 13 {
        out += [13, 10]
        column = 0
        at += byte == 13 && at + 1 < bytes.count && bytes[at + 1] == 10 ? 2 : 1
        continue
      }
      // White space at a line's end, and a dot or `From ` at its start, do not survive every relay.
      let atEnd = isBreak(at + 1) && (byte == 32 || byte == 9)
      let atStart = column == 0 && (byte == 46 || byte == 70 || byte == 45)
      let plain =
        (byte >= 33 && byte <= 126 && byte != 61 || byte == 32 || byte == 9) && !atEnd && !atStart
      let width = plain ? 1 : 3
      if column + width > 75 {
        out += [61, 13, 10]
        column = 0
        continue
      }
      if plain { out.append(byte) } else { out += [61, hex[Int(byte >> 4)], hex[Int(byte & 15)]] }
      column += width
      at += 1
    }
    if column > 0 || out.isEmpty { out += [13, 10] }
    return out
  }
}
