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
  private typealias Word = Slice<UnsafeBufferPointer<UInt8>>

  /// Bytes of the longest line of nothing but digits that may be one word.
  static let wordMax = 40

  /// Whether it was never base64.
  private(set) var isWords = false

  /// - Parameters:
  ///   - isBehindText: whether there is a line before it that says something.
  ///   - saysBefore: whether all before it could be text, or nothing is.
  ///   - says: whether its digits could be, then.
  init(
    _ line: Slice<UnsafeBufferPointer<UInt8>>, isBehindText: Bool, isBehindPadding: Bool,
    saysBefore: Bool, says: Bool
  ) {
    // A quotation's marks, and bars and stars beside, are no words.
    let words = line.split { [9, 13, 32].contains($0) }.map {
      Self.trimmed($0) { [42, 62, 124].contains($0) }
    }.filter { !$0.isEmpty }
    guard let first = words.first else {
      isWords = line.count { $0 == 42 } > 1
      return
    }
    if line.count >= 2, words.allSatisfy({ $0.allSatisfy { [45, 95, 35, 126].contains($0) } }) {
      isWords = first.count > 1 || words.count > 1
      return
    }
    let digits = line.count(where: Base64Text.isDigit)
    let lettered = words.filter { $0.contains { $0 >= 128 || Base64Text.isDigit($0) } }
    let written = lettered.filter(Self.isWord).count
    let isAllDigits = words.count == 1 && digits == first.count
    if says, digits >= (written < lettered.count || isAllDigits ? 4 : 8) { return }
    let isOdd = words.contains { $0.contains { !Base64Text.isDigit($0) && $0 != 61 } }
    if words.count > 1 {
      if words.contains(where: { $0.count >= Self.wordMax && $0.allSatisfy(Base64Text.isDigit) }) {
        return
      }
      isWords =
        isBehindPadding || isOdd
        ? written > 0 && written * 2 >= lettered.count
        : saysBefore && written == words.count && digits >= 5
      return
    }
    if first.first == 60 || Array(first).firstRange(of: "://".utf8) != nil {
      isWords = true
      return
    }
    guard isBehindText, !first.contains(61), written == 1 else { return }
    if isOdd {
      isWords = isBehindPadding || first.count >= 6
    } else if saysBefore {
      isWords = first.count >= (isBehindPadding ? 2 : 5)
    } else {
      // By chance a few digits are.
      isWords = first.count >= 8 || isBehindPadding && first.count % 4 != 0
    }
  }

  private static func trimmed(_ word: Word, _ isBeside: (UInt8) -> Bool) -> Word {
    guard let start = word.firstIndex(where: { !isBeside($0) }),
      let end = word.lastIndex(where: { !isBeside($0) })
    else { return word.prefix(0) }
    return word[start...end]
  }

  /// `Lamp`, `LAMP`, `lamp` or `17`, or several with what stands between such: digits have no such form,
  /// but where they are few.
  private static func isWord(_ word: Word) -> Bool {
    let inner = trimmed(word) { $0 < 128 && !isLetter($0) && !isNumber($0) }
    return !inner.isEmpty
      && inner.split { [38, 39, 44, 45, 46, 47, 58, 64, 95].contains($0) }.allSatisfy { part in
        if part.allSatisfy(isNumber) { return true }
        func isLower(_ byte: UInt8) -> Bool { byte >= 128 || byte >= 97 && byte <= 122 }
        func isUpper(_ byte: UInt8) -> Bool { byte >= 128 || byte >= 65 && byte <= 90 }
        return part.prefix(1).allSatisfy { isLower($0) || isUpper($0) }
          && (part.dropFirst().allSatisfy(isLower) || part.allSatisfy(isUpper))
      }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 32 >= 97 && byte | 32 <= 122 }
  private static func isNumber(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
