/// A moment to the nanosecond, from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
public struct Timestamp: Hashable, Sendable, Comparable {
  public let seconds: Int64
  public let nanoseconds: Int32

  static let secondsMin: Int64 = -62_135_596_800
  static let secondsMax: Int64 = 253_402_300_799

  /// - Returns: nil outside the range.
  public init?(seconds: Int64, nanoseconds: Int32 = 0) {
    guard (Self.secondsMin...Self.secondsMax).contains(seconds),
      (0..<1_000_000_000).contains(nanoseconds)
    else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// - Units: milliseconds since 1970. Saturates at the ends of the range.
  public init(milliseconds: Int64) {
    let seconds = floorDivide(milliseconds, 1_000)
    self.seconds = min(max(seconds, Self.secondsMin), Self.secondsMax)
    nanoseconds = self.seconds == seconds ? Int32(milliseconds - seconds * 1_000) * 1_000_000 : 0
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.seconds == b.seconds ? a.nanoseconds < b.nanoseconds : a.seconds < b.seconds
  }

  func adding(_ span: Span) -> Timestamp? {
    let sum = Span.carry(seconds + span.seconds, Int64(nanoseconds) + Int64(span.nanoseconds))
    return Timestamp(seconds: sum.0, nanoseconds: sum.1)
  }

  func subtracting(_ other: Timestamp) -> Span? {
    let rest = Span.carry(seconds - other.seconds, Int64(nanoseconds) - Int64(other.nanoseconds))
    // The difference must fit 64 bits of nanoseconds, as the reference implementation and its suite
    // say.
    let (scaled, overflow) = rest.0.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow, !scaled.addingReportingOverflow(Int64(rest.1)).overflow else { return nil }
    return Span(seconds: rest.0, nanoseconds: rest.1)
  }
}

/// A length of time to the nanosecond, at most 315,576,000,000 seconds either way (10,000 years).
///
/// `nanoseconds` is never negative: minus half a second is −1 s and +500,000,000 ns, which sorts by
/// itself.
public struct Span: Hashable, Sendable, Comparable {
  public let seconds: Int64
  public let nanoseconds: Int32

  static let secondsMax: Int64 = 315_576_000_000

  /// - Returns: nil outside the range.
  public init?(seconds: Int64, nanoseconds: Int32 = 0) {
    guard seconds >= -Self.secondsMax, seconds <= Self.secondsMax,
      (0..<1_000_000_000).contains(nanoseconds),
      seconds < Self.secondsMax || nanoseconds == 0
    else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.seconds == b.seconds ? a.nanoseconds < b.nanoseconds : a.seconds < b.seconds
  }

  var negated: Span? { Span.carried(-seconds, -Int64(nanoseconds)) }
  func adding(_ other: Span) -> Span? {
    Span.carried(seconds + other.seconds, Int64(nanoseconds) + Int64(other.nanoseconds))
  }
  func subtracting(_ other: Span) -> Span? {
    Span.carried(seconds - other.seconds, Int64(nanoseconds) - Int64(other.nanoseconds))
  }

  static func carry(_ seconds: Int64, _ nanoseconds: Int64) -> (Int64, Int32) {
    let over = floorDivide(nanoseconds, 1_000_000_000)
    return (seconds + over, Int32(nanoseconds - over * 1_000_000_000))
  }
  static func carried(_ seconds: Int64, _ nanoseconds: Int64) -> Span? {
    let sum = carry(seconds, nanoseconds)
    return Span(seconds: sum.0, nanoseconds: sum.1)
  }

  /// Whole units of so many seconds, towards zero.
  func whole(_ unit: Int64) -> Int64 {
    let towardsZero = seconds < 0 && nanoseconds > 0 ? seconds + 1 : seconds
    return towardsZero / unit
  }
  /// The milliseconds beyond the whole seconds, towards zero.
  var millisecondsPart: Int64 {
    if seconds < 0 && nanoseconds > 0 { return -Int64((1_000_000_000 - nanoseconds) / 1_000_000) }
    return Int64(nanoseconds / 1_000_000)
  }
}

func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
  let quotient = a / b
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient
}

/// A time zone as data: when each offset from UTC begins. Handed in, since the pure targets read no
/// files.
public struct ZoneTable: Sendable, Hashable {
  /// Seconds since 1970 at which `offsets[i + 1]` begins; ascending. `offsets[0]` holds before the
  /// first.
  public let starts: [Int64]
  public let offsets: [Int32]
  /// From `end` on everything comes again as in the `cycle` seconds before it.
  private let end: Int64
  private let cycle: Int64

  /// - Returns: nil unless there is one more offset than starts.
  public init?(
    starts: [Int64], offsets: [Int32], repeatsAfter end: Int64 = .max, every cycle: Int64 = 1
  ) {
    guard offsets.count == starts.count + 1, cycle > 0 else { return nil }
    self.starts = starts
    self.offsets = offsets
    self.end = end
    self.cycle = cycle
  }

  public static let utc = ZoneTable(fixed: 0)
  public init(fixed offset: Int32) {
    starts = []
    offsets = [offset]
    end = .max
    cycle = 1
  }

  /// Seconds east of UTC at that moment.
  public func offset(at seconds: Int64) -> Int32 {
    let seconds = seconds < end ? seconds : end - cycle + (seconds - end) % cycle
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return offsets[low]
  }
}

/// A date and time of day on some clock.
struct CivilTime {
  var year: Int64
  var month: Int64  // 1…12
  var day: Int64  // 1…31
  var hour: Int64
  var minute: Int64
  var second: Int64
  var dayOfYear: Int64  // 0…365
  var dayOfWeek: Int64  // 0 is Sunday

  init(seconds: Int64) {
    let days = floorDivide(seconds, 86_400)
    let rest = seconds - days * 86_400
    // Howard Hinnant's `civil_from_days`.
    let z = days + 719_468
    let era = floorDivide(z, 146_097)
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfMarchYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfMarchYear + 2) / 153
    month = shifted < 10 ? shifted + 3 : shifted - 9
    day = dayOfMarchYear - (153 * shifted + 2) / 5 + 1
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = rest / 3_600
    minute = rest / 60 % 60
    second = rest % 60
    dayOfYear = days - Self.days(year: year, month: 1, day: 1)
    dayOfWeek = floorModulo(days + 4, 7)
  }

  /// Days since 1970-01-01.
  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = floorDivide(y, 400)
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

func floorModulo(_ a: Int64, _ b: Int64) -> Int64 { a - floorDivide(a, b) * b }
