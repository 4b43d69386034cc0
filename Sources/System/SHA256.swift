internal import COpenSSL

/// 32 bytes: a SHA-256 or what was made of one.
public struct Digest256: Hashable, Sendable {
  /// In memory order, so that the bytes are those of the digest on every machine.
  var words: InlineArray<4, UInt64> = [0, 0, 0, 0]

  init() {}

  /// Nil unless there are exactly 32 bytes.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    self.init { $0.copyBytes(from: bytes) }
  }

  init(_ write: (UnsafeMutableRawBufferPointer) -> Void) {
    withUnsafeMutableBytes(of: &words) { write($0) }
  }

  public var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: words) { try body($0) }
  }

  /// For looking up; not for comparing secrets, which is `ConstantTime.equal`.
  public static func == (a: Digest256, b: Digest256) -> Bool {
    a.words[0] == b.words[0] && a.words[1] == b.words[1] && a.words[2] == b.words[2]
      && a.words[3] == b.words[3]
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<4 { hasher.combine(words[index]) }
  }
}

/// SHA-256 (FIPS 180-4) by OpenSSL.
public enum SHA256 {
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
    Digest256 { tl_sha256(bytes.baseAddress, bytes.count, nil, 0, $0.baseAddress) }
  }

  public static func hash(_ bytes: [UInt8]) -> Digest256 { bytes.withUnsafeBytes { hash($0) } }

  /// The hash of `first` followed by `second`, as a chain of hashes needs it.
  public static func hash(_ first: UnsafeRawBufferPointer, then second: UnsafeRawBufferPointer)
    -> Digest256
  {
    Digest256 {
      tl_sha256(first.baseAddress, first.count, second.baseAddress, second.count, $0.baseAddress)
    }
  }
}

/// SHA-256 of what arrives in pieces. One may be kept and used again: `finish` begins anew.
public struct SHA256Stream: ~Copyable {
  private let context: OpaquePointer

  public init() {
    guard let context = tl_digest_create() else { preconditionFailure("no memory for a digest") }
    self.context = context
  }

  deinit { tl_digest_free(context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    tl_digest_update(context, bytes.baseAddress, bytes.count)
  }

  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  public mutating func finish() -> Digest256 {
    Digest256 { tl_digest_finish(context, $0.baseAddress) }
  }
}
