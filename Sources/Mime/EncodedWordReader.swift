import MailCodec
import Wire

/// Decodes RFC 2047 encoded words. Our own, since GMime 3.2.13 joins the base64 of neighbouring
/// words before decoding it, and so loses all that follows a padded one.
enum EncodedWordReader {
  private struct Word {
    var charset: String
    var bytes: [UInt8]
    var end: Int
  }

  /// - Shape: white space between two encoded words goes (§6.2); the bytes of neighbours in one
  ///   charset are joined before conversion, since some mailers cut inside a character. What is no
  ///   encoded word stays as it is.
  static func decode(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard text.utf8.count > 6, text.contains("=?") else { return text }
    var out: [UInt8] = []
    var at = 0
    var pending: Word?
    while at < bytes.count {
      if bytes[at] == 61, at + 1 < bytes.count, bytes[at + 1] == 63, let word = word(bytes, at) {
        if let last = pending, last.charset == word.charset {
          pending?.bytes += word.bytes
        } else {
          flush(&pending, into: &out)
          pending = word
        }
        at = word.end
        var next = at
        while next < bytes.count, bytes[next] == 32 || bytes[next] == 9 { next += 1 }
        if next + 1 < bytes.count, bytes[next] == 61, bytes[next + 1] == 63,
          self.word(bytes, next) != nil
        {
          at = next
        }
      } else {
        flush(&pending, into: &out)
        out.append(bytes[at])
        at += 1
      }
    }
    flush(&pending, into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  private static func flush(_ pending: inout Word?, into out: inout [UInt8]) {
    guard let word = pending else { return }
    out += word.bytes.withUnsafeBufferPointer { Charsets.text($0, word.charset) }.utf8
    pending = nil
  }

  /// `=?charset[*language]?B|Q?text?=` (RFC 2047 §2, RFC 2231 §5) at `start`; looks at a bounded
  /// stretch.
  private static func word(_ bytes: [UInt8], _ start: Int) -> Word? {
    let limit = min(bytes.count, start + 1_000)
    guard let first = bytes[(start + 2)..<limit].firstIndex(of: 63), first > start + 2,
      first - start < 80,
      first + 2 < limit, bytes[first + 2] == 63
    else { return nil }
    let body = first + 3
    var end = body
    while end + 1 < limit, !(bytes[end] == 63 && bytes[end + 1] == 61) {
      if bytes[end] == 63 { return nil }
      end += 1
    }
    guard end + 1 < limit else { return nil }
    let name = bytes[(start + 2)..<first].prefix { $0 != 42 }
    let charset = String(decoding: name, as: UTF8.self).lowercased()
    switch bytes[first + 1] | 32 {
    case 98: return Word(charset: charset, bytes: Base64Text(bytes[body..<end]).bytes, end: end + 2)
    case 113: return Word(charset: charset, bytes: quoted(bytes[body..<end]), end: end + 2)
    default: return nil
    }
  }

  private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    var at = text.startIndex
    while at < text.endIndex {
      let byte = text[at]
      if byte == 61, at + 2 < text.endIndex, let high = Hex.value(text[at + 1]),
        let low = Hex.value(text[at + 2])
      {
        out.append(high << 4 | low)
        at += 3
      } else {
        out.append(byte == 95 ? 32 : byte)
        at += 1
      }
    }
    return out
  }
}
