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
