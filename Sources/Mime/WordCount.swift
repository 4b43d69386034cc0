/// How often each word stands in a text, whatever stands between: what two renderings of one text
/// have in common. Addresses do not count: plain text names what HTML only leads to.
struct WordCount {
  private(set) var count = 0
  private var counts: [Int: Int] = [:]

  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      if line == HTMLText.quoteMark { continue }
      for chunk in Self.withoutTargets(line).split(whereSeparator: Self.endsAddress)
      where !Self.isAddress(chunk) {
        add(wordsOf: chunk)
      }
    }
  }

  func common(with other: WordCount) -> Int {
    let (few, many) = counts.count <= other.counts.count ? (self, other) : (other, self)
    return few.counts.reduce(0) { $0 + min($1.value, many.counts[$1.key] ?? 0) }
  }

  private mutating func add(wordsOf chunk: Substring.UnicodeScalarView) {
    var word = Hasher()
    var length = 0
    func end(_ counted: inout WordCount) {
      guard length > 0 else { return }
      counted.count += 1
      counted.counts[word.finalize(), default: 0] += 1
      (word, length) = (Hasher(), 0)
    }
    for scalar in chunk {
      if Self.isUnseen(scalar) { continue }
      let isLetter = Self.isLetter(scalar)
      if !isLetter || Self.standsAlone(scalar) { end(&self) }
      if isLetter {
        word.combine(Self.folded(scalar))
        length += 1
        if Self.standsAlone(scalar) { end(&self) }
      }
    }
    end(&self)
  }

  /// Without what stands in `<>` behind the text of a link, which may hold brackets of its own.
  private static func withoutTargets(_ line: Substring) -> Substring.UnicodeScalarView {
    guard line.unicodeScalars.contains("<") else { return line.unicodeScalars }
    var left = Substring.UnicodeScalarView()
    var rest = line.unicodeScalars
    while let start = rest.firstIndex(of: "<") {
      let behind = rest[rest.index(after: start)...]
      if LinkTargets.schemes.contains(where: { behind.starts(with: $0.unicodeScalars) }) {
        guard let end = behind.firstIndex(of: ">") else { break }
        left.append(contentsOf: rest[..<start])
        rest = behind[behind.index(after: end)...]
      } else {
        left.append(contentsOf: rest[...start])
        rest = behind
      }
    }
    left.append(contentsOf: rest)
    return left
  }

  private static func endsAddress(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "<", ">", "(", ")", "[", "]", "\"": true
    default: scalar.value < 128 ? scalar.value <= 32 : scalar.properties.isWhitespace
    }
  }

  private static func isAddress(_ chunk: Substring.UnicodeScalarView) -> Bool {
    let text = Substring(chunk)
    return text.contains("://") || text.hasPrefix("mailto:") || text.hasPrefix("tel:")
      || text.hasPrefix("cid:")
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case ..<0x80: false
    default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
  }

  private static func folded(_ scalar: Unicode.Scalar) -> UInt32 {
    switch scalar.value {
    case 0x41...0x5A: scalar.value | 32
    case ..<0x80: scalar.value
    default: scalar.properties.lowercaseMapping.unicodeScalars.first?.value ?? scalar.value
    }
  }

  /// Of languages that put no spaces between words: Thai to Myanmar, Khmer, Han, kana, Hangul.
  private static func standsAlone(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0E00...0x109F, 0x1780...0x17FF, 0x2E80...0xFAFF, 0x20000...0x3FFFF: true
    default: false
    }
  }

  /// Soft hyphens, marks without width.
  private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xAD, 0x200B...0x200F, 0x2060, 0xFEFF: true
    default: false
    }
  }
}
