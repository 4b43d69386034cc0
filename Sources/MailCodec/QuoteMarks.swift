/// Gives each line of a body its kind. See `OwnWords` for the order of judging.
struct QuoteMarks {
  let lines: MailLines
  private let isFlowed: Bool
  private(set) var kinds: [OwnWords.Kind]
  private var fenced: [Bool]
  /// Whether a line of words was met; what comes after a marker is judged by it.
  private var wordsAbove = false
  /// What words are below the markers met so far.
  private var wordsKind = OwnWords.Kind.own
  /// Whether what was forwarded stands behind `>`: Apple Mail, MailMate and Missive quote it.
  private var forwardIsMarked = false
  /// Where lines end whose `>` quotes in spite of the blank before it.
  private var stuffedQuoteEnd = 0
  /// Whether a quote behind `|` was met: elsewhere that is a table.
  private var barsQuote = false

  /// - Parameter isFlowed: whether a blank before `>` says that it quotes nothing (RFC 3676 §4.4).
  init(_ lines: MailLines, isFlowed: Bool = false) {
    self.lines = lines
    self.isFlowed = isFlowed
    kinds = Array(repeating: .own, count: lines.count)
    fenced = Self.fences(lines)
    walk()
    Signatures(lines, fenced: fenced).mark(&kinds)
    joinBlanks()
  }

  private mutating func walk() {
    var at = 0
    while at < lines.count {
      if fenced[at] {
        wordsAbove = true
        kinds[at] = wordsKind
        at += 1
      } else if let marker = marker(at) {
        let end = at + marker.length
        if marker.introducesQuote { noteStuffedQuote(end) }
        if marker.isOwn {
          mark(at..<end, wordsKind)
          wordsAbove = true
        } else if marker.isForward, !wordsAbove {
          mark(at..<end, .quoted)
          wordsKind = .forwarded
          forwardIsMarked = quoteFollows(end)
        } else if !wordsAbove || quoteFollows(end) {
          mark(at..<end, .quoted)
        } else {
          // Written on top: everything below came with the quote.
          mark(ruleAbove(at)..<lines.count, .quoted)
          return
        }
        if at < end - 1, isBar(end - 1) { barsQuote = true }
        at = end
      } else {
        markLine(at)
        at += 1
      }
    }
  }

  private mutating func markLine(_ at: Int) {
    if isQuote(at) && !isWritten(at) || isWrappedOffQuote(at) || barsQuote && isBar(at) {
      kinds[at] = forwardIsMarked ? .forwarded : .quoted
    } else {
      if forwardIsMarked, isWords(at) {
        // What was forwarded ended with its marks: this was written below it.
        forwardIsMarked = false
        wordsKind = .own
      }
      kinds[at] = wordsKind
      if isWords(at) { wordsAbove = true }
    }
  }

  private mutating func mark(_ range: Range<Int>, _ kind: OwnWords.Kind) {
    for index in range { kinds[index] = kind }
  }

  // MARK: - Quotes

  private func isQuote(_ index: Int) -> Bool {
    let line = lines.trimmed(index)
    // `>>> see here <<<` is an ornament.
    if line.first == 62 { return !isStuffed(index) && !line.suffix(2).elementsEqual([60, 60]) }
    return initials(index) != nil
  }

  private func isStuffed(_ index: Int) -> Bool {
    isFlowed && index >= stuffedQuoteEnd && lines.bytes[lines.starts[index]] == 32
  }

  /// Some programs stuff what they quote, too: right below an introduction `>` means what it says.
  private mutating func noteStuffedQuote(_ from: Int) {
    guard isFlowed, var at = wordsBelow(from), isStuffed(at) else { return }
    while at < lines.count, lines.trimmed(at).first == 62 { at += 1 }
    stuffedQuoteEnd = at
  }

  /// News readers put initials before it: `AL> `.
  private func initials(_ index: Int) -> ArraySlice<UInt8>? {
    let line = lines.trimmed(index)
    let initials = line.prefix(5).prefix { $0 >= 65 && $0 <= 90 }
    let isMark =
      !initials.isEmpty && initials.count < 5 && line.dropFirst(initials.count).first == 62
    return isMark ? initials : nil
  }

  /// What looks quoted for somebody's words: `>From here on`, which mailboxes write for `From here on`;
  /// `>:(`; `PC> is dark` above `TV> is fine`. Only where no quote is beside it.
  private func isWritten(_ index: Int) -> Bool {
    if forwardIsMarked { return false }
    if let mine = initials(index) {
      let beside = [index - 1, index + 1].filter { lines.indices.contains($0) }.compactMap(initials)
      return beside.contains { $0 != mine } && !isBelowQuote(index)
    }
    let line = lines.bytes[lines.range(index)]
    guard line.starts(with: ">From ".utf8) || isFace(lines.trimmed(index)) else { return false }
    let isBeside = [index - 1, index + 1].contains {
      lines.indices.contains($0) && lines.trimmed($0).first == 62
    }
    return !isBeside && !isBelowQuote(index)
  }

  private func isBelowQuote(_ index: Int) -> Bool {
    let above = (max(0, index - 8)..<index).last { !lines.isBlank($0) }
    return above.map { kinds[$0] == .quoted } ?? false
  }

  /// `>:(`, `>:-/` and `>.<`.
  private func isFace(_ line: ArraySlice<UInt8>) -> Bool {
    let word = line.prefix(6).prefix { $0 != 32 }
    guard (3...5).contains(word.count), word.first == 62 else { return false }
    var face = word.dropFirst()
    guard let eyes = face.popFirst(), [46, 58, 59, 61, 95].contains(eyes) else { return false }
    if face.first == 45 { face = face.dropFirst() }
    return face.count == 1 && face.allSatisfy { "()[]{}<>|/\\DPpOo@cC_".utf8.contains($0) }
  }

  /// The end of a long quoted line that a mail program wrapped without giving it a mark of its own.
  private func isWrappedOffQuote(_ at: Int) -> Bool {
    guard at > 0, at + 1 < lines.count, lines.trimmed(at - 1).first == 62,
      lines.trimmed(at + 1).first == 62
    else { return false }
    let above = lines.trimmed(at - 1)
    let line = lines.trimmed(at)
    guard above.count >= 60, line.count < 60, let last = above.last,
      let first = line.first, last != 46, last != 58, last != 63, last != 33
    else { return false }
    return first >= 97 && first <= 122 || first == 40
  }

  /// `|` quotes too, but only under an introduction: elsewhere it is a table.
  private func isBar(_ index: Int) -> Bool { lines.trimmed(index).first == 124 }

  func quoteFollows(_ from: Int) -> Bool {
    guard let at = wordsBelow(from) else { return false }
    return isQuote(at) || isBar(at)
  }

  /// The next line that is not blank, when it is near.
  func wordsBelow(_ from: Int) -> Int? {
    (from..<min(max(from, lines.count), from + 8)).first { $0 < lines.count && !lines.isBlank($0) }
  }

  /// The line of dashes or underscores that stands right above a marker belongs to it.
  private func ruleAbove(_ index: Int) -> Int {
    var at = index
    for step in 1...4 {
      let above = index - step
      guard above >= 0 else { break }
      if LineForms.isRule(lines.trimmed(above)) {
        at = above
      } else if !lines.isBlank(above) {
        break
      }
    }
    return at
  }

  private func isWords(_ index: Int) -> Bool {
    let line = lines.trimmed(index)
    return !line.isEmpty && !LineForms.isRule(line)
  }

  // MARK: - Markers

  struct Marker {
    var length: Int
    var isForward = false
    /// Headers that the author wrote or copied into a paragraph of theirs.
    var isOwn = false
    var introducesQuote = false
  }

  private func marker(_ at: Int) -> Marker? {
    let line = lines.trimmed(at)
    guard !line.isEmpty else { return nil }
    if let found = LineForms.marker(line) {
      var block = headerBlock(at + 1, skippingBlanks: true)
      if !block.isBelowMarker, !wordsAbove {
        block = headerBlock(at + 1, skippingBlanks: true, marked: true)
      }
      return Marker(
        length: 1 + (block.isBelowMarker ? block.length : 0), isForward: found == .forward)
    }
    if let length = titled(at) { return Marker(length: length) }
    if !wordsAbove, line.first == 62, let forward = markedForward(at) { return forward }
    if QuotedHeader.role(line) != nil {
      let block = headerBlock(at, skippingBlanks: false)
      if block.isMail {
        return Marker(length: block.length, isOwn: isInParagraph(at..<(at + block.length)))
      }
    }
    if let length = notesHeader(at) { return Marker(length: length) }
    if let length = introduction(at) {
      return Marker(length: length + bars(at + length), introducesQuote: true)
    }
    return nil
  }

  /// Whatever title stands between dashes above a mail's headers: `------ Original ------`.
  private func titled(_ at: Int) -> Int? {
    guard LineForms.isTitle(lines.trimmed(at)) else { return nil }
    let block = headerBlock(at + 1, skippingBlanks: true)
    return block.isMail ? 1 + block.length : nil
  }

  /// `> Begin forwarded message:` with nothing above it, and the headers below, behind their marks; GMX
  /// and WEB.DE write no such line.
  private func markedForward(_ at: Int) -> Marker? {
    guard LineForms.marker(unmarked(at)) != nil else {
      guard at <= 8, (0..<at).allSatisfy(lines.isBlank) else { return nil }
      let block = headerBlock(at, skippingBlanks: false, marked: true)
      return block.isMail ? Marker(length: block.length, isForward: true) : nil
    }
    let block = headerBlock(at + 1, skippingBlanks: true, marked: true)
    guard block.isBelowMarker else { return nil }
    return Marker(length: 1 + block.length, isForward: true)
  }

  private func unmarked(_ index: Int) -> ArraySlice<UInt8> {
    let line = lines.trimmed(index)
    return line.first == 62 ? MailLines.trim(line.dropFirst()) : line
  }

  /// Mail programs set the headers of what they quote apart. Somebody who writes about a mail puts
  /// them after a colon, or goes on in the next line.
  private func isInParagraph(_ block: Range<Int>) -> Bool {
    guard wordsAbove, block.lowerBound > 0, isWords(block.lowerBound - 1),
      kinds[block.lowerBound - 1] != .quoted
    else { return false }
    if lines.trimmed(block.lowerBound - 1).last == 58 { return true }
    return block.upperBound < lines.count && isWords(block.upperBound)
  }

  /// Lotus Notes: who and when in two lines, then `To`, `cc` and `Subject`, each above its value.
  private func notesHeader(_ at: Int) -> Int? {
    guard at + 3 < lines.count else { return nil }
    let moment = lines.trimmed(at + 1)
    guard moment.count <= 40, Introductions.date(moment), Introductions.time(moment),
      let to = wordsBelow(at + 2), QuotedHeader.label(lines.trimmed(to)) == .recipient
    else { return nil }
    let subject = (to..<min(to + 12, lines.count)).first {
      QuotedHeader.label(lines.trimmed($0)) == .subject
    }
    return subject.map { min($0 + 2, lines.count) - at }
  }

  /// Bar-quoted lines right after an introduction, blank ones before them included.
  private func bars(_ from: Int) -> Int {
    var at = from
    while at < lines.count, at < from + 3, lines.isBlank(at) { at += 1 }
    guard at < lines.count, isBar(at) else { return 0 }
    while at < lines.count, isBar(at) { at += 1 }
    return at - from
  }

  /// A block of mail headers: `From:`, `Sent:`, `To:`, `Subject:` in any language; values may run
  /// over.
  /// - Parameter marked: whether the block stands behind `>`.
  private func headerBlock(
    _ from: Int, skippingBlanks: Bool, marked: Bool = false
  ) -> QuotedHeaderBlock {
    func line(_ index: Int) -> ArraySlice<UInt8> {
      let line = marked ? unmarked(index) : lines.trimmed(index)
      return skippingBlanks && line.first == 124 ? QuotedHeader.row(line) ?? line : line
    }
    func isHeader(_ index: Int) -> Bool {
      index < lines.count && QuotedHeader.role(line(index)) != nil
    }
    var block = QuotedHeaderBlock()
    var at = from
    if skippingBlanks { while at < lines.count, at < from + 3, line(at).isEmpty { at += 1 } }
    var overrun = 0
    for _ in 0..<24 where at < lines.count {
      let text = line(at)
      if let role = QuotedHeader.role(text) {
        block.add(role, text)
        block.length = at + 1 - from
        overrun = 0
      } else if text.isEmpty {
        // One blank line may stand between headers that were paragraphs in HTML.
        guard !block.isEmpty, isHeader(at + 1) else { return block }
      } else {
        // The value of the last header wrapped (`spans over 2 lines`, a long list of recipients).
        overrun += 1
        guard !block.isEmpty, overrun <= 2, isHeader(at + 1) || isHeader(at + 2) else {
          return block
        }
      }
      at += 1
    }
    return block
  }

  // MARK: - Fences

  /// Lines inside closed ``` fences.
  private static func fences(_ lines: MailLines) -> [Bool] {
    var inside = Array(repeating: false, count: lines.count)
    var open: Int?
    for index in 0..<lines.count where lines.trimmed(index).starts(with: [96, 96, 96]) {
      if let start = open {
        for line in start...index { inside[line] = true }
        open = nil
      } else {
        open = index
      }
    }
    return inside
  }

  /// Blank lines take the kind of the line above them, so that fragments are few.
  private mutating func joinBlanks() {
    guard let first = (0..<lines.count).first(where: { !lines.isBlank($0) }) else { return }
    for index in 0..<first { kinds[index] = kinds[first] }
    for index in (first + 1)..<max(lines.count, first + 1) where lines.isBlank(index) {
      kinds[index] = kinds[index - 1]
    }
  }
}
