import CXml2

/// HTML as plain text: quoted blocks behind `> `, signatures behind `-- `, so that what a person
/// wrote can be told from what they quoted by the same rules as in plain text.
public struct HTMLText {
  /// The line that stands in `text` where HTML marks that all below is quoted. Told from one that somebody
  /// wrote by a letter that nobody sees.
  static let quoteMark = "-----Original Message-----\u{2063}"

  /// The line that stands in `text` where HTML marks that a signature is over, and words follow: of one
  /// letter that nobody sees.
  static let signatureEnd = "\u{2063}"

  public private(set) var text = ""
  /// Whether something of it is not in the text, or may not be.
  public private(set) var isCut = false

  public init(_ html: String, bytesMax: Int = 1_048_576) {
    var html = html
    html.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { raw in
        var count = 0
        var cut: Int32 = 0
        let read = tl_html_to_text(raw.baseAddress, raw.count, bytesMax, &count, &cut)
        isCut = cut != 0
        guard let read else { return }
        defer { tl_html_free(read) }
        text = read.withMemoryRebound(to: UInt8.self, capacity: count) {
          String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
        }
      }
    }
  }

  public static func plain(_ html: String) -> String { HTMLText(html).text }
}
