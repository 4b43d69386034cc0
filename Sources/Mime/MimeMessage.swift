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
    var isDisposedAsAttachment = false
    /// A whole message, as it stands, when `type` is `message/rfc822`.
    public var bytes: [UInt8]
  }

  public private(set) var headers: [Header] = []
  /// `type/subtype` of the whole, in lower case.
  public private(set) var contentType = "text/plain"
  /// The plain text that the author sent; nil when there was only HTML or nothing.
  public private(set) var plainText: String?
  public private(set) var html: String?
  public private(set) var attachments: [Attachment] = []
  public private(set) var isTruncated = false

  public init(bytes: [UInt8], limits: MimeLimits = MimeLimits()) {
    let bounds = tl_mime_limits(
      parts_max: limits.partsMax, depth_max: limits.depthMax, headers_max: limits.headersMax)
    let parsed = bytes.withUnsafeBufferPointer { tl_mime_parse($0.baseAddress, $0.count, bounds) }
    guard let parsed else { return }
    defer { tl_mime_free(parsed) }
    isTruncated = tl_mime_is_truncated(parsed) != 0
    if let type = tl_mime_content_type(parsed) { contentType = String(cString: type) }
    for index in 0..<tl_mime_header_count(parsed) {
      let raw = Self.unfold(Self.text(tl_mime_header_raw(parsed, index)))
      headers.append(
        Header(
          name: Self.text(tl_mime_header_name(parsed, index)), raw: raw,
          decoded: Self.clean(EncodedWordReader.decode(raw))))
    }
    for index in 0..<tl_mime_part_count(parsed) {
      if let part = tl_mime_part_at(parsed, index) { take(part.pointee, limits) }
    }
    let isBlank = html == nil && plainText?.contains { !$0.isWhitespace } != true
    if isBlank { findText(bytes, limits, hasParts: tl_mime_part_count(parsed) > 0) }
  }

  /// Nothing was clearly the text. A text that has a name but was not attached is it; else, where
  /// GMime found no
  /// part at all (a boundary that never comes, no blank line after the header), what stands below
  /// the header.
  private mutating func findText(_ bytes: [UInt8], _ limits: MimeLimits, hasParts: Bool) {
    if let shown = attachments.first(where: {
      $0.type == "text/plain" && !$0.isDisposedAsAttachment
    }) {
      plainText = Self.lineFeeds(
        shown.bytes.prefix(limits.textBytesMax).withUnsafeBufferPointer { Charsets.text($0, nil) })
    } else if attachments.isEmpty, !hasParts || !contentType.hasPrefix("multipart/") {
      let below = bytes[Self.headerEnd(bytes)...].prefix(limits.textBytesMax)
      let text = Self.lineFeeds(below.withUnsafeBufferPointer { Charsets.text($0, nil) })
      if text.contains(where: { !$0.isWhitespace }) { plainText = text }
    }
  }

  /// Where the body starts: after the blank line, or at the first line that can be no header (RFC
  /// 5322 §2.2).
  private static func headerEnd(_ bytes: [UInt8]) -> Int {
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
      let line = bytes[start..<end]
      if line.isEmpty || line.elementsEqual([13]) { return min(end + 1, bytes.count) }
      let isFolded = line.first == 32 || line.first == 9
      let name = line.prefix { $0 != 58 }
      let isField =
        name.count < line.count && !name.isEmpty && name.allSatisfy { $0 > 32 && $0 < 127 }
      if !isFolded, !isField, !(start == 0 && line.starts(with: "From ".utf8)) { return start }
      start = end + 1
    }
    return bytes.count
  }

  /// What a reader would read: the plain text, else the HTML as text.
  public var text: String {
    if let plainText, plainText.contains(where: { !$0.isWhitespace }) { return plainText }
    guard let html else { return plainText ?? "" }
    return HTMLText.plain(html)
  }

  public func all(_ name: String) -> [Header] {
    let wanted = name.lowercased()
    return headers.filter { $0.name.lowercased() == wanted }
  }

  /// The first header of that name.
  public func first(_ name: String) -> Header? { all(name).first }

  private mutating func take(_ part: tl_mime_part, _ limits: MimeLimits) {
    let type = part.type.map { String(cString: $0) } ?? "application/octet-stream"
    let content = UnsafeBufferPointer(start: part.bytes, count: part.bytes == nil ? 0 : part.count)
    let name = part.filename.map { Self.fileName(Self.text($0)) } ?? nil
    let isBody =
      part.is_attachment == 0 && name == nil && (type == "text/plain" || type == "text/html")
    if isBody, type == "text/html",
      html == nil || part.subtype_of.map({ String(cString: $0) }) != "multipart/alternative"
    {
      html = (html.map { $0 + "\n" } ?? "") + decode(content, part.charset, limits, after: html)
      return
    }
    if isBody, type == "text/plain" {
      // Text before and after a picture is one text.
      plainText =
        (plainText.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" } ?? "")
        + decode(content, part.charset, limits, after: plainText)
      return
    }
    let id = part.content_id.map { Self.text($0) }
    attachments.append(
      Attachment(
        name: name, type: type, contentID: id,
        isInline: part.is_inline != 0 || (part.is_attachment == 0 && id != nil),
        isDisposedAsAttachment: part.is_attachment != 0, bytes: Array(content)))
  }

  private mutating func decode(
    _ content: UnsafeBufferPointer<UInt8>, _ charset: UnsafePointer<CChar>?, _ limits: MimeLimits,
    after read: String?
  ) -> String {
    let left = max(0, limits.textBytesMax - (read?.utf8.count ?? 0))
    let bytes = UnsafeBufferPointer(rebasing: content.prefix(left))
    if bytes.count < content.count { isTruncated = true }
    return Self.lineFeeds(Charsets.text(bytes, charset.map { String(cString: $0) }))
  }

  /// CRLF as LF, as the rest of the program writes lines.
  static func lineFeeds(_ text: String) -> String {
    guard text.utf8.contains(13) else { return text }
    var last: UInt8 = 0
    var kept: [UInt8] = []
    kept.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if byte == 10, last == 13 { kept[kept.count - 1] = 10 } else { kept.append(byte) }
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
