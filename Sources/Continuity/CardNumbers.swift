/// Payment card numbers in a text (ISO/IEC 7812: 13 to 19 digits, the last one Luhn's check digit).
enum CardNumbers {
  /// Numbers stand alone: not inside a longer number, a word or an id, and not behind a `+`, which
  /// begins a
  /// telephone number. Groups may be parted by one blank or hyphen; such a number may stand among
  /// other groups.
  static func places(in bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while at < bytes.count {
      guard isDigit(bytes[at]) else {
        at += 1
        continue
      }
      let run = Run(bytes, from: at)
      let before = at == 0 ? 0x20 : bytes[at - 1]
      if !isWord(before), before != 0x2B, !(run.end < bytes.count && isWord(bytes[run.end])) {
        found += run.numbers(bytes)
      }
      at = max(run.end, at + 1)
    }
    return found
  }

  /// A space, a dash or a dot.
  fileprivate static func isSeparator(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x2D || byte == 0x2E
  }

  /// Digits in groups.
  private struct Run {
    var groups: [Range<Int>] = []
    var end: Int

    init(_ bytes: [UInt8], from: Int) {
      end = from
      var at = from
      while true {
        let start = at
        while at < bytes.count, isDigit(bytes[at]) { at += 1 }
        groups.append(start..<at)
        end = at
        guard at + 1 < bytes.count, CardNumbers.isSeparator(bytes[at]), isDigit(bytes[at + 1])
        else { return }
        at += 1
      }
    }

    /// The longest from each group's beginning, one after the other.
    func numbers(_ bytes: [UInt8]) -> [Range<Int>] {
      var found: [Range<Int>] = []
      var first = 0
      while first < groups.count {
        var digits: [UInt8] = []
        var longest: Int?
        for last in first..<groups.count {
          digits += bytes[groups[last]]
          if digits.count > 19 { break }
          if digits.count >= 13, isCard(digits) { longest = last }
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

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
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
