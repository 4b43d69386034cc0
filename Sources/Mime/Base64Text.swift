/// Base64 as mail has it (RFC 2045 §6.8): what is no digit says nothing, a last group needs no `=`, and
/// behind one another group may begin. The digits of RFC 4648 §5 are read, too.
///
/// What a list or a scanner set as plain text behind it stays what it is: a line of several words, or a
/// rule, that begins where a group ends.
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

  init(_ text: some Collection<UInt8>) {
    let done: Void? = text.withContiguousStorageIfAvailable { decode($0) }
    if done == nil { Array(text).withUnsafeBufferPointer { decode($0) } }
  }

  private mutating func decode(_ text: UnsafeBufferPointer<UInt8>) {
    bytes.reserveCapacity(text.count / 4 * 3 + 3)
    let digits = Self.digits
    var (group, bits): (UInt32, UInt32) = (0, 0)
    var isPadded = false
    var at = 0
    while at < text.count {
      let line = (start: at, kept: bytes.count, isFirst: bits == 0, isPadded: isPadded)
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
      if isOdd, line.isFirst, Self.isWords(text[line.start..<at], behindPadding: line.isPadded) {
        bytes.removeLast(bytes.count - line.kept)
        if let last = bytes.last, last != 10 { bytes.append(10) }
        bytes += text[line.start...]
        return
      }
      at += 1
    }
    if bits == 6 { isCut = true }
  }

  /// Whether a line was never base64.
  private static func isWords(
    _ line: Slice<UnsafeBufferPointer<UInt8>>, behindPadding: Bool
  ) -> Bool {
    // A quotation's marks, and bars and stars beside, are no words.
    let words = line.split { [9, 13, 32, 42, 62, 124].contains($0) }
    if words.isEmpty { return line.count { $0 == 42 } > 1 }
    if words.count == 1 {
      return words[0].first == 60 || Array(words[0]).firstRange(of: "://".utf8) != nil
        || words[0].count >= 2 && words[0].allSatisfy { [45, 95, 35, 126].contains($0) }
    }
    if words.contains(where: { $0.count >= 40 && $0.allSatisfy { digits[Int($0)] != none } }) {
      return false
    }
    return words.count > 1
      && (behindPadding || words.contains { $0.contains { digits[Int($0)] == none && $0 != 61 } })
  }
}
