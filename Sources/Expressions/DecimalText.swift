/// Doubles as decimal text, exactly: a double is a whole number times a power of two, so its
/// decimal expansion ends, and rounding it half to even is exact.
enum DecimalText {
  static func special(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return nil
  }

  /// The shortest digits that read back as the same double; with an exponent from 10^21 on, as JSON
  /// writers do, or from where it is said, and below 10^-4.
  static func shortest(_ value: Double, exponentFrom: Int = 21) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let (digits, point) = shortestDigits(value.magnitude)
    let sign = value.sign == .minus ? "-" : ""
    let exponent = point - 1
    if exponent < -4 || exponent >= exponentFrom {
      return sign + scientific(digits, exponent)
    }
    return sign + place(digits, point)
  }

  /// Without an exponent.
  static func plain(_ value: Double) -> String {
    let (digits, point) = shortestDigits(value.magnitude)
    return (value.sign == .minus ? "-" : "") + place(digits, point)
  }

  private static func scientific(_ digits: String, _ exponent: Int) -> String {
    let head = digits.prefix(1)
    let tail = digits.dropFirst()
    return head + (tail.isEmpty ? "" : "." + tail) + exponentText(exponent)
  }

  private static func exponentText(_ exponent: Int) -> String {
    let digits = String(exponent.magnitude)
    return "e" + (exponent < 0 ? "-" : "+") + (digits.utf8.count < 2 ? "0" : "") + digits
  }

  private static func place(_ digits: String, _ point: Int) -> String {
    if point <= 0 { return "0." + String(repeating: "0", count: -point) + digits }
    let count = digits.utf8.count
    if point >= count { return digits + String(repeating: "0", count: point - count) }
    return digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// Swift prints the shortest digits; only the form differs.
  private static func shortestDigits(_ value: Double) -> (digits: String, point: Int) {
    if value == 0 { return ("0", 1) }
    let parts = "\(value)".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var digits = Array((mantissa[0] + (mantissa.count > 1 ? mantissa[1] : "")).utf8)
    var point = mantissa[0].utf8.count + exponent
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    while digits.count > 1, digits.first == 0x30 {
      digits.removeFirst()
      point -= 1
    }
    return (String(decoding: digits, as: UTF8.self), point)
  }

  static func fixed(_ value: Double, _ precision: Int) -> String {
    let (digits, point) = exact(value.magnitude)
    let rounded = round(digits, point, keep: point + precision)
    var text = rounded.digits
    var at = rounded.point
    if at <= 0 {
      text = [UInt8](repeating: 0x30, count: 1 - at) + text
      at = 1
    }
    while text.count < at + precision { text.append(0x30) }
    let whole = String(decoding: text[..<at], as: UTF8.self)
    let part = String(decoding: text[at..<(at + precision)], as: UTF8.self)
    return (value.sign == .minus ? "-" : "") + whole + (precision > 0 ? "." + part : "")
  }

  static func scientific(_ value: Double, _ precision: Int) -> String {
    let (digits, point) = exact(value.magnitude)
    let rounded = round(digits, point, keep: precision + 1)
    var text = rounded.digits
    while text.count < precision + 1 { text.append(0x30) }
    let head = String(decoding: text[..<1], as: UTF8.self)
    let tail = String(decoding: text[1..<(precision + 1)], as: UTF8.self)
    let exponent = value == 0 ? 0 : rounded.point - 1
    return (value.sign == .minus ? "-" : "") + head + (precision > 0 ? "." + tail : "")
      + exponentText(exponent)
  }

  /// Rounds half to even to `keep` digits.
  private static func round(_ digits: [UInt8], _ point: Int, keep: Int) -> (
    digits: [UInt8], point: Int
  ) {
    guard keep < digits.count else { return (digits, point) }
    guard keep >= 0 else { return ([0x30], point - keep > 0 ? 1 : 1) }
    var kept = Array(digits[..<keep])
    let next = digits[keep]
    let rest = digits[(keep + 1)...].contains { $0 != 0x30 }
    let odd = (kept.last ?? 0x30) & 1 == 1
    guard next > 0x35 || (next == 0x35 && (rest || odd)) else {
      return kept.isEmpty ? ([0x30], 1) : (kept, point)
    }
    var at = keep - 1
    while at >= 0, kept[at] == 0x39 {
      kept[at] = 0x30
      at -= 1
    }
    if at >= 0 {
      kept[at] += 1
      return (kept, point)
    }
    return ([0x31] + kept, point + 1)
  }

  /// Every digit of a finite double, and where its point stands: 0.5 is "5" and 0.
  private static func exact(_ value: Double) -> (digits: [UInt8], point: Int) {
    if value == 0 { return ([0x30], 1) }
    var exponent = Int(value.exponentBitPattern) - 1_075
    var mantissa = value.significandBitPattern
    if value.exponentBitPattern == 0 { exponent = -1_074 } else { mantissa |= 1 << 52 }
    // Base 10^9 limbs, least first.
    var limbs: [UInt64] = [mantissa % 1_000_000_000, mantissa / 1_000_000_000]
    func multiply(_ factor: UInt64) {
      var carry: UInt64 = 0
      for at in limbs.indices {
        let product = limbs[at] * factor + carry
        limbs[at] = product % 1_000_000_000
        carry = product / 1_000_000_000
      }
      if carry > 0 { limbs.append(carry) }
    }
    var scale = 0
    // m · 2^-k is m · 5^k with the point k digits to the left.
    if exponent < 0 {
      scale = -exponent
      for _ in 0..<scale { multiply(5) }
    } else {
      for _ in 0..<exponent { multiply(2) }
    }
    var digits: [UInt8] = []
    for limb in limbs.reversed() { digits += Array(padded(Int64(limb), 9).utf8) }
    let total = digits.count
    let lead = digits.firstIndex { $0 != 0x30 } ?? 0
    return (Array(digits[lead...]), total - lead - scale)
  }
}
