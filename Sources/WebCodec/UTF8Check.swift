/// Validates UTF-8 as it arrives, in any pieces, and knows the first bad byte at once (RFC 3629: no
/// overlong form, no surrogate, nothing past U+10FFFF).
public struct UTF8Check: Sendable, Equatable {
  /// Continuation bytes still owed, and what the next of them may be.
  private var owed: UInt8 = 0
  private var low: UInt8 = 0x80
  private var high: UInt8 = 0xBF

  public init() {}

  /// Whether the text could end here.
  public var isComplete: Bool { owed == 0 }

  /// Takes more bytes.
  /// - Returns: the offset of the first bad byte, or nil.
  public mutating func feed(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var at = 0
    while at < bytes.count {
      if owed == 0 {
        while at &+ 8 <= bytes.count, Bytes.word(bytes, at) & Bytes.highs == 0 { at &+= 8 }
        guard at < bytes.count else { return nil }
        let byte = bytes[at]
        if byte >= 0x80, !begin(byte) { return at }
      } else {
        let byte = bytes[at]
        if byte < low || byte > high { return at }
        owed &-= 1
        (low, high) = (0x80, 0xBF)
      }
      at &+= 1
    }
    return nil
  }

  private mutating func begin(_ byte: UInt8) -> Bool {
    switch byte {
    case 0xC2...0xDF: owed = 1
    case 0xE0: (owed, low) = (2, 0xA0)
    case 0xE1...0xEC, 0xEE...0xEF: owed = 2
    case 0xED: (owed, high) = (2, 0x9F)
    case 0xF0: (owed, low) = (3, 0x90)
    case 0xF1...0xF3: owed = 3
    case 0xF4: (owed, high) = (3, 0x8F)
    default: return false
    }
    return true
  }
}
