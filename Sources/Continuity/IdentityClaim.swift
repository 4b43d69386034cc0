import Model
import Wire

/// An identity as somebody brought it: normalised, hashed, with how well it is proven and by whom.
public struct IdentityClaim: Hashable, Sendable {
  public var identity: Identity
  /// Keyed hash of kind and value, 16 bytes, made at the edge.
  public var hash: [UInt8]
  public var assurance: Assurance
  /// Who said so, such as `bot:robin` or `mail:dmarc`.
  public var source: String

  public init(identity: Identity, hash: [UInt8], assurance: Assurance, source: String) {
    self.identity = identity
    self.hash = hash
    self.assurance = assurance
    self.source = source
  }
}

/// Who said that an identity belongs to a customer, and when.
public struct Evidence: Hashable, Sendable {
  public var source: String
  public var at: Instant
  public init(source: String, at: Instant) {
    self.source = source
    self.at = at
  }

  public var encoded: [UInt8] {
    var out = ByteWriter()
    out.uint8(1)
    out.string(source)
    out.signed(at.milliseconds)
    return out.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      _ = try r.uint8()
      return Evidence(source: try r.string(), at: Instant(milliseconds: try r.signed()))
    }
  }
}
