import Yams

/// Where YAML reads something else than its author meant: conditions are full of its own signs.
enum YamlPitfalls {
  static let quote =
    "in YAML some signs mean something of their own: write the condition on the next line, after `when: |-`, or put it in quotes"

  /// What to say beside an error of YAML's own on this line.
  static func hint(_ file: SourceText, _ number: Int, _ column: Int, _ problem: String)
    -> String?
  {
    if isCondition(file, number) { return quote }
    guard problem.contains("mapping values are not allowed") else { return nil }
    // A second colon on the line stands in a text; the first is a key's, which is out of place.
    let before = file.line(number).unicodeScalars.prefix(max(0, column - 1))
    return before.contains(":")
      ? "a text with `: ` in it stands in quotes" : "keys of one mapping begin in the same column"
  }

  /// Whether the line is, or goes on, a `when` with its condition on the same line and no quotes
  /// around it.
  private static func isCondition(_ file: SourceText, _ number: Int) -> Bool {
    for line in stride(from: number, through: max(1, number - linesMax), by: -1) {
      guard let (key, value) = pair(file.line(line)) else { continue }
      return key == "when" && !"|>".contains(value.first ?? "|")
    }
    return false
  }
  private static let linesMax = 20

  /// `key: value` of a line, without the dash of a list before it; nil where it begins with no key.
  private static func pair(_ line: String) -> (key: Substring, value: Substring)? {
    var rest = line.drop { $0 == " " }
    while rest.hasPrefix("- ") { rest = rest.dropFirst(2).drop { $0 == " " } }
    let key = rest.prefix { $0.isLetter || $0 == "_" }
    let behind = rest.dropFirst(key.count)
    guard !key.isEmpty, behind.first == ":" else { return nil }
    let value = behind.dropFirst()
    return value.isEmpty || value.first == " " ? (key, value.drop { $0 == " " }) : nil
  }

  /// The tag that YAML makes of a condition that begins with `!`.
  static func tag(_ section: Section) -> String? {
    // `!!str` says what it is anyway.
    guard let tag = section.node.scalar?.tag.rawValue, !tag.isEmpty, tag != Tag.Name.str.rawValue
    else { return nil }
    let line = section.file.line(section.line).unicodeScalars.dropFirst(section.column - 1)
    return String(String.UnicodeScalarView(line.prefix { $0 != " " }))
  }

  /// Whether YAML takes the end of a plain text's line for a comment.
  static func isCutByComment(_ section: Section) -> Bool {
    guard let scalar = section.node.scalar, scalar.style == .plain else { return false }
    let line = section.file.line(section.line)
    guard let text = line.range(of: scalar.string) else { return false }
    return line[text.upperBound...].drop { $0 == " " }.first == "#"
  }

  // MARK: - Places

  /// Where a key stands for the second time in its mapping.
  ///
  /// - Parameter first: where it stands first.
  static func second(_ key: String, _ file: SourceText, _ first: Mark) -> (line: Int, column: Int)?
  {
    for line in (first.line + 1)..<max(first.line + 1, file.lines.count + 1) {
      let scalars = Array(file.line(line).unicodeScalars)
      guard let indent = scalars.firstIndex(where: { $0 != " " }), scalars[indent] != "#" else {
        continue
      }
      if indent < first.column - 1 { break }
      if indent == first.column - 1, names(key, scalars, indent) { return (line, indent + 1) }
    }
    return secondInBraces(key, file, first)
  }

  private static func secondInBraces(_ key: String, _ file: SourceText, _ first: Mark) -> (
    line: Int, column: Int
  )? {
    var depth = 1
    for line in first.line..<max(first.line, min(file.lines.count + 1, first.line + linesMax)) {
      let scalars = Array(file.line(line).unicodeScalars)
      for at in scalars.indices where line > first.line || at >= first.column {
        switch scalars[at] {
        case "{", "[": depth += 1
        case "}", "]": depth -= 1
        default:
          let before = at > 0 ? scalars[at - 1] : " "
          guard depth == 1, before == " " || before == ",", names(key, scalars, at) else {
            continue
          }
          return (line, at + 1)
        }
        if depth == 0 { return nil }
      }
    }
    return nil
  }

  private static func names(_ key: String, _ scalars: [Unicode.Scalar], _ at: Int) -> Bool {
    let wanted = Array(key.unicodeScalars)
    guard at + wanted.count < scalars.count, Array(scalars[at..<(at + wanted.count)]) == wanted
    else { return false }
    return scalars[at + wanted.count] == ":"
  }

  /// The first character that no YAML holds.
  static func control(_ file: SourceText) -> (line: Int, column: Int)? {
    for (number, line) in file.lines.enumerated() {
      for (column, scalar) in line.unicodeScalars.enumerated() {
        switch scalar.value {
        case 0..<0x09, 0x0B, 0x0C, 0x0E..<0x20, 0x7F, 0x80..<0xA0, 0xFFFE, 0xFFFF:
          return (number + 1, column + 1)
        default: continue
        }
      }
    }
    return nil
  }

  /// What stands before the first byte that is no UTF-8.
  static func validPrefix(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var (decoder, rest, count) = (UTF8(), bytes.makeIterator(), 0)
    while case .scalarValue(let scalar) = decoder.decode(&rest) { count += UTF8.width(scalar) }
    return Array(bytes.prefix(count))
  }
}
