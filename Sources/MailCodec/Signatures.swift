/// Takes signatures, list footers and telephones' lines off the end of each run of words.
struct Signatures {
  let lines: MailLines
  let fenced: [Bool]

  /// A bare `--` or a rule starts a signature only when so few lines follow.
  static let linesMax = 16
  static let footerLinesMax = 10
  /// Nobody's mail ends in more signatures than this; each costs a look back.
  static let roundsMax = 40

  init(_ lines: MailLines, fenced: [Bool]) {
    self.lines = lines
    self.fenced = fenced
  }

  func mark(_ kinds: inout [OwnWords.Kind]) {
    var start = 0
    while start < lines.count {
      // Blank lines have no kind of their own yet: a run is a stretch of one kind, `own` or
      // `forwarded`.
      var end = start + 1
      while end < lines.count, kinds[end] == kinds[start] { end += 1 }
      if kinds[start] == .own || kinds[start] == .forwarded {
        let cut = cutPoint(start, end)
        for index in cut..<end { kinds[index] = .signature }
      }
      start = end
    }
  }

  /// Where the signature of a run starts; `end` when there is none.
  private func cutPoint(_ start: Int, _ end: Int) -> Int {
    var cut = end
    // RFC 3676 §4.3: `-- ` alone on its line, with its space, starts a signature however long.
    if let strict = (start..<end).first(where: { !fenced[$0] && isStrict($0) }) { cut = strict }
    var changed = true
    var rounds = 0
    // Each round takes at least a line off and looks back a bounded way.
    while changed, rounds < Self.roundsMax {
      changed = false
      rounds += 1
      let words = lastWords(start, cut)
      if words < cut, (words..<cut).contains(where: { !lines.isBlank($0) }) {
        cut = words
        changed = true
      }
      if let earlier = startOfTail(start, cut) ?? startOfDisclaimer(start, cut) {
        cut = earlier
        changed = true
      }
    }
    // What is left of a run of nothing but a signature's own words stays words: someone wrote it.
    return cut
  }

  private func isStrict(_ index: Int) -> Bool {
    var line = lines.bytes[lines.range(index)]
    while let last = line.last, last == 10 || last == 13 { line = line.dropLast() }
    return line.elementsEqual([45, 45, 32]) || line.elementsEqual([45, 45, 0xC2, 0xA0])
  }

  /// The index after the last line that is neither blank nor a rule.
  private func lastWords(_ start: Int, _ end: Int) -> Int {
    var at = end
    while at > start {
      let line = lines.trimmed(at - 1)
      guard !fenced[at - 1], line.isEmpty || LineForms.isRule(line) else { break }
      at -= 1
    }
    return at
  }

  /// Looks back from the end of a run, a bounded way, for a line that starts its tail.
  private func startOfTail(_ start: Int, _ end: Int) -> Int? {
    var written = 0
    var at = end
    var found: Int?
    var footer = false
    while at > start, written <= Self.linesMax, end - at <= 60 {
      at -= 1
      if fenced[at] { break }
      let line = lines.trimmed(at)
      if line.isEmpty { continue }
      written += 1
      if isFooterText(line) { footer = true }
      if line.elementsEqual([45, 45]) || line.elementsEqual("—".utf8) { found = at }
      let isUnderscores = line.count >= 2 && line.allSatisfy { $0 == 95 }
      if LineForms.isRule(line), line.count >= 10 || isUnderscores, footer,
        written <= Self.footerLinesMax
      {
        found = at
      }
      // Without words above it in its run; under them it may be a form's line.
      if written <= 5, line.count >= 5, isUnderscores, at == start || isAllBlank(start..<at) {
        found = at
      }
      if written <= 3, ClientLines.matches(line) { found = at }
      if written == 1, at == start || lines.isBlank(at - 1), isDashedName(line) { found = at }
    }
    return found
  }

  /// The last paragraph of a run, where it is a lawyer's and something stands above it.
  private func startOfDisclaimer(_ start: Int, _ end: Int) -> Int? {
    var at = end
    while at > start, end - at < Disclaimers.linesMax, !fenced[at - 1], !lines.isBlank(at - 1) {
      at -= 1
    }
    guard at < end, at > start, lines.isBlank(at - 1) else { return nil }
    let paragraph = lines.bytes[lines.range(at).lowerBound..<lines.range(end - 1).upperBound]
    return Disclaimers.matches(paragraph) ? at : nil
  }

  private func isAllBlank(_ range: Range<Int>) -> Bool {
    // Looking further up than this would cost more than it tells.
    range.count <= 8 && range.allSatisfy(lines.isBlank)
  }

  /// A list's footer speaks of itself or holds an address of the web or of mail.
  private func isFooterText(_ line: ArraySlice<UInt8>) -> Bool {
    // Where a link leads that somebody set into their words makes no footer of them.
    let line = LineForms.withoutTargets(line)
    return line.count <= 500 && Self.footers.stand(in: Array(LowerCase.words(line).utf8)[...])
  }

  private static let footers = Phrases([
    "mailing list", "unsubscribe", "mailman", "://", "list archive", "google groups",
  ])

  /// `-Abhishek Kona` or `- Ann`: a dash and up to three capitalised words.
  private func isDashedName(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.first == 45, line.count <= 40 else { return false }
    let words = line.dropFirst().split(separator: 32)
    return (1...3).contains(words.count) && line.dropFirst().first != 32
      && words.allSatisfy { word in
        guard let first = word.first, (65...90).contains(first) || first >= 0xC3 else {
          return false
        }
        return word.dropFirst().allSatisfy {
          ($0 | 32 >= 97 && $0 | 32 <= 122) || $0 >= 128 || $0 == 46 || $0 == 45
        }
      }
  }
}
