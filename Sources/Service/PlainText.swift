/// Words of people as a terminal and a page of plain text show them. Whatever would move a cursor,
/// change colours or turn the order of the words is shown instead of obeyed, and no line break lets
/// words look like a line of ours.
public enum PlainText {
  /// In one line: a line break becomes a blank.
  public static func line(_ text: String) -> String {
    visible(
      text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        .joined(separator: " "))
  }

  /// In as many lines as there are, all but the first indented; empty ones go.
  public static func words(_ text: String, indent: Int) -> String {
    text.split(whereSeparator: \.isNewline).map { visible(String($0)) }
      .joined(separator: "\n" + String(repeating: " ", count: indent))
  }

  private static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isObeyed) else { return text }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isObeyed(scalar) { out += picture(of: scalar).unicodeScalars } else { out.append(scalar) }
    }
    return String(out)
  }

  private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
  }

  /// `␛` for what has a picture of its own (Unicode's Control Pictures), else `<U+202E>`; a tab is a
  /// blank.
  private static func picture(of scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0x09: return " "
    case 0x00...0x1F: return Unicode.Scalar(0x2400 + scalar.value).map { String($0) } ?? ""
    case 0x7F: return "\u{2421}"
    default:
      let hex = String(scalar.value, radix: 16, uppercase: true)
      return "<U+\(String(repeating: "0", count: max(0, 4 - hex.count)))\(hex)>"
    }
  }
}
