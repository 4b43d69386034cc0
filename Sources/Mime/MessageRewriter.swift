import MailCodec
import Wire

/// A whole message as it came, with its words rewritten: those of its headers (a field in which something
/// was found is unfolded and decoded), and text of any kind in the coding that it came in. All else stays
/// to the byte.
///
/// It walks the lines itself, since GMime would write everything anew, and knows no bounds: it is for
/// messages that are past those of reading.
///
/// | at | a line | is |
/// |---|---|---|
/// | anywhere below a multipart | `--` and its boundary | the next part's header; with `--` behind it, the end of that multipart |
/// | a header | blank | the end of it; below `message/rfc822` another header begins |
/// | else | any | of the header, or of the body |
public struct MessageRewriter {
  private let bytes: [UInt8]
  /// Nil where nothing is to be changed.
  private let rewrite: ([UInt8]) -> [UInt8]?
  private var out: [UInt8] = []
  private var boundaries: [[UInt8]] = []
  private var part = Part()
  private var isHeader = true
  /// Where the header or body that is being walked began.
  private var start = 0

  /// Multiparts inside multiparts; what is deeper is text of the last one.
  private static let boundariesMax = 100
  /// In a header with more of them each is looked through as a word.
  private static let addressesMax = 10_000

  private struct Part {
    var type = "text/plain"
    var coding = ""
    var charset: String?
    var isText: Bool { type.hasPrefix("text/") || type.hasPrefix("multipart/") }
  }

  public static func rewritten(_ bytes: [UInt8], _ rewrite: @escaping ([UInt8]) -> [UInt8]?)
    -> [UInt8]
  {
    var rewriter = MessageRewriter(bytes, rewrite)
    rewriter.walk()
    return rewriter.out
  }

  private init(_ bytes: [UInt8], _ rewrite: @escaping ([UInt8]) -> [UInt8]?) {
    (self.bytes, self.rewrite) = (bytes, rewrite)
    out.reserveCapacity(bytes.count)
  }

  private mutating func walk() {
    var at = 0
    while at < bytes.count {
      let end = bytes[at...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
      let line = bytes[at..<end]
      if let (index, isLast) = boundary(line) {
        flush(upTo: at)
        out += line
        boundaries.removeSubrange((isLast ? index : index + 1)...)
        (part, isHeader, start) = (Part(), !isLast, end)
      } else if isHeader, line.allSatisfy({ $0 == 10 || $0 == 13 }) {
        flush(upTo: at)
        out += line
        // Its own header begins, where it stands there as it is (RFC 2046 §5.2.1).
        isHeader = part.type == "message/rfc822" && part.coding != "base64"
        if isHeader { part = Part() }
        start = end
      }
      at = end
    }
    flush(upTo: bytes.count)
  }

  private func boundary(_ line: ArraySlice<UInt8>) -> (index: Int, isLast: Bool)? {
    guard !boundaries.isEmpty, line.starts(with: [45, 45]) else { return nil }
    var said = line.dropFirst(2)
    while let last = said.last, last == 10 || last == 13 || last == 32 || last == 9 {
      said.removeLast()
    }
    for (index, boundary) in boundaries.enumerated().reversed() where said.starts(with: boundary) {
      let rest = said.dropFirst(boundary.count)
      if rest.isEmpty || rest.elementsEqual([45, 45]) { return (index, !rest.isEmpty) }
    }
    return nil
  }

  private mutating func flush(upTo end: Int) {
    guard start < end else { return }
    if isHeader { header(start..<end) } else { body(bytes[start..<end]) }
  }

  // MARK: - Header and body

  private mutating func header(_ place: Range<Int>) {
    var at = place.lowerBound
    var words: Int?
    while at < place.upperBound {
      var end = at
      repeat {
        end = bytes[end..<place.upperBound].firstIndex(of: 10).map { $0 + 1 } ?? place.upperBound
      } while end < place.upperBound && (bytes[end] == 32 || bytes[end] == 9)
      // Words that run on from a header without a blank line, and what may be some.
      if mayBeWords(bytes[at..<end], isFirst: at == 0) {
        words = words ?? at
      } else {
        if let words { self.words(bytes[words..<at]) }
        words = nil
        field(bytes[at..<end])
      }
      at = end
    }
    if let words { self.words(bytes[words..<place.upperBound]) }
  }

  private mutating func words(_ words: ArraySlice<UInt8>) {
    out += rewrite(Array(words)) ?? Array(words)
  }

  /// What has encoded words is read as a field, whatever its name is.
  private func mayBeWords(_ line: ArraySlice<UInt8>, isFirst: Bool) -> Bool {
    MimeMessage.mayBeWords(line, isFirst: isFirst, belowWords: true)
      && Form(Self.word(line.prefix { $0 != 58 })) == .words
      && line.firstRange(of: Array("=?".utf8)) == nil
  }

  /// What of a field is for programs, and stays as it is: words are looked for in the rest of it. People
  /// write lines that look like any of these.
  private enum Form {
    case words
    /// Whatever has an `@`.
    case addresses
    /// Its boundary.
    case contentType
    /// All, where it looks like that at all.
    case trace, signature

    init(_ name: String) {
      switch name {
      case "from", "to", "cc", "bcc", "reply-to", "sender", "return-path", "delivered-to",
        "envelope-to", "message-id", "in-reply-to", "references":
        self = .addresses
      case "content-type": self = .contentType
      case "received": self = .trace
      case "dkim-signature", "domainkey-signature": self = .signature
      default:
        self =
          name.hasPrefix("resent-") ? .addresses : name.hasPrefix("arc-") ? .signature : .words
      }
    }
  }

  private mutating func field(_ field: ArraySlice<UInt8>) {
    let name = field.prefix { $0 != 58 }
    let value = field.dropFirst(name.count + 1)
    let said = Self.word(name)
    let form = Form(said)
    var boundary: String?
    switch said {
    case "content-type":
      part.type = Self.word(value.prefix { $0 != 0x3B })
      let parameters = ParameterReader(value)
      (boundary, part.charset) = (parameters["boundary"], parameters["charset"])
      if part.type.hasPrefix("multipart/"), boundaries.count < Self.boundariesMax, let boundary {
        boundaries.append(Array(boundary.utf8))
      }
    // As it is read: whatever stands behind the word says nothing (RFC 2045 §6.1).
    case "content-transfer-encoding":
      part.coding = String(Self.word(value).prefix { !$0.isWhitespace && $0 != "(" && $0 != ";" })
    default: break
    }
    // A name that mail does not give is somebody's word.
    let isNamed = form != .words || MimeMessage.isMails(name)
    let raw = MimeMessage.unfold(String(decoding: isNamed ? value : field, as: UTF8.self))
    guard let text = rewritten(raw, form, boundary) else { return out += field }
    if isNamed {
      out += name
      out += Array(": ".utf8)
    }
    out += text
    out += field[(field.lastIndex { $0 != 10 && $0 != 13 }.map { $0 + 1 } ?? field.endIndex)...]
  }

  /// Nil where nothing is to be changed.
  private func rewritten(_ raw: String, _ form: Form, _ boundary: String?) -> [UInt8]? {
    let bytes = Array(raw.utf8)
    var kept: [Range<Int>] = []
    switch form {
    case .words: break
    case .addresses:
      let found = Self.addresses(bytes)
      // What is between two of them is looked through by itself.
      if found.count <= Self.addressesMax { kept = found }
    case .contentType:
      if let boundary {
        guard let place = Self.place(of: boundary, in: bytes) else { return nil }
        kept = [place]
      }
    // RFC 5321 §4.4
    case .trace:
      let first = raw.prefix { $0 != " " && $0 != "\t" }.lowercased()
      if first.hasPrefix("(") || ["from", "by", "with", "id", "for"].contains(first),
        raw.contains(";")
      {
        return nil
      }
    // RFC 6376 §3.2
    case .signature:
      if raw.prefix(while: { $0 != " " && $0 != "\t" }).contains("=") { return nil }
    }
    var text: [UInt8] = []
    var isChanged = false
    var at = 0
    for place in kept + [bytes.count..<bytes.count] {
      let words = bytes[at..<place.lowerBound]
      let said = rewrite(
        Array(EncodedWordReader.decode(String(decoding: words, as: UTF8.self)).utf8))
      isChanged = isChanged || said != nil
      text += said ?? Array(words)
      text += bytes[place]
      at = place.upperBound
    }
    return isChanged ? text : nil
  }

  private static func addresses(_ bytes: [UInt8]) -> [Range<Int>] {
    let apart = Set(" \t,;:<>()\"".utf8)
    return bytes.split { apart.contains($0) }
      .filter { $0.contains(UInt8(ascii: "@")) && !$0.starts(with: "=?".utf8) }.map(\.indices)
  }

  private static func place(of boundary: String, in bytes: [UInt8]) -> Range<Int>? {
    let name = Array("boundary".utf8)
    guard !boundary.isEmpty,
      let at = bytes.map({ (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }).firstRange(of: name)
    else { return nil }
    return bytes[at.upperBound...].firstRange(of: Array(boundary.utf8))
  }

  /// In lower case, without its folding.
  private static func word(_ bytes: ArraySlice<UInt8>) -> String {
    MimeMessage.unfold(String(decoding: bytes, as: UTF8.self)).lowercased()
  }

  private mutating func body(_ body: ArraySlice<UInt8>) {
    guard part.isText else { return out += body }
    switch part.coding {
    case "base64":
      guard let text = rewritten(Base64Text(body).bytes) else { break }
      // 76 columns (RFC 2045 §6.8).
      for at in stride(from: 0, to: text.count, by: 57) {
        out += Base64.encode(text[at..<min(at + 57, text.count)]).utf8
        out += [13, 10]
      }
      return
    case "quoted-printable":
      guard let text = rewritten(QuotedPrintable.decode(body)) else { break }
      return out += QuotedPrintable.encode(text)
    default:
      guard let text = rewritten(Array(body)) else { break }
      return out += text
    }
    out += body
  }

  /// A body's bytes in its charset; nil where nothing is to be changed. Nearly all others that mails come in
  /// have digits and letters as ASCII has.
  private func rewritten(_ bytes: [UInt8]) -> [UInt8]? {
    let charset = CharsetNames.iconv(part.charset?.lowercased() ?? "") ?? ""
    guard charset.hasPrefix("UTF-16") else { return rewrite(bytes) }
    let text = bytes.withUnsafeBufferPointer { Charsets.text($0, charset) }
    guard let said = rewrite(Array(text.utf8)) else { return nil }
    // Where no order of bytes is said, a mark says it.
    let mark = charset == "UTF-16" && !said.starts(with: "\u{FEFF}".utf8) ? "\u{FEFF}" : ""
    return (mark + String(decoding: said, as: UTF8.self)).utf16.flatMap { unit in
      let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
      return charset == "UTF-16BE" ? [high, low] : [low, high]
    }
  }
}
