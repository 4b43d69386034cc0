/// Finds introductions of quotes, wrapped over several lines or not, and weighs them by what stands
/// around them.
extension QuoteMarks {
  /// How many lines an introduction of a quote takes, such as `On … wrote:`; wrapped ones included.
  /// Nil when there is none.
  func introduction(_ at: Int) -> Int? {
    let first = lines.trimmed(at)
    guard first.count <= 500, first.first != 62 else { return nil }
    // A longer one that is surer wins: `On … Ann <` alone may look like one, too.
    var found: Int?
    var joined = Array(first)
    var index = at + 1
    for round in 0...5 {
      if let strength = Introductions.judge(joined[...]), holds(strength, at..<index, joined[...]) {
        if strength > .weak { return index - at }
        found = found ?? index - at
      }
      guard round > 0 || Introductions.opens(first), let next = continuation(of: joined, index)
      else { break }
      joined.append(32)
      joined += lines.trimmed(next)
      index = next + 1
    }
    return found
  }

  /// The next line of a wrapped introduction; nil where it cannot go on. Only around an address in
  /// brackets may a blank line stand.
  private func continuation(of joined: [UInt8], _ index: Int) -> Int? {
    guard let next = wordsBelow(index), joined.count < 600 else { return nil }
    let line = lines.trimmed(next)
    let isSplit = line.first == 60 || line.starts(with: "mailto:".utf8) || Self.isInside(joined)
    guard next == index || isSplit, next - index < 4, line.count <= 500, line.first != 62 || isSplit
    else { return nil }
    // One author has one address.
    let isOther = !isSplit && line.contains(64) && joined.contains(64)
    if isOther || Introductions.startsAnew(line) || endsSentence(joined) { return nil }
    return next
  }

  /// Whether an address in brackets goes on behind the text.
  private static func isInside(_ text: [UInt8]) -> Bool {
    text.count { $0 == 60 } > text.count { $0 == 62 }
  }

  /// A shortened month ends in a full stop too, but no longer word does.
  private func endsSentence(_ text: [UInt8]) -> Bool {
    guard let last = text.last else { return false }
    if last == 33 || last == 63 { return true }
    let letters = text.dropLast().reversed().prefix {
      $0 | 32 >= 97 && $0 | 32 <= 122 || $0 >= 128
    }
    return last == 46 && letters.count >= 7
  }

  private func holds(
    _ strength: Introductions.Strength, _ at: Range<Int>, _ text: ArraySlice<UInt8>
  ) -> Bool {
    switch strength {
    case .strong: quoteFollows(at.upperBound) || !isTold(at, text)
    case .alone: quoteFollows(at.upperBound) || isAlone(at)
    case .weak: quoteFollows(at.upperBound)
    }
  }

  /// Whether somebody tells of a mail: words go on right below, and the text above runs into it. People
  /// answer right above what their program puts there, too, so that the form of a program's line
  /// counts for more than what stands above it.
  private func isTold(_ at: Range<Int>, _ text: ArraySlice<UInt8>) -> Bool {
    guard at.upperBound < lines.count, !lines.isBlank(at.upperBound),
      !LineForms.isRule(lines.trimmed(at.upperBound)),
      let above = (max(0, at.lowerBound - 8)..<at.lowerBound).last(where: { !lines.isBlank($0) }),
      kinds[above] != .quoted
    else { return false }
    let line = lines.trimmed(above)
    if LineForms.isRule(line) || ClientLines.matches(line) { return false }
    let isRightBelow = above == at.lowerBound - 1
    // `Hello,` and nothing else above: the letter begins here.
    if isRightBelow, line.last == 44, (max(0, above - 8)..<above).allSatisfy(lines.isBlank) {
      return true
    }
    switch Introductions.form(text) {
    // On the line of a sentence that has not ended, it goes on with it.
    case .momentFirst:
      return isRightBelow && lines.bytes[lines.range(above)].last != 10
        && !(line.last.map { [33, 46, 63].contains($0) } ?? true)
    case .authorFirst: return line.last == 58
    case nil: return isRightBelow || line.last == 58
    }
  }

  /// Whether lines are a paragraph of their own, and what follows is not in quotation marks, as
  /// somebody who tells of a mail would put it.
  private func isAlone(_ at: Range<Int>) -> Bool {
    if at.lowerBound > 0 {
      let above = lines.trimmed(at.lowerBound - 1)
      guard above.isEmpty || LineForms.isRule(above) || ClientLines.matches(above) else {
        return false
      }
    }
    guard at.upperBound < lines.count, lines.isBlank(at.upperBound) else {
      return at.upperBound >= lines.count
    }
    guard let below = wordsBelow(at.upperBound) else { return true }
    let text = String(decoding: lines.trimmed(below).prefix(4), as: UTF8.self)
    return !(text.unicodeScalars.first.map { "\"“„«‚'‘「『".unicodeScalars.contains($0) } ?? false)
  }
}
