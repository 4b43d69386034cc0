import Store
import StoreInMemory
import Testing

/// The store in memory that other tests stand on keeps the contract, too: what they show would else
/// be true of no real store.
struct `The store in memory` {
  /// What it has not; asked for, it fails.
  static let without: Set<String> = [
    "a search finds words, phrases and beginnings, newest first",
    "a search is narrowed by customer, channel, queue, agent, time and visibility",
    "a search comes in pages, with what was found marked",
    "a search says up to which entry it has seen",
    "an entry may get other words, and then nobody finds the old ones",
    "a person who was erased is nowhere, and every count still fits",
    "an erasure covers what was said up to it, and no more",
    "words that are past their time go, and their place stays",
  ]

  @Test(arguments: StoreContract.checks.filter { !without.contains($0.testDescription) })
  func `keeps the contract`(_ check: StoreContract.Check) throws {
    try check.run(MemoryStore(chain: { Checksum.chain($0, $1) }))
  }

  @Test func `nothing else is left out`() {
    let names = Set(StoreContract.checks.map(\.testDescription))
    #expect(Self.without.isSubset(of: names) && names.count - Self.without.count > 20)
  }
}
