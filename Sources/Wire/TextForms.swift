/// Bytes as text: hexadecimal, base64 (RFC 4648 §4 and §5) and Crockford's base32. Reading is
/// strict: what is not exactly the form is nil, never repaired.
public enum Hex {
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    // Concrete from here on: a generic walk costs more than the digits do.
    bytes.withContiguousStorageIfAvailable(encode) ?? Array(bytes).withUnsafeBufferPointer(encode)
  }

  private static func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { text in
      for (at, byte) in bytes.enumerated() {
        text[at * 2] = digit(byte >> 4)
        text[at * 2 + 1] = digit(byte & 15)
      }
      return bytes.count * 2
    }
  }

  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let utf8 = Array(text.utf8)
    guard utf8.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count / 2)
    var index = 0
    while index < utf8.count {
      guard let high = value(utf8[index]), let low = value(utf8[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
      index += 2
    }
    return bytes
  }

  public static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x61 + (value - 10)
  }
}

public enum Base64 {
  public enum Alphabet: Sendable { case standard, url }

  /// Padded for the standard alphabet, unpadded for the URL one.
  public static func encode(_ bytes: some Collection<UInt8>, _ alphabet: Alphabet = .standard)
    -> String
  {
    let digits = alphabet == .standard ? standardDigits : urlDigits
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var iterator = bytes.makeIterator()
    while let first = iterator.next() {
      let second = iterator.next()
      let third = second == nil ? nil : iterator.next()
      let group = UInt32(first) << 16 | UInt32(second ?? 0) << 8 | UInt32(third ?? 0)
      text.append(digits[Int(group >> 18 & 63)])
      text.append(digits[Int(group >> 12 & 63)])
      if second != nil { text.append(digits[Int(group >> 6 & 63)]) }
      if third != nil { text.append(digits[Int(group & 63)]) }
    }
    if alphabet == .standard { while text.count % 4 != 0 { text.append(0x3D) } }
    return String(decoding: text, as: UTF8.self)
  }

  /// Accepts padding only in the standard alphabet, and only the canonical form.
  public static func decode(_ text: some StringProtocol, _ alphabet: Alphabet = .standard)
    -> [UInt8]?
  {
    var digits = Array(text.utf8)
    if alphabet == .standard {
      guard digits.count % 4 == 0 else { return nil }
      var padding = 0
      while padding < 2, digits.last == 0x3D {
        digits.removeLast()
        padding += 1
      }
    }
    guard digits.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count * 3 / 4)
    var group: UInt32 = 0
    var bits: UInt32 = 0
    for digit in digits {
      guard let six = value(digit, alphabet) else { return nil }
      group = group << 6 | UInt32(six)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: group >> bits))
        group &= (1 << bits) - 1
      }
    }
    return group == 0 ? bytes : nil
  }

  private static func value(_ digit: UInt8, _ alphabet: Alphabet) -> UInt8? {
    switch digit {
    case 0x41...0x5A: digit - 0x41
    case 0x61...0x7A: digit - 0x61 + 26
    case 0x30...0x39: digit - 0x30 + 52
    case 0x2B: alphabet == .standard ? 62 : nil
    case 0x2F: alphabet == .standard ? 63 : nil
    case 0x2D: alphabet == .url ? 62 : nil
    case 0x5F: alphabet == .url ? 63 : nil
    default: nil
    }
  }

  private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
  private static let standardDigits = Array((letters + "+/").utf8)
  private static let urlDigits = Array((letters + "-_").utf8)
}
