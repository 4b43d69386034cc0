/// JSON with keys in the order in which they are given, so that two runs print the same.
public indirect enum JsonText: Sendable {
  case null
  case bool(Bool)
  case int(Int)
  /// Any number as it is written.
  case number(String)
  case string(String)
  case array([JsonText])
  case object([(String, JsonText)])

  public var text: String {
    var out = ""
    write(into: &out)
    return out
  }

  private func write(into out: inout String) {
    switch self {
    case .null: out += "null"
    case .bool(let bool): out += bool ? "true" : "false"
    case .int(let int): out += String(int)
    case .number(let text): out += text
    case .string(let text): Self.write(text, into: &out)
    case .array(let elements):
      out += "["
      for (at, element) in elements.enumerated() {
        if at > 0 { out += "," }
        element.write(into: &out)
      }
      out += "]"
    case .object(let members):
      out += "{"
      for (at, member) in members.enumerated() {
        if at > 0 { out += "," }
        Self.write(member.0, into: &out)
        out += ":"
        member.1.write(into: &out)
      }
      out += "}"
    }
  }

  static func write(_ text: String, into out: inout String) {
    out += "\""
    defer { out += "\"" }
    // Most need nothing but to be copied.
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
      out += text
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      // YAML, which reads this too, takes U+0085, U+2028 and U+2029 for ends of lines and refuses
      // the others.
      case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}",
        "\u{FFFF}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
  }
}
