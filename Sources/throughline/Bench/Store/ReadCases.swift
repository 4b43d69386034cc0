import Continuity
import Foundation
import Model
import Records
import Service
import Store
import System

/// What readers ask of a large store.
struct ReadCases {
  let place: String
  init(_ place: String) { self.place = place }

  private func measured(_ count: Int, _ body: (Int) throws -> Void) throws -> LatencyHistogram {
    var latencies = LatencyHistogram()
    for turn in 0..<count {
      let begun = MonotonicClock.nowNanoseconds
      try body(turn)
      latencies.record(MonotonicClock.nowNanoseconds - begun)
    }
    return latencies
  }

  /// A thousand a commit.
  private func fill(
    _ store: SQLiteStore, _ workspace: WorkspaceID, _ count: Int,
    _ each: (Int64, inout Commit) -> Void
  ) throws {
    for first in stride(from: 1, through: count, by: 1_000) {
      var commit = Commit(workspace: workspace)
      for number in first...min(count, first + 999) { each(Int64(number), &commit) }
      try store.commit([commit])
    }
  }

  // MARK: Search

  /// Words as language has them: the n-th is n times rarer than the first.
  private struct Vocabulary {
    let words: [String]
    private let bounds: [Double]
    init(_ count: Int) {
      words = (0..<count).map { "w" + String($0 * 7_919 % 1_000_003, radix: 36) }
      var sum = 0.0
      bounds = (1...count).map { rank in
        sum += 1 / Double(rank)
        return sum
      }
    }
    func word(_ random: inout EntropyGenerator) -> String {
      let wanted = Double.random(in: 0..<(bounds.last ?? 1), using: &random)
      var (low, high) = (0, bounds.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if bounds[middle] <= wanted { low = middle + 1 } else { high = middle }
      }
      return words[low]
    }
  }

  func search(_ count: Int, _ report: inout BenchReport) throws {
    let store = try SQLiteStore(folder: "\(place)/search")
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "bench").id
    let customers: [CustomerID] = (0..<1_000).map { _ in .new() }
    let vocabulary = Vocabulary(20_000)
    var random = EntropyGenerator()
    try fill(store, workspace, count) { number, commit in
      let text = (0..<12).map { _ in vocabulary.word(&random) }.joined(separator: " ")
      commit.entries.append(
        BenchRows.entry(number, customers[Int(number) % customers.count], text: text))
    }
    let begun = MonotonicClock.nowNanoseconds
    while try !store.index(workspace, limit: 500, words: SearchText.words) {}
    let name = "search over \(count) entries"
    report.add(
      name, "indexing", Double(count) / (Double(MonotonicClock.nowNanoseconds - begun) / 1e9), "1/s"
    )
    let reader = try store.reader()
    // A search that finds nothing is fast: what was found belongs to the figure.
    func searched(
      _ kind: String, _ times: Int, _ query: (Int) -> SearchQuery
    ) throws -> LatencyHistogram {
      var found = 0
      let latencies = try measured(times) { turn in
        found += try reader.search(workspace, query(turn), words: SearchText.words).hits.count
      }
      report.add("\(name), \(kind)", "hits a page", Double(found) / Double(times), "1")
      return latencies
    }
    report.add(
      "\(name), one word",
      try searched("one word", 2_000) { _ in SearchQuery(words: vocabulary.word(&random)) })
    report.add(
      "\(name), two words",
      try searched("two words", 2_000) { _ in
        SearchQuery(words: "\(vocabulary.word(&random)) \(vocabulary.word(&random))")
      })
    report.add(
      "\(name), of one customer",
      try searched("of one customer", 2_000) { turn in
        var query = SearchQuery(words: vocabulary.word(&random))
        query.customers = [customers[turn % customers.count]]
        return query
      })
    report.add(
      "\(name), commonest two words",
      try searched("commonest two words", 200) { _ in
        SearchQuery(words: "\(vocabulary.words[0]) \(vocabulary.words[1])")
      })
    try erase(store, workspace, customers, count, &report)
  }

  /// Words that go until no file holds a byte of them: the index is merged, and both logs are
  /// emptied.
  private func erase(
    _ store: SQLiteStore, _ workspace: WorkspaceID, _ customers: [CustomerID], _ count: Int,
    _ report: inout BenchReport
  ) throws {
    func timed(_ name: String, _ body: () throws -> Void) rethrows {
      let begun = MonotonicClock.nowNanoseconds
      try body()
      report.add(
        "erasing in \(count) entries", name, Double(MonotonicClock.nowNanoseconds - begun) / 1e6,
        "ms")
    }
    for turn in 1...3 {
      try timed("one of \(customers.count) customers, time \(turn)") {
        _ = try store.erase(
          workspace, [customers[turn]], at: BenchRows.start, by: "bench", upTo: nil,
          PersonForms.erased)
      }
    }
    var commit = Commit(workspace: workspace)
    commit.rewritten = [BenchRows.entry(1, customers[1], text: "[removed]")]
    commit.entries = [BenchRows.entry(Int64(count) + 1, customers[1])]
    try store.commit([commit])
    try timed("one entry's words") {
      _ = try store.index(workspace, limit: 500) { entry in
        var words = SearchText.words(entry)
        if entry.id.raw > count { words.changes = EntryID(1) }
        return words
      }
    }
  }

  // MARK: Timelines and identities

  func timeline(_ count: Int, _ report: inout BenchReport) throws {
    let store = try SQLiteStore(folder: "\(place)/timeline")
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "bench").id
    let customer: CustomerID = .new()
    var digest = TimelineDigest()
    try fill(store, workspace, count) { number, commit in
      let entry = BenchRows.entry(number, customer)
      digest.add(entry.hash)
      commit.entries.append(entry)
      commit.customers = [
        CustomerRow(
          id: customer, root: customer, created: BenchRows.start, profile: [], timeline: digest)
      ]
    }
    let reader = try store.reader()
    func page(_ before: Int64) throws {
      var out: [UInt8] = []
      try TimelinePage.read(
        workspace, of: customer, .before(EntryID(before)), limit: 200, visible: .internal, reader
      ).append(to: &out)
    }
    let name = "page of 200 of \(count) entries"
    report.add("\(name), newest", try measured(2_000) { _ in try page(.max) })
    report.add(
      "\(name), anywhere", try measured(2_000) { _ in try page(.random(in: 1...Int64(count + 1))) })
  }

  /// Who is this? As the workspace's writer resolves it, with nothing in its overlay, so that every look-up goes to
  /// the store's index.
  func identity(_ count: Int, _ report: inout BenchReport) throws {
    let store = try SQLiteStore(folder: "\(place)/identity")
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "bench").id
    let profile = CustomerProfile().encoded
    try fill(store, workspace, count) { number, commit in
      let customer: CustomerID = .new()
      commit.customers.append(
        CustomerRow(
          id: customer, root: customer, created: BenchRows.start, profile: profile,
          timeline: TimelineDigest()))
      let claim = Self.claim(Int(number))
      commit.identities.append(
        IdentityRow(
          hash: claim.hash, customer: customer, identity: claim.identity,
          assurance: claim.assurance,
          evidence: Evidence(
            .init(
              source: claim.source, means: claim.means, assurance: claim.assurance,
              at: BenchRows.start)
          ).encoded))
    }
    let reader = try store.reader()
    let lookup = Resolution.Lookup(
      identity: { hash throws(StoreFault) in try reader.identity(workspace, hash: hash) },
      customer: { id throws(StoreFault) in try reader.customer(workspace, id) },
      merged: { root throws(StoreFault) in try reader.merged(workspace, into: root) },
      isProven: { id throws(StoreFault) in
        try reader.identities(workspace, of: id).contains { $0.assurance.joins }
      })
    func resolved(_ name: String, isNew: Bool, _ who: (Int) -> [Int]) throws {
      let latencies = try measured(20_000) { turn in
        let found = try Resolution.resolve(
          who(turn).map(Self.claim), newID: .new(), attributes: [], at: BenchRows.start, lookup)
        guard found.isNew == isNew, found.isProven else {
          throw BenchServer.Fault(description: "\(name): resolved as somebody else")
        }
      }
      for (measure, value) in [
        ("p50", latencies.p50), ("p99", latencies.p99), ("p99.9", latencies.p999),
      ] {
        report.add("\(name) among \(count)", measure, Double(value) / 1e3, "us")
      }
    }
    try resolved("first contact", isNew: true) { [count + 1 + $0] }
    try resolved("first contact by two identities", isNew: true) {
      [count + 1 + $0, 2 * count + 1 + $0]
    }
    try resolved("somebody known", isNew: false) { _ in [.random(in: 1...count)] }
    try resolved("somebody known, by a second identity", isNew: false) {
      [.random(in: 1...count), count + 1 + $0]
    }
  }

  private static func claim(_ number: Int) -> IdentityClaim {
    IdentityClaim(
      identity: Identity(kind: .email, value: "somebody.\(number)@home.example"),
      hash: Array(SHA256.hash(Array("identity \(number)".utf8)).bytes.prefix(16)),
      assurance: .asserted, source: "bot:bench", means: "assertion")
  }
}
