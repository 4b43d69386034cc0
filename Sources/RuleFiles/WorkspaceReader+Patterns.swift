import Expressions

/// What the patterns of a folder may take together: each is bounded by itself, and thousands of the
/// largest would keep a check busy for minutes.
extension WorkspaceReader {
  /// Before a pattern is read: what it takes is known only afterwards.
  func hasRoom(forPatternsOf text: String, _ section: Section) -> Bool {
    guard patternsLeft.size >= 0, patternsLeft.classes >= 0 else { return false }
    let classes = Expression.unicodeClasses(in: text)
    patternsLeft.classes -= classes
    if patternsLeft.classes < 0 { refusePatterns(section) }
    return patternsLeft.classes >= 0
  }

  /// Told once: what follows is not looked at.
  func refusePatterns(_ section: Section) {
    section.report(
      "with this condition the patterns of all rules are too large together: they may name \(Self.patternClassesMax) classes of Unicode, such as \\pL, and have \(Self.patternSizeMax) parts",
      hint: "compare with plain text, or write one pattern for several rules")
  }
  static let patternClassesMax = 1_000
  static let patternSizeMax = 4_000_000
}
