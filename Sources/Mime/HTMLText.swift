import CXml2

/// HTML as plain text: quoted blocks behind `> `, signatures behind `-- `, so that what a person
/// wrote can be told from what they quoted by the same rules as in plain text.
public enum HTMLText {
  public static func plain(_ html: String, bytesMax: Int = 1_048_576) -> String {
    var html = html
    return html.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { raw in
        var count = 0
        guard let text = tl_html_to_text(raw.baseAddress, raw.count, bytesMax, &count) else {
          return ""
        }
        defer { tl_html_free(text) }
        return text.withMemoryRebound(to: UInt8.self, capacity: count) {
          String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
        }
      }
    }
  }
}
