/// The charset that HTML says of itself, in a `meta` tag near its beginning: for a part whose
/// `Content-Type` says none (WHATWG HTML, "prescan a byte stream to determine its encoding").
enum HTMLCharset {
  /// Browsers look at 1024 bytes; programs of mail set styles before the tag.
  private static let bytesMax = 16 << 10

  static func said(in bytes: UnsafeBufferPointer<UInt8>) -> String? {
    let head = bytes.prefix(bytesMax).map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }
    var at = 0
    while let open = head[at...].firstIndex(of: 0x3C) {
      let tag = head[open...]
      if tag.starts(with: Array("<!--".utf8)) {
        guard let end = find("-->", in: head, from: open + 4) else { return nil }
        at = end + 3
        continue
      }
      let end = tag.firstIndex(of: 0x3E) ?? head.count
      if tag.starts(with: Array("<meta".utf8)),
        let name = charset(head[(open + 5)..<max(end, open + 5)])
      {
        // Who can read the tag reads one byte a letter.
        return name.hasPrefix("utf-16") || name.hasPrefix("utf-32") ? "utf-8" : name
      }
      at = min(end + 1, head.count)
    }
    return nil
  }

  /// `charset=x` by itself or inside of `content="text/html; charset=x"`.
  private static func charset(_ tag: ArraySlice<UInt8>) -> String? {
    let tag = Array(tag)
    guard let found = find("charset", in: tag, from: 0) else { return nil }
    var rest = tag[(found + 7)...].drop(while: isBlank)
    guard rest.first == 0x3D else { return nil }
    rest = rest.dropFirst().drop { isBlank($0) || $0 == 0x22 || $0 == 0x27 }
    let name = rest.prefix { !isBlank($0) && ![0x22, 0x27, 0x3B, 0x2F, 0x3E].contains($0) }
    return name.isEmpty || name.count > 64 ? nil : String(decoding: name, as: UTF8.self)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  private static func find(_ words: String, in bytes: [UInt8], from start: Int) -> Int? {
    let words = Array(words.utf8)
    guard start >= 0, bytes.count - start >= words.count else { return nil }
    return (start...(bytes.count - words.count)).first { bytes[$0...].starts(with: words) }
  }
}
