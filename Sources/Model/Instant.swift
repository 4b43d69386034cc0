/// A moment: milliseconds since 1970-01-01T00:00:00Z. The pure targets never read a clock; they are told.
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

/// A length of time in whole milliseconds. Named apart from Swift's `Duration`, which counts attoseconds in
/// 128 bits and costs accordingly.
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
  /// RFC 3339 in UTC with milliseconds, such as `2026-11-25T21:25:53.120Z`. Years outside 0…9999 are written
  /// as plain milliseconds, since RFC 3339 has no form for them.
  public var description: String {
    let dayMilliseconds: Int64 = 86_400_000
    let day = milliseconds >= 0 ? milliseconds / dayMilliseconds : -((-(milliseconds + 1)) / dayMilliseconds) - 1
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
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}
