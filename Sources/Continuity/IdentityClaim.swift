import Model

/// An identity as somebody brought it: normalised, hashed, with how well it is proven, by whom and
/// by what.
public struct IdentityClaim: Hashable, Sendable {
  public var identity: Identity
  /// Keyed hash of kind and value, 16 bytes, made at the edge.
  public var hash: [UInt8]
  public var assurance: Assurance
  /// Who said so, such as `bot:robin`.
  public var source: String
  /// By what means, such as `assertion` or `dmarc`.
  public var means: String
  /// What was checked, in the words of whoever did.
  public var detail: String

  public init(
    identity: Identity, hash: [UInt8], assurance: Assurance, source: String, means: String,
    detail: String = ""
  ) {
    self.identity = identity
    self.hash = hash
    self.assurance = assurance
    self.source = source
    self.means = means
    self.detail = detail
  }

  func evidence(_ at: Instant) -> Evidence.Item {
    Evidence.Item(source: source, means: means, detail: detail, assurance: assurance, at: at)
  }
}
