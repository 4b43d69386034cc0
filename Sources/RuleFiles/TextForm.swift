import Expressions
import PhoneNumbers
import Rules

/// What is known of a fact's text whatever the case is, since of what makes it only some texts come.
enum TextForm {
  /// One of these.
  case among([String])
  /// One of the addresses of ours that mail can come to.
  case addresses([String])
  /// One of the skills of the workspace: a bot that asks for another is refused.
  case skills([String])
  /// An address in lower case, without a name.
  case address
  /// What `lowerAscii()` and `upperAscii()` make.
  case lowerAscii, upperAscii
  /// A language's tag in the case that is usual, or what is no tag.
  case language
  /// A number in E.164, always.
  case number
  /// A number in E.164, or what is no number, such as an extension.
  case numberOrOther

  /// What is known of a fact in any workspace; nil for most.
  init?(of fact: Fact) {
    switch fact {
    case .mailFrom: self = .address
    case .callFrom: self = .number
    case .callTo: self = .numberOrOther
    case .conversationLanguage, .customerLanguage: self = .language
    default: return nil
    }
  }

  /// Why a text of this form never has this to do with another, and what may have been meant; nil
  /// where it may.
  func problem(_ text: String, _ relation: TextUse.Relation, defaultRegion: String) -> (
    form: String, hint: String?
  )? {
    switch self {
    case .among(let known):
      return Self.problem(text, relation, known).map { ("is one of a few texts", $0) }
    case .addresses(let known):
      return Self.problem(text, relation, known).map { ("holds `mail_addresses`", $0) }
    case .skills(let known):
      return Self.problem(text, relation, known).map {
        ("holds skills", known.isEmpty ? "skills.yaml has none" : $0)
      }
    case .address: return Self.problem(ofAddress: text)
    case .lowerAscii:
      guard text.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return nil }
      return ("has no capital letters", Self.hint(text, lowered: true))
    case .upperAscii:
      guard text.utf8.contains(where: { (0x61...0x7A).contains($0) }) else { return nil }
      return ("has no small letters", Self.hint(text, lowered: false))
    case .language:
      let tag = LanguageTag.canonical(text)
      guard relation == .equals, tag != text else { return nil }
      return ("is a language as `de` or `pt-BR`", "did you mean \"\(tag)\"?")
    case .number: return Self.problem(ofNumber: text, relation, true, defaultRegion)
    case .numberOrOther: return Self.problem(ofNumber: text, relation, false, defaultRegion)
    }
  }

  private static func problem(ofAddress text: String) -> (form: String, hint: String?)? {
    if text.contains("<") || text.contains(">") {
      let inner = text.split(separator: "<").last.map { $0.prefix { $0 != ">" } } ?? ""
      return (
        "is an address without a name",
        inner.contains("@") ? "did you mean \"\(inner.lowercased())\"?" : nil
      )
    }
    guard text.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return nil }
    return ("has no capital letters", "did you mean \"\(text.lowercased())\"?")
  }

  /// `lowerAscii()` and its like change A to Z alone.
  private static func hint(_ text: String, lowered: Bool) -> String {
    let whole = lowered ? text.lowercased() : text.uppercased()
    let left = text.first { letter in
      !letter.isASCII && (lowered ? letter.lowercased() : letter.uppercased()) != String(letter)
    }
    guard let left else { return "did you mean \"\(whole)\"?" }
    let isPlain = text.allSatisfy { $0.isLetter || $0.isNumber || $0 == " " }
    let other = isPlain ? ": `matches(\"(?i)\(text.lowercased())\")` takes both" : ""
    return "`\(lowered ? "lowerAscii" : "upperAscii")()` leaves `\(left)` as it is\(other)"
  }

  private static func problem(_ text: String, _ relation: TextUse.Relation, _ known: [String])
    -> String?
  {
    guard !known.contains(where: { holds($0, relation, text) }) else { return nil }
    return relation == .equals
      ? Spelling.hint(text: text, among: known)
      : "it is one of \(known.prefix(12).joined(separator: ", "))"
  }

  /// By their bytes, as conditions compare.
  private static func holds(_ text: String, _ relation: TextUse.Relation, _ part: String) -> Bool {
    let (text, part) = (Array(text.utf8), Array(part.utf8))
    return switch relation {
    case .equals: text == part
    case .startsWith: text.starts(with: part)
    case .endsWith: text.reversed().starts(with: part.reversed())
    case .contains: part.isEmpty || text.indices.contains { text[$0...].starts(with: part) }
    }
  }

  /// - Parameter isAlways: whether it is a number whatever was sent.
  private static func problem(
    ofNumber text: String, _ relation: TextUse.Relation, _ isAlways: Bool, _ region: String
  ) -> (form: String, hint: String?)? {
    let said = "is a number with its country, as +493012345678"
    let isWhole = text.hasPrefix("+")
    let isPlain = text.utf8.dropFirst(isWhole ? 1 : 0).allSatisfy { (0x30...0x39).contains($0) }
    if relation == .equals {
      let number = PhoneNumbers.e164(text, defaultRegion: region)
      guard number != text, isAlways || number != nil else { return nil }
      if let number {
        let asRead = isWhole || text.hasPrefix("00") ? "" : ", as it is read in \(region)"
        return (said, "did you mean \"\(number)\"\(asRead)?")
      }
      if !text.utf8.contains(where: { (0x30...0x39).contains($0) }) {
        return (said, "a number that is withheld is absent: `!has(call.from)`")
      }
      return (said, isWhole ? "nobody has that number" : "write it with its country")
    }
    guard isAlways else { return nil }
    switch relation {
    case .startsWith where !text.isEmpty && !(isWhole && isPlain):
      let other = text.hasPrefix("00") ? "did you mean \"+\(text.dropFirst(2))\"?" : nil
      return (said, other ?? "it begins with + and the country")
    case .endsWith where !isPlain, .contains where !isPlain:
      return (said, "it holds digits only, behind its +")
    default: return nil
    }
  }
}
