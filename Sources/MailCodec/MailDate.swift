/// The `Date` of a message (RFC 5322 §3.3, §4.3).
public enum MailDate {
  /// Milliseconds since 1970-01-01T00:00:00Z; nil when the text is no date.
  /// - Shape: `[Day,] 1 Mar 2011 18:02[:33] [+0530]`, comments anywhere, years of two or three
  ///   digits, zones by
  ///   name. A zone that says nothing (`Z`, military letters, `-0000`, none) counts as UTC (§4.3).
  public static func parse(_ text: String) -> Int64? {
    var words = Self.words(text)[...]
    if let first = words.first, Int(first) == nil { words.removeFirst() }
    guard words.count >= 4, let day = number(words.removeFirst()), (1...31).contains(day),
      let month = Self.month(words.removeFirst()), var year = number(words.removeFirst())
    else { return nil }
    // RFC 5322 §4.3: 00–49 are 2000–2049, 50–999 count from 1900.
    if year < 50 { year += 2_000 } else if year < 1_000 { year += 1_900 }
    guard (1_900...9_999).contains(year), day <= days(in: month, of: year) else { return nil }
    let clock = words.removeFirst().split(separator: ":", omittingEmptySubsequences: false).map(
      number)
    guard clock.count == 2 || clock.count == 3, let hour = clock[0], let minute = clock[1],
      hour < 24, minute < 60,
      let second = clock.count == 3 ? clock[2] : 0, second <= 60
    else { return nil }
    guard let offset = words.first.map(zone) ?? 0 else { return nil }
    let seconds =
      epochDay(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + min(second, 59) - offset
      * 60
    return Int64(seconds) * 1_000
  }

  /// Writes the date in UTC: `Tue, 1 Mar 2011 12:32:33 +0000`.
  public static func format(_ milliseconds: Int64) -> String {
    // Clamped to what four digits of a year can say.
    let seconds = min(max(milliseconds / 1_000, -2_208_988_800), 253_402_300_799)
    let shifted = seconds + 2_208_988_800
    var day = Int(shifted / 86_400)
    let rest = Int(shifted % 86_400)
    let weekday = weekdays[(day + 1) % 7]  // 1900-01-01 was a Monday
    var year = 1_900
    while day >= (isLeap(year) ? 366 : 365) {
      day -= isLeap(year) ? 366 : 365
      year += 1
    }
    var month = 1
    while day >= days(in: month, of: year) {
      day -= days(in: month, of: year)
      month += 1
    }
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return "\(weekday), \(day + 1) \(months[month - 1]) \(year) "
      + "\(two(rest / 3_600)):\(two(rest / 60 % 60)):\(two(rest % 60)) +0000"
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

  private static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word: [UInt8] = []
    var depth = 0
    for byte in text.utf8.prefix(200) {
      switch byte {
      case 40: depth += 1
      case 41: depth = max(depth - 1, 0)
      case _ where depth > 0: continue
      // Some mailers write `Tue,1 Mar 2011` and `1-Mar-2011`; a sign after a digit is a separator
      // only there.
      case 32, 9, 10, 13, 44:
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        word = []
      case 45 where words.count < 3 && !word.isEmpty:
        words.append(String(decoding: word, as: UTF8.self))
        word = []
      default: word.append(byte)
      }
    }
    if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
    return words
  }

  private static func number(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
      return nil
    }
    return Int(text)
  }

  private static func month(_ text: String) -> Int? {
    let short = text.prefix(3).lowercased()
    return months.firstIndex { $0.lowercased() == short }.map { $0 + 1 }
  }

  /// Minutes east of Greenwich; nil when it is no zone.
  private static func zone(_ text: String) -> Int? {
    if let sign = text.first, sign == "+" || sign == "-" {
      guard text.utf8.count == 5, let value = number(text.dropFirst()), value % 100 < 60 else {
        return nil
      }
      let minutes = value / 100 * 60 + value % 100
      guard minutes < 24 * 60 else { return nil }
      return sign == "-" ? -minutes : minutes
    }
    switch text.uppercased() {
    case "EDT": return -240
    case "EST", "CDT": return -300
    case "CST", "MDT": return -360
    case "MST", "PDT": return -420
    case "PST": return -480
    default: return text.utf8.allSatisfy { $0 | 32 >= 97 && $0 | 32 <= 122 } ? 0 : nil
    }
  }

  private static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: isLeap(year) ? 29 : 28
    default: 31
    }
  }

  /// Days since 1970-01-01, by Howard Hinnant's `days_from_civil`; years from 1900.
  private static func epochDay(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
