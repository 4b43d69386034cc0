/// Time as text: RFC 3339 for timestamps, `1h30m0.5s` for spans, `+02:00` for fixed zones.
extension Timestamp: CustomStringConvertible {
  /// Strict RFC 3339 §5.6; `T` and `Z` in either case. Nil for another form or a date that does not
  /// exist.
  public init?(_ text: String) {
    var scan = Digits(Array(text.utf8))
    guard let year = scan.number(4), scan.take("-"), let month = scan.number(2), scan.take("-"),
      let day = scan.number(2), scan.take("T") || scan.take("t"), let hour = scan.number(2),
      scan.take(":"),
      let minute = scan.number(2), scan.take(":"), let second = scan.number(2),
      (1...12).contains(month), (1...CivilTime.daysIn(month: month, year: year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var nanoseconds: Int32 = 0
    if scan.take(".") {
      guard let fraction = scan.fraction() else { return nil }
      nanoseconds = fraction
    }
    var offset: Int64 = 0
    if !(scan.take("Z") || scan.take("z")) {
      guard let zone = scan.offset(signRequired: true) else { return nil }
      offset = zone
    }
    guard scan.isAtEnd else { return nil }
    let days = CivilTime.days(year: year, month: month, day: day)
    self.init(
      seconds: days * 86_400 + hour * 3_600 + minute * 60 + second - offset,
      nanoseconds: nanoseconds)
  }

  public var description: String {
    let civil = CivilTime(seconds: seconds)
    return "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))T"
      + "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2))"
      + "\(fractionText(nanoseconds))Z"
  }
}

extension Span: CustomStringConvertible {
  /// Signed numbers with units `h m s ms us µs ns`, such as `1h30m` or `-1.5s`; `0` alone needs no
  /// unit.
  public init?(_ text: String) {
    var scan = Digits(Array(text.utf8))
    let negative = scan.take("-")
    if !negative { _ = scan.take("+") }
    if scan.rest == [0x30] {
      self.init(seconds: 0)
      return
    }
    guard !scan.isAtEnd else { return nil }
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    while !scan.isAtEnd {
      guard let part = scan.durationPart() else { return nil }
      // Each part is bounded by the reader, so these sums cannot overflow before the range check.
      let sum = Span.carry(seconds + part.seconds, nanoseconds + part.nanoseconds)
      seconds = sum.0
      nanoseconds = Int64(sum.1)
      guard seconds <= Span.secondsMax else { return nil }
    }
    guard
      let made = Span.carried(negative ? -seconds : seconds, negative ? -nanoseconds : nanoseconds)
    else { return nil }
    self = made
  }

  /// Seconds with a fraction, such as `5400s` or `-0.5s`.
  public var description: String {
    let negative = seconds < 0
    let whole = negative && nanoseconds > 0 ? seconds + 1 : seconds
    let part = negative && nanoseconds > 0 ? 1_000_000_000 - nanoseconds : nanoseconds
    return "\(negative ? "-" : "")\(whole.magnitude)\(fractionText(part))s"
  }
}

extension ZoneTable {
  /// A fixed offset written as `+02:00`, `-02:30` or `02:00`.
  public init?(offsetText text: String) {
    var scan = Digits(Array(text.utf8))
    guard let offset = scan.offset(signRequired: false), scan.isAtEnd,
      let small = Int32(exactly: offset)
    else { return nil }
    self.init(fixed: small)
  }
}

func padded(_ number: Int64, _ width: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}

/// `.5`, `.25`, and nothing for zero.
private func fractionText(_ nanoseconds: Int32) -> String {
  guard nanoseconds != 0 else { return "" }
  var digits = padded(Int64(nanoseconds), 9)
  while digits.hasSuffix("0") { digits.removeLast() }
  return "." + digits
}

/// A cursor over ASCII that reads bounded numbers.
private struct Digits {
  let bytes: [UInt8]
  var at = 0
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { at >= bytes.count }
  var rest: ArraySlice<UInt8> { bytes[at...] }

  mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - at >= count else { return false }
    for index in 0..<count where bytes[at + index] != text.utf8Start[index] { return false }
    at += count
    return true
  }

  mutating func digit() -> Int64? {
    guard at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 else { return nil }
    defer { at += 1 }
    return Int64(bytes[at] - 0x30)
  }

  mutating func number(_ width: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Nanoseconds from one to nine digits after the point; further digits are refused.
  mutating func fraction() -> Int32? {
    var value: Int64 = 0
    var count = 0
    while let digit = digit() {
      count += 1
      guard count <= 9 else { return nil }
      value = value * 10 + digit
    }
    guard count > 0 else { return nil }
    for _ in count..<9 { value *= 10 }
    return Int32(value)
  }

  mutating func offset(signRequired: Bool) -> Int64? {
    let negative = take("-")
    if !negative, !take("+"), signRequired { return nil }
    guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60 else {
      return nil
    }
    let seconds = hours * 3_600 + minutes * 60
    return negative ? -seconds : seconds
  }

  /// One number with its unit.
  mutating func durationPart() -> (seconds: Int64, nanoseconds: Int64)? {
    var whole: Int64 = 0
    var digits = 0
    while let digit = digit() {
      digits += 1
      // 10^18 nanoseconds is the most that any unit needs.
      guard digits <= 18 else { return nil }
      whole = whole * 10 + digit
    }
    var fraction: Int64 = 0
    var scale: Int64 = 1
    if take(".") {
      while let digit = digit() {
        digits += 1
        if scale < 1_000_000_000 {
          fraction = fraction * 10 + digit
          scale *= 10
        }
      }
    }
    guard digits > 0, let unit = unit() else { return nil }
    // `fraction` is less than `scale`, so the quotient is less than `unit` and fits.
    let part = scale.dividingFullWidth(fraction.multipliedFullWidth(by: unit)).quotient
    if unit >= 1_000_000_000 {
      let (seconds, over) = whole.multipliedReportingOverflow(by: unit / 1_000_000_000)
      guard !over, seconds <= Span.secondsMax else { return nil }
      let sum = Span.carry(seconds, part)
      return (sum.0, Int64(sum.1))
    }
    let perSecond = 1_000_000_000 / unit
    return (whole / perSecond, whole % perSecond * unit + part)
  }

  /// - Units: nanoseconds.
  private mutating func unit() -> Int64? {
    if take("ns") { return 1 }
    if take("us") || take("µs") || take("μs") { return 1_000 }
    if take("ms") { return 1_000_000 }
    if take("s") { return 1_000_000_000 }
    if take("m") { return 60_000_000_000 }
    if take("h") { return 3_600_000_000_000 }
    return nil
  }
}
