/// `format=flowed` (RFC 3676): lines that the sender's program broke softly, joined again.
///
/// - Shape: a line that ends in a space flows on into the next, where that is quoted as deep (§4.4,
///   §4.5); `-- ` never does (§4.3). A space before a line's words is stuffing and goes (§4.4), except
///   where words beginning with `>` would then look quoted. With `DelSp=yes` the space at the end
///   goes too: so it is in languages that have none between words.
/// - Quotes keep their marks as they stand, `> > ` too, which RFC 3676 would call one deep. A blank
///   line ends a paragraph, though a line flows into it: those who send that mean a paragraph's end.
public enum FlowedText {
  public static func joined(_ text: String, deletesSpace: Bool) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    var open: Int?
    var isFirst = true
    for raw in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
      let line = Line(raw)
      if open == line.depth, !line.isSeparator, !line.words.isEmpty {
        out += line.words
      } else {
        if open != nil { trim(&out) }
        if !isFirst { out.append(10) }
        out += line.mark
        out += line.words
      }
      isFirst = false
      open = line.flows ? line.depth : nil
      if line.flows, deletesSpace { out.removeLast() }
    }
    if open != nil { trim(&out) }
    return String(decoding: out, as: UTF8.self)
  }

  /// What was to flow on and does not needs its space no more.
  private static func trim(_ out: inout [UInt8]) {
    while out.last == 32 { out.removeLast() }
  }

  private struct Line {
    var depth = 0
    /// Its marks of quoting, with the space behind them.
    var mark: Substring.UTF8View.SubSequence
    var words: Substring.UTF8View.SubSequence
    var isSeparator: Bool { words.elementsEqual("-- ".utf8) }
    var flows: Bool { words.last == 32 && !isSeparator }

    init(_ raw: Substring.UTF8View.SubSequence) {
      var rest = raw
      if rest.last == 13 { rest.removeLast() }
      let whole = rest
      while let mark = rest.first, mark == 62 {
        depth += 1
        rest = rest.dropFirst()
        let behind = rest.dropFirst()
        if rest.first == 32, behind.first == 62 { rest = behind }
      }
      if rest.first == 32, depth > 0 || rest.dropFirst().first != 62 { rest = rest.dropFirst() }
      mark = depth > 0 ? whole[..<rest.startIndex] : whole[..<whole.startIndex]
      words = rest
    }
  }
}
