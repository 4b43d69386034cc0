import CGMime

/// Text of any charset to UTF-8. What is said is tried first (by which name, and as what: see
/// `CharsetNames`), then UTF-8, then Windows-1252, as mail readers do.
///
/// What is UTF-8 by more than chance is that, whatever is said; and where something else got into it, or it
/// was cut, only that cannot be read.
enum Charsets {
  /// So many letters beyond ASCII are no chance, where nothing among them is not UTF-8.
  private static let lettersMin = 6

  static func text(_ bytes: UnsafeBufferPointer<UInt8>, _ charset: String?) -> String {
    let name = (charset ?? "").lowercased().filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
    let valid = String(validating: bytes, as: UTF8.self)
    if !CharsetNames.unicode.contains(name) {
      if let valid, letters(valid) >= lettersMin, !isWide(name) { return valid }
      if let text = converted(bytes, name) { return text }
    }
    if let valid { return valid }
    let read = replacing(bytes)
    let bad = max(0, marks(read.utf8) - marks(bytes))
    let good = letters(read) - bad
    if good > 0, good > bad || name.hasPrefix("utf") { return read }
    return convert(bytes, "CP1252") ?? read
  }

  private static func isWide(_ name: String) -> Bool {
    let name = CharsetNames.iconv(name) ?? name.uppercased()
    return name.hasPrefix("UTF-") || name.hasPrefix("UCS-")
  }

  /// Letters beyond ASCII: each begins with such a byte.
  private static func letters(_ text: String) -> Int { text.utf8.count { $0 >= 0xC0 } }

  /// U+FFFD, which is what cannot be read.
  private static func marks(_ bytes: some Sequence<UInt8>) -> Int {
    var (count, last, before): (Int, UInt8, UInt8) = (0, 0, 0)
    for byte in bytes {
      if byte == 0xBD, last == 0xBF, before == 0xEF { count += 1 }
      (before, last) = (last, byte)
    }
    return count
  }

  private static func converted(_ bytes: UnsafeBufferPointer<UInt8>, _ name: String) -> String? {
    let charset = CharsetNames.iconv(name) ?? name
    let other: (bytes: [UInt8]?, charset: String)
    switch charset {
    case "HZ": other = (SevenBitText.gb18030(hz: bytes), "GB18030")
    case "ISO-2022-JP-2": other = (SevenBitText.shiftJIS(iso2022: bytes), "CP932")
    case "EUC-JP-MS": other = (SevenBitText.shiftJIS(euc: bytes), "CP932")
    default: return convert(bytes, charset)
    }
    guard let same = other.bytes else { return convert(bytes, charset) }
    return same.withUnsafeBufferPointer { convert($0, other.charset) }
  }

  private static func replacing(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  private static func convert(_ bytes: UnsafeBufferPointer<UInt8>, _ charset: String) -> String? {
    guard !bytes.isEmpty else { return "" }
    var count = 0
    guard let text = tl_mime_to_utf8(bytes.baseAddress, bytes.count, charset, &count) else {
      return nil
    }
    defer { tl_mime_free_text(text) }
    return text.withMemoryRebound(to: UInt8.self, capacity: count) {
      String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
    }
  }

  static func latin(_ bytes: UnsafeBufferPointer<CChar>) -> String {
    var text = ""
    for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(UInt8(bitPattern: byte))) }
    return text
  }

  /// Decodes the encoded words of a display name.
  static func phrase(_ text: String) -> String {
    MimeMessage.clean(EncodedWordReader.decode(text))
  }
}
