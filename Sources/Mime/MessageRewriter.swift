import MailCodec
import Wire

/// A whole message as it came, with its words rewritten: subjects, and text of any kind in the coding that
/// it came in. All else stays to the byte.
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

  private struct Part {
    var type = "text/plain"
    var coding = ""
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
      // Words that run on from a header without a blank line.
      if MimeMessage.mayBeWords(bytes[at..<end], isFirst: at == 0, belowWords: words != nil) {
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

  private mutating func field(_ field: ArraySlice<UInt8>) {
    let name = field.prefix { $0 != 58 }
    let value = field.dropFirst(name.count + 1)
    switch Self.word(name) {
    case "content-type":
      part.type = Self.word(value.prefix { $0 != 0x3B })
      if part.type.hasPrefix("multipart/"), boundaries.count < Self.boundariesMax,
        let boundary = ParameterReader(value)["boundary"]
      {
        boundaries.append(Array(boundary.utf8))
      }
    // As it is read: whatever stands behind the word says nothing (RFC 2045 §6.1).
    case "content-transfer-encoding":
      part.coding = String(Self.word(value).prefix { !$0.isWhitespace && $0 != "(" && $0 != ";" })
    case "subject":
      let raw = MimeMessage.unfold(String(decoding: value, as: UTF8.self))
      if let said = rewrite(Array(EncodedWordReader.decode(raw).utf8)) {
        out += name
        out += Array(": ".utf8)
        out += said
        out += [13, 10]
        return
      }
    default: break
    }
    out += field
  }

  /// In lower case, without its folding.
  private static func word(_ bytes: ArraySlice<UInt8>) -> String {
    MimeMessage.unfold(String(decoding: bytes, as: UTF8.self)).lowercased()
  }

  private mutating func body(_ body: ArraySlice<UInt8>) {
    guard part.isText else { return out += body }
    switch part.coding {
    case "base64":
      guard let text = rewrite(Base64Text(body).bytes) else { break }
      // 76 columns (RFC 2045 §6.8).
      for at in stride(from: 0, to: text.count, by: 57) {
        out += Base64.encode(text[at..<min(at + 57, text.count)]).utf8
        out += [13, 10]
      }
      return
    case "quoted-printable":
      guard let text = rewrite(QuotedPrintable.decode(body)) else { break }
      return out += QuotedPrintable.encode(text)
    default:
      guard let text = rewrite(Array(body)) else { break }
      return out += text
    }
    out += body
  }
}
