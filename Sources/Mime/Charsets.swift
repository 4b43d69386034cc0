import CGMime

/// Text of any charset to UTF-8. What is said is tried first, then UTF-8, then Windows-1252, as
/// mail readers do.
enum Charsets {
  static func text(_ bytes: UnsafeBufferPointer<UInt8>, _ charset: String?) -> String {
    let name = (charset ?? "utf-8").lowercased()
    switch name {
    case "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "default", "":
      return String(validating: bytes, as: UTF8.self) ?? convert(bytes, "windows-1252")
        ?? replacing(bytes)
    // Those who say Latin-1 send Windows-1252 (WHATWG Encoding says the same).
    case "iso-8859-1", "latin1": return convert(bytes, "windows-1252") ?? replacing(bytes)
    default:
      return convert(bytes, name) ?? String(validating: bytes, as: UTF8.self) ?? convert(
        bytes, "windows-1252")
        ?? replacing(bytes)
    }
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
