/// Tags of languages (BCP 47). Bots and phone systems write `DE`, `pt_br` and `pt-BR` of the same thing.
public enum LanguageTag {
  private static let bytesMax = 35

  /// With hyphens and in the case that RFC 5646 §2.1.1 has; what is no tag, such as `German`, stays as
  /// it is.
  public static func canonical(_ text: String) -> String {
    guard text.utf8.count <= bytesMax else { return text }
    let parts = text.utf8.split(omittingEmptySubsequences: false) {
      $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    guard let first = parts.first, (2...3).contains(first.count), first.allSatisfy(isLetter),
      parts.allSatisfy({ (1...8).contains($0.count) && $0.allSatisfy(isLetterOrDigit) })
    else { return text }
    var isExtension = false
    let cased = parts.enumerated().map { at, part in
      let lower = String(decoding: part, as: UTF8.self).lowercased()
      defer { if part.count == 1 { isExtension = true } }
      if at == 0 || isExtension { return lower }
      switch part.count {
      case 2: return lower.uppercased()
      case 4 where part.allSatisfy(isLetter):
        return lower.prefix(1).uppercased() + lower.dropFirst()
      default: return lower
      }
    }
    return cased.joined(separator: "-")
  }

  /// Whether it begins as a tag does: with a language's code.
  public static func isTag(_ text: String) -> Bool {
    (2...3).contains(canonical(text).prefix { $0 != "-" }.utf8.count)
  }

  /// Whether a tag begins with two letters that are no language's code (ISO 639-1, with those that it
  /// had before).
  public static func isUnknown(_ text: String) -> Bool {
    let code = canonical(text).prefix { $0 != "-" }
    return code.utf8.count == 2 && !codes.contains(String(code))
  }

  private static let codes = Set(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
    ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
    lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
    rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr
    ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu in iw ji jw mo sh
    """.split(whereSeparator: \.isWhitespace).map(String.init))

  /// What somebody meant who writes a country's code for a language that has another.
  public static func meant(by text: String) -> String? {
    countries[canonical(text).prefix { $0 != "-" }.lowercased()]
  }

  private static let countries = [
    "at": "de", "cn": "zh", "cz": "cs", "dk": "da", "gb": "en", "gr": "el", "il": "he", "ir": "fa",
    "jp": "ja", "kh": "km", "mx": "es", "sp": "es", "ua": "uk", "us": "en", "vn": "vi",
  ]

  /// The tag, and what it is a kind of, the closest first: `pt-BR`, `pt` (RFC 4647 §3.4).
  public static func fallbacks(_ text: String) -> [String] {
    let tag = canonical(text)
    var parts = tag.split(separator: "-", omittingEmptySubsequences: false)
    var found = [tag]
    while parts.count > 1 {
      parts.removeLast()
      if parts.count > 1, parts.last?.utf8.count == 1 { parts.removeLast() }
      found.append(parts.joined(separator: "-"))
    }
    return found
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    isLetter(byte) || (0x30...0x39).contains(byte)
  }
}
