import Model
import Records

/// Which customer is this? Decided in the workspace's one writer, so that two first contacts of one person in the
/// same instant make one customer.
///
/// | joined identities found | outcome |
/// |---|---|
/// | none | a new customer, by the id that the command brought |
/// | of one customer | that customer |
/// | of several | the oldest stays; the others are linked to it (merged), losing nothing |
///
/// Claimed identities take no part: they are kept beside the customer who claimed them, under a key of their own,
/// so that they can suggest and never join.
public struct Resolution: Hashable, Sendable {
  /// The record that stands for the person.
  public var root: CustomerRow
  public var isNew: Bool
  /// Records whose root changes, already changed.
  public var relinked: [CustomerRow]
  /// Identities to write.
  public var identities: [IdentityRow]
  /// Whether something proven tied the caller to this customer: only then may the outside see its history.
  public var isProven: Bool

  public typealias Fault = StoreFault

  /// - Parameters:
  ///   - seed: a customer to whom the caller is proven to belong by other means: mail that came to a reply address
  ///     signed for its very sender.
  ///   - identity: the committed or pending row under a hash.
  ///   - customer: the committed or pending customer.
  ///   - merged: all records whose root is the given one.
  public static func resolve(
    _ claims: [IdentityClaim], newID: CustomerID, profile: CustomerProfile, at: Instant,
    seed: CustomerRow? = nil, identity: ([UInt8]) throws(Fault) -> IdentityRow?,
    customer: (CustomerID) throws(Fault) -> CustomerRow?,
    merged: (CustomerID) throws(Fault) -> [CustomerRow],
    claimHash: ([UInt8], CustomerID) -> [UInt8]
  ) throws(Fault) -> Resolution {
    var roots: [CustomerRow] = seed.map { [$0] } ?? []
    var missing: [IdentityClaim] = []
    var stronger: [IdentityRow] = []
    for claim in claims where claim.assurance.joins {
      guard var known = try identity(claim.hash) else {
        missing.append(claim)
        continue
      }
      guard let record = try customer(known.customer),
        let root = record.root == record.id ? record : try customer(record.root)
      else { throw StoreFault.corrupt(what: "an identity of a customer that is not there") }
      if !roots.contains(where: { $0.id == root.id }) { roots.append(root) }
      if known.assurance < claim.assurance {
        known.assurance = claim.assurance
        known.evidence = Evidence(source: claim.source, at: at).encoded
        stronger.append(known)
      }
    }
    roots.sort { $0.created == $1.created ? $0.id < $1.id : $0.created < $1.created }
    let fresh = CustomerRow(
      id: newID, root: newID, created: at, profile: profile.encoded, timeline: TimelineDigest())
    let root = roots.first ?? fresh
    var relinked: [CustomerRow] = []
    for other in roots.dropFirst() {
      for var record in try merged(other.id) {
        record.root = root.id
        relinked.append(record)
      }
    }
    var rows = stronger
    for claim in missing where !rows.contains(where: { $0.hash == claim.hash }) {
      rows.append(row(claim, hash: claim.hash, root.id, at))
    }
    for claim in claims where !claim.assurance.joins {
      let hash = claimHash(claim.hash, root.id)
      if try identity(hash) == nil { rows.append(row(claim, hash: hash, root.id, at)) }
    }
    return Resolution(
      root: root, isNew: roots.isEmpty, relinked: relinked, identities: rows,
      isProven: claims.contains { $0.assurance.joins })
  }

  private static func row(_ claim: IdentityClaim, hash: [UInt8], _ customer: CustomerID, _ at: Instant) -> IdentityRow {
    IdentityRow(
      hash: hash, customer: customer, identity: claim.identity, assurance: claim.assurance,
      evidence: Evidence(source: claim.source, at: at).encoded)
  }
}
