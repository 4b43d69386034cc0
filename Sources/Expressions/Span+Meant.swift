extension Span {
  /// What somebody meant who writes a length of time in words, or in days: `2 minutes`, `14d`,
  /// `1 hour 30 min`; nil where nobody knows.
  public static func meant(by text: String) -> String? {
    var rest = text.lowercased()[...]
    var seconds = 0
    while true {
      rest = rest.drop { $0 == " " || $0 == "," }
      if rest.isEmpty { break }
      let digits = rest.prefix { ("0"..."9").contains($0) }
      guard let number = Int(digits), digits.utf8.count <= 6 else { return nil }
      rest = rest.dropFirst(digits.count).drop { $0 == " " }
      let word = rest.prefix { ("a"..."z").contains($0) }
      guard let unit = units[String(word)] else { return nil }
      rest = rest.dropFirst(word.count)
      seconds += number * unit
    }
    guard seconds > 0 else { return nil }
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
    return parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
  }

  private static let units = [
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3_600, "hr": 3_600, "hrs": 3_600, "hour": 3_600, "hours": 3_600,
    "d": 86_400, "day": 86_400, "days": 86_400,
    "w": 604_800, "week": 604_800, "weeks": 604_800,
  ]
}
