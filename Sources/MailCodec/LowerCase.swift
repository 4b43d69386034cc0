/// Small letters for comparing.
public enum LowerCase {
  /// Each letter's own small one; a letter beyond ASCII never becomes one of ASCII, as `lowercased`
  /// makes `k` of U+212A KELVIN SIGN: two mailboxes would be one.
  public static func address(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let small = scalar.properties.lowercaseMapping.unicodeScalars
      if !scalar.isASCII, small.contains(where: \.isASCII) {
        out.append(scalar)
      } else {
        out.append(contentsOf: small)
      }
    }
    return String(out)
  }

  /// Words for looking them up: Turkish `İ` is an `i` and not an `i` with a second dot.
  static func words(_ text: ArraySlice<UInt8>) -> String {
    let small = String(decoding: text, as: UTF8.self).lowercased()
    guard small.unicodeScalars.contains("\u{307}") else { return small }
    var plain = String.UnicodeScalarView()
    for scalar in small.unicodeScalars where scalar != "\u{307}" { plain.append(scalar) }
    return String(plain)
  }
}
