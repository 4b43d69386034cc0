/// A moment: milliseconds since 1970-01-01T00:00:00Z. The pure targets never read a clock; they are
/// told.
public struct Instant: Hashable, Sendable, Comparable {
  public var milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }
  public static func + (a: Instant, b: Duration64) -> Instant {
    let (sum, overflow) = a.milliseconds.addingReportingOverflow(b.milliseconds)
    return Instant(milliseconds: overflow ? (b.milliseconds > 0 ? .max : .min) : sum)
  }
  public static func - (a: Instant, b: Instant) -> Duration64 {
    let (difference, overflow) = a.milliseconds.subtractingReportingOverflow(b.milliseconds)
    return Duration64(milliseconds: overflow ? (a > b ? .max : .min) : difference)
  }

  public static let distantPast = Instant(milliseconds: .min)
  public static let distantFuture = Instant(milliseconds: .max)
}

/// A length of time in whole milliseconds. Named apart from Swift's `Duration`, which counts
/// attoseconds in 128 bits and costs accordingly.
public struct Duration64: Hashable, Sendable, Comparable {
  public var milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public static func milliseconds(_ n: Int64) -> Duration64 { Duration64(milliseconds: n) }
  public static func seconds(_ n: Int64) -> Duration64 {
    let (product, overflow) = n.multipliedReportingOverflow(by: 1_000)
    return Duration64(milliseconds: overflow ? (n > 0 ? .max : .min) : product)
  }
  public static func < (a: Duration64, b: Duration64) -> Bool { a.milliseconds < b.milliseconds }
  public static let zero = Duration64(milliseconds: 0)
}

extension Instant: CustomStringConvertible {
  /// RFC 3339 in UTC with milliseconds, such as `2026-11-25T21:25:53.120Z`. Years outside 0…9999
  /// are written as plain milliseconds, since RFC 3339 has no form for them.
  public var description: String {
    let dayMilliseconds: Int64 = 86_400_000
    let day =
      milliseconds >= 0
      ? milliseconds / dayMilliseconds : -((-(milliseconds + 1)) / dayMilliseconds) - 1
    guard day > -719_529, day < 2_932_897 else { return "\(milliseconds)ms" }
    let rest = milliseconds - day * dayMilliseconds
    let (year, month, dayOfMonth) = Self.civil(day)
    func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
    func padded(_ n: Int64, _ width: Int) -> String {
      let text = String(n)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(padded(year, 4))-\(two(month))-\(two(dayOfMonth))T\(two(rest / 3_600_000)):"
      + "\(two(rest / 60_000 % 60)):\(two(rest / 1_000 % 60)).\(padded(rest % 1_000, 3))Z"
  }

  /// Days since 1970-01-01 to a civil date, by Howard Hinnant's `civil_from_days`.
  static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
    )
  }
}

extension Instant {
  /// Reads RFC 3339, strictly: `2026-11-25T09:30:00Z`, with a fraction or an offset such as
  /// `+01:00`.
  public init?(rfc3339 text: String) {
    let utf8 = Array(text.utf8)
    func digits(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= utf8.count else { return nil }
      var value: Int64 = 0
      for byte in utf8[range] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      return value
    }
    func byte(_ index: Int, _ expected: Character...) -> Bool {
      index < utf8.count && expected.contains(Character(UnicodeScalar(utf8[index])))
    }
    guard let year = digits(0..<4), byte(4, "-"), let month = digits(5..<7), byte(7, "-"),
      let day = digits(8..<10),
      byte(10, "T", "t", " "), let hour = digits(11..<13), byte(13, ":"),
      let minute = digits(14..<16), byte(16, ":"),
      let second = digits(17..<19), hour < 24, minute < 60, second <= 60,
      (1...12).contains(month), day >= 1, day <= Self.days(year, month)
    else { return nil }
    var at = 19
    var fraction: Int64 = 0
    if byte(at, ".") {
      at += 1
      let start = at
      while at < utf8.count, utf8[at] >= 0x30, utf8[at] <= 0x39 { at += 1 }
      guard at > start else { return nil }
      for index in start..<(start + 3) {
        fraction = fraction * 10 + (index < at ? Int64(utf8[index] - 0x30) : 0)
      }
    }
    var offset: Int64 = 0
    if byte(at, "Z", "z") {
      at += 1
    } else {
      guard byte(at, "+", "-"), let hours = digits((at + 1)..<(at + 3)), byte(at + 3, ":"),
        let minutes = digits((at + 4)..<(at + 6)), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (utf8[at] == UInt8(ascii: "-") ? -1 : 1)
      at += 6
    }
    guard at == utf8.count else { return nil }
    let days = Self.daysFromCivil(year, month, day)
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
    self.init(milliseconds: seconds * 1_000 + fraction)
  }

  private static func days(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The inverse of `civil`, by Howard Hinnant's `days_from_civil`.
  static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
