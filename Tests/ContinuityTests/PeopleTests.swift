import Continuity
import Model
import Records
import Testing

struct PeopleTests {
  static func id(_ n: Int) -> CustomerID { CustomerID(high: 7, low: UInt64(n)) }
  static func at(_ n: Int) -> Instant { Instant(milliseconds: Int64(n)) }
  static let step = Link.Step(.joined, by: "bot:robin", reason: "", at: at(0))
  static let parted = Link.Step(.parted, by: "agent:ann", reason: "", at: at(1))

  static func people(_ count: Int) throws -> People {
    var people = People()
    for n in 0..<count { people.addNew(id(n), at: at(n)) }
    return people
  }

  @Test func `whether two people were one is told for as long as they are apart`() throws {
    var people = People()
    let ids = (1...3).map { CustomerID(high: 0, low: UInt64($0)) }
    for id in ids { people.addNew(id, at: Instant(milliseconds: Int64(id.low))) }
    let step = { (what: Link.Step.What) in
      Link.Step(what, by: "agent:ann", reason: "", at: Instant(milliseconds: 9))
    }
    people.join(ids[0], ids[1], step(.joined))
    people.join(ids[1], ids[2], step(.joined))
    #expect(!people.wereParted(ids[0], ids[2]))
    for what in [Link.Step.What.parted, .partedAsShared] {
      people.part(ids[0], ids[1], step(what))
      #expect(people.wereParted(ids[0], ids[2]) && people.wereParted(ids[2], ids[0]))
      #expect(!people.wereParted(ids[1], ids[2]))
      people.join(ids[0], ids[1], step(.joined))
      #expect(!people.wereParted(ids[0], ids[2]))
    }
  }

  @Test(
    "who is joined is one person, and the oldest record is the root of all, however they were joined"
  )
  func roots() throws {
    var people = try Self.people(4)
    people.join(Self.id(3), Self.id(2), Self.step)
    people.join(Self.id(2), Self.id(1), Self.step)
    people.join(Self.id(3), Self.id(0), Self.step)
    #expect(people.person(of: Self.id(2)) == (0..<4).map(Self.id))
    for n in 0..<4 { #expect(people[Self.id(n)]?.root == Self.id(0)) }
  }

  @Test("a link in the middle, taken back, parts a person in two, each with its own root")
  func middle() throws {
    var people = try Self.people(4)
    for n in 1..<4 { people.join(Self.id(n - 1), Self.id(n), Self.step) }
    people.part(Self.id(1), Self.id(2), Self.parted)
    #expect(people.person(of: Self.id(0)) == [Self.id(0), Self.id(1)])
    #expect(people.person(of: Self.id(3)) == [Self.id(2), Self.id(3)])
    #expect(people[Self.id(3)]?.root == Self.id(2))
    #expect(people.areKeptApart(Self.id(0), Self.id(3)))
    people.join(Self.id(1), Self.id(2), Self.step)
    #expect(people[Self.id(3)]?.root == Self.id(0))
    #expect(!people.areKeptApart(Self.id(0), Self.id(3)))
    #expect(people.link(Self.id(2), Self.id(1))?.story.map(\.what) == [.joined, .parted, .joined])
  }

  @Test("links read back as they were written, and so do the records of the first format")
  func profileBytes() throws {
    var profile = CustomerProfile()
    profile.set(
      .init(name: "name", text: "Jo \"the lamp\" Doe", source: "bot:robin", at: Self.at(5)))
    profile.saw(.init(name: "ordered", at: Self.at(6)))
    profile.lastAgent = .init(agent: AgentID(3), at: Self.at(7))
    var link = Link(Self.id(1), Self.id(0), identities: [[1, 2]], Self.step)
    link.happened(Self.parted)
    profile.links = [link]
    #expect(try CustomerProfile(decoding: profile.encoded) == profile)
    // Version 1: a name, no journey, no agent.
    let old = try CustomerProfile(decoding: [1, 1, 2, 0x4A, 0x6F, 0, 0])
    #expect(old.displayName == "Jo")
    for cut in 0..<profile.encoded.count {
      #expect(throws: (any Error).self) {
        try CustomerProfile(decoding: Array(profile.encoded.prefix(cut)))
      }
    }
  }

  /// Random joins and partings against a plain reference: the same lines, walked naively.
  @Test("after any joins and partings each person is what hangs together", arguments: 0..<60)
  func random(_ seed: Int) throws {
    var random = Seeded(UInt64(seed))
    let count = 8
    var people = try Self.people(count)
    var lines: Set<[Int]> = []
    func reach(_ n: Int) -> Set<Int> {
      var found: Set<Int> = [n]
      while true {
        let more = lines.filter { !found.isDisjoint(with: $0) }.reduce(into: found) {
          $0.formUnion($1)
        }
        if more == found { return found }
        found = more
      }
    }
    for _ in 0..<40 {
      let (a, b) = (
        Int.random(in: 0..<count, using: &random), Int.random(in: 0..<count, using: &random)
      )
      guard a != b else { continue }
      if Bool.random(using: &random) {
        if !reach(a).contains(b) { lines.insert([a, b].sorted()) }
        people.join(Self.id(a), Self.id(b), Self.step)
      } else {
        lines.remove([a, b].sorted())
        people.part(Self.id(a), Self.id(b), Self.parted)
      }
      for n in 0..<count {
        #expect(people.person(of: Self.id(n)) == reach(n).sorted().map(Self.id), "seed \(seed)")
        #expect(people[Self.id(n)]?.root == reach(n).min().map(Self.id), "seed \(seed)")
      }
    }
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
