internal import CSockets
import Glibc

/// Where a peer is, or where a listener listens: IPv4, IPv6 or a path.
public enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
  case ip(IPAddress, port: UInt16)
  /// A Unix socket; empty for the unnamed end of one.
  case path(String)

  /// Nil unless `host` is a literal address; names are resolved elsewhere, since that blocks.
  public init?(host: String, port: UInt16) {
    guard let address = IPAddress(host) else { return nil }
    self = .ip(address, port: port)
  }

  public static func loopback(_ port: UInt16) -> SocketAddress { .ip(.loopback, port: port) }

  public var description: String {
    switch self {
    case .ip(let address, let port): address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    case .path(let path): path.isEmpty ? "local" : path
    }
  }

  public var port: UInt16? { if case .ip(_, let port) = self { port } else { nil } }

  var family: Int32 {
    switch self {
    case .ip(let address, _): address.isV4 ? AF_INET : AF_INET6
    case .path: AF_UNIX
    }
  }

  /// Hands the kernel's form of this address to `body`; nil when a path is too long for one (108
  /// bytes).
  func withKernelForm<R>(_ body: (UnsafeRawPointer, UInt32) -> R) -> R? {
    switch self {
    case .ip(let address, let port): return Self.kernelForm(of: address, port: port, body)
    case .path(let path):
      var form = sockaddr_un()
      form.sun_family = sa_family_t(AF_UNIX)
      let bytes = Array(path.utf8)
      let room = MemoryLayout.size(ofValue: form.sun_path)
      guard bytes.count < room else { return nil }
      withUnsafeMutableBytes(of: &form.sun_path) { $0.copyBytes(from: bytes) }
      return withUnsafeBytes(of: &form) { raw in
        raw.baseAddress.map { body($0, UInt32(raw.count)) }
      }
    }
  }

  private static func kernelForm<R>(
    of address: IPAddress, port: UInt16, _ body: (UnsafeRawPointer, UInt32) -> R
  ) -> R? {
    if address.isV4 {
      var form = sockaddr_in()
      form.sin_family = sa_family_t(AF_INET)
      form.sin_port = port.bigEndian
      form.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.low).bigEndian
      return withUnsafeBytes(of: &form) { raw in raw.baseAddress.map { body($0, UInt32(raw.count)) }
      }
    }
    var form = sockaddr_in6()
    form.sin6_family = sa_family_t(AF_INET6)
    form.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &form.sin6_addr) { raw in
      raw.storeBytes(of: address.high.bigEndian, as: UInt64.self)
      raw.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return withUnsafeBytes(of: &form) { raw in raw.baseAddress.map { body($0, UInt32(raw.count)) } }
  }

  /// Reads the kernel's form, a `struct sockaddr` of some family.
  public init(kernelForm raw: UnsafeRawBufferPointer) {
    let family = raw.count >= 2 ? Int32(raw.loadUnaligned(as: sa_family_t.self)) : AF_UNIX
    switch family {
    case AF_INET where raw.count >= 8:
      let port = UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
      let v4 = UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      self = .ip(IPAddress(v4: v4), port: port)
    case AF_INET6 where raw.count >= 24:
      let port = UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
      let high = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      let low = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      self = .ip(IPAddress(high: high, low: low), port: port)
    default:
      self = .path(String(decoding: raw.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self))
    }
  }
}

/// An IPv4 or IPv6 address. IPv4 is held in its mapped form (RFC 4291 §2.5.5.2), so that a peer of
/// a dual-stack listener is the same peer.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
  public init(v4: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4)) }

  public init?(_ text: String) {
    var v4 = in_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4.s_addr))
      return
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    self = withUnsafeBytes(of: &v6) { raw in
      IPAddress(
        high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
        low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  public static let loopback = IPAddress(v4: 0x7F00_0001)

  public var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// Whom a limit per address counts: the IPv4 address, or the /64 that one IPv6 customer usually
  /// holds.
  public var limitKey: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }

  public var description: String {
    if isV4 {
      let v4 = UInt32(truncatingIfNeeded: low)
      return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)"
    }
    var bytes = (high.bigEndian, low.bigEndian)
    var text = [CChar](repeating: 0, count: 46)
    inet_ntop(AF_INET6, &bytes, &text, 46)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether packets to it could reach what is not the public internet: loopback, private,
  /// link-local, shared, documentation, benchmarking, multicast, reserved, and what embeds such an
  /// IPv4 address.
  /// - Source: IANA's special-purpose registries (RFC 6890 and its updates).
  public var isSpecialPurpose: Bool {
    if isV4 { return Self.isSpecial(v4: UInt32(truncatingIfNeeded: low)) }
    if high >> 61 != 1 {  // outside of global unicast, 2000::/3 (RFC 4291 §2.4)
      // 64:ff9b::/96 carries an IPv4 address through a translator (RFC 6052).
      return high == 0x0064_FF9B_0000_0000 && low >> 32 == 0
        ? Self.isSpecial(v4: UInt32(truncatingIfNeeded: low)) : true
    }
    if high >> 48 == 0x2002 { return Self.isSpecial(v4: UInt32(truncatingIfNeeded: high >> 16)) }  // RFC 3056
    return high >> 41 == 0x2001_0000 >> 9  // RFC 2928
      || high >> 32 == 0x2001_0DB8 || high >> 44 == 0x3FFF_0  // RFC 3849, RFC 9637
  }

  private static func isSpecial(v4 address: UInt32) -> Bool {
    let ranges: [(base: UInt32, bits: UInt32)] = [
      (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
      (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16),
      (0xC612_0000, 15), (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 3),
    ]
    return ranges.contains { address >> (32 - $0.bits) == $0.base >> (32 - $0.bits) }
  }
}
