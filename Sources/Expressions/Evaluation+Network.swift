/// The network, encoder and regular expression extensions.
extension Evaluation {
  mutating func network(_ function: Function, _ arguments: [Value]) -> Value? {
    switch function {
    case .regexReplace, .regexExtract, .regexExtractAll: return regex(function, arguments)
    case .base64Encode, .base64Decode: return base64(function, arguments)
    default: break
    }
    for argument in arguments.prefix(2) where !meter.spend(comparing: argument) {
      return Self.spent
    }
    switch (arguments.first, arguments.count) {
    case (.string(let text)?, 1): return parse(function, text)
    case (.ip(let address)?, 1): return part(function, address)
    case (.cidr(let prefix)?, _): return part(function, prefix, arguments)
    default: return nil
    }
  }

  private func parse(_ function: Function, _ text: String) -> Value? {
    switch function {
    case .isIP: return .bool(NetworkAddress(text) != nil)
    case .isCIDR: return .bool(NetworkPrefix(text) != nil)
    case .ip, .isCanonical:
      guard let address = NetworkAddress(text) else {
        if text.utf8.contains(UInt8(ascii: "%")) {
          return .fault(.conversion, "IP Address with zone value is not allowed")
        }
        return .fault(.conversion, "IP Address '\(text)' parse error during conversion from string")
      }
      return function == .ip ? .ip(address) : .bool(sameText(address.text, text))
    case .cidr:
      guard let prefix = NetworkPrefix(text) else {
        if text.utf8.contains(UInt8(ascii: "%")) {
          return .fault(.conversion, "CIDR with zone value is not allowed")
        }
        return .fault(.conversion, "network address parse error during conversion from string")
      }
      return .cidr(prefix)
    default: return nil
    }
  }

  private func part(_ function: Function, _ address: NetworkAddress) -> Value? {
    switch function {
    case .ip: .ip(address)
    case .family: .int(address.plain.count == 4 && address.isFour ? 4 : 6)
    case .isUnspecified: .bool(address.isUnspecified)
    case .isLoopback: .bool(address.isLoopback)
    case .isGlobalUnicast: .bool(address.isGlobalUnicast)
    case .isLinkLocalMulticast: .bool(address.isLinkLocalMulticast)
    case .isLinkLocalUnicast: .bool(address.isLinkLocalUnicast)
    default: nil
    }
  }

  private func part(_ function: Function, _ prefix: NetworkPrefix, _ arguments: [Value]) -> Value? {
    switch (function, arguments.count) {
    case (.cidr, 1): return .cidr(prefix)
    case (.ip, 1): return .ip(prefix.address)
    case (.masked, 1): return .cidr(prefix.masked)
    case (.isMask, 1): return .bool(prefix.address.bytes == prefix.masked.address.bytes)
    case (.prefixLength, 1): return .int(Int64(prefix.length))
    case (.containsIP, 2):
      if case .ip(let address) = arguments[1] { return .bool(prefix.contains(address)) }
      guard case .string(let text) = arguments[1] else { return nil }
      let parsed = parse(.ip, text)
      if case .ip(let address)? = parsed { return .bool(prefix.contains(address)) }
      return parsed
    case (.containsCIDR, 2):
      if case .cidr(let other) = arguments[1] { return .bool(prefix.contains(other)) }
      guard case .string(let text) = arguments[1] else { return nil }
      let parsed = parse(.cidr, text)
      if case .cidr(let other)? = parsed { return .bool(prefix.contains(other)) }
      return parsed
    default: return nil
    }
  }

  private mutating func base64(_ function: Function, _ arguments: [Value]) -> Value? {
    guard arguments.count == 1 else { return nil }
    switch (function, arguments[0]) {
    case (.base64Encode, .bytes(let bytes)):
      return meter.spend(bytes: bytes.count) ? .string(Base64.encode(bytes)) : Self.spent
    case (.base64Decode, .string(let text)):
      guard meter.spend(bytes: text.utf8.count) else { return Self.spent }
      return Base64.decode(text).map(Value.bytes) ?? .fault(.conversion, "this is not base64")
    default: return nil
    }
  }

  private mutating func regex(_ function: Function, _ arguments: [Value]) -> Value? {
    guard arguments.count >= 2, case .string(let text) = arguments[0],
      case .string(let source) = arguments[1]
    else { return nil }
    let pattern: Pattern
    switch self.pattern(source) {
    case .success(let made): pattern = made
    case .failure(let failure): return failure.value
    }
    guard meter.spend(pattern.matchCost(bytes: text.utf8.count)) else { return Self.spent }
    let bytes = Array(text.utf8)
    switch (function, arguments.count) {
    case (.regexExtract, 2):
      guard pattern.groups <= 1 else {
        return .fault(.invalidArgument, "the pattern has more than one group")
      }
      guard let found = pattern.match(bytes, from: 0) else { return .optional(.none) }
      // As cel-go has it: a group that took nothing is none.
      guard let range = found[pattern.groups], pattern.groups == 0 || !range.isEmpty else {
        return .optional(.none)
      }
      return .optional(OptionalValue(.string(String(decoding: bytes[range], as: UTF8.self))))
    case (.regexExtractAll, 2):
      guard pattern.groups <= 1 else {
        return .fault(.invalidArgument, "the pattern has more than one group")
      }
      var parts: [Value] = []
      guard
        eachMatch(
          pattern, bytes, limit: .max,
          { found in
            if let range = found[pattern.groups], pattern.groups == 0 || !range.isEmpty {
              parts.append(.string(String(decoding: bytes[range], as: UTF8.self)))
            }
            return true
          })
      else { return Self.spent }
      return .list(parts)
    case (.regexReplace, 3), (.regexReplace, 4): return replace(pattern, bytes, arguments)
    default: return nil
    }
  }

  private mutating func replace(_ pattern: Pattern, _ text: [UInt8], _ arguments: [Value]) -> Value?
  {
    guard case .string(let form) = arguments[2] else { return nil }
    guard meter.spend(bytes: form.utf8.count) else { return Self.spent }
    var limit = Int64.max
    if arguments.count == 4 {
      guard case .int(let given) = arguments[3] else { return nil }
      limit = given < 0 ? .max : given
    }
    guard let parts = Self.template(form, groups: pattern.groups) else {
      return .fault(
        .invalidArgument, "the replacement names a group that the pattern does not have")
    }
    var out: [UInt8] = []
    var at = 0
    let done = eachMatch(pattern, text, limit: limit) { found in
      guard let whole = found[0] else { return true }
      out += text[at..<whole.lowerBound]
      for part in parts {
        switch part {
        case .text(let bytes): out += bytes
        case .group(let number): if let range = found[number] { out += text[range] }
        }
      }
      at = whole.upperBound
      return out.count < 1 << 24
    }
    guard done, meter.spend(bytes: out.count) else { return Self.spent }
    return .string(String(decoding: out + text[at...], as: UTF8.self))
  }

  private enum Part { case text([UInt8]), group(Int) }

  /// `\1` names a group, `\\` is a backslash.
  private static func template(_ form: String, groups: Int) -> [Part]? {
    var parts: [Part] = []
    var bytes = Array(form.utf8)[...]
    while let byte = bytes.popFirst() {
      guard byte == 0x5C else {
        parts.append(.text([byte]))
        continue
      }
      guard let next = bytes.popFirst() else { return nil }
      if next == 0x5C {
        parts.append(.text([0x5C]))
      } else if (0x30...0x39).contains(next), Int(next - 0x30) <= groups {
        parts.append(.group(Int(next - 0x30)))
      } else {
        return nil
      }
    }
    return parts
  }

  /// Visits matches from left to right; an empty one moves on by one code point. False when the
  /// meter ran out.
  private mutating func eachMatch(
    _ pattern: Pattern, _ text: [UInt8], limit: Int64, _ visit: ([Range<Int>?]) -> Bool
  ) -> Bool {
    var from = 0
    var left = limit
    while left > 0, from <= text.count, let found = pattern.match(text, from: from),
      let whole = found[0]
    {
      // To find one RE2 may have looked at all that is left, at some bytes a nanosecond.
      let looked = whole.upperBound - from + 64 + (text.count - from) / 16
      guard meter.spend(pattern.matchCost(bytes: looked)), visit(found) else { return false }
      left -= 1
      from = whole.upperBound
      if whole.isEmpty {
        from += 1
        while from < text.count, text[from] & 0xC0 == 0x80 { from += 1 }
      }
    }
    return true
  }
}

/// RFC 4648 §4; reading accepts missing padding, as the extension does.
enum Base64 {
  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    for at in stride(from: 0, to: bytes.count, by: 3) {
      let rest = bytes.count - at
      let group =
        UInt32(bytes[at]) << 16 | (rest > 1 ? UInt32(bytes[at + 1]) << 8 : 0)
        | (rest > 2 ? UInt32(bytes[at + 2]) : 0)
      out.append(digits[Int(group >> 18)])
      out.append(digits[Int(group >> 12 & 63)])
      out.append(rest > 1 ? digits[Int(group >> 6 & 63)] : 0x3D)
      out.append(rest > 2 ? digits[Int(group & 63)] : 0x3D)
    }
    return String(decoding: out, as: UTF8.self)
  }

  static func decode(_ text: String) -> [UInt8]? {
    var symbols = Array(text.utf8)
    let length = symbols.count
    while symbols.count > 0, symbols.last == 0x3D, length - symbols.count < 2 {
      symbols.removeLast()
    }
    if symbols.count < length, length % 4 != 0 { return nil }
    guard symbols.count % 4 != 1 else { return nil }
    var out: [UInt8] = []
    var group: UInt32 = 0
    var bits: UInt32 = 0
    for symbol in symbols {
      guard let six = value(symbol) else { return nil }
      group = group << 6 | six
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: group >> bits))
        group &= (1 << bits) - 1
      }
    }
    return out
  }

  private static func value(_ symbol: UInt8) -> UInt32? {
    switch symbol {
    case 0x41...0x5A: UInt32(symbol - 0x41)
    case 0x61...0x7A: UInt32(symbol - 0x61 + 26)
    case 0x30...0x39: UInt32(symbol - 0x30 + 52)
    case 0x2B: 62
    case 0x2F: 63
    default: nil
    }
  }
}
