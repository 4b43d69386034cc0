import Records

/// What a person types, as an expression of FTS5. Every word is quoted, so that nothing typed is an
/// operator.
enum SearchWords {
  /// nil when there is nothing to look for. `-without` alone finds nothing: it would be everything
  /// else.
  static func expression(_ typed: String) -> String? {
    var wanted: [String] = []
    var unwanted: [String] = []
    var rest = typed.prefix(1_000)[...]
    while wanted.count + unwanted.count < SearchQuery.wordsMax, let word = next(&rest) {
      let text = word.text.replacing("\"", with: " ").replacing("\0", with: " ")
      // What the tokenizer makes nothing of would be an empty phrase, which FTS5 takes for
      // "anything".
      guard text.unicodeScalars.contains(where: isTokenPart) else { continue }
      let quoted = "\"\(text)\"\(word.isBeginning ? "*" : "")"
      if word.isUnwanted { unwanted.append(quoted) } else { wanted.append(quoted) }
    }
    if wanted.isEmpty { return nil }
    let all = "({text} : (\(wanted.joined(separator: " AND "))))"
    return unwanted.isEmpty
      ? all : "(\(all) NOT ({text} : (\(unwanted.joined(separator: " OR ")))))"
  }

  /// As FTS5's `unicode61` has it: letters and numbers.
  private static func isTokenPart(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber,
      .letterNumber, .otherNumber, .privateUse:
      true
    default: false
    }
  }

  private struct Word {
    var text: String
    var isUnwanted = false
    var isBeginning = false
  }

  private static func next(_ rest: inout Substring) -> Word? {
    rest = rest.drop { $0.isWhitespace }
    guard let first = rest.first else { return nil }
    var word = Word(text: "")
    if first == "-" {
      word.isUnwanted = true
      rest = rest.dropFirst()
    }
    if rest.first == "\"" {
      rest = rest.dropFirst()
      let phrase = rest.prefix { $0 != "\"" }
      rest = rest.dropFirst(phrase.count + 1)
      word.text = String(phrase)
      return word
    }
    let typed = rest.prefix { !$0.isWhitespace && $0 != "\"" }
    rest = rest.dropFirst(typed.count)
    word.text = String(typed)
    if word.text.last == "*" {
      word.text.removeLast()
      word.isBeginning = true
    }
    return word
  }
}
