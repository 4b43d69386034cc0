import Model

/// An identity as somebody brought it: normalised, hashed, with how well it is proven, by whom and
/// by what.
public struct IdentityClaim: Hashable, Sendable {
  public var identity: Identity
  /// Keyed hash of kind and value, 16 bytes, made at the edge.
  public var hash: [UInt8]
  /// The hashes under which earlier versions may have kept the same identity.
  public var earlierHashes: [[UInt8]]
  public var assurance: Assurance
  /// Who said so, such as `bot:robin`.
  public var source: String
  /// By what means, such as `assertion` or `dmarc`.
  public var means: String
  /// What was checked, in the words of whoever did.
  public var detail: String

  public init(
    identity: Identity, hash: [UInt8], earlierHashes: [[UInt8]] = [], assurance: Assurance,
    source: String, means: String, detail: String = ""
  ) {
    self.identity = identity
    self.hash = hash
    self.earlierHashes = earlierHashes
    self.assurance = assurance
    self.source = source
    self.means = means
    self.detail = detail
  }

  /// The same identity as an earlier version kept it.
  func kept(under hash: [UInt8]) -> IdentityClaim {
    var claim = self
    claim.hash = hash
    claim.earlierHashes = []
    return claim
  }

  func evidence(_ at: Instant) -> Evidence.Item {
    Evidence.Item(source: source, means: means, detail: detail, assurance: assurance, at: at)
  }
}
