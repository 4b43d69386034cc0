internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key. Made once per key and kept: the padded key
/// blocks are what making it costs.
public struct HMACKey: Sendable {
  private let inner: [UInt8]
  private let outer: [UInt8]

  public init(_ key: [UInt8]) {
    // RFC 2104 §2: a key longer than the block is hashed first.
    let short = key.count > 64 ? SHA256.hash(key).bytes : key
    let padded = short + [UInt8](repeating: 0, count: 64 - short.count)
    inner = padded.map { $0 ^ 0x36 }
    outer = padded.map { $0 ^ 0x5C }
  }

  public func sign(_ message: UnsafeRawBufferPointer) -> Digest256 {
    let first = inner.withUnsafeBytes { SHA256.hash($0, then: message) }
    return outer.withUnsafeBytes { pad in first.withBytes { SHA256.hash(pad, then: $0) } }
  }

  public func sign(_ message: [UInt8]) -> Digest256 { message.withUnsafeBytes { sign($0) } }

  /// The leftmost `bytes` of the code. RFC 2104 §5 asks for at least half of the hash: 16.
  public func sign(_ message: [UInt8], truncatedTo bytes: Int) -> [UInt8] {
    Array(sign(message).bytes.prefix(max(bytes, 0)))
  }

  /// Whether `code` is the message's code, or its leftmost part of at least 16 bytes; in constant
  /// time.
  public func verify(_ code: [UInt8], of message: [UInt8]) -> Bool {
    guard (16...32).contains(code.count) else { return false }
    return ConstantTime.equal(code, sign(message, truncatedTo: code.count))
  }
}

public enum ConstantTime {
  /// Compares without telling by its duration where they differ. Lengths are not secret.
  public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return a.withUnsafeBytes { x in
      b.withUnsafeBytes { y in
        x.isEmpty || tl_equal_in_constant_time(x.baseAddress, y.baseAddress, x.count) == 1
      }
    }
  }

  public static func equal(_ a: Digest256, _ b: Digest256) -> Bool { equal(a.bytes, b.bytes) }
}
