/// A text body taken apart: what its author wrote, what they quoted, their signature.
///
/// The fragments cover the body from its first byte to its last, in order, so that nothing is lost:
/// `fragments.map(\.range)` joined is the body. Runs in time linear in the body; every look ahead
/// or back is bounded by a constant.
///
/// How it judges, in this order:
/// 1. Lines inside a closed ``` fence are words.
/// 2. `>` lines are quoted, and so is the line that introduces them ("On … wrote:"), which may be
///    wrapped.
/// 3. An introduction, a block of mail headers or "-----Original Message-----" without `>` lines
///    after it, once something was written above, makes everything below quoted: people write on
///    top there. What only looks like one is words: headers inside a paragraph, an introduction
///    without an address that is no paragraph of its own, or one in a sentence.
/// 4. The same with nothing above it is only itself quoted: what follows is all there is. After
///    "Forwarded message" it is `forwarded`, also behind `>`.
/// 5. At the end of each run of words, signatures, disclaimers, footers of lists and of telephones
///    come off.
public struct OwnWords: Equatable, Sendable {
  public enum Kind: String, Equatable, Sendable { case own, quoted, signature, forwarded }

  public struct Fragment: Equatable, Sendable {
    public var kind: Kind
    /// Bytes of the body's UTF-8.
    public var range: Range<Int>
  }

  public let body: [UInt8]
  public private(set) var fragments: [Fragment] = []

  /// - Parameter isFlowed: whether the body came in `format=flowed`, where a blank before `>` says that it
  ///   quotes nothing.
  public init(_ body: String, isFlowed: Bool = false) {
    self.body = Array(body.utf8)
    let lines = MailLines(self.body)
    let marks = QuoteMarks(lines, isFlowed: isFlowed).kinds
    for (index, kind) in marks.enumerated() {
      let range = lines.range(index)
      if let last = fragments.last, last.kind == kind {
        fragments[fragments.count - 1].range = last.range.lowerBound..<range.upperBound
      } else {
        fragments.append(Fragment(kind: kind, range: range))
      }
    }
  }

  /// A fragment's text with LF line ends, without blank lines around it and white space at its end.
  public func text(_ fragment: Fragment) -> String {
    let slice = body[fragment.range]
    var lines = slice.split(separator: 10, omittingEmptySubsequences: false).map {
      $0.last == 13 ? $0.dropLast() : $0
    }
    while let last = lines.last, MailLines.isBlank(last) { lines.removeLast() }
    let first = lines.firstIndex { !MailLines.isBlank($0) } ?? lines.endIndex
    var joined = Array(lines[first...].joined(separator: [10]))
    while let last = joined.last, last == 32 || last == 9 { joined.removeLast() }
    return String(decoding: joined, as: UTF8.self)
  }

  public func text(of kind: Kind) -> String {
    fragments.filter { $0.kind == kind }.map(text).filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// What the author wrote; else what they forwarded; else what was taken for their signature: who
  /// wrote anything said it.
  public var own: String {
    let own = text(of: .own)
    if !own.isEmpty { return own }
    let forwarded = text(of: .forwarded)
    return forwarded.isEmpty ? signatureWords : forwarded
  }
  /// With what they forwarded, where that is not `own`.
  public var quoted: String {
    guard !text(of: .own).isEmpty else { return text(of: .quoted) }
    return fragments.filter { $0.kind == .quoted || $0.kind == .forwarded }.map(text)
      .filter { !$0.isEmpty }.joined(separator: "\n")
  }
  public var signature: String { text(of: .signature) }

  private var signatureWords: String {
    let lines = text(of: .signature).split(separator: "\n", omittingEmptySubsequences: false)
    let kept = lines.filter { line in
      let trimmed = MailLines.trim(Array(line.utf8)[...])
      return !ClientLines.matches(trimmed) && !LineForms.isRule(trimmed)
        && !trimmed.elementsEqual("—".utf8)
    }
    return String(
      decoding: MailLines.trim(Array(kept.joined(separator: "\n").utf8)[...]), as: UTF8.self)
  }
}

/// A body's lines as ranges of its bytes, with what is asked of them most.
struct MailLines {
  let bytes: [UInt8]
  private(set) var starts: [Int] = []

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var start = 0
    while start < bytes.count {
      starts.append(start)
      let end = (bytes[start...].firstIndex(of: 10) ?? bytes.count - 1) + 1
      // `Yes. On Mon, … wrote:`: a line break got lost before the introduction.
      if let inside = Introductions.start(inside: bytes[start..<end]) { starts.append(inside) }
      start = end
    }
  }

  var count: Int { starts.count }
  var indices: Range<Int> { starts.indices }

  func range(_ index: Int) -> Range<Int> {
    starts[index]..<(index + 1 < starts.count ? starts[index + 1] : bytes.count)
  }

  /// The line without its end and the white space around it.
  func trimmed(_ index: Int) -> ArraySlice<UInt8> { Self.trim(bytes[range(index)]) }

  func isBlank(_ index: Int) -> Bool { trimmed(index).isEmpty }

  static func isBlank(_ line: ArraySlice<UInt8>) -> Bool { trim(line).isEmpty }

  /// Drops spaces, tabs, line ends, no-break spaces, byte order marks and marks without width at
  /// both sides.
  static func trim(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line
    while let first = line.first {
      if first <= 32 {
        line = line.dropFirst()
      } else if let n = invisible(line.prefix(3)) {
        line = line.dropFirst(n)
      } else {
        break
      }
    }
    while let last = line.last {
      if last <= 32 {
        line = line.dropLast()
      } else if last >= 128, line.count >= 2, invisible(line.suffix(2)) == 2 {
        line = line.dropLast(2)
      } else if last >= 128, line.count >= 3, invisible(line.suffix(3)) == 3 {
        line = line.dropLast(3)
      } else {
        break
      }
    }
    return line
  }

  private static func invisible(_ b: ArraySlice<UInt8>) -> Int? {
    guard let first = b.first, b.count >= 2 else { return nil }
    let i = b.startIndex
    if first == 0xC2, b[i + 1] == 0xA0 { return 2 }
    guard b.count >= 3 else { return nil }
    // U+200B to U+200F, U+202A to U+202F, U+2060 to U+2069: no width, marks of direction.
    switch (first, b[i + 1], b[i + 2]) {
    case (0xE2, 0x80, 0x8B...0x8F), (0xE2, 0x80, 0xAA...0xAF), (0xE2, 0x81, 0xA0...0xA9): return 3
    default: break
    }
    if first == 0xEF, b[i + 1] == 0xBB, b[i + 2] == 0xBF { return 3 }
    return nil
  }
}
