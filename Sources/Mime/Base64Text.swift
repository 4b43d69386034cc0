/// Base64 as mail has it (RFC 2045 §6.8): what is no digit says nothing, a last group needs no `=`, and
/// behind one another group may begin. The digits of RFC 4648 §5 are read, too.
///
/// What a list or a scanner set as plain text behind it stays what it is: lines of words, or a rule, that
/// begin where a group ends. Both may be any letters; so it is asked what the digits would say. Those
/// of words say nothing that could be read: where all before is UTF-8, and the digits of the line would be,
/// they are digits.
struct Base64Text {
  private(set) var bytes: [UInt8] = []
  /// Whether a digit is left of which no byte can be made: there was more once.
  private(set) var isCut = false

  private static let none: UInt8 = 0xFF
  private static let digits: [UInt8] = (UInt8.min...UInt8.max).map { byte in
    switch byte {
    case 65...90: byte - 65
    case 97...122: byte - 71
    case 48...57: byte + 4
    case 43, 45: 62
    case 47, 95: 63
    default: none
    }
  }

  /// - Parameter isText: whether it is of words. The last bytes of a picture may look like one.
  init(_ text: some Collection<UInt8>, isText: Bool = true) {
    let done: Void? = text.withContiguousStorageIfAvailable { decode($0, isText) }
    if done == nil { Array(text).withUnsafeBufferPointer { decode($0, isText) } }
  }

  private mutating func decode(_ text: UnsafeBufferPointer<UInt8>, _ isText: Bool) {
    bytes.reserveCapacity(text.count / 4 * 3 + 3)
    let digits = Self.digits
    var (group, bits): (UInt32, UInt32) = (0, 0)
    var isPadded = false
    var read = Reading()
    var before = (length: 0, lines: 0)
    var at = 0
    while at < text.count {
      let line = (
        start: at, kept: bytes.count, isFirst: bits == 0, isPadded: isPadded, isCut: isCut
      )
      var isOdd = text[at] == 45 || text[at] == 95
      while at < text.count, text[at] != 10 {
        let digit = digits[Int(text[at])]
        if digit != Self.none {
          group = group << 6 | UInt32(digit)
          bits += 6
          if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: group >> bits))
          }
        } else if text[at] == 61 {
          if bits == 6 { isCut = true }
          (bits, isPadded) = (0, true)
        } else if text[at] != 13 {
          isOdd = true
        }
        at += 1
      }
      // Of many short lines one may look like a word: that ends a text, and is no line like those before.
      let length = at - line.start
      let isOneOfMany = length == before.length && before.lines > 1 && !line.isPadded
      before = (length, length == before.length ? before.lines + 1 : 1)
      let mayBeWord = isText && length <= Line.wordMax && !isOneOfMany
      if line.isFirst, isOdd || mayBeWord {
        read.go(on: bytes[..<line.kept])
        var behind = read
        behind.go(on: bytes[...])
        let found = Line(
          text[line.start..<at], isBehindText: line.kept > 0, isBehindPadding: line.isPadded,
          saysBefore: !read.isBroken, says: !behind.isBroken && bytes.count > line.kept)
        if found.isWords {
          bytes.removeLast(bytes.count - line.kept)
          isCut = line.isCut
          if let last = bytes.last, last != 10 { bytes.append(10) }
          bytes += text[line.start...]
          return
        }
      }
      at += 1
    }
    if bits == 6 { isCut = true }
  }

  fileprivate static func isDigit(_ byte: UInt8) -> Bool { digits[Int(byte)] != none }
}

/// Whether bytes could be text: UTF-8 without controls. Each is looked at once.
private struct Reading {
  private(set) var isBroken = false
  private var at = 0
  /// Bytes of a letter that are still to come, and what the next one may be.
  private var left = 0
  private var next: ClosedRange<UInt8> = 0x80...0xBF

  mutating func go(on bytes: ArraySlice<UInt8>) {
    while at < bytes.endIndex, !isBroken {
      let byte = bytes[at]
      at += 1
      if left > 0 {
        isBroken = !next.contains(byte)
        (left, next) = (left - 1, 0x80...0xBF)
        continue
      }
      switch byte {
      // Line ends and tabs, and what ISO 2022 changes letters with.
      case 9, 10, 12, 13, 14, 15, 27, 32...126: break
      case 0xC2...0xDF: left = 1
      case 0xE0: (left, next) = (2, 0xA0...0xBF)
      case 0xED: (left, next) = (2, 0x80...0x9F)
      case 0xE1...0xEF: left = 2
      case 0xF0: (left, next) = (3, 0x90...0xBF)
      case 0xF4: (left, next) = (3, 0x80...0x8F)
      case 0xF1...0xF3: left = 3
      default: isBroken = true
      }
    }
  }
}

/// A line that begins where a group of digits ends.
private struct Line {
  private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

  /// Bytes of the longest line of nothing but digits that may be one word.
  static let wordMax = 40
  /// Bytes by which a line is judged.
  private static let bytesMax = 1_000

  /// Whether it was never base64.
  private(set) var isWords = false

  private var words = 0
  private var first: Bytes?
  /// Words with a digit or a letter of another alphabet in them, and how many of those have the form of words.
  private var lettered = 0
  private var written = 0
  private var digits = 0
  private var isOdd = false
  private var isRule = true
  private var hasLongDigits = false

  /// - Parameters:
  ///   - isBehindText: whether there is a line before it that says something.
  ///   - saysBefore: whether all before it could be text, or nothing is.
  ///   - says: whether its digits could be, then.
  init(
    _ line: Slice<UnsafeBufferPointer<UInt8>>, isBehindText: Bool, isBehindPadding: Bool,
    saysBefore: Bool, says: Bool
  ) {
    let line = line.prefix(Self.bytesMax)
    var rest = line
    while let start = rest.firstIndex(where: { !Self.isBlank($0) }) {
      let end = rest[start...].firstIndex(where: Self.isBlank) ?? rest.endIndex
      add(rest[start..<end])
      rest = rest[end...]
    }
    guard let first else {
      isWords = line.count { $0 == 42 } > 1
      return
    }
    if isRule {
      isWords = first.count > 1 || words > 1
      return
    }
    let isAllDigits = words == 1 && digits == first.count
    if says, digits >= (written < lettered || isAllDigits ? 4 : 8) { return }
    if words > 1 {
      if hasLongDigits { return }
      isWords =
        isBehindPadding || isOdd
        ? written > 0 && written * 2 >= lettered : saysBefore && written == words && digits >= 5
      return
    }
    if first.first == 60 || Self.hasScheme(first) {
      isWords = true
      return
    }
    guard isBehindText, written == 1, !first.contains(61) else { return }
    if isOdd {
      isWords = isBehindPadding || first.count >= 6
    } else if saysBefore {
      isWords = first.count >= (isBehindPadding ? 2 : 5)
    } else {
      // By chance a few digits are.
      isWords = first.count >= 8 || isBehindPadding && first.count % 4 != 0
    }
  }

  private mutating func add(_ marked: Bytes) {
    // A quotation's marks, and bars and stars beside, are no words.
    let word = Self.trimmed(marked) { $0 == 42 || $0 == 62 || $0 == 124 }
    guard !word.isEmpty else { return }
    words += 1
    if first == nil { first = word }
    let count = word.count(where: Base64Text.isDigit)
    digits += count
    if count < word.count, word.contains(where: { !Base64Text.isDigit($0) && $0 != 61 }) {
      isOdd = true
    }
    if count == word.count, count >= Self.wordMax { hasLongDigits = true }
    isRule = isRule && word.allSatisfy { $0 == 45 || $0 == 95 || $0 == 35 || $0 == 126 }
    if count > 0 || word.contains(where: { $0 >= 128 }) { lettered += 1 }
    if Self.isWord(word) { written += 1 }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

  private static func trimmed(_ word: Bytes, _ isBeside: (UInt8) -> Bool) -> Bytes {
    guard let start = word.firstIndex(where: { !isBeside($0) }),
      let end = word.lastIndex(where: { !isBeside($0) })
    else { return word.prefix(0) }
    return word[start...end]
  }

  private static func hasScheme(_ word: Bytes) -> Bool {
    var rest = word
    while let colon = rest.firstIndex(of: 58) {
      rest = rest[(colon + 1)...]
      if rest.starts(with: [47, 47]) { return true }
    }
    return false
  }

  /// `Lamp`, `LAMP`, `lamp` or `17`, or several with what stands between such: digits have no such form,
  /// but where they are few.
  private static func isWord(_ word: Bytes) -> Bool {
    var rest = trimmed(word) { $0 < 128 && !isLower($0) && !isUpper($0) && !isNumber($0) }
    guard !rest.isEmpty else { return false }
    while !rest.isEmpty {
      let part = rest.prefix { !isBetween($0) }
      rest = rest.dropFirst(part.count + 1)
      guard let first = part.first else { continue }
      if part.allSatisfy(isNumber) { continue }
      guard isLower(first) || isUpper(first),
        part.dropFirst().allSatisfy(isLower) || part.allSatisfy(isUpper)
      else { return false }
    }
    return true
  }

  /// `&`, `'`, `,`, `-`, `.`, `/`, `:`, `@`, `_`.
  private static func isBetween(_ byte: UInt8) -> Bool {
    switch byte {
    case 38, 39, 44...47, 58, 64, 95: true
    default: false
    }
  }

  private static func isLower(_ byte: UInt8) -> Bool { byte >= 97 && byte <= 122 || byte >= 128 }
  private static func isUpper(_ byte: UInt8) -> Bool { byte >= 65 && byte <= 90 || byte >= 128 }
  private static func isNumber(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
