/// Payment card numbers in a text (ISO/IEC 7812: 13 to 19 digits, the last one Luhn's check digit).
enum CardNumbers {
  /// Numbers stand alone: not inside a longer number or an id, and not behind a `+`, which begins a
  /// telephone number. Behind or before a word that touches it, it must begin as a card of an issuer
  /// does. Groups may be parted by a blank, a dash or a dot of whatever width; by two of them or a
  /// line break only where the groups are a card's; by a comma, a slash or the like only where it
  /// begins as an issuer's, too. Such a number may stand among other groups. Digits are those of any
  /// script.
  static func places(in bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while at < bytes.count {
      guard mayBeDigit(bytes[at]), digit(bytes, at) != nil else {
        at += isCoded(bytes, at) ? 3 : 1
        continue
      }
      let run = Run(bytes, from: at)
      found += run.numbers(bytes)
      at = run.end
    }
    return found
  }

  /// `%20` and the like: one letter, as links have it (RFC 3986 §2.1).
  private static func isCoded(_ bytes: [UInt8], _ at: Int) -> Bool {
    at >= 0 && at + 2 < bytes.count && bytes[at] == UInt8(ascii: "%") && isHex(bytes[at + 1])
      && isHex(bytes[at + 2])
  }
  private static func isHex(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x41...0x46).contains(byte & 0xDF)
  }

  private enum Touch { case nothing, word, id }
  /// Letters that are looked at, or a long word would be read for every number behind it.
  private static let wordMax = 64

  private static func touch(_ bytes: [UInt8], before start: Int, after end: Int) -> Touch {
    if start > 0, bytes[start - 1] == 0x2B { return .id }
    let letters = bytes[..<start].suffix(wordMax).reversed().prefix(while: isLetter).count
    let isBehindCoded = letters == 0 && isCoded(bytes, start - 3)
    if letters < wordMax, start > letters, !isBehindCoded, isWord(bytes[start - letters - 1]) {
      return .id
    }
    let more = bytes[end...].prefix(wordMax).prefix(while: isLetter).count
    if more < wordMax, end + more < bytes.count, isWord(bytes[end + more]) {
      return isCardsWord(bytes[end..<(end + more)], before: bytes[(end + more)...]) ? .word : .id
    }
    return letters + more > 0 ? .word : .nothing
  }

  /// `4111111111111111CVV123` is no id: what follows is what stands behind a card's number.
  private static func isCardsWord(_ letters: ArraySlice<UInt8>, before rest: ArraySlice<UInt8>)
    -> Bool
  {
    guard
      ["cvv", "cvc", "csc", "cid", "exp"].contains(
        String(decoding: letters, as: UTF8.self).lowercased())
    else { return false }
    let digits = rest.prefix(9).prefix(while: isDigit)
    return (3...8).contains(digits.count)
      && !(rest.dropFirst(digits.count).first.map(isWord) ?? false)
  }

  private enum Separator { case plain, lineBreak, odd }

  /// - Returns: bytes of a blank, a dash or a dot, of what is not seen, of a line break, or of what
  ///   else people put between groups.
  private static func separator(_ bytes: [UInt8], _ at: Int) -> (count: Int, kind: Separator)? {
    switch bytes[at] {
    case 0x20, 0x2D, 0x2E, 0x09: return (1, .plain)
    case UInt8(ascii: "%") where isCoded(bytes, at):
      // A link has a blank, a dash and a dot so.
      let isPlain = ["20", "2d", "2e"].contains {
        $0.utf8.elementsEqual(bytes[(at + 1)...(at + 2)].lazy.map { $0 | 0x20 })
      }
      return isPlain ? (3, .plain) : nil
    // As HTML has a blank that does not break: a message that is kept whole is looked through as it stands.
    case UInt8(ascii: "&"):
      let coded = bytes[at...].prefix(6)
      return ["&nbsp;", "&#160;", "&#xa0;", "&#xA0;"].contains { coded.elementsEqual($0.utf8) }
        ? (6, .plain) : nil
    // In a link it is a blank.
    case UInt8(ascii: "+"): return (1, .odd)
    case 0x0A, 0x0D:
      let count = bytes[at...].starts(with: [0x0D, 0x0A]) ? 2 : 1
      return (count + quoteMarks(bytes[(at + count)...]), .lineBreak)
    case UInt8(ascii: ","), UInt8(ascii: "/"), UInt8(ascii: "|"), UInt8(ascii: "_"),
      UInt8(ascii: "("), UInt8(ascii: ")"):
      return (1, .odd)
    case ..<0x80: return nil
    default:
      guard let (scalar, count) = scalar(bytes, at) else { return nil }
      switch scalar.value {
      // LINE SEPARATOR, PARAGRAPH SEPARATOR
      case 0x2028, 0x2029: return (count, .lineBreak)
      // HYPHEN to HORIZONTAL BAR, MINUS SIGN
      case 0x2010...0x2015, 0x2212: return (count, .plain)
      default:
        // SOFT HYPHEN, ZERO WIDTH SPACE and the like are formats.
        let isUnseen = scalar.properties.generalCategory == .format
        return isUnseen || scalar.properties.isWhitespace ? (count, .plain) : nil
      }
    }
  }

  /// Bytes of `> > ` and the like, with which each line of a quotation begins: a number that was broken
  /// to fit goes on behind them.
  private static func quoteMarks(_ line: ArraySlice<UInt8>) -> Int {
    let marks = line.prefix(quoteMarksMax).prefix { $0 == 0x20 || $0 == 0x3E }
    return marks.contains(0x3E) ? marks.count : 0
  }
  private static let quoteMarksMax = 64

  /// Told by its first byte: no digits but ours come before Arabic's, and none are Han.
  private static func mayBeDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "%") || byte >= 0xD9 && !(0xE3...0xE9).contains(byte)
  }

  /// The value of a digit of any script, and its bytes.
  private static func digit(_ bytes: [UInt8], _ at: Int) -> (value: UInt8, count: Int)? {
    if isDigit(bytes[at]) { return (bytes[at], 1) }
    // `%34` is a 4 in a link.
    if isCoded(bytes, at) {
      return bytes[at + 1] == 0x33 && isDigit(bytes[at + 2]) ? (bytes[at + 2], 3) : nil
    }
    guard bytes[at] >= 0xD9, let (scalar, count) = scalar(bytes, at),
      scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue
    else { return nil }
    return (0x30 + UInt8(value), count)
  }

  private static func scalar(_ bytes: [UInt8], _ at: Int) -> (Unicode.Scalar, Int)? {
    let lead = bytes[at]
    let count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
    guard lead >= 0xC2, lead < 0xF5, at + count <= bytes.count else { return nil }
    var value = UInt32(lead) & (0x7F >> UInt32(count))
    for next in bytes[(at + 1)..<(at + count)] {
      guard next & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(next & 0x3F)
    }
    return Unicode.Scalar(value).map { ($0, count) }
  }

  /// Digits in groups. A sheet of numbers is one run of hundreds of thousands of groups, and each is
  /// a beginning: whatever is asked of a candidate costs the same however long it is.
  private struct Run {
    struct Group {
      var place: Range<Int>
      /// Its part of `digits`.
      var digits: Range<Int>
      /// Whether it stands apart from the one before by more than one blank, dash or dot.
      var isFar = false
      /// Whether it does so by more than the same number in columns would.
      var isOdd = false
    }
    private var groups: [Group] = []
    private var digits: [UInt8] = []
    /// Luhn's sums of all digits before each: with those at even places as they are and the others
    /// doubled, and the other way round.
    private var sums: [(evens: Int, odds: Int)] = [(0, 0)]
    private(set) var end: Int

    init(_ bytes: [UInt8], from: Int) {
      end = from
      var (at, isFar, isOdd) = (from, false, false)
      while true {
        let (start, first) = (at, digits.count)
        while at < bytes.count, let one = digit(bytes, at) {
          add(one.value)
          at += one.count
        }
        groups.append(
          Group(place: start..<at, digits: first..<digits.count, isFar: isFar, isOdd: isOdd))
        end = at
        var (count, isPlain, hasBreak) = (0, true, false)
        isOdd = false
        while at < bytes.count, count < 4, let found = separator(bytes, at) {
          at += found.count
          count += 1
          isPlain = isPlain && found.kind == .plain
          hasBreak = hasBreak || found.kind == .lineBreak
          isOdd = isOdd || found.kind == .odd
        }
        isOdd = isOdd || count == 3 && hasBreak
        guard (1...2).contains(count) || count == 3 && isOdd, at < bytes.count,
          digit(bytes, at) != nil
        else { return }
        isFar = count > 1 || !isPlain
      }
    }

    private mutating func add(_ digit: UInt8) {
      let value = Int(digit) - 0x30
      let doubled = value > 4 ? value * 2 - 9 : value * 2
      let before = sums[digits.count]
      sums.append(
        digits.count % 2 == 0
          ? (before.evens + value, before.odds + doubled)
          : (before.evens + doubled, before.odds + value))
      digits.append(digit)
    }

    /// The longest from each group's beginning, one after the other.
    func numbers(_ bytes: [UInt8]) -> [Range<Int>] {
      var found: [Range<Int>] = []
      var around: [Range<Int>] = []
      var first = 0
      while first < groups.count {
        let start = groups[first].digits.lowerBound
        var longest: Int?
        var (isFar, isOdd) = (false, false)
        let ends = isInUse(digits[start]) ? first..<groups.count : first..<first
        for last in ends {
          let which = start..<groups[last].digits.upperBound
          if which.count > 19 { break }
          if last > first {
            isFar = isFar || groups[last].isFar
            isOdd = isOdd || groups[last].isOdd
          }
          guard which.count >= 13, passesLuhn(which), !isFar || isCardsOwn(first...last),
            digits[which].contains(where: { $0 != digits[start] })
          else { continue }
          if around.isEmpty { around = pieces() }
          switch touch(
            bytes, before: around[first].lowerBound, after: around[last].upperBound)
          {
          case .id: break
          case .word: if isIssued(digits[which]) { longest = last }
          case .nothing: if !isOdd || isIssued(digits[which]) { longest = last }
          }
        }
        if let longest {
          found.append(groups[first].place.lowerBound..<groups[longest].place.upperBound)
          first = longest + 1
        } else {
          first += 1
        }
      }
      return found
    }

    /// The last digit is the check digit, and every second one before it is doubled.
    private func passesLuhn(_ which: Range<Int>) -> Bool {
      let (from, to) = (sums[which.lowerBound], sums[which.upperBound])
      let sum = (which.upperBound - 1) % 2 == 0 ? to.evens - from.evens : to.odds - from.odds
      return sum % 10 == 0
    }

    /// As cards have their groups: of four, or `3782 822463 10005`.
    private func isCardsOwn(_ which: ClosedRange<Int>) -> Bool {
      func count(_ place: Int) -> Int { groups[which.lowerBound + place].digits.count }
      if which.count == 3 { return count(0) == 4 && count(1) == 6 && [4, 5].contains(count(2)) }
      return which.count >= 4 && (0..<(which.count - 1)).allSatisfy { count($0) == 4 }
    }

    /// For each group where the groups around it, between which nothing odd stands, begin and end:
    /// what touches them there touches all of them.
    private func pieces() -> [Range<Int>] {
      var pieces = groups.map(\.place)
      for index in groups.indices.dropFirst() where !groups[index].isOdd {
        pieces[index] = pieces[index - 1].lowerBound..<pieces[index].upperBound
      }
      for index in groups.indices.dropLast().reversed() where !groups[index + 1].isOdd {
        pieces[index] = pieces[index].lowerBound..<pieces[index + 1].upperBound
      }
      return pieces
    }
  }

  /// Beginnings and lengths of the issuers that most cards are of.
  private static func isIssued(_ digits: ArraySlice<UInt8>) -> Bool {
    let start = digits.prefix(4).reduce(0) { $0 * 10 + Int($1) - 0x30 }
    switch (digits.count, start) {
    case (13, 4000...4999), (16, 4000...4999), (19, 4000...4999): return true
    case (16, 5100...5599), (16, 2221...2720), (15, 3400...3499), (15, 3700...3799): return true
    case (16, 6011), (16, 6440...6599), (16, 3528...3589), (14, 3000...3059), (14, 3600...3699),
      (14, 3800...3899), (16...19, 6200...6299):
      return true
    default: return false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
  static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || isLetter(byte) || byte == 0x5F
  }

  /// Cards in use begin with 2 to 6; and no card is one digit over and over.
  private static func isInUse(_ first: UInt8) -> Bool { (0x32...0x36).contains(first) }
}

/// What proves who somebody is, told by its beginning.
enum Tokens {
  /// Beginning, and how many characters of a token must follow.
  private static let kinds: [(beginning: [UInt8], count: Int)] = [
    ("tl_", 30), ("eyJ", 30), ("ghp_", 30), ("gho_", 30), ("ghs_", 30), ("ghu_", 30),
    ("ghr_", 30), ("github_pat_", 30), ("glpat-", 16), ("npm_", 30), ("pypi-", 30),
    ("sk_live_", 16), ("sk_test_", 16), ("rk_live_", 16), ("rk_test_", 16), ("whsec_", 20),
    ("sk-", 24), ("xoxb-", 20), ("xoxp-", 20), ("xoxe-", 20),
    ("xoxa-", 20), ("AKIA", 16), ("ASIA", 16),
    ("AIza", 30), ("ya29.", 20), ("Bearer ", 20), ("bearer ", 20),
  ].map { (Array($0.0.utf8), $0.1) }
  private static let firsts = Set(kinds.map { $0.beginning[0] })
  private static let keyBegins = Array("-----BEGIN ".utf8)
  private static let keyEnds = Array("-----END ".utf8)

  static func places(in bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while at < bytes.count {
      if bytes[at] == 0x2D, let end = key(bytes, at) {
        found.append(at..<end)
        at = end
      } else if firsts.contains(bytes[at]), at == 0 || !CardNumbers.isWord(bytes[at - 1]),
        let end = token(bytes, at)
      {
        found.append(at..<end)
        at = end
      } else {
        at += 1
      }
    }
    return found
  }

  private static func token(_ bytes: [UInt8], _ at: Int) -> Int? {
    for kind in kinds where bytes[at...].starts(with: kind.beginning) {
      let rest = bytes[(at + kind.beginning.count)...].prefix(while: isToken)
      if rest.count >= kind.count { return rest.endIndex }
    }
    return nil
  }

  /// From `-----BEGIN …` to the line that ends it, or to the end of what is there.
  private static func key(_ bytes: [UInt8], _ at: Int) -> Int? {
    guard bytes[at...].starts(with: keyBegins) else { return nil }
    let head = bytes[at...].prefix(60)
    guard String(decoding: head, as: UTF8.self).contains("PRIVATE KEY-----") else { return nil }
    var end = at + keyBegins.count
    while end < bytes.count {
      if bytes[end] == 0x2D, bytes[end...].starts(with: keyEnds) {
        let rest = bytes[(end + keyEnds.count)...]
        return rest.prefix(40).lastIndex(of: 0x2D).map { $0 + 1 } ?? bytes.count
      }
      end += 1
    }
    return bytes.count
  }

  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E, 0x2B, 0x2F, 0x3D, 0x7E: true
    default: false
    }
  }
}
