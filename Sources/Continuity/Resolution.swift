import Model
import Records
import Wire

/// Which customer is this? Decided in the workspace's one writer, so that two first contacts of one
/// person in the same instant make one customer.
///
/// Every proven mail address, number and external id has a record of its own, and what arrives by
/// it is that record's; identities that one trusted source asserts together link their records to
/// one person (`People`). So that whatever joins can be taken apart again, to the entry. Chat ids
/// come and go with browsers and live with the record they were first seen beside.
///
/// | proven identities found | outcome |
/// |---|---|
/// | none | a new customer |
/// | of one person | that person |
/// | of several | one person, unless an agent has said that they are two |
/// | of two whom an agent keeps apart | whoever has more there than a chat id; nobody where both have |
///
/// Claimed identities take no part, and shared ones neither: they are kept beside the record that
/// brought them, under a key of their own, so that they can suggest and never join.
public struct Resolution: Sendable {
  /// The record that stands for the person.
  public var root: CustomerRow
  /// The record of the identity that this arrived by: what is said now is kept there.
  public var record: CustomerRow
  public var isNew: Bool
  /// Whether something proven tied the caller to this customer: only then may the outside see its
  /// history.
  public var isProven: Bool
  /// Customers to write.
  public var customers: [CustomerRow]
  /// Identities to write.
  public var identities: [IdentityRow]
  /// What is known of the person.
  public var profile: CustomerProfile
  /// All records of the person.
  public var records: [CustomerID]
  /// Roots of the people who were several before this, and who said that they are one.
  public var joined: (roots: [CustomerID], by: String)?

  public typealias Fault = StoreFault

  /// How the writer sees what it knows, committed or not.
  public struct Lookup {
    public var identity: ([UInt8]) throws(Fault) -> IdentityRow?
    public var customer: (CustomerID) throws(Fault) -> CustomerRow?
    /// All records whose root is the given one.
    public var merged: (CustomerID) throws(Fault) -> [CustomerRow]
    /// Whether a record has a proven identity.
    public var isProven: (CustomerID) throws(Fault) -> Bool
    public init(
      identity: @escaping ([UInt8]) throws(Fault) -> IdentityRow?,
      customer: @escaping (CustomerID) throws(Fault) -> CustomerRow?,
      merged: @escaping (CustomerID) throws(Fault) -> [CustomerRow],
      isProven: @escaping (CustomerID) throws(Fault) -> Bool
    ) {
      self.identity = identity
      self.customer = customer
      self.merged = merged
      self.isProven = isProven
    }
  }

  /// - Parameters:
  ///   - newID: names the first new record; further ones are derived from it.
  ///   - attributes: what the caller says of the customer.
  ///   - seed: a customer to whom the caller is proven to belong by other means: mail that came to
  ///     a reply address signed for its very sender, or a resume token.
  public static func resolve(
    _ claims: [IdentityClaim], newID: CustomerID, attributes: [CustomerProfile.Attribute],
    at: Instant,
    seed: CustomerRow? = nil, _ lookup: Lookup
  ) throws(Fault) -> Resolution {
    var work = try Work(claims, newID: newID, at: at, seed: seed, lookup)
    try work.place()
    work.link()
    let arrival = work.arrival
    for var attribute in attributes {
      attribute.at = at
      work.people.change(arrival) { $0.hear(attribute) }
    }
    try work.keepClaims(lookup)
    return try work.result()
  }

  /// A claimed identity stands under a key that no proven one can have: it must never join.
  public static func claimHash(_ hash: [UInt8], _ record: CustomerID) -> [UInt8] {
    var id = ByteWriter(reserving: 16)
    id.id(record)
    return [0x63] + hash.enumerated().map { $1 ^ id.bytes[$0 % 16] }
  }
}

/// One resolution under way.
private struct Work {
  struct Proven {
    var claim: IdentityClaim
    var row: IdentityRow?
    var record: CustomerID?
  }

  let newID: CustomerID
  let at: Instant
  private(set) var seed: CustomerRow?
  var people = People()
  var proven: [Proven] = []
  var weak: [IdentityClaim] = []
  var rows: [IdentityRow] = []
  var rootsBefore: [CustomerID] = []
  var seedIsProven = false
  var arrival: CustomerID

  init(
    _ claims: [IdentityClaim], newID: CustomerID, at: Instant, seed: CustomerRow?,
    _ lookup: Resolution.Lookup
  ) throws(StoreFault) {
    self.newID = newID
    self.at = at
    self.seed = seed
    arrival = seed?.id ?? newID
    for claim in try Self.withEarlier(claims, lookup) {
      guard claim.assurance.joins else {
        weak.append(claim)
        continue
      }
      guard var row = try lookup.identity(claim.hash) else {
        if !proven.contains(where: { $0.claim.hash == claim.hash }) {
          proven.append(Proven(claim: claim))
        }
        continue
      }
      var evidence = try Self.evidence(row)
      guard evidence.standing != .shared else {
        weak.append(claim)
        continue
      }
      evidence.heard(claim.evidence(at))
      let heard = evidence.encoded
      if heard != row.evidence || row.assurance < claim.assurance {
        row.evidence = heard
        row.assurance = max(row.assurance, claim.assurance)
        rows.append(row)
      }
      proven.append(Proven(claim: claim, row: row, record: row.customer))
      try load(row.customer, lookup)
    }
    if let seed {
      try load(seed.id, lookup)
      seedIsProven = try lookup.isProven(seed.id)
    }
    heedPartings(claims)
  }

  /// Each proven claim, and beside it what an earlier version kept of the same identity: asserted
  /// together, they are one person from now on.
  private static func withEarlier(
    _ claims: [IdentityClaim], _ lookup: Resolution.Lookup
  ) throws(StoreFault) -> [IdentityClaim] {
    var all: [IdentityClaim] = []
    for claim in claims {
      var spellings = [claim]
      for hash in claim.assurance.joins ? claim.earlierHashes : [] {
        guard let row = try lookup.identity(hash) else { continue }
        guard try evidence(row).standing != .shared else {
          // Nobody's alone, and so not under the new spelling either.
          spellings = [claim.kept(under: hash)]
          break
        }
        spellings.append(claim.kept(under: hash))
      }
      all += spellings
    }
    return all
  }

  /// Several people sit at one browser: where an agent keeps them apart, its chat id stays with
  /// whoever had it first. Where more than that is of two people, what is said is shown to neither.
  private mutating func heedPartings(_ claims: [IdentityClaim]) {
    guard areApart(proven) else { return }
    let own = proven.filter { $0.claim.identity.kind != .chat }
    guard !own.isEmpty, !areApart(own) else {
      (proven, weak, rows, seed, rootsBefore) = ([], claims, [], nil, [])
      return
    }
    let theirs = Set(own.compactMap(\.record).flatMap { people.person(of: $0) })
    proven =
      own
      + proven.filter { $0.claim.identity.kind == .chat && $0.record.map(theirs.contains) ?? true }
  }

  private func areApart(_ some: [Proven]) -> Bool {
    let records = some.compactMap(\.record)
    return records.indices.contains { at in
      records[..<at].contains { one in
        !people.areOnePerson(one, records[at]) && people.areKeptApart(one, records[at])
      }
    }
  }

  private mutating func load(_ id: CustomerID, _ lookup: Resolution.Lookup) throws(StoreFault) {
    guard !people.contains(id) else { return }
    guard let record = try lookup.customer(id) else {
      throw StoreFault.corrupt(what: "an identity of a customer that is not there")
    }
    for row in try lookup.merged(record.root) + [record] {
      do throws(WireError) { try people.add(row) } catch {
        throw StoreFault.corrupt(what: "a customer's profile")
      }
    }
    rootsBefore.append(record.root)
  }

  /// Gives every proven identity its record.
  mutating func place() throws(StoreFault) {
    var home = proven.first { $0.record != nil }?.record ?? seed?.id
    // Somebody without a name has one now: no second record is needed for that.
    var isFree = home == seed?.id && seed != nil && !seedIsProven
    var isFirst = true
    for index in proven.indices
    where proven[index].record == nil && proven[index].claim.identity.kind != .chat {
      let record: CustomerID
      if isFree, let seed {
        record = seed.id
        isFree = false
      } else {
        record = isFirst ? newID : derived(proven[index].claim.hash)
        isFirst = false
        people.addNew(record, at: at)
      }
      proven[index].record = record
      home = home ?? record
    }
    for index in proven.indices where proven[index].record == nil {
      if home == nil { people.addNew(newID, at: at) }
      proven[index].record = home ?? newID
      home = home ?? newID
    }
    if proven.isEmpty, seed == nil { people.addNew(newID, at: at) }
    arrival = proven.first?.record ?? seed?.id ?? newID
  }

  /// As random as the id it comes from, and the same for everybody who resolves this.
  private func derived(_ hash: [UInt8]) -> CustomerID {
    var (high, low) = (newID.high, newID.low)
    for (index, byte) in hash.prefix(16).enumerated() {
      if index < 8 {
        high ^= UInt64(byte) << UInt64(8 * index)
      } else {
        low ^= UInt64(byte) << UInt64(8 * (index - 8))
      }
    }
    return CustomerID(high: high, low: low)
  }

  /// Each with each, the first before all: so they are one also when one of them is not theirs alone.
  mutating func link() {
    for (index, one) in proven.prefix(Self.pairedMax).enumerated() {
      for other in proven[(index + 1)...] {
        guard let a = one.record, let b = other.record else { continue }
        people.assert(
          a, b, identities: [one.claim.hash, other.claim.hash],
          .init(.joined, by: other.claim.source, reason: Link.assertedTogether, at: at))
      }
    }
    if let seed {
      join(seed.id, proven.prefix(1).map(\.claim.hash), by: proven.first?.claim.source ?? "")
    }
  }
  /// Past this many, each is joined with these alone.
  private static let pairedMax = 6

  private mutating func join(_ record: CustomerID, _ hashes: [[UInt8]], by source: String) {
    guard record != arrival, !people.areKeptApart(arrival, record) else { return }
    people.join(
      arrival, record, identities: hashes,
      .init(.joined, by: source, reason: Link.assertedTogether, at: at))
  }

  mutating func keepClaims(_ lookup: Resolution.Lookup) throws(StoreFault) {
    for one in proven where one.row == nil {
      guard let record = one.record else { continue }
      rows.append(row(one.claim, hash: one.claim.hash, record, one.claim.assurance))
    }
    for claim in weak {
      let hash = Resolution.claimHash(claim.hash, arrival)
      guard !rows.contains(where: { $0.hash == hash }) else { continue }
      guard let known = try kept(claim, lookup) else {
        rows.append(row(claim, hash: hash, arrival, .claimed))
        continue
      }
      var evidence = try Self.evidence(known)
      evidence.heard(claim.evidence(at))
      var heard = known
      heard.evidence = evidence.encoded
      if heard.evidence != known.evidence { rows.append(heard) }
    }
  }

  /// The same claim, as it was made before; under an earlier spelling it holds what an agent decided
  /// about it then.
  private func kept(
    _ claim: IdentityClaim, _ lookup: Resolution.Lookup
  ) throws(StoreFault) -> IdentityRow? {
    for hash in [claim.hash] + claim.earlierHashes {
      if let row = try lookup.identity(Resolution.claimHash(hash, arrival)) { return row }
    }
    return nil
  }

  private static func evidence(_ row: IdentityRow) throws(StoreFault) -> Evidence {
    guard let evidence = row.decodedEvidence else {
      throw StoreFault.corrupt(what: "the evidence of an identity")
    }
    return evidence
  }

  private func row(
    _ claim: IdentityClaim, hash: [UInt8], _ record: CustomerID, _ assurance: Assurance
  ) -> IdentityRow {
    IdentityRow(
      hash: hash, customer: record, identity: claim.identity, assurance: assurance,
      evidence: Evidence(claim.evidence(at)).encoded)
  }

  func result() throws(StoreFault) -> Resolution {
    let records = people.person(of: arrival)
    guard let root = records.first.flatMap({ people[$0] }), let record = people[arrival] else {
      throw StoreFault.corrupt(what: "a customer that is not there")
    }
    var roots: [CustomerID] = []
    for before in rootsBefore where records.contains(before) && !roots.contains(before) {
      roots.append(before)
    }
    return Resolution(
      root: root, record: record, isNew: roots.isEmpty, isProven: !proven.isEmpty,
      customers: people.changed,
      identities: rows, profile: CustomerProfile.union(records.compactMap { people.profile($0) }),
      records: records,
      joined: roots.count > 1 ? (roots, proven.first?.claim.source ?? "") : nil)
  }
}
