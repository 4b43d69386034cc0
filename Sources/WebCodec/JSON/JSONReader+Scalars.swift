import Wire

/// Strings and numbers.
extension JSONReader {
  public mutating func string() throws(JSONError) -> String {
    let (range, hasEscapes) = try stringRange()
    let inside = UnsafeRawBufferPointer(rebasing: bytes[range])
    if !hasEscapes { return Bytes.text(inside) }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(inside.count)
    try JSONEscapes.append(inside, base: range.lowerBound, to: &decoded)
    return String(decoding: decoded, as: UTF8.self)
  }

  /// A string of at most `max` bytes, escapes resolved.
  public mutating func string(maxBytes max: Int) throws(JSONError) -> String {
    _ = nextByte()
    let at = offset
    let text = try string()
    guard text.utf8.count <= max else {
      throw JSONError(.badValue("longer than \(max) bytes"), at: at)
    }
    return text
  }

  public mutating func int64() throws(JSONError) -> Int64 {
    let range = try numberRange()
    guard let value = parseInt(range) else {
      let isWhole = bytes[range].allSatisfy { Bytes.isDigit($0) || $0 == 0x2D }
      throw JSONError(
        isWhole ? .numberOutOfRange : .expected("a whole number"), at: range.lowerBound)
    }
    return value
  }

  public mutating func int(in allowed: ClosedRange<Int>) throws(JSONError) -> Int {
    _ = nextByte()
    let at = offset
    guard let value = Int(exactly: try int64()), allowed.contains(value) else {
      throw JSONError(.numberOutOfRange, at: at)
    }
    return value
  }

  public mutating func double() throws(JSONError) -> Double {
    let range = try numberRange()
    guard let value = Double(String(decoding: bytes[range], as: UTF8.self)), value.isFinite else {
      throw JSONError(.numberOutOfRange, at: range.lowerBound)
    }
    return value
  }

  /// Reads a string's extent: what stands between the quotes, checked in full.
  mutating func stringRange() throws(JSONError) -> (Range<Int>, hasEscapes: Bool) {
    guard nextByte() == 0x22 else { throw expected("a string") }
    let start = offset &+ 1
    var at = start
    var hasEscapes = false
    var isASCII = true
    while true {
      at = JSONScan.specialOrWide(bytes, from: at)
      guard at < bytes.count else { throw JSONError(.expected("the end of the string"), at: at) }
      let byte = bytes[at]
      if byte == 0x22 { break }
      if byte == 0x5C {
        hasEscapes = true
        at &+= 2
      } else if byte < 0x20 {
        throw JSONError(.controlInString, at: at)
      } else {
        isASCII = false
        at = JSONText.special(bytes, from: at)
      }
    }
    if !isASCII { try checkUTF8(start..<at) }
    if hasEscapes { try checkEscapes(start..<at) }
    offset = at &+ 1
    return (start..<at, hasEscapes)
  }

  private func checkUTF8(_ range: Range<Int>) throws(JSONError) {
    var check = UTF8Check()
    if let bad = check.feed(UnsafeRawBufferPointer(rebasing: bytes[range])) {
      throw JSONError(.invalidUTF8, at: range.lowerBound &+ bad)
    }
    if !check.isComplete { throw JSONError(.invalidUTF8, at: range.upperBound) }
  }

  private func checkEscapes(_ range: Range<Int>) throws(JSONError) {
    var decoded: [UInt8] = []
    try JSONEscapes.append(
      UnsafeRawBufferPointer(rebasing: bytes[range]), base: range.lowerBound, to: &decoded)
  }

  /// RFC 8259 §6: `[ "-" ] int [ frac ] [ exp ]`, no leading zero.
  mutating func numberRange() throws(JSONError) -> Range<Int> {
    _ = nextByte()
    let start = offset
    var at = start
    func digits() -> Int {
      let from = at
      while at < bytes.count, Bytes.isDigit(bytes[at]) { at &+= 1 }
      return at &- from
    }
    func take(_ byte: UInt8) -> Bool {
      guard at < bytes.count, bytes[at] == byte else { return false }
      at &+= 1
      return true
    }
    let isNegative = take(0x2D)
    if take(0x30) {
      if at < bytes.count, Bytes.isDigit(bytes[at]) { throw JSONError(.badNumber, at: at) }
    } else if digits() == 0 {
      throw isNegative ? JSONError(.badNumber, at: at) : expected("a number")
    }
    if take(0x2E), digits() == 0 { throw JSONError(.badNumber, at: at) }
    if take(0x65) || take(0x45) {
      _ = take(0x2B) || take(0x2D)
      if digits() == 0 { throw JSONError(.badNumber, at: at) }
    }
    offset = at
    return start..<at
  }

  /// nil when the number has a fraction or exponent, or is out of range.
  func parseInt(_ range: Range<Int>) -> Int64? {
    var value: Int64 = 0
    let isNegative = bytes[range.lowerBound] == 0x2D
    for index in (isNegative ? range.lowerBound &+ 1 : range.lowerBound)..<range.upperBound {
      guard Bytes.isDigit(bytes[index]) else { return nil }
      let digit = Int64(bytes[index] &- 48)
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) =
        isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }
}

enum JSONScan {
  /// As `JSONText.special`, but stops at a byte outside ASCII too.
  @inline(__always) static func specialOrWide(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int {
    var at = from
    while at &+ 8 <= bytes.count {
      let word = Bytes.word(bytes, at)
      let found =
        (word &- Bytes.lows &* 32 | word) & Bytes.highs
        | Bytes.zeros(word ^ Bytes.lows &* 0x22) | Bytes.zeros(word ^ Bytes.lows &* 0x5C)
      if found != 0 { break }
      at &+= 8
    }
    while at < bytes.count {
      let byte = bytes[at]
      if byte < 32 || byte == 0x22 || byte == 0x5C || byte >= 0x80 { return at }
      at &+= 1
    }
    return at
  }
}
