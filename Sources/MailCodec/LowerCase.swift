/// Small letters for comparing addresses, so that no letter becomes another one's.
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
}
