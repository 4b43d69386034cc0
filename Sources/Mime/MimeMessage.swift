import CGMime
import MailCodec

/// Every bound of reading a message, with its unit. Past one the rest is left out and `isTruncated`
/// says so.
public struct MimeLimits: Equatable, Sendable {
  public var partsMax = 200
  /// Multiparts inside multiparts.
  public var depthMax = 20
  public var headersMax = 1_000
  /// Bytes of text that are read for words, in all parts together.
  public var textBytesMax = 1_048_576
  /// Bytes of HTML of which that is made: styles and pictures are the most of some.
  public var htmlBytesMax = 16_777_216
  public init() {}
}

/// A message as GMime understands it: broken mail gives what could be read, never a failure.
public struct MimeMessage: Sendable {
  public struct Header: Equatable, Sendable {
    public var name: String
    /// Unfolded, encoded words as they stand.
    public var raw: String
    /// Unfolded, encoded words decoded.
    public var decoded: String
  }

  public struct Attachment: Equatable, Sendable {
    /// Decoded (RFC 2231), without any path; nil when the mail names none.
    public var name: String?
    /// `type/subtype` in lower case.
    public var type: String
    /// Without its brackets: what `cid:` in the HTML refers to.
    public var contentID: String?
    /// Shown inside the text rather than beside it.
    public var isInline: Bool
    /// A whole message, as it stands, when `type` is `message/rfc822`.
    public var bytes: [UInt8]
  }

  public private(set) var headers: [Header] = []
  /// `type/subtype` of the whole, in lower case.
  public private(set) var contentType = "text/plain"
  /// What a reader would read; HTML as text. See `ShownText`.
  public private(set) var text = ""
  /// What stands only in an alternative that no reader is shown.
  public private(set) var besides = ""
  /// Whether all of `text` came in `format=flowed`.
  public private(set) var isFlowed = false
  public private(set) var attachments: [Attachment] = []
  public private(set) var isTruncated = false

  public init(bytes: [UInt8], limits: MimeLimits = MimeLimits()) {
    let bounds = tl_mime_limits(
      parts_max: limits.partsMax, depth_max: limits.depthMax, headers_max: limits.headersMax)
    let (bytes, mayHideWords) = Self.withBlankLine(bytes)
    let parsed = bytes.withUnsafeBufferPointer { tl_mime_parse($0.baseAddress, $0.count, bounds) }
    guard let parsed else { return }
    defer { tl_mime_free(parsed) }
    isTruncated = mayHideWords || tl_mime_is_truncated(parsed) != 0
    if let type = tl_mime_content_type(parsed) { contentType = String(cString: type) }
    for index in 0..<tl_mime_header_count(parsed) {
      let raw = Self.unfold(Self.text(tl_mime_header_raw(parsed, index)))
      headers.append(
        Header(
          name: Self.text(tl_mime_header_name(parsed, index)), raw: raw,
          decoded: Self.clean(EncodedWordReader.decode(raw))))
    }
    let containers = tl_mime_container_count(parsed)
    func isAlternative(_ container: Int) -> Bool {
      container < containers
        && Self.text(tl_mime_container_at(parsed, container).type) == "multipart/alternative"
    }
    var reading = Reading(limits)
    let parts = (0..<tl_mime_part_count(parsed)).compactMap { index in
      tl_mime_part_at(parsed, index).map { ($0.pointee, Self.path($0.pointee.container, parsed)) }
    }
    for (part, path) in parts
    where Self.textKind(part)?.isKnown == true && Self.name(of: part) == nil {
      reading.known.formUnion(path.filter(isAlternative))
    }
    for (part, path) in parts { take(part, path, &reading) }
    show(reading.shown, isAlternative)
    if isBlank {
      // Of several the first, unless they are one text in two forms.
      let first = reading.named.first?.path ?? []
      let isOne = first.last.map(isAlternative) ?? false
      let named = isOne ? reading.named.filter { $0.path == first } : Array(reading.named.prefix(1))
      show(named.map { Self.text(of: $0.part, $0.path, &reading) }, isAlternative)
    }
    if reading.isCut { isTruncated = true }
    if isBlank, !reading.shown.contains(where: \.isHTML) {
      findText(bytes, limits, hasParts: tl_mime_part_count(parsed) > 0)
    }
    // Nobody is shown an empty message where there was something.
    let hides = reading.hides || tl_mime_has_preamble(parsed) != 0
    if isBlank, attachments.isEmpty, hides { isTruncated = true }
  }

  private var isBlank: Bool { !text.contains { !$0.isWhitespace } }

  private mutating func show(_ parts: [ShownText.Part], _ isAlternative: (Int) -> Bool) {
    guard !parts.isEmpty else { return }
    let shown = ShownText(parts, isAlternative: isAlternative)
    (text, besides, isFlowed) = (shown.text, shown.besides, shown.isFlowed)
  }

  /// The multiparts around a part, outermost first.
  private static func path(_ container: Int32, _ parsed: OpaquePointer) -> [Int] {
    var path: [Int] = []
    var at = Int(container)
    while at >= 0, at < tl_mime_container_count(parsed) {
      path.insert(at, at: 0)
      at = Int(tl_mime_container_at(parsed, at).parent)
    }
    return path
  }

  /// Where GMime found no part at all (a boundary that never comes, no blank line after the header),
  /// what stands below the header is the text.
  private mutating func findText(_ bytes: [UInt8], _ limits: MimeLimits, hasParts: Bool) {
    guard attachments.isEmpty, !hasParts || !contentType.hasPrefix("multipart/") else { return }
    let all = bytes[Self.headerEnd(bytes)...]
    let below = all.prefix(limits.textBytesMax)
    if below.count < all.count { isTruncated = true }
    let found = Self.lineFeeds(below.withUnsafeBufferPointer { Charsets.text($0, nil) })
    if found.contains(where: { !$0.isWhitespace }) { text = found }
  }

  /// A message whose header runs into its body, with the blank line that is missing there: GMime leaves
  /// out lines that can be no header. Where more of a mail's own headers stand below, the line is a broken
  /// one among them, and the message is told to be truncated for it. Lines right above that look like
  /// headers, of names that no header has, are words: `Problem: …`. With a dash in it the name could be
  /// some program's, so that line stays a header, and `mayHideWords`.
  private static func withBlankLine(_ bytes: [UInt8]) -> (bytes: [UInt8], mayHideWords: Bool) {
    let end = headerEnd(bytes)
    guard end < bytes.count, end == 0 || bytes[end - 1] == 10, !isAfterBlankLine(bytes, end) else {
      return (bytes, false)
    }
    var start = end
    while start < bytes.count, start - end < 65_536 {
      let next = bytes[start...].firstIndex(of: 10) ?? bytes.count
      let line = bytes[start..<next]
      if line.isEmpty || line.elementsEqual([13]) { break }
      if let name = fieldName(line), isMails(name) { return (bytes, false) }
      start = next + 1
    }
    let (first, mayHideWords) = firstWords(bytes, above: end)
    return (bytes[..<first] + [10] + bytes[first...], mayHideWords)
  }

  /// Where the words begin that end a header at `end`.
  private static func firstWords(_ bytes: [UInt8], above end: Int) -> (Int, mayHideWords: Bool) {
    var (first, start) = (end, end)
    while start > 0 {
      let above = bytes[..<(start - 1)].lastIndex(of: 10).map { $0 + 1 } ?? 0
      let line = bytes[above..<start]
      start = above
      if above > 0, line.first == 32 || line.first == 9 { continue }
      if !line.starts(with: ">From ".utf8) {
        guard let name = fieldName(line), !isMails(name), !isKnown(name) else { break }
        if name.contains(45) { return (first, true) }
      }
      first = above
    }
    return (first, false)
  }

  /// Beside those of `isMails`, which people hardly begin a line with.
  private static func isKnown(_ name: ArraySlice<UInt8>) -> Bool {
    let name = String(decoding: name, as: UTF8.self).lowercased()
    return knownNames.contains(name) || knownBeginnings.contains { name.hasPrefix($0) }
  }
  private static let knownBeginnings = [
    "list-", "resent-", "arc-", "thread-", "dkim-", "received-", "auto-",
  ]
  private static let knownNames: Set<String> = [
    "bcc", "delivered-to", "envelope-to", "delivery-date", "domainkey-signature", "errors-to",
    "precedence", "importance", "priority", "sensitivity", "user-agent", "mailer",
    "organization", "organisation", "comments", "keywords", "encrypted", "expires", "lines",
    "status", "path", "newsgroups", "distribution", "autocrypt", "feedback-id", "face",
    "accept-language", "return-receipt-to", "disposition-notification-to", "apparently-to",
    "mail-followup-to", "mail-reply-to", "bounces-to", "supersedes", "message-context",
  ]

  private static func isAfterBlankLine(_ bytes: [UInt8], _ end: Int) -> Bool {
    guard end > 0 else { return false }
    let above = bytes[..<(end - 1)]
    return above.isEmpty || above.last == 10 || above.suffix(2).elementsEqual([10, 13])
      || above.elementsEqual([13])
  }

  static func isMails(_ name: ArraySlice<UInt8>) -> Bool {
    let name = String(decoding: name, as: UTF8.self).lowercased()
    return name.hasPrefix("content-") || name.hasPrefix("x-") || mailsNames.contains(name)
  }
  private static let mailsNames: Set<String> = [
    "from", "to", "cc", "date", "subject", "message-id", "mime-version", "received", "return-path",
    "reply-to", "sender", "in-reply-to", "references", "dkim-signature", "authentication-results",
  ]

  /// What stands before the colon of a header; blanks before it were once allowed (RFC 5322 §4.5).
  private static func fieldName(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var name = line.prefix { $0 != 58 }
    guard name.count < line.count else { return nil }
    while let last = name.last, last == 32 || last == 9 { name.removeLast() }
    return !name.isEmpty && name.allSatisfy { $0 > 32 && $0 < 127 } ? name : nil
  }

  /// Whether a line of a header, with those folded to it, can be none, or stands below one that cannot and
  /// has no name that mail gives.
  static func mayBeWords(_ line: ArraySlice<UInt8>, isFirst: Bool, belowWords: Bool) -> Bool {
    // Mailboxes set such a line before a mail.
    if isFirst && line.starts(with: "From ".utf8) || line.starts(with: ">From ".utf8) {
      return false
    }
    guard let name = fieldName(line) else { return true }
    return belowWords && !isMails(name)
  }

  /// Where the body starts: after the blank line, or at the first line that can be no header (RFC
  /// 5322 §2.2).
  private static func headerEnd(_ bytes: [UInt8]) -> Int {
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
      let line = bytes[start..<end]
      if line.isEmpty || line.elementsEqual([13]) { return min(end + 1, bytes.count) }
      let isFolded = start > 0 && (line.first == 32 || line.first == 9)
      if !isFolded, mayBeWords(line, isFirst: start == 0, belowWords: false) { return start }
      start = end + 1
    }
    return bytes.count
  }

  public func all(_ name: String) -> [Header] {
    let wanted = name.lowercased()
    return headers.filter { $0.name.lowercased() == wanted }
  }

  /// The first header of that name.
  public func first(_ name: String) -> Header? { all(name).first }

  /// What is read for words.
  private struct Reading {
    var shown: [ShownText.Part] = []
    /// Texts that have a name and were not attached: shown where nothing else is.
    var named: [(part: tl_mime_part, path: [Int])] = []
    /// The alternatives in which plain text or HTML stands.
    var known: Set<Int> = []
    /// Bytes that may still be read, of plain text, of the text in HTML, and of HTML.
    var plainLeft: Int
    var htmlTextLeft: Int
    var htmlLeft: Int
    var isCut = false
    /// See `HTMLText`.
    var hides = false

    init(_ limits: MimeLimits) {
      (plainLeft, htmlTextLeft) = (limits.textBytesMax, limits.textBytesMax)
      htmlLeft = limits.htmlBytesMax
    }
  }

  /// Plain text and HTML are known. Any other kind of text is read as plain text (RFC 2046 §4.1.4),
  /// unless it is data for a program.
  private static func textKind(_ part: tl_mime_part) -> (isKnown: Bool, isHTML: Bool)? {
    guard let type = part.type.map({ String(cString: $0) }),
      type.hasPrefix("text/"), !data.contains(type),
      part.is_attachment == 0 || isWholeMail(part, type)
    else { return nil }
    // What the HTML refers to is a part of how it looks.
    if part.content_id != nil, type != "text/plain", !type.hasSuffix("html") { return nil }
    return (type == "text/plain" || type == "text/html", type.hasSuffix("html"))
  }

  /// What is all of a mail is what it says, though its sender calls it an attachment.
  private static func isWholeMail(_ part: tl_mime_part, _ type: String) -> Bool {
    part.container < 0 && name(of: part) == nil && (type == "text/plain" || type == "text/html")
  }

  private static let data: Set<String> = [
    "text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/rfc822-headers",
    "text/x-vcalendar", "text/css", "text/javascript", "text/x-javascript", "text/ecmascript",
    "text/xml", "text/rtf", "text/csv", "text/tab-separated-values",
  ]

  private mutating func take(_ part: tl_mime_part, _ path: [Int], _ reading: inout Reading) {
    let name = Self.name(of: part)
    if let kind = Self.textKind(part) {
      if name == nil, kind.isKnown || reading.known.isDisjoint(with: path) {
        return reading.shown.append(Self.text(of: part, path, &reading))
      }
      if name != nil, kind.isKnown { reading.named.append((part, path)) }
    }
    let id = part.content_id.map { Self.text($0) }
    let content = Self.content(part)
    if content.isCut { isTruncated = true }
    attachments.append(
      Attachment(
        name: name, type: part.type.map { String(cString: $0) } ?? "application/octet-stream",
        contentID: id,
        isInline: part.is_inline != 0 || (part.is_attachment == 0 && id != nil),
        bytes: content.bytes))
  }

  /// Beside the disposition, or the type: as its sender sees it.
  private static func name(of part: tl_mime_part) -> String? {
    func parameter(_ name: String, _ raw: UnsafePointer<CChar>?) -> String? {
      guard let raw else { return nil }
      return ParameterReader(
        UnsafeBufferPointer(start: raw, count: length(raw)).lazy.map { UInt8(bitPattern: $0) })[
          name]
    }
    let name =
      parameter("filename", part.disposition_raw) ?? parameter("name", part.type_raw)
      ?? part.filename.map { text($0) }
    return name.map(fileName) ?? nil
  }

  private static func content(_ part: tl_mime_part) -> (bytes: [UInt8], isCut: Bool) {
    let written = UnsafeBufferPointer(
      start: part.bytes, count: part.bytes == nil ? 0 : part.count)
    if part.is_base64 != 0 {
      let type = part.type.map { String(cString: $0) } ?? ""
      let read = Base64Text(written, isText: type.hasPrefix("text/"))
      return (read.bytes, read.isCut)
    }
    let bytes = Array(written)
    return (part.is_quoted != 0 ? QuotedPrintable.decode(bytes[...]) : bytes, false)
  }

  private static func text(
    of part: tl_mime_part, _ path: [Int], _ reading: inout Reading
  ) -> ShownText.Part {
    let isHTML = textKind(part)?.isHTML == true
    let content = content(part)
    let left = isHTML ? reading.htmlLeft : reading.plainLeft
    if content.isCut || left < content.bytes.count { reading.isCut = true }
    let said = part.charset.map { String(cString: $0) }
    let isSaid = said?.contains { !$0.isWhitespace } ?? false
    var taken = content.bytes.prefix(left)
    let isPart = taken.count < content.bytes.count
    // Cut within a picture that stands in the HTML itself, its bytes would be taken for words.
    if isHTML, isPart, let end = taken.lastIndex(of: 0x3E) { taken = taken[...end] }
    var text = taken.withUnsafeBufferPointer { bytes in
      lineFeeds(Charsets.text(bytes, isHTML && !isSaid ? charset(ofHTML: bytes) : said))
    }
    var links = ""
    if isHTML {
      reading.htmlLeft -= min(left, content.bytes.count)
      let read = HTMLText(text, bytesMax: reading.htmlTextLeft, isPart: isPart)
      (text, links) = (read.text, read.links)
      reading.htmlTextLeft = max(0, reading.htmlTextLeft - text.utf8.count)
      if read.isCut { reading.isCut = true }
      if read.hides { reading.hides = true }
    } else {
      reading.plainLeft = max(0, left - text.utf8.count)
      if part.is_flowed != 0 {
        text = FlowedText.joined(text, deletesSpace: part.deletes_space != 0)
      }
    }
    return ShownText.Part(
      text: text, isHTML: isHTML, links: links, path: path,
      isFlowed: !isHTML && part.is_flowed != 0)
  }

  /// What is UTF-8 by more than chance is that, whatever its tag says: relays write HTML anew and leave
  /// the tag.
  private static func charset(ofHTML bytes: UnsafeBufferPointer<UInt8>) -> String? {
    guard let said = HTMLCharset.said(in: bytes) else { return nil }
    let isASCII = bytes.allSatisfy { $0 < 128 }
    return !isASCII && String(validating: bytes, as: UTF8.self) != nil ? nil : said
  }

  /// CRLF and CR as LF, as the rest of the program writes lines; of a run of CRs one line ends.
  static func lineFeeds(_ text: String) -> String {
    guard text.utf8.contains(13) else { return text }
    var last: UInt8 = 0
    var kept: [UInt8] = []
    kept.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if byte == 13 {
        if last != 13 { kept.append(10) }
      } else if byte != 10 || last != 13 {
        kept.append(byte)
      }
      last = byte
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// A header's text: UTF-8, or Latin-1 for what is neither.
  static func text(_ raw: UnsafePointer<CChar>?) -> String {
    guard let raw else { return "" }
    return String(validatingCString: raw)
      ?? Charsets.latin(UnsafeBufferPointer(start: raw, count: length(raw)))
  }

  private static func length(_ raw: UnsafePointer<CChar>) -> Int {
    var n = 0
    while raw[n] != 0 { n += 1 }
    return n
  }

  /// RFC 5322 §2.2.3: unfolding drops each line end that white space follows.
  static func unfold(_ text: String) -> String {
    let bytes = text.utf8.filter { $0 != 13 && $0 != 10 && $0 != 0 }
    return String(decoding: bytes, as: UTF8.self).trimmingBlanks
  }

  /// An encoded word may decode to a line end or a control: those become blanks.
  static func clean(_ text: String) -> String { HeaderText(repairing: text).text.trimmingBlanks }

  /// The last component of a name, without controls; nil when nothing is left.
  static func fileName(_ name: String) -> String? {
    let last = name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
    let safe = HeaderText(repairing: last).text.trimmingBlanks
    return safe.isEmpty || safe == "." || safe == ".." ? nil : String(safe.prefix(200))
  }
}

extension String {
  var trimmingBlanks: String {
    var text = self[...]
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
