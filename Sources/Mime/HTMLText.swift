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
  /// Where links lead that are nothing but a picture, each in `<>` on a line of its own. They are the
  /// text where nothing else is.
  private(set) var links = ""
  /// Whether there is something in it that is no text: comments, styles, scripts, titles or pictures.
  private(set) var hides = false

  /// - Parameter isPart: whether this is the beginning of what there was: a style that does not end
  ///   is none that somebody forgot to end.
  public init(_ html: String, bytesMax: Int = 1_048_576, isPart: Bool = false) {
    var html = html
    html.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { raw in
        let read = tl_html_to_text(raw.baseAddress, raw.count, bytesMax, isPart ? 1 : 0)
        defer { tl_html_free(read) }
        (isCut, hides) = (read.is_cut != 0, read.hides != 0)
        text = Self.string(read.text, read.count)
        links = Self.string(read.links, read.links_count)
      }
    }
  }

  private static func string(_ text: UnsafeMutablePointer<CChar>?, _ count: Int) -> String {
    guard let text else { return "" }
    return text.withMemoryRebound(to: UInt8.self, capacity: count) {
      String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
    }
  }

  public static func plain(_ html: String) -> String { HTMLText(html).text }
}
