import Model

/// Waiting cases that only a few agents can ever take, held with each of these agents, the soonest
/// first.
///
/// Where nearly every case needs something else, a search of the classes passes many that the agent
/// cannot serve, and those that hardly anybody can serve wait longest, so that they stand before
/// all others. Held with their few agents, they cost a search nothing: an agent looks at the first
/// of their own. A class that many cases share stays in the `CaseIndex`, which needs one look for
/// all of them.
struct ScarceCases: Sendable {
  /// A case that more agents can take is not scarce.
  static let agentsMax = 24

  struct Entry: Sendable {
    var key: Int64
    var sequence: UInt64
    var slot: Int32
    var weight: UInt16
    var channel: UInt8  // as a bit
    @inline(__always) static func < (a: Entry, b: Entry) -> Bool {
      a.key == b.key ? a.sequence < b.sequence : a.key < b.key
    }
  }

  /// Who may take a case, and how it was listed.
  private struct Place: Sendable {
    var entry: Entry
    var family: UInt64
    var agents: [Int32]
    var queue: QueueID
    /// Where it stands among those that name agents; -1 for one that names nobody.
    var placeOfNaming: Int32
  }

  private var lists: [SortedRow] = []
  private var places: [Place] = []
  private var free: [Int32] = []
  private var placeOf: [Int32] = []
  /// How many cases here are of a family of needs; several families may share a number, which only
  /// costs.
  private var families: [UInt8] = Array(repeating: 0, count: 1 << 12)
  private(set) var count = 0
  /// How many of each queue, by its handle, name nobody, and how many do; and which these are.
  private var counts: [(anonymous: Int, naming: Int)] = []
  private(set) var naming: [Int32] = []

  init() {}
  init(agents: Int) { lists = Array(repeating: SortedRow(), count: agents) }

  /// Every case that is here, the soonest first.
  var all: [Int32] {
    places.filter { $0.entry.slot >= 0 }.sorted { $0.entry < $1.entry }.map(\.entry.slot)
  }
  func contains(_ slot: Int32) -> Bool {
    count > 0 && Int(slot) < placeOf.count && placeOf[Int(slot)] >= 0
  }
  func length(_ agent: Int) -> Int { lists[agent].count }

  /// Whether so many cases of the family are here that the next one belongs to a class of its own.
  func isCommon(_ family: UInt64) -> Bool { families[bucket(family)] >= 2 }

  private func bucket(_ family: UInt64) -> Int {
    Int(truncatingIfNeeded: family) & (families.count - 1)
  }

  /// Of the queue: how many cases stand here that name no agent or team, and how many that do.
  func number(in queue: QueueID) -> (anonymous: Int, naming: Int) {
    Int(queue.raw) < counts.count ? counts[Int(queue.raw)] : (0, 0)
  }

  /// What may come to the agent, the soonest first.
  func cases(of agent: Int) -> [Int32] {
    lists[agent].entries[lists[agent].start...].map(\.slot)
  }
  /// How many can take the case; nil for one that is not here.
  func agents(of slot: Int32) -> Int? {
    contains(slot) ? places[Int(placeOf[Int(slot)])].agents.count : nil
  }
  func namesAgents(_ slot: Int32) -> Bool { places[Int(placeOf[Int(slot)])].placeOfNaming >= 0 }

  mutating func insert(
    _ entry: Entry, family: UInt64, agents: [Int32], queue: QueueID, namesAgents: Bool
  ) {
    while placeOf.count <= Int(entry.slot) { placeOf.append(-1) }
    if count * 4 > families.count { growFamilies() }
    for agent in agents { lists[Int(agent)].insert(entry) }
    let place = Place(
      entry: entry, family: family, agents: agents, queue: queue,
      placeOfNaming: namesAgents ? Int32(truncatingIfNeeded: naming.count) : -1)
    while counts.count <= Int(queue.raw) { counts.append((0, 0)) }
    if namesAgents {
      naming.append(entry.slot)
      counts[Int(queue.raw)].naming += 1
    } else {
      counts[Int(queue.raw)].anonymous += 1
    }
    if let vacant = free.popLast() {
      places[Int(vacant)] = place
      placeOf[Int(entry.slot)] = vacant
    } else {
      placeOf[Int(entry.slot)] = Int32(truncatingIfNeeded: places.count)
      places.append(place)
    }
    count += 1
    let at = bucket(family)
    if families[at] < .max { families[at] += 1 }
  }

  mutating func remove(_ slot: Int32) {
    guard contains(slot) else { return }
    let place = Int(placeOf[Int(slot)])
    placeOf[Int(slot)] = -1
    let entry = places[place].entry
    for agent in places[place].agents { lists[Int(agent)].remove(entry) }
    uncount(place)
    places[place].agents = []
    places[place].entry.slot = -1
    free.append(Int32(truncatingIfNeeded: place))
    count -= 1
    let at = bucket(places[place].family)
    if families[at] < .max { families[at] -= 1 }  // a number that was full stays full
  }

  private mutating func uncount(_ place: Int) {
    let (at, queue) = (Int(places[place].placeOfNaming), Int(places[place].queue.raw))
    guard at >= 0 else {
      counts[queue].anonymous -= 1
      return
    }
    counts[queue].naming -= 1
    let last = naming.removeLast()
    guard at < naming.count else { return }
    naming[at] = last
    places[Int(placeOf[Int(last)])].placeOfNaming = Int32(truncatingIfNeeded: at)
  }

  private mutating func growFamilies() {
    families = Array(repeating: 0, count: families.count * 4)
    for place in places where place.entry.slot >= 0 {
      let at = bucket(place.family)
      if families[at] < .max { families[at] += 1 }
    }
  }

  /// The agent's soonest case on one of the channels, with room for it, that passes.
  func best(
    for agent: Int, ready: UInt8, room: Rooms, _ profiles: Profiles,
    where passes: (Int32, Profiles) -> Bool
  ) -> CaseIndex.Entry {
    guard count > 0 else { return .none }
    let list = lists[agent]
    for at in list.start..<list.entries.count {
      let entry = list.entries[at]
      if entry.channel & ready != 0, Int(entry.weight) <= room[entry.channel],
        passes(entry.slot, profiles)
      {
        return CaseIndex.Entry(key: entry.key, sequence: entry.sequence, slot: entry.slot)
      }
    }
    return .none
  }

  /// Every case that goes before, in no order.
  func forEach(before bound: CaseIndex.Entry, _ body: (Int32) -> Void) {
    for place in places where place.entry.slot >= 0 {
      if (place.entry.key, place.entry.sequence) < (bound.key, bound.sequence) {
        body(place.entry.slot)
      }
    }
  }
}

/// Sorted entries with room before the first: cases leave near the front and come near the end, and
/// either way the shorter side moves.
private struct SortedRow: Sendable {
  var entries: [ScarceCases.Entry] = []
  var start = 0
  var count: Int { entries.count - start }

  /// Index of the first entry that is not before `entry`.
  private func place(_ entry: ScarceCases.Entry) -> Int {
    var (low, high) = (start, entries.count)
    while low < high {
      let middle = (low + high) >> 1
      if entries[middle] < entry { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func insert(_ entry: ScarceCases.Entry) {
    let at = place(entry)
    if start > 0, at - start < entries.count - at {
      start -= 1
      var index = start
      while index < at - 1 {
        entries[index] = entries[index + 1]
        index += 1
      }
      entries[at - 1] = entry
    } else {
      entries.insert(entry, at: at)
    }
  }

  mutating func remove(_ entry: ScarceCases.Entry) {
    let at = place(entry)
    guard at < entries.count, entries[at].slot == entry.slot else { return }
    if at - start < entries.count - at {
      var index = at
      while index > start {
        entries[index] = entries[index - 1]
        index -= 1
      }
      start += 1
      if start > 32, start * 2 > entries.count {
        entries.removeFirst(start)
        start = 0
      }
    } else {
      entries.remove(at: at)
    }
  }
}
