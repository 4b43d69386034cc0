import Model
import Records
import Wire

/// Some records of customers, all of each person's, as they are joined and taken apart.
///
/// Records are the points of a graph, active links its lines; a *person* is what hangs together.
/// Only records that do not hang together yet are ever joined, so that the graph is a forest, and
/// taking one link back parts a person in exactly two. The oldest record of a person is their root,
/// and every other one names it.
public struct People: Sendable {
  private var rows: [CustomerID: CustomerRow] = [:]
  private var profiles: [CustomerID: CustomerProfile] = [:]
  private var touched: Set<CustomerID> = []

  public init() {}

  /// - Throws: when a profile cannot be read.
  public mutating func add(_ row: CustomerRow) throws(WireError) {
    guard rows[row.id] == nil else { return }
    profiles[row.id] = try CustomerProfile(decoding: row.profile)
    rows[row.id] = row
  }

  /// A record that is not stored yet.
  public mutating func addNew(_ id: CustomerID, at: Instant) {
    rows[id] = CustomerRow(id: id, root: id, created: at, profile: [], timeline: TimelineDigest())
    profiles[id] = CustomerProfile()
    touched.insert(id)
  }

  public func contains(_ id: CustomerID) -> Bool { rows[id] != nil }
  public subscript(id: CustomerID) -> CustomerRow? {
    guard var row = rows[id] else { return nil }
    if touched.contains(id), let profile = profiles[id] { row.profile = profile.encoded }
    return row
  }
  public func profile(_ id: CustomerID) -> CustomerProfile? { profiles[id] }

  public mutating func change(_ id: CustomerID, _ body: (inout CustomerProfile) -> Void) {
    guard var profile = profiles[id] else { return }
    body(&profile)
    guard profile != profiles[id] else { return }
    profiles[id] = profile
    touched.insert(id)
  }

  /// The rows that differ from what is stored, oldest first.
  public var changed: [CustomerRow] { ordered(touched).compactMap { self[$0] } }

  private func ordered(_ ids: Set<CustomerID>) -> [CustomerID] {
    ids.compactMap { id in rows[id].map { ($0.created, id) } }.sorted { $0 < $1 }.map(\.1)
  }

  /// The records of a person, oldest first: the first is the root.
  public func person(of id: CustomerID) -> [CustomerID] {
    ordered(
      Set([id]).reach { next in
        (profiles[next]?.links ?? []).filter(\.isActive).map { $0.other(than: next) }
          .filter { rows[$0] != nil }
      })
  }

  /// Whether two records are one person's: each record names its root, so that none is looked for.
  public func areOnePerson(_ a: CustomerID, _ b: CustomerID) -> Bool {
    guard let root = rows[a]?.root else { return false }
    return root == rows[b]?.root
  }

  /// The roots of the people whom these records belong to, each once, in the order of the records.
  public func roots(of records: [CustomerID]) -> [CustomerID] {
    var roots: [CustomerID] = []
    for root in records.compactMap({ rows[$0]?.root }) where !roots.contains(root) {
      roots.append(root)
    }
    return roots
  }

  public func link(_ a: CustomerID, _ b: CustomerID) -> Link? {
    profiles[a]?.links.first { $0.joins(a, b) }
  }

  /// Whether an agent has said that some record of the one person and some record of the other are
  /// two people.
  public func areKeptApart(_ a: CustomerID, _ b: CustomerID) -> Bool {
    isLinked(a, b, where: \.keepsApart)
  }

  /// Whether some record of the one person and some record of the other were joined, and are not any
  /// more.
  public func wereParted(_ a: CustomerID, _ b: CustomerID) -> Bool {
    isLinked(a, b) { !$0.isActive && !$0.isSpare }
  }

  private func isLinked(
    _ a: CustomerID, _ b: CustomerID, where isSuch: (Link) -> Bool
  ) -> Bool {
    profiles.contains { id, profile in
      areOnePerson(id, a)
        && profile.links.contains { isSuch($0) && areOnePerson($0.other(than: id), b) }
    }
  }

  /// Makes one person of two. Nothing happens where they are one already.
  public mutating func join(
    _ a: CustomerID, _ b: CustomerID, identities: [[UInt8]] = [], _ step: Link.Step
  ) {
    guard rows[a] != nil, rows[b] != nil, !areOnePerson(a, b) else { return }
    if var known = link(a, b) {
      known.happened(step)
      known.identities = identities
      put(known)
    } else {
      put(Link(a, b, identities: identities, step))
    }
    settle(a)
  }

  /// Two records that one source names together. Where they hang together already, that is noted: it
  /// joins them when what does now turns out to be several people's.
  public mutating func assert(
    _ a: CustomerID, _ b: CustomerID, identities: [[UInt8]], _ step: Link.Step
  ) {
    guard a != b, rows[a] != nil, rows[b] != nil else { return }
    let known = link(a, b)
    if known?.isActive == true { return }
    guard areOnePerson(a, b) else {
      if !areKeptApart(a, b) { join(a, b, identities: identities, step) }
      return
    }
    if let known, known.isSpare || known.keepsApart { return }
    var noted = step
    noted.what = .assertedToo
    guard var link = known else { return put(Link(a, b, identities: identities, noted)) }
    link.happened(noted)
    link.identities = identities
    put(link)
  }

  /// Takes links of one person back, all at once, and then joins what is asserted together by
  /// others.
  /// - Parameter records: all of the person.
  public mutating func part(
    _ records: [CustomerID], _ step: Link.Step, where isWrong: (Link) -> Bool
  ) {
    for id in records {
      change(id) { profile in
        for at in profile.links.indices
        where (profile.links[at].isActive || profile.links[at].isSpare)
          && isWrong(profile.links[at])
        { profile.links[at].happened(step) }
      }
    }
    settleAll(records)
    for id in records {
      for spare in profiles[id]?.links ?? [] where spare.isSpare {
        let (a, b) = spare.records
        guard !areOnePerson(a, b), !areKeptApart(a, b) else { continue }
        join(
          a, b, identities: spare.identities,
          .init(.joined, by: step.by, reason: Link.assertedTogether, at: step.at))
      }
    }
  }

  /// Takes a link back. Nothing happens where there is none.
  public mutating func part(_ a: CustomerID, _ b: CustomerID, _ step: Link.Step) {
    guard var known = link(a, b), known.isActive else { return }
    known.happened(step)
    put(known)
    settle(a)
    settle(b)
  }

  private mutating func put(_ link: Link) {
    for id in [link.records.0, link.records.1] {
      change(id) { profile in
        if let known = profile.links.firstIndex(where: { $0.isSame(as: link) }) {
          profile.links[known] = link
        } else {
          profile.links.append(link)
        }
      }
    }
  }

  private mutating func settleAll(_ records: [CustomerID]) {
    var settled: Set<CustomerID> = []
    for id in records where !settled.contains(id) {
      settled.formUnion(settle(id))
    }
  }

  @discardableResult
  private mutating func settle(_ id: CustomerID) -> [CustomerID] {
    let records = person(of: id)
    guard let root = records.first else { return records }
    for record in records where rows[record]?.root != root {
      rows[record]?.root = root
      touched.insert(record)
    }
    return records
  }
}
