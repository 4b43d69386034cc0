/// Payment card numbers in a text (ISO/IEC 7812: 13 to 19 digits, the last one Luhn's check digit).
enum CardNumbers {
  /// Numbers stand alone: not inside a longer number or an id, and not behind a `+`, which begins a
  /// telephone number. Behind or before a word that touches it, it must begin as a card of an issuer
  /// does. Groups may be parted by a blank, a dash or a dot of whatever width; by two of them or a
  /// line break only where the groups are a card's. Such a number may stand among other groups.
  static func places(in bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while at < bytes.count {
      guard isDigit(bytes[at]) else {
        at += 1
        continue
      }
      let run = Run(bytes, from: at)
      let touched = touch(bytes, before: at, after: run.end)
      if touched != .id { found += run.numbers(bytes, ofIssuers: touched == .word) }
      at = max(run.end, at + 1)
    }
    return found
  }

  private enum Touch { case nothing, word, id }

  private static func touch(_ bytes: [UInt8], before start: Int, after end: Int) -> Touch {
    if start > 0, bytes[start - 1] == 0x2B { return .id }
    let letters = bytes[..<start].reversed().prefix(while: isLetter).count
    let more = bytes[end...].prefix(while: isLetter).count
    if start > letters, isWord(bytes[start - letters - 1]) { return .id }
    if end + more < bytes.count, isWord(bytes[end + more]) { return .id }
    return letters + more > 0 ? .word : .nothing
  }

  /// - Returns: bytes of a blank, a dash or a dot, or of a line break, which is none of these.
  private static func separator(_ bytes: [UInt8], _ at: Int) -> (count: Int, isBreak: Bool)? {
    switch bytes[at] {
    case 0x20, 0x2D, 0x2E, 0x09: return (1, false)
    case 0x0A: return (1, true)
    case 0x0D: return (at + 1 < bytes.count && bytes[at + 1] == 0x0A ? 2 : 1, true)
    // NO-BREAK SPACE
    case 0xC2 where at + 1 < bytes.count && bytes[at + 1] == 0xA0: return (2, false)
    case 0xE2 where at + 2 < bytes.count:
      switch (bytes[at + 1], bytes[at + 2]) {
      // Blanks and dashes of General Punctuation, NARROW NO-BREAK SPACE, MINUS SIGN
      case (0x80, 0x80...0x8A), (0x80, 0x90...0x95), (0x80, 0xAF), (0x88, 0x92): return (3, false)
      default: return nil
      }
    default: return nil
    }
  }

  /// Digits in groups.
  private struct Run {
    var groups: [Range<Int>] = []
    /// Whether a group stands apart from the one before by more than one blank, dash or dot.
    var isFar: [Bool] = [false]
    var end: Int

    init(_ bytes: [UInt8], from: Int) {
      end = from
      var at = from
      while true {
        let start = at
        while at < bytes.count, isDigit(bytes[at]) { at += 1 }
        groups.append(start..<at)
        end = at
        var (between, breaks) = (0, 0)
        while at < bytes.count, between < 3, let found = separator(bytes, at) {
          at += found.count
          between += 1
          breaks += found.isBreak ? 1 : 0
        }
        guard (1...2).contains(between), at < bytes.count, isDigit(bytes[at]) else { return }
        isFar.append(between > 1 || breaks > 0)
      }
    }

    /// The longest from each group's beginning, one after the other.
    func numbers(_ bytes: [UInt8], ofIssuers: Bool) -> [Range<Int>] {
      var found: [Range<Int>] = []
      var first = 0
      while first < groups.count {
        var digits: [UInt8] = []
        var longest: Int?
        for last in first..<groups.count {
          digits += bytes[groups[last]]
          if digits.count > 19 { break }
          let isOne = first == last || !isFar[(first + 1)...last].contains(true)
          if digits.count >= 13, isCard(digits), !ofIssuers || isIssued(digits),
            isOne || isCardsOwn(groups[first...last].map(\.count))
          {
            longest = last
          }
        }
        if let longest {
          found.append(groups[first].lowerBound..<groups[longest].upperBound)
          first = longest + 1
        } else {
          first += 1
        }
      }
      return found
    }
  }

  /// As cards have their groups: of four, or `3782 822463 10005`.
  private static func isCardsOwn(_ groups: [Int]) -> Bool {
    groups == [4, 6, 5] || groups == [4, 6, 4]
      || groups.count >= 4 && groups.dropLast().allSatisfy { $0 == 4 }
  }

  /// Beginnings and lengths of the issuers that most cards are of.
  private static func isIssued(_ digits: [UInt8]) -> Bool {
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
  static func isCard(_ digits: [UInt8]) -> Bool {
    guard let first = digits.first, (0x32...0x36).contains(first),
      digits.contains(where: { $0 != first })
    else {
      return false
    }
    var sum = 0
    for (index, digit) in digits.reversed().enumerated() {
      let value = Int(digit) - 0x30
      let doubled = value * 2
      sum += index % 2 == 0 ? value : doubled > 9 ? doubled - 9 : doubled
    }
    return sum % 10 == 0
  }
}

/// What proves who somebody is, told by its beginning.
enum Tokens {
  /// Beginning, and how many characters of a token must follow.
  private static let kinds: [(beginning: [UInt8], count: Int)] = [
    ("tl_", 30), ("eyJ", 30), ("ghp_", 30), ("gho_", 30), ("github_pat_", 30), ("glpat-", 16),
    ("sk_live_", 16),
    ("sk_test_", 16), ("sk-", 24), ("xoxb-", 20), ("xoxp-", 20), ("AKIA", 16), ("AIza", 30),
    ("Bearer ", 20),
    ("bearer ", 20),
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
