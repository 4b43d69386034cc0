/// Finding bytes in bytes.
enum TextSearch {
  /// The first place at or after `from`. UTF-8 never matches inside another code point.
  static func first(_ part: [UInt8], in text: [UInt8], from: Int) -> Int? {
    guard !part.isEmpty else { return from <= text.count ? from : nil }
    guard text.count >= part.count, from <= text.count - part.count else { return nil }
    let head = part[0]
    return text.withUnsafeBufferPointer { text in
      part.withUnsafeBufferPointer { part in
        var at = max(from, 0)
        while at + part.count <= text.count {
          if text[at] == head {
            var length = 1
            while length < part.count, text[at + length] == part[length] { length += 1 }
            if length == part.count { return at }
          }
          at += 1
        }
        return nil
      }
    }
  }

  static func first<T: Equatable>(_ part: [T], of text: [T], from: Int) -> Int? {
    guard !part.isEmpty else { return from <= text.count ? from : nil }
    var at = from
    while at + part.count <= text.count {
      if text[at] == part[0], text[at..<(at + part.count)].elementsEqual(part) { return at }
      at += 1
    }
    return nil
  }

  static func last<T: Equatable>(_ part: [T], of text: [T], from: Int) -> Int? {
    var at = min(from, text.count - part.count)
    while at >= 0 {
      if text[at..<(at + part.count)].elementsEqual(part) { return at }
      at -= 1
    }
    return nil
  }
}
