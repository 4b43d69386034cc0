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
    markBetweenMarks(&kinds)
    var start = 0
    while start < lines.count {
      // Blank lines have no kind of their own yet: a run is a stretch of one kind, `own` or
      // `forwarded`.
      var end = start + 1
      while end < lines.count, kinds[end] == kinds[start] { end += 1 }
      if kinds[start] == .own || kinds[start] == .forwarded { markTail(&kinds, start..<end) }
      start = end
    }
  }

  /// HTML says where a signature ends, too: what stands behind it is read like what stands before. Over
  /// the whole body, for what looks quoted or set apart may stand within.
  private func markBetweenMarks(_ kinds: inout [OwnWords.Kind]) {
    var open: Int?
    for index in lines.indices where kinds[index] != .quoted {
      if isEnd(index) {
        for inside in (open ?? index)...index where kinds[inside] != .quoted {
          kinds[inside] = .signature
        }
        open = nil
      } else if open == nil, isStrict(index) {
        open = index
      }
    }
  }

  private func markTail(_ kinds: inout [OwnWords.Kind], _ run: Range<Int>) {
    let cut = cutPoint(run.lowerBound, run.upperBound)
    for index in cut..<run.upperBound { kinds[index] = .signature }
    // People write on below the line of their telephone: it alone goes.
    for index in run.lowerBound..<cut where isClientLine(index, run.lowerBound..<cut) {
      kinds[index] = .signature
    }
  }

  private func isClientLine(_ index: Int, _ run: Range<Int>) -> Bool {
    guard !fenced[index], !lines.isBlank(index) else { return false }
    let isApart =
      index == run.lowerBound || lines.isBlank(index - 1) || index + 1 == run.upperBound
      || lines.isBlank(index + 1)
    guard isApart else { return false }
    if ClientLines.matches(lines.trimmed(index)) { return true }
    let isAlone =
      (index == run.lowerBound || lines.isBlank(index - 1))
      && (index + 1 == run.upperBound || lines.isBlank(index + 1))
    return isAlone && ClientLines.mayNameDevice(lines.trimmed(index))
  }

  /// Where the signature of a run starts; `end` when there is none. Of nothing but a signature's words
  /// it is the start: `OwnWords.own` shows them where there are no others.
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
    return cut
  }

  /// `HTMLText.signatureEnd`, which nobody sees.
  private func isEnd(_ index: Int) -> Bool {
    lines.bytes[lines.range(index)].starts(with: [0xE2, 0x81, 0xA3, 10])
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
    var tail = Tail()
    var at = end
    var found: Int?
    while at > start, tail.written <= Self.linesMax, end - at <= 60 {
      at -= 1
      if fenced[at] { break }
      let line = lines.trimmed(at)
      if line.isEmpty {
        tail.isParted = tail.written > 0
        continue
      }
      tail.written += 1
      if isDash(line) {
        tail.dashes += 1
        let isFirst = isAllBlank(start..<at)
        if tail.dashes == 1, tail.isSignature(isFirst: isFirst) { tail.dash = at }
        continue
      }
      let isUnderscores = line.count >= 2 && line.allSatisfy { $0 == 95 }
      if LineForms.isRule(line), line.count >= 10 || isUnderscores, tail.isFooter,
        tail.written <= Self.footerLinesMax, !isAnnounced(at, start)
      {
        found = at
      }
      if tail.written <= 3, !tail.isParted, tail.isNumbers, ClientLines.matches(line) { found = at }
      if tail.written == 1, ClientLines.mayNameDevice(line) { found = at }
      if tail.written == 1, at == start || lines.isBlank(at - 1), isDashedName(line),
        !isAnnounced(at, start), wordsAbove(at, start)?.first != 45
      {
        found = at
      }
      if tail.dashes == 0 { note(line, &tail, isBelowBlank: at > start && lines.isBlank(at - 1)) }
    }
    // A second one makes separators of both, as between the items of a list.
    if let dash = tail.dash, tail.dashes == 1 || tail.isFooter, !isAnnounced(dash, start) {
      found = min(found ?? dash, dash)
    }
    return found
  }

  /// What stands below the line that is looked at.
  private struct Tail {
    var written = 0
    var isParted = false
    /// Whether a list's words are among it, and where it is found.
    var speaksOfList = false
    var hasAddress = false
    var isFooter: Bool { speaksOfList && hasAddress }
    /// Whether it is nothing but telephones' numbers and more of their programs' lines.
    var isNumbers = true
    var isProse = false
    /// Whether the line right below, or one that begins a paragraph, goes on in small words, without
    /// an end. Further down they are of a signature, too: `head of customer care`.
    var isRunning = false
    var isRunningApart = false
    /// Whether the line right below counts something.
    var isItem = false
    var dashes = 0
    var dash: Int?

    /// - Parameter isFirst: whether no words stand above it, from which it would part those below.
    func isSignature(isFirst: Bool) -> Bool {
      written > 1 && (isFooter || !isProse && (isFirst || !isRunning && !isRunningApart && !isItem))
    }
  }

  /// - Parameter isBelowBlank: whether the line begins a paragraph.
  private func note(_ line: ArraySlice<UInt8>, _ tail: inout Tail, isBelowBlank: Bool) {
    if isFooterText(line) { tail.speaksOfList = true }
    if line.contains(64) || line.count <= 500 && Self.links.stand(in: line) {
      tail.hasAddress = true
    }
    let isClient = ClientLines.matches(line)
    if !isClient, !isNumber(line) { tail.isNumbers = false }
    let isAdded = isClient || isSlogan(line)
    if !isAdded, isProse(line) { tail.isProse = true }
    tail.isRunning = !isAdded && isRunning(line)
    if tail.isRunning, isBelowBlank { tail.isRunningApart = true }
    tail.isItem =
      line.first.map { $0 >= 48 && $0 <= 57 || $0 == 42 } ?? false
      || line.starts(with: [45, 32])
  }

  private func isDash(_ line: ArraySlice<UInt8>) -> Bool {
    line.elementsEqual([45, 45]) || line.elementsEqual("—".utf8)
  }

  /// Whether the words above end in a colon: what stands below is theirs.
  private func isAnnounced(_ at: Int, _ start: Int) -> Bool {
    guard let line = wordsAbove(at, start) else { return false }
    return line.last == 58 || line.ends(with: "：")
  }

  private func wordsAbove(_ at: Int, _ start: Int) -> ArraySlice<UInt8>? {
    (max(start, at - 8)..<at).last { !lines.isBlank($0) }.map(lines.trimmed)
  }

  /// A telephone's number as people set it below their name; an order's begins otherwise.
  private func isNumber(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.count <= 40, let first = line.first, [40, 43, 48].contains(first) else {
      return false
    }
    return line.count { $0 >= 48 && $0 <= 57 } >= 6
      && !line.contains { $0 | 32 >= 97 && $0 | 32 <= 122 || $0 >= 128 }
  }

  /// Whether a line ends a sentence, rather than being of a signature.
  private func isProse(_ line: ArraySlice<UInt8>) -> Bool {
    guard let last = line.last, line.count <= 500 else { return true }
    if last == 63 || line.ends(with: "？") || line.ends(with: "。") { return true }
    return (last == 46 || last == 33) && line.split(separator: 32).count >= 4
  }

  /// `please also send the invoice`; in scripts without blanks a long line.
  private func isRunning(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.count <= 500 else { return true }
    let words = line.split(separator: 32)
    if words.count == 1 { return line.count >= 45 && line.allSatisfy { $0 >= 128 } }
    let small = words.count { $0.first.map { $0 >= 97 && $0 <= 122 } ?? false }
    return words.count >= 3 && small * 2 > words.count
  }

  private func isAllBlank(_ range: Range<Int>) -> Bool {
    // Looking further up than this would cost more than it tells.
    range.count <= 8 && range.allSatisfy(lines.isBlank)
  }

  /// The last paragraph of a run, where it is a lawyer's and something stands above it: where HTML marks a
  /// signature's end right above, that.
  private func startOfDisclaimer(_ start: Int, _ end: Int) -> Int? {
    var at = end
    while at > start, end - at < Disclaimers.linesMax, !fenced[at - 1], !lines.isBlank(at - 1) {
      at -= 1
    }
    guard at < end,
      at > start ? lines.isBlank(at - 1) : at > 0 && !fenced[at] && isEnd(at - 1)
    else { return nil }
    let paragraph = lines.bytes[lines.range(at).lowerBound..<lines.range(end - 1).upperBound]
    return Disclaimers.matches(paragraph) ? at : nil
  }

  /// A list's footer speaks of itself; somebody who wants to leave it does, too, but names no address.
  private func isFooterText(_ line: ArraySlice<UInt8>) -> Bool {
    // Where a link leads that somebody set into their words makes no footer of them.
    let line = LineForms.withoutTargets(line)
    return line.count <= 500 && Self.footers.stand(in: Array(LowerCase.words(line).utf8)[...])
  }

  /// What companies and virus scanners set below a name: sentences, but nobody's.
  private func isSlogan(_ line: ArraySlice<UInt8>) -> Bool {
    line.count <= 300 && Self.slogans.stand(in: Array(LowerCase.words(line).utf8)[...])
  }

  private static let slogans = Phrases([
    "consider the environment", "think before you print", "before printing this",
    "before you print this", "checked for viruses", "scanned for viruses", "virus-free.",
    "auf viren geprüft", "auf viren überprüft", "virenfrei.", "bitte denken sie an die umwelt",
    "bevor sie diese e-mail ausdrucken", "pensez à l'environnement", "pensez à l’environnement",
    "avant d'imprimer ce", "absence de virus", "piense en el medio ambiente",
    "antes de imprimir este", "libre de virus", "prima di stampare", "privo di virus",
    "voordat u deze e-mail print", "op virussen gecontroleerd", "pod kątem wirusów",
  ])

  private static let links = Phrases(["://"])
  private static let footers = Phrases([
    "mailing list", "unsubscribe", "mailman", "list archive", "google groups",
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
