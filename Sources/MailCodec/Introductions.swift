/// Lines that introduce a quote: `On Mon, 1 Feb 2016 at 18:32, Ann <ann@home.example> wrote:` and
/// its like in the languages of Gmail, Apple Mail, Outlook's phone clients, Thunderbird, Yahoo,
/// Proton, Zoho, Mail.ru and K-9. Some have no verb: `пт, 27 нояб. 2026 г. в 10:00, Ann <ann@x>:`.
enum Introductions {
  /// How surely a line introduces a quote: by itself, where it stands as a paragraph of its own, or
  /// only where quoted lines follow.
  enum Strength: Comparable { case weak, alone, strong }

  /// Whether a line may be the first of a wrapped introduction.
  static func opens(_ raw: ArraySlice<UInt8>) -> Bool {
    let line = undashed(plain(raw)).text
    // `Ann <ann@home.example> schrieb am Fr., 28.` and `"Ann Lee" <` go on in the next line.
    if line.last == 60 { return true }
    if line.contains(64), line.contains(60) {
      if line.last == 62 || line.last == 41 || date(line) || Verb(in: line) != nil { return true }
    }
    if IntroductionWords.nouns.contains(IntroductionWords.first(line)) { return true }
    guard line.contains(where: isDigit) else { return false }
    if let first = line.first, isDigit(first) { return date(line) || time(line) }
    return startsWithDay(line)
  }

  /// Whether a line that stands below a wrapped introduction's first one is the first of another.
  static func startsAnew(_ raw: ArraySlice<UInt8>) -> Bool {
    let line = plain(raw)
    let word = IntroductionWords.first(line)
    return IntroductionWords.openers.contains(word) && line.contains(where: isDigit)
      && date(line)
  }

  /// How mail programs write introductions, where people write sentences.
  enum Form { case momentFirst, authorFirst }

  /// The form of a text that `judge` found strong; nil where it is rather a sentence.
  static func form(_ whole: ArraySlice<UInt8>) -> Form? {
    let line = undashed(plain(whole))
    guard !line.dashed, let first = line.text.first else { return .momentFirst }
    if isDigit(first) || startsWithDay(line.text) { return .momentFirst }
    // `Ann Lee <ann@home.example> schrieb am Fr., 28. Apr. 2017 um 11:53 Uhr:`
    return time(line.text) && date(line.text) ? .authorFirst : nil
  }

  /// Judges one line, or several joined by spaces.
  static func judge(_ whole: ArraySlice<UInt8>) -> Strength? {
    guard whole.count <= 1_000 else { return nil }
    let line = undashed(plain(whole))
    guard line.text.count >= 8, line.text.count <= 700 else { return nil }
    return judge(line.text, dashed: line.dashed)
  }

  /// Where an introduction starts that stands behind somebody's words on their line; nil for most
  /// lines, which end in no colon or hold no address.
  static func start(inside raw: ArraySlice<UInt8>) -> Int? {
    let line = MailLines.trim(raw)
    guard line.last == 58, line.count <= 500, line.contains(64), let first = line.first,
      first != 62,
      !isDigit(first), !startsWithDay(line), judge(line) != nil
    else { return nil }
    for at in line.indices.dropFirst() where line[at - 1] == 32 {
      let rest = line[at...]
      if IntroductionWords.openers.contains(IntroductionWords.first(rest)), opens(rest),
        judge(rest) == .strong
      {
        return line[..<at].lastIndex { $0 != 32 && $0 != 45 }.map { $0 + 1 }
      }
    }
    return nil
  }

  private static func judge(_ line: ArraySlice<UInt8>, dashed: Bool) -> Strength? {
    let isDated = time(line) || date(line)
    let hasAddress = line.contains(64)
    let colon = line.last == 58 || line.ends(with: "：")
    guard let verb = Verb(in: line) else {
      return isDated ? judgeWithoutVerb(line, colon: colon) : nil
    }
    // `---- Ann Lee wrote ----`
    if dashed, verb.isLast { return .strong }
    guard isDated || hasAddress else { return nil }
    if isGlued(line, verb) { return .strong }
    guard colon || dashed || (verb.isLast && opens(line)) else { return nil }
    guard verb.isLast || opens(line) else { return isDated ? .weak : nil }
    guard verb.isLast || endsInAddressOrMoment(line) else { return nil }
    if hasAddressInBrackets(line) { return isDated ? .strong : verb.isLast ? .alone : .weak }
    if hasAddress, time(line), date(line), startsWithDay(line) { return .strong }
    return time(line) || (hasAddress && verb.isLast) ? .alone : .weak
  }

  /// Gmail in Russian, Japanese and older German, Mail.ru, Apple Mail in Czech: a moment, who, a colon.
  private static func judgeWithoutVerb(_ line: ArraySlice<UInt8>, colon: Bool) -> Strength? {
    guard let first = line.first, isDigit(first) || startsWithDay(line), date(line) else {
      return nil
    }
    let inner = MailLines.trim(colon ? line.dropLast(line.last == 58 ? 1 : 3) : line)
    let endsInAddress = inner.last == 62 && hasAddressInBrackets(inner)
    if colon, endsInAddress, time(line) { return .strong }
    if contains(line, "GMT"), time(line) { return .alone }
    return (colon && line.contains(64)) || endsInAddress ? .weak : nil
  }

  /// Yahoo's phones put the quote on the introduction's line: `…, Ann<ann@x> wrote:   Hello`.
  private static func isGlued(_ line: ArraySlice<UInt8>, _ verb: Verb) -> Bool {
    let after = verb.after
    guard after.first == 58, after.count > 1, time(line[..<after.startIndex]),
      hasAddressInBrackets(line[..<after.startIndex]), opens(line[..<after.startIndex])
    else { return false }
    let next = after.dropFirst()
    return next.first == 62 || next.prefix(2).elementsEqual([32, 32])
  }

  // MARK: - Evidence

  /// `<ann@x>`, `(ann@x)` or `[ann@x]`.
  private static func hasAddressInBrackets(_ line: ArraySlice<UInt8>) -> Bool {
    guard let sign = line.lastIndex(of: 64) else { return false }
    let opening = line[..<sign].last { $0 == 60 || $0 == 40 || $0 == 91 || $0 == 32 }
    return opening == 60 || opening == 40 || opening == 91 || line[..<sign].contains(60)
  }

  /// `… schrieb Ann <ann@x>:`, `… schrieb am Fr., 27. Nov. 2026 um 10:00 Uhr:`, but not
  /// `… I wrote to <help@x>, and nobody answered:`.
  private static func endsInAddressOrMoment(_ line: ArraySlice<UInt8>) -> Bool {
    guard let bracket = line.lastIndex(of: 62) else { return true }
    let behind = line[bracket...].dropFirst()
    // Swedish and Danish: `… skrev Ann <ann@x> följande:`.
    if behind.starts(with: " följande".utf8) || behind.starts(with: " følgende".utf8) {
      return true
    }
    return behind.count <= 2 || behind.elementsEqual("：".utf8) || time(behind) || date(behind)
  }

  private static func startsWithDay(_ line: ArraySlice<UInt8>) -> Bool {
    let word = IntroductionWords.first(line)
    return IntroductionWords.openers.contains(word) || IntroductionWords.days.contains(word)
      || IntroductionWords.nouns.contains(word)
      || IntroductionWords.prefixes.contains { line.starts(with: $0.utf8) }
  }

  /// Dashes and asterisks around an introduction.
  private static func undashed(
    _ whole: ArraySlice<UInt8>
  ) -> (text: ArraySlice<UInt8>, dashed: Bool) {
    var line = whole
    while let last = line.last, last == 45 || last == 32 || last == 42 { line = line.dropLast() }
    let behind = whole[line.endIndex...].count { $0 == 45 }
    while let first = line.first, first == 45 || first == 32 || first == 42 {
      line = line.dropFirst()
    }
    return (line, behind >= 3)
  }

  /// No-break spaces (U+00A0, U+202F), which French and newer Gmail write, as spaces; marks of
  /// direction, which are written around names in Hebrew and Arabic, left out; Arabic figures as
  /// European ones.
  static func plain(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard line.contains(where: { $0 == 0xC2 || $0 == 0xE2 || $0 == 0xD9 || $0 == 0xDB }) else {
      return line
    }
    var out: [UInt8] = []
    out.reserveCapacity(line.count)
    for byte in line {
      out.append(byte)
      if byte == 0xA0, out.suffix(2).elementsEqual([0xC2, 0xA0]) {
        out.replaceSubrange((out.count - 2)..., with: [32])
      } else if out.count >= 3, out[out.count - 3] == 0xE2 {
        switch (out[out.count - 2], byte) {
        case (0x80, 0xAF): out.replaceSubrange((out.count - 3)..., with: [32])
        case (0x80, 0x8B...0x8F), (0x80, 0xAA...0xAE), (0x81, 0xA6...0xA9): out.removeLast(3)
        default: break
        }
      } else if out.count >= 2 {
        switch (out[out.count - 2], byte) {
        case (0xD9, 0xA0...0xA9): out.replaceSubrange((out.count - 2)..., with: [byte - 0xA0 + 48])
        case (0xDB, 0xB0...0xB9): out.replaceSubrange((out.count - 2)..., with: [byte - 0xB0 + 48])
        default: break
        }
      }
    }
    return out[...]
  }

  fileprivate static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  /// `18:32`, `18h32`, `20.42`, `8：45`.
  static func time(_ line: ArraySlice<UInt8>) -> Bool {
    for index in line.indices
    where line[index] == 58 || line[index] == 46 || line[index] == 104 || line[index] == 0xEF {
      var after = index + 1
      if line[index] == 0xEF { after = index + 3 }
      guard index > line.startIndex, isDigit(line[index - 1]), after + 1 < line.endIndex,
        isDigit(line[after]),
        isDigit(line[after + 1])
      else { continue }
      if after + 2 < line.endIndex, isDigit(line[after + 2]) { continue }
      return true
    }
    return false
  }

  /// A year, or day and month in figures.
  static func date(_ line: ArraySlice<UInt8>) -> Bool {
    var run: [UInt8] = []
    var last: UInt8 = 0
    var groups = 0
    for index in line.startIndex...line.endIndex {
      let byte = index < line.endIndex ? line[index] : 0
      if isDigit(byte) {
        run.append(byte)
        continue
      }
      // 2500 to 2599 is this century in Thailand.
      if run.count == 4, [[49, 57], [50, 48], [50, 53]].contains(Array(run.prefix(2))) {
        return true
      }
      if !run.isEmpty, run.count <= 2 {
        groups = last == 47 || last == 46 || last == 45 ? groups + 1 : 1
        if groups >= 3 { return true }
      } else if !run.isEmpty {
        groups = 0
      }
      if !run.isEmpty { last = byte } else if byte != last { groups = 0 }
      run = []
    }
    return false
  }

  private static func contains(_ line: ArraySlice<UInt8>, _ word: String) -> Bool {
    let wanted = Array(word.utf8)
    guard line.count >= wanted.count else { return false }
    return line.indices.dropLast(wanted.count - 1).contains { line[$0...].starts(with: wanted) }
  }
}

/// The last "wrote" of a line, as a word of its own.
private struct Verb {
  var after: ArraySlice<UInt8>
  /// Nothing but punctuation follows.
  var isLast: Bool {
    after.allSatisfy { $0 == 58 || $0 == 32 || $0 == 46 } || after.elementsEqual("：".utf8)
  }

  init?(in line: ArraySlice<UInt8>) {
    var end: Int?
    for start in line.indices {
      let before = start == line.startIndex ? 32 : line[start - 1]
      // Scripts from U+0800 on put no space before it; `<info@x.org>wrote:` does not either.
      guard !Self.isWordByte(before) || line[start] >= 0xE0 else { continue }
      let rest = line[start...]
      for verb in IntroductionWords.verbs(startingWith: line[start]) where rest.starts(with: verb) {
        let next = start + verb.count
        let isJoined = next < line.endIndex && Self.isWordByte(line[next]) && verb[0] < 0xE0
        if !isJoined { end = max(end ?? 0, next) }
      }
    }
    guard let end else { return nil }
    after = line[end...]
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    Introductions.isDigit(byte) || (byte | 32 >= 97 && byte | 32 <= 122) || byte >= 128
  }
}

extension ArraySlice<UInt8> {
  func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
