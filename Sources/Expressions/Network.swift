/// An IPv4 or IPv6 address. An IPv4 address inside IPv6 (`::ffff:…`) is that IPv4 address.
public final class NetworkAddress: Sendable, Equatable {
  /// Four or sixteen bytes.
  let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  public static func == (a: NetworkAddress, b: NetworkAddress) -> Bool { a.plain == b.plain }

  public init?(_ text: String) {
    if let four = Self.parseFour(Array(text.utf8)) {
      bytes = four
    } else if let six = Self.parseSix(text) {
      bytes = six
      // The conformance cases take `::ffff:c0a8:1` and refuse `::ffff:192.168.0.1`.
      if text.utf8.contains(0x2E), plain.count == 4 { return nil }
    } else {
      return nil
    }
  }

  var isFour: Bool { bytes.count == 4 }
  /// The address without its IPv6 wrapping.
  var plain: [UInt8] {
    guard bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF,
      bytes[11] == 0xFF
    else { return bytes }
    return Array(bytes[12...])
  }

  private static func parseFour(_ text: [UInt8]) -> [UInt8]? {
    let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard (1...3).contains(part.count), part.first != 0x30 || part.count == 1,
        part.allSatisfy({ (0x30...0x39).contains($0) }),
        let byte = UInt8(String(decoding: part, as: UTF8.self))
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  private static func parseSix(_ text: String) -> [UInt8]? {
    guard text.utf8.count <= 45 else { return nil }
    let utf8 = Array(text.utf8)
    var halves: [[UInt8]] = []
    if let gap = zip(utf8.indices, utf8.indices.dropFirst()).first(where: {
      utf8[$0] == 0x3A && utf8[$1] == 0x3A
    }) {
      guard let head = groups(utf8[..<gap.0], isLast: false),
        let tail = groups(utf8[(gap.1 + 1)...]),
        head.count + tail.count <= 14
      else { return nil }
      halves = [head, tail]
    } else {
      guard let all = groups(utf8[...]), all.count == 16 else { return nil }
      return all
    }
    return halves[0] + [UInt8](repeating: 0, count: 16 - halves[0].count - halves[1].count)
      + halves[1]
  }

  /// - Parameter isLast: whether it may end in an IPv4 address, as in `64:ff9b::192.0.2.33` (RFC 4291
  ///   §2.2).
  private static func groups(_ text: ArraySlice<UInt8>, isLast: Bool = true) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: 0x3A, omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains(0x2E) {
        guard isLast, let four = parseFour(Array(part)) else { return nil }
        return bytes + four
      }
      guard (1...4).contains(part.count),
        let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
        part.first != 0x2B, part.first != 0x2D
      else { return nil }
      bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
    }
    return bytes
  }

  /// RFC 5952: lower case, the longest run of two or more zero groups shortened.
  public var text: String {
    if isFour { return bytes.map { String($0) }.joined(separator: ".") }
    let groups = stride(from: 0, to: 16, by: 2).map {
      UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
    }
    var best = 0..<0
    var at = 0
    while at < 8 {
      var end = at
      while end < 8, groups[end] == 0 { end += 1 }
      if end - at > max(best.count, 1) { best = at..<end }
      at = max(end, at + 1)
    }
    let hex = groups.map { String($0, radix: 16) }
    guard !best.isEmpty else { return hex.joined(separator: ":") }
    return hex[..<best.lowerBound].joined(separator: ":") + "::"
      + hex[best.upperBound...].joined(separator: ":")
  }

  var isUnspecified: Bool { plain.allSatisfy { $0 == 0 } }
  var isLoopback: Bool {
    let p = plain
    return p.count == 4 ? p[0] == 127 : p[..<15].allSatisfy { $0 == 0 } && p[15] == 1
  }
  var isLinkLocalUnicast: Bool {
    let p = plain
    return p.count == 4 ? p[0] == 169 && p[1] == 254 : p[0] == 0xFE && p[1] & 0xC0 == 0x80
  }
  var isMulticast: Bool {
    let p = plain
    return p.count == 4 ? p[0] & 0xF0 == 0xE0 : p[0] == 0xFF
  }
  var isLinkLocalMulticast: Bool {
    let p = plain
    return p.count == 4 ? p[0] == 224 && p[1] == 0 && p[2] == 0 : p[0] == 0xFF && p[1] & 0x0F == 2
  }
  var isGlobalUnicast: Bool {
    let broadcast = plain == [255, 255, 255, 255]
    return !broadcast && !isUnspecified && !isLoopback && !isMulticast && !isLinkLocalUnicast
  }
}

/// An address with the length of its network part, such as `10.0.0.0/8`.
public final class NetworkPrefix: Sendable, Equatable {
  let address: NetworkAddress
  let length: Int

  init(_ address: NetworkAddress, _ length: Int) {
    self.address = address
    self.length = length
  }

  public init?(_ text: String) {
    let parts = text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
    guard parts.count == 2, let address = NetworkAddress(String(parts[0]) ?? ""),
      (1...3).contains(parts[1].count),
      parts[1].allSatisfy({ (0x30...0x39).contains($0) }),
      parts[1].count == 1 || parts[1].first != 0x30,
      let length = Int(String(parts[1]) ?? ""), length <= address.bytes.count * 8
    else { return nil }
    self.address = address
    self.length = length
  }

  public static func == (a: NetworkPrefix, b: NetworkPrefix) -> Bool {
    a.length == b.length && a.address.bytes == b.address.bytes
  }

  public var text: String { "\(address.text)/\(length)" }
  var masked: NetworkPrefix {
    NetworkPrefix(NetworkAddress(Self.mask(address.bytes, length)), length)
  }

  public func contains(_ other: NetworkAddress) -> Bool {
    let bytes = address.isFour ? other.plain : other.bytes
    return bytes.count == address.bytes.count && Self.mask(bytes, length) == masked.address.bytes
  }
  func contains(_ other: NetworkPrefix) -> Bool {
    other.length >= length && contains(other.address)
  }

  private static func mask(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      let kept = min(max(length - index * 8, 0), 8)
      return kept == 0 ? 0 : byte & (0xFF << UInt8(8 - kept))
    }
  }
}
