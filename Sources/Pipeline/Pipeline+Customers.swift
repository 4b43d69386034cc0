import Continuity
import Model
import Records
import Routing
import Wire

/// What people decide about who a customer is. A merge only links records and a split takes the
/// link back: no entry is ever moved, so that nothing can be lost by either. Whoever sits in a
/// conversation with another at a split goes on in one of their own (`takeApart`).
extension Pipeline {
  mutating func about(
    _ about: AboutCustomer, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    switch about.what {
    case .merge(let a, let b): return try merge(a, b, [], about, &turn, reads)
    case .split(let a, let b): return try split(a, b, about, &turn, reads)
    case .confirm(let id, let hashes, let with):
      let said = Evidence.Item(
        source: about.by, means: Evidence.Decision.confirmation.rawValue, detail: about.reason,
        assurance: .asserted,
        at: turn.at)
      return try confirm(id, hashes, with, said, about, &turn, reads)
    case .verify(let id, let hashes, let evidence):
      return try verify(id, hashes, evidence, about, &turn, reads)
    case .reject(let id, let hashes): return try reject(id, hashes, about, &turn, reads)
    case .share(let id, let hashes, let isShared):
      return try share(id, hashes, isShared, about, &turn, reads)
    case .set(let id, let attributes): return try set(id, attributes, about, &turn, reads)
    }
  }

  // MARK: - Merge and split

  private mutating func merge(
    _ a: CustomerID, _ b: CustomerID, _ identities: [[UInt8]], _ about: AboutCustomer,
    _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let one = try customer(a, reads), let other = try customer(b, reads) else {
      return .refused(.unknownCustomer)
    }
    guard one.root != other.root else { return .refused(.alreadyOne) }
    var people = try people([one, other], reads)
    people.join(
      a, b, identities: identities, .init(.joined, by: about.by, reason: about.reason, at: turn.at))
    keep(people.changed, &turn)
    try tell(
      .merged, [one.root, other.root], of: people.person(of: a), by: about.by, about.reason, &turn,
      reads)
    return .customerIs(people.person(of: a).first ?? one.root)
  }

  private mutating func split(
    _ a: CustomerID, _ b: CustomerID, _ about: AboutCustomer, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let one = try customer(a, reads), let other = try customer(b, reads) else {
      return .refused(.unknownCustomer)
    }
    var people = try people([one, other], reads)
    guard let link = people.link(a, b), link.isActive else { return .refused(.notLinked) }
    try part(
      a, b, .init(.parted, by: about.by, reason: about.reason, at: turn.at), &people, &turn, reads)
    for hash in link.identities {
      try takeBack(claim: hash, about, &turn, reads)
      for record in [a, b] {
        try takeBack(claim: Resolution.claimHash(hash, record), about, &turn, reads)
      }
    }
    return .customerIs(people.person(of: a).first ?? a)
  }

  /// A claim by whose confirmation two records were joined that are taken apart: it was not theirs.
  private mutating func takeBack(
    claim hash: [UInt8], _ about: AboutCustomer, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let claim = try identity(hash, reads), claim.decodedEvidence?.standing == .confirmed
    else { return }
    try reject(claim, about, &turn)
  }

  private mutating func part(
    _ a: CustomerID, _ b: CustomerID, _ step: Link.Step, _ people: inout People, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    people.part(a, b, step)
    keep(people.changed, &turn)
    let (left, right) = (people.person(of: a), people.person(of: b))
    let roots = [left.first, right.first].compactMap { $0 }
    try takeApart(left + right, &turn, reads)
    try tell(.split, roots, of: left + right, by: step.by, step.reason, &turn, reads)
  }

  /// All records of the people whom these belong to.
  func people(_ records: [CustomerRow], _ reads: any StoreReader) throws(StoreFault)
    -> People
  {
    var people = People()
    for record in records {
      for row in try Self.merged(into: record.root, pending, reads) + [record] {
        do throws(WireError) { try people.add(row) } catch {
          throw StoreFault.corrupt(what: "a customer's profile")
        }
      }
    }
    return people
  }

  /// Writes what happened: under both records, so that each side's story is whole after a split,
  /// and into every conversation that an agent has at this moment, whose desk then shows it.
  private mutating func tell(
    _ kind: EntryKind, _ roots: [CustomerID], of records: [CustomerID], by: String,
    _ reason: String, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    func draft(_ customers: some Collection<CustomerID>) -> EntryDraft {
      var members = Members()
      members.texts("customers", customers.map(\.description))
      members.text("by", by)
      if !reason.isEmpty { members.text("reason", reason) }
      return EntryDraft(
        kind: kind, author: .system, visibility: .internal, channel: nil, members: members.bytes)
    }
    // Of very many, each is told whom it was with, and not all of the others.
    let told = draft(roots.prefix(Self.rootsToldMax))
    for (index, root) in roots.enumerated() {
      guard let row = try customer(root, reads) else { continue }
      let isToldOfAll = index == 0 || roots.count <= Self.rootsToldMax
      write(
        isToldOfAll ? told : draft([roots[0], root]), customer: row, conversation: nil,
        session: nil, &turn)
    }
    for row in try conversations(of: records, reads).filter(\.isOpen).sorted(by: { $0.id < $1.id })
    {
      if case .agent? = router.conversation(row.id)?.owner {
        try writeInside(told, row.id, &turn, reads)
      }
    }
  }

  private static let rootsToldMax = 20

  /// People who were several until somebody asserted identities of theirs together.
  mutating func tellOfJoining(
    _ who: Resolution, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let joined = who.joined else { return }
    try tell(
      .merged, joined.roots, of: who.records, by: joined.by, Link.assertedTogether, &turn, reads)
  }

  // MARK: - Identities

  /// The claim, beside whichever record of the person it was made, and under which spelling.
  private mutating func claimed(
    _ id: CustomerID, _ hashes: [[UInt8]], _ reads: any StoreReader
  ) throws(StoreFault) -> (row: IdentityRow, spelling: [UInt8])? {
    guard let record = try customer(id, reads) else { return nil }
    let records = try Self.merged(into: record.root, pending, reads)
    for hash in hashes {
      for row in records {
        if let claim = try identity(Resolution.claimHash(hash, row.id), reads) {
          return (claim, hash)
        }
      }
    }
    return nil
  }

  /// Whose it is proven to be, under whichever spelling.
  private func known(
    _ hashes: [[UInt8]], _ reads: any StoreReader
  ) throws(StoreFault) -> IdentityRow? {
    for hash in hashes {
      if let row = try identity(hash, reads) { return row }
    }
    return nil
  }

  private mutating func confirm(
    _ id: CustomerID, _ hashes: [[UInt8]], _ with: CustomerID?, _ said: Evidence.Item,
    _ about: AboutCustomer,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let (claim, spelling) = try claimed(id, hashes, reads) else {
      return .refused(.unknownIdentity)
    }
    guard let known = try known(hashes, reads) else {
      // Nobody's yet: it is proven for the record that claimed it.
      let row = IdentityRow(
        hash: spelling, customer: claim.customer, identity: claim.identity,
        assurance: said.assurance,
        evidence: Evidence(said).encoded)
      pending.identities.set(spelling, row, at: turn.position)
      try judge(claim, .confirmed, said, &turn)
      return .customerIs(try customer(claim.customer, reads)?.root ?? claim.customer)
    }
    guard let evidence = known.decodedEvidence else {
      throw StoreFault.corrupt(what: "the evidence of an identity")
    }
    if evidence.standing == .shared, with == nil { return .refused(.isShared) }
    // Of several people's identity it is this claim alone that joins these two: whoever marks it or
    // takes the mark back decides nothing about them, and a split takes back just this.
    let (other, by) =
      evidence.standing == .shared
      ? (with ?? known.customer, claim.hash) : (known.customer, known.hash)
    let merged = try merge(claim.customer, other, [by], about, &turn, reads)
    switch merged {
    case .customerIs: break
    case .refused(.alreadyOne):
      try judge(claim, .confirmed, said, &turn)
      return .customerIs(try customer(claim.customer, reads)?.root ?? claim.customer)
    default: return merged
    }
    try judge(claim, .confirmed, said, &turn)
    return merged
  }

  /// A claim is confirmed first; then the identity is as well proven as it can be, and says by
  /// what.
  private mutating func verify(
    _ id: CustomerID, _ hashes: [[UInt8]], _ evidence: String, _ about: AboutCustomer,
    _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    let said = Evidence.Item(
      source: about.by, means: Evidence.Decision.verification.rawValue, detail: evidence,
      assurance: .verified, at: turn.at)
    guard let asked = try customer(id, reads) else { return .refused(.unknownCustomer) }
    var owner: CustomerID?
    if let known = try known(hashes, reads) {
      if known.isShared { return .refused(.isShared) }
      owner = try customer(known.customer, reads)?.root
    }
    if owner != asked.root {
      let confirmed = try confirm(id, hashes, nil, said, about, &turn, reads)
      guard case .customerIs = confirmed else { return confirmed }
    }
    guard var row = try known(hashes, reads), var heard = row.decodedEvidence else {
      throw StoreFault.corrupt(what: "the evidence of an identity")
    }
    heard.heard(said)
    if !about.reason.isEmpty {
      heard.decided = .init(
        source: about.by, means: Evidence.Decision.verification.rawValue, detail: about.reason,
        assurance: .verified,
        at: turn.at)
    }
    row.evidence = heard.encoded
    row.assurance = .verified
    pending.identities.set(row.hash, row, at: turn.position)
    turn.touched = true
    return .customerIs(try customer(row.customer, reads)?.root ?? row.customer)
  }

  private mutating func reject(
    _ id: CustomerID, _ hashes: [[UInt8]], _ about: AboutCustomer, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let claim = try claimed(id, hashes, reads)?.row else {
      return .refused(.unknownIdentity)
    }
    // What the claim has joined would stay joined, and whoever rejects it would not know.
    if claim.decodedEvidence?.standing == .confirmed,
      let known = try known(hashes, reads), try areOne(known.customer, claim.customer, reads)
    {
      return .refused(.isConfirmed)
    }
    try reject(claim, about, &turn)
    return .customerIs(try customer(id, reads)?.root ?? id)
  }

  private mutating func reject(
    _ claim: IdentityRow, _ about: AboutCustomer, _ turn: inout Turn
  ) throws(StoreFault) {
    try judge(
      claim, .rejected,
      .init(
        source: about.by, means: Evidence.Decision.rejection.rawValue, detail: about.reason,
        assurance: .claimed,
        at: turn.at), &turn)
  }

  private mutating func judge(
    _ row: IdentityRow, _ standing: Evidence.Standing, _ by: Evidence.Item, _ turn: inout Turn
  ) throws(StoreFault) {
    guard var evidence = row.decodedEvidence else {
      throw StoreFault.corrupt(what: "the evidence of an identity")
    }
    evidence.standing = standing
    evidence.decided = by
    var changed = row
    changed.evidence = evidence.encoded
    pending.identities.set(row.hash, changed, at: turn.position)
    turn.touched = true
  }

  /// Marked as shared, an identity joins nobody any more, and whoever was joined by it is taken
  /// apart again. The mark taken back, they are one as before.
  private mutating func share(
    _ id: CustomerID, _ hashes: [[UInt8]], _ isShared: Bool, _ about: AboutCustomer,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let asked = try customer(id, reads) else { return .refused(.unknownCustomer) }
    // Of an erased person's identity nothing is left but the mark, and whose it is nobody knows.
    guard let row = try known(hashes, reads), row.assurance.joins, !row.identity.value.isEmpty,
      let record = try customer(row.customer, reads)
    else {
      return .refused(.unknownIdentity)
    }
    let was = row.isShared
    try judge(
      row, isShared ? .shared : .plain,
      .init(
        source: about.by, means: (isShared ? Evidence.Decision.sharing : .unsharing).rawValue,
        detail: about.reason,
        assurance: row.assurance, at: turn.at), &turn)
    if isShared {
      try partAsShared(row.hash, record, about, &turn, reads)
    } else if was {
      try joinAsBefore(row.hash, record, about, &turn, reads)
    }
    return .customerIs(try customer(asked.id, reads)?.root ?? asked.root)
  }

  private mutating func partAsShared(
    _ hash: [UInt8], _ record: CustomerRow, _ about: AboutCustomer, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    var people = try people([record], reads)
    let step = Link.Step(.partedAsShared, by: about.by, reason: about.reason, at: turn.at)
    let records = people.person(of: record.id)
    people.part(records, step) { $0.identities.contains(hash) }
    keep(people.changed, &turn)
    let roots = people.roots(of: [record.id] + records)
    guard roots.count > 1 else { return }
    try takeApart(records, &turn, reads)
    try tell(.split, roots, of: records, by: step.by, step.reason, &turn, reads)
  }

  /// One of a link's records is always that of each identity which it rests on.
  private mutating func joinAsBefore(
    _ hash: [UInt8], _ record: CustomerRow, _ about: AboutCustomer, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    var rows = [record]
    var again: [Link] = []
    for link in try profile(of: record).links
    where link.isPartedAsShared && link.identities.contains(hash) {
      guard try !isAnyShared(link.identities.filter { $0 != hash }, reads),
        let other = try customer(link.other(than: record.id), reads)
      else { continue }
      again.append(link)
      rows.append(other)
    }
    var people = try people(rows, reads)
    let before = people.roots(of: rows.map(\.id))
    for link in again {
      people.assert(
        link.records.0, link.records.1, identities: link.identities,
        .init(.joined, by: about.by, reason: about.reason, at: turn.at))
    }
    keep(people.changed, &turn)
    let records = people.person(of: record.id)
    let roots = before.filter(records.contains)
    guard roots.count > 1 else { return }
    try tell(.merged, roots, of: records, by: about.by, about.reason, &turn, reads)
  }

  private func isAnyShared(_ hashes: [[UInt8]], _ reads: any StoreReader) throws(StoreFault)
    -> Bool
  {
    for hash in hashes where try identity(hash, reads)?.isShared == true { return true }
    return false
  }

  // MARK: - Attributes

  private mutating func set(
    _ id: CustomerID, _ attributes: [CustomerProfile.Attribute], _ about: AboutCustomer,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try customer(id, reads) else { return .refused(.unknownCustomer) }
    var profile = try profile(of: row)
    for attribute in attributes {
      var attribute = attribute
      attribute.at = turn.at
      attribute.reason = about.reason
      guard profile.set(attribute) else { return .refused(.tooMany) }
    }
    var changed = row
    changed.profile = profile.encoded
    pending.set(changed, at: turn.position)
    turn.touched = true
    return .customerIs(row.root)
  }
}
