/// Gives each line of a body its kind. See `OwnWords` for the order of judging.
struct QuoteMarks {
  let lines: MailLines
  private(set) var kinds: [OwnWords.Kind]
  private var fenced: [Bool]
  /// Whether a line of words was met; what comes after a marker is judged by it.
  private var wordsAbove = false

  init(_ lines: MailLines) {
    self.lines = lines
    kinds = Array(repeating: .own, count: lines.count)
    fenced = Self.fences(lines)
    walk()
    Signatures(lines, fenced: fenced).mark(&kinds)
    joinBlanks()
  }

  private mutating func walk() {
    var at = 0
    var wordsKind = OwnWords.Kind.own
    while at < lines.count {
      if fenced[at] {
        wordsAbove = true
        kinds[at] = wordsKind
        at += 1
      } else if let marker = marker(at) {
        let end = at + marker.length
        if marker.isForward, !wordsAbove {
          mark(at..<end, .quoted)
          wordsKind = .forwarded
        } else if !wordsAbove || quoteFollows(end) {
          mark(at..<end, .quoted)
        } else {
          // Written on top: everything below came with the quote.
          mark(ruleAbove(at)..<lines.count, .quoted)
          return
        }
        at = end
      } else if isQuote(at) {
        at = markQuote(at)
      } else {
        kinds[at] = wordsKind
        if isWords(at) { wordsAbove = true }
        at += 1
      }
    }
  }

  private mutating func mark(_ range: Range<Int>, _ kind: OwnWords.Kind) {
    for index in range { kinds[index] = kind }
  }

  // MARK: - Quotes

  private func isQuote(_ index: Int) -> Bool {
    let line = lines.trimmed(index)
    if line.first == 62 { return true }  // `>`
    // News readers put initials before it: `AL> `.
    let initials = line.prefix(5).prefix { $0 >= 65 && $0 <= 90 }
    return !initials.isEmpty && initials.count < 5 && line.dropFirst(initials.count).first == 62
  }

  /// `|` quotes too, but only under an introduction: elsewhere it is a table.
  private func isBar(_ index: Int) -> Bool { lines.trimmed(index).first == 124 }

  private func quoteFollows(_ from: Int) -> Bool {
    var at = from
    while at < lines.count, at < from + 8, lines.isBlank(at) { at += 1 }
    return at < lines.count && at < from + 8 && (isQuote(at) || isBar(at))
  }

  /// Marks the quoted lines from `start`; a bar quote runs as long as its bars.
  private mutating func markQuote(_ start: Int) -> Int {
    kinds[start] = .quoted
    return start + 1
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
  }

  private func marker(_ at: Int) -> Marker? {
    let line = lines.trimmed(at)
    guard !line.isEmpty else { return nil }
    if let isForward = LineForms.original(line) {
      let block = headerBlock(at + 1, skippingBlanks: true)
      return Marker(length: 1 + block, isForward: isForward)
    }
    if LineForms.startsHeader(line) {
      let block = headerBlock(at, skippingBlanks: false)
      if block > 0 { return Marker(length: block) }
    }
    if let length = introduction(at) {
      return Marker(length: length + bars(at + length))
    }
    return nil
  }

  /// Bar-quoted lines right after an introduction, blank ones before them included.
  private func bars(_ from: Int) -> Int {
    var at = from
    while at < lines.count, at < from + 3, lines.isBlank(at) { at += 1 }
    guard at < lines.count, isBar(at) else { return 0 }
    while at < lines.count, isBar(at) { at += 1 }
    return at - from
  }

  /// How many lines a block of mail headers takes: `From:`, `Sent:`, `To:`, `Subject:` in any
  /// language of
  /// Outlook, Apple Mail and Thunderbird. It needs three, of which one names the author or the
  /// date; values
  /// may run over. 0 when there is none.
  private func headerBlock(_ from: Int, skippingBlanks: Bool) -> Int {
    var at = from
    if skippingBlanks { while at < lines.count, at < from + 3, lines.isBlank(at) { at += 1 } }
    var headers = 0
    var hasAuthor = false
    var end = from
    var overrun = 0
    var tried = 0
    while at < lines.count, tried < 24 {
      tried += 1
      let line = lines.trimmed(at)
      if line.isEmpty {
        // One blank line may stand between headers that were paragraphs in HTML.
        guard headers > 0, at + 1 < lines.count, LineForms.startsHeader(lines.trimmed(at + 1))
        else { break }
      } else if let role = LineForms.header(line) {
        headers += 1
        overrun = 0
        if role == .author { hasAuthor = true }
        end = at + 1
      } else {
        overrun += 1
        guard headers > 0, overrun <= 2 else { break }
        // The value of the last header wrapped (`spans over 2 lines`, a long list of recipients).
        let more = (at + 1)..<min(at + 3, lines.count)
        guard more.contains(where: { LineForms.header(lines.trimmed($0)) != nil }) else { break }
      }
      at += 1
    }
    return headers >= (skippingBlanks ? 2 : 3) && hasAuthor ? end - from : 0
  }

  /// How many lines an introduction of a quote takes, such as `On … wrote:`; wrapped ones included.
  /// Nil when
  /// there is none.
  private func introduction(_ at: Int) -> Int? {
    var text = lines.trimmed(at)
    guard text.count <= 500, text.first != 62 else { return nil }
    let opens = Introductions.opens(text)
    if let strength = Introductions.judge(text) {
      return strength == .strong || quoteFollows(at + 1) ? 1 : nil
    }
    guard opens else { return nil }
    var joined = Array(text)
    var written = 1
    var index = at + 1
    while index < lines.count, written < 6, index - at < 9, joined.count < 600 {
      text = lines.trimmed(index)
      index += 1
      if text.isEmpty { continue }
      written += 1
      joined.append(32)
      joined += text
      if Introductions.judge(joined[...]) != nil { return index - at }
    }
    return nil
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
