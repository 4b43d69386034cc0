/// What a message says to whoever reads it: its parts put together as a mail program shows them (RFC
/// 2046 §5.1). Of `multipart/alternative` one is shown, of any other multipart all, in their order: a
/// footer that a virus scanner or a list set behind the words is no alternative to them.
struct ShownText {
  /// A part that holds text which is shown and not attached.
  struct Part {
    /// Of HTML what `HTMLText` makes of it.
    var text: String
    var isHTML: Bool
    /// Where its pictures lead, and nothing else does, on a line each.
    var links = ""
    /// The multiparts around it, outermost first.
    var path: [Int]
    var isFlowed = false
  }

  private(set) var text = ""
  /// Alternatives that are not shown, where they say what the one that is does not: whole, or where
  /// they lead. And where pictures lead.
  private(set) var besides = ""
  private var links = ""
  private(set) var isFlowed = false
  private var isHTML = false

  /// - Parameter isAlternative: of the multiparts that paths name, by number.
  init(_ parts: [Part], isAlternative: (Int) -> Bool) {
    self.init(parts[...], level: 0, isAlternative, chooses: false)
    besides = Self.lines([besides, links])
  }

  private init() {}

  private init(_ part: Part) {
    (text, links, isHTML, isFlowed) = (part.text, part.links, part.isHTML, part.isFlowed)
  }

  private init(
    _ parts: ArraySlice<Part>, level: Int, _ isAlternative: (Int) -> Bool, chooses: Bool
  ) {
    var shown: [ShownText] = []
    var rest = parts
    while let first = rest.first {
      guard first.path.count > level else {
        shown.append(ShownText(first))
        rest.removeFirst()
        continue
      }
      let inner = first.path[level]
      let same = rest.prefix { $0.path.count > level && $0.path[level] == inner }
      shown.append(
        ShownText(same, level: level + 1, isAlternative, chooses: isAlternative(inner)))
      rest = rest.dropFirst(same.count)
    }
    self = chooses ? Self.chosen(shown) : Self.joined(shown)
  }

  private var isBlank: Bool { !text.contains { !$0.isWhitespace } }

  // MARK: - All of them

  private static func joined(_ all: [ShownText]) -> ShownText {
    let written = all.filter { !$0.isBlank }
    guard var whole = written.first ?? all.first else { return ShownText() }
    for next in written.dropFirst() {
      if !whole.text.hasSuffix("\n") { whole.text += "\n" }
      // HTML is paragraphs; text before and after a picture is one text.
      if whole.isHTML || next.isHTML { whole.text += "\n" }
      whole.text += next.text
      whole.isHTML = next.isHTML
    }
    whole.isHTML = all.contains(where: \.isHTML)
    whole.isFlowed = written.allSatisfy(\.isFlowed)
    whole.besides = Self.lines(all.map(\.besides))
    whole.links = Self.lines(all.map(\.links))
    return whole
  }

  private static func lines(_ texts: [String]) -> String {
    let written = texts.map { text in
      var text = text[...]
      while text.last?.isWhitespace == true { text.removeLast() }
      return String(text)
    }
    return written.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  // MARK: - One of them

  /// How much of the words of one alternative may stand in no other: pictures' names, smileys.
  private static let strayShare = 20

  /// The plain one, whose quotes are marked best; the HTML where that is the mail and the plain one
  /// only stands in for it: it is blank, a sentence about MIME, a first line. What is judged is what
  /// each says that the other does not, since that sentence is written in every language.
  private static func chosen(_ all: [ShownText]) -> ShownText {
    let written = all.filter { !$0.isBlank }
    guard written.count > 1 else { return written.first ?? all.first ?? ShownText() }
    let counted = written.map { (shown: $0, words: WordCount($0.text)) }
    let plain = richest(counted.filter { !$0.shown.isHTML })
    // The last is the best that the sender could make (RFC 2046 §5.1.4).
    let html = richest(counted.filter { $0.shown.isHTML }.reversed())
    guard var best = plain ?? html else { return ShownText() }
    if let plain, let html, prefersHTML(plain, html) { best = html }
    var chosen = best.shown
    let words = best.words
    let others = counted.filter { says($0.words, whatIsNotIn: words) }.map(\.shown.text)
    // Two renderings of the same words may not lead to the same.
    let led = [plain, html].compactMap { $0?.shown.text }.filter {
      $0 != chosen.text && !others.contains($0)
    }.map { LinkTargets.lines(of: $0, notIn: chosen.text) }
    chosen.besides = lines(written.map(\.besides) + others + led)
    if !chosen.isHTML, let html {
      chosen.links = LinkTargets.lines(of: html.shown.links, notIn: chosen.text)
    }
    return chosen
  }

  private typealias Counted = (shown: ShownText, words: WordCount)

  private static func richest(_ all: [Counted]) -> Counted? {
    var best: Counted?
    for one in all where one.words.count > best?.words.count ?? -1 { best = one }
    return best
  }

  private static func says(_ words: WordCount, whatIsNotIn other: WordCount) -> Bool {
    (words.count - words.common(with: other)) * strayShare > words.count
  }

  private static func prefersHTML(_ plain: Counted, _ html: Counted) -> Bool {
    guard says(html.words, whatIsNotIn: plain.words) else { return false }
    // Of what cannot be read, the other is shown.
    if html.shown.text.unicodeScalars.contains("\u{FFFD}"),
      !plain.shown.text.unicodeScalars.contains("\u{FFFD}")
    {
      return false
    }
    let common = html.words.common(with: plain.words)
    // Of a text in two versions the one that says more; of two texts the better form.
    guard common * 2 > min(html.words.count, plain.words.count) else { return true }
    let isOneWord = html.words.count - common == 1 && plain.words.count > common
    return html.words.count >= plain.words.count && !isOneWord
  }
}
