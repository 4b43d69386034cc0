import Model
import Wire

// What each row holds: ids instead of slots, and nothing that can be derived.
extension Router {
  func row(_ kind: RowKind, _ slot: Int32) -> WorkRow {
    var out = ByteWriter(reserving: 96)
    out.uint8(4)  // version of the row's encoding
    let key = write(kind, slot, &out)
    return WorkRow(kind: kind.rawValue, key: key, value: out.bytes)
  }

  private func write(_ kind: RowKind, _ slot: Int32, _ out: inout ByteWriter) -> [UInt8] {
    switch kind {
    case .meta:
      out.put(now)
      out.put(sequence)
      out.put(turn)
      return []
    case .catalogue:
      catalogue.write(&out)
      return []
    case .conversation:
      conversations[slot].write(&out)
      return Self.key(conversations[slot].id.high, conversations[slot].id.low)
    case .session:
      out.put(conversations[sessions[slot].conversation].id)
      sessions[slot].write(&out)
      return Self.key(sessions[slot].id.high, sessions[slot].id.low)
    case .theCase:
      out.put(conversations[cases[slot].conversation].id)
      cases[slot].write(&out)
      return Self.key(cases[slot].id.high, cases[slot].id.low)
    case .offer:
      out.put(cases[offers[slot].theCase].id)
      offers[slot].write(&out)
      return Self.key(offers[slot].id.high, offers[slot].id.low)
    case .agent:
      agents[Int(slot)].write(&out)
      return Self.key(UInt32(bitPattern: slot))
    case .queue:
      queues[Int(slot)].write(&out)
      return Self.key(UInt32(bitPattern: slot))
    }
  }

  // MARK: Reading

  /// The machine as its rows tell it, in whatever order they come.
  /// - Errors: as `RouterLoading.take`.
  public init(rows: [WorkRow]) throws(WireError) {
    var loading = RouterLoading()
    for kinds in RouterLoading.kinds {
      for row in rows where kinds.contains(row.kind) {
        guard let value = row.value else { throw WireError.badValue(offset: 0) }
        try row.key.reading { key throws(WireError) in
          try value.reading { value throws(WireError) in try loading.take(row.kind, key, value) }
        }
      }
    }
    self = loading.finish()
  }

  // Records are looked up by their table and not by `slot(of:)`: for a method of the machine that only reads, called
  // between two that write, the compiler copies all of it.
  fileprivate mutating func load(
    _ kind: RowKind, _ key: UnsafeRawBufferPointer, _ bytes: inout ByteReader, _ version: UInt8
  ) throws(WireError) {
    switch kind {
    case .meta:
      now = try bytes.get()
      sequence = try bytes.get()
      if version > 2 { turn = try bytes.get() }
    case .catalogue:
      catalogue = try Catalogue(&bytes, version: version)
      agents = Array(repeating: AgentRecord(), count: catalogue.agents.count)
      queues = Array(repeating: QueueRecord(), count: catalogue.queues.count)
    case .agent:
      let index = Int(try Self.number(key))
      guard index < agents.count else { throw WireError.badValue(offset: 0) }
      agents[index] = try AgentRecord(&bytes, version: version)
    case .queue:
      let index = Int(try Self.number(key))
      guard index < queues.count else { throw WireError.badValue(offset: 0) }
      queues[index] = try QueueRecord(&bytes, version: version)
    case .conversation:
      let id: ConversationID = try Self.id(key)
      guard conversations.find(id) < 0 else { throw WireError.badValue(offset: 0) }
      _ = conversations.add(try ConversationRecord(id, &bytes, version: version))
    case .session:
      let home = conversations.find(try bytes.get(ConversationID.self))
      guard home >= 0 else { throw WireError.badValue(offset: 0) }
      let id: SessionID = try Self.id(key)
      guard sessions.find(id) < 0 else { throw WireError.badValue(offset: 0) }
      _ = sessions.add(try SessionRecord(id, home, &bytes))
    case .theCase:
      let home = conversations.find(try bytes.get(ConversationID.self))
      guard home >= 0, conversations[home].openCase < 0 else { throw WireError.badValue(offset: 0) }
      let record = try CaseRecord(try Self.id(key), home, &bytes, version: version)
      for queue in record.widened where Int(queue.raw) >= queues.count {
        throw WireError.badValue(offset: 0)
      }
      guard Int(record.need.queue.raw) < queues.count,
        [record.agent, record.consult?.agent].allSatisfy({ [count = agents.count] in
          $0.map { Int($0.raw) < count } ?? true
        })
      else { throw WireError.badValue(offset: 0) }
      guard cases.find(record.id) < 0 else { throw WireError.badValue(offset: 0) }
      conversations[home].openCase = cases.add(record)
    case .offer:
      let theCase = cases.find(try bytes.get(CaseID.self))
      let record = try OfferRecord(try Self.id(key), theCase, &bytes)
      guard theCase >= 0, Int(record.agent.raw) < agents.count, offers.find(record.id) < 0 else {
        throw WireError.badValue(offset: 0)
      }
      _ = offers.add(record)
    }
  }

  private static func number(_ key: UnsafeRawBufferPointer) throws(WireError) -> UInt32 {
    guard key.count == 4 else { throw WireError.badValue(offset: 0) }
    return key.reduce(0) { $0 << 8 | UInt32($1) }
  }
  private static func id<Kind>(_ key: UnsafeRawBufferPointer) throws(WireError) -> ID<Kind> {
    guard key.count == 16 else { throw WireError.badValue(offset: 0) }
    return ID(
      high: UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  /// What was derived, anew: lists, counts, indexes, timers. In the order in which the records were
  /// made.
  fileprivate mutating func tieUp() {
    for slot in sessions.ordered {
      hang(slot, on: sessions[slot].conversation)
      sessions[slot].isStored = true
    }
    for slot in conversations.ordered { conversations[slot].isStored = true }
    for slot in offers.ordered { tieOffer(slot) }
    for slot in cases.ordered { tieCase(slot) }
    rebuildIndexes()
  }

  private mutating func tieOffer(_ slot: Int32) {
    let theCase = offers[slot].theCase
    offers[slot].nextOfCase = cases[theCase].firstOffer
    cases[theCase].firstOffer = slot
    cases[theCase].offersOpen += 1
    cases[theCase].state = .offered
    agents[Int(offers[slot].agent.raw)].openOffer = slot
    timers.set(.offer, slot, number: offers[slot].sequence, at: offers[slot].until)
    offers[slot].isStored = true
  }

  private mutating func tieCase(_ slot: Int32) {
    let queue = Int(cases[slot].need.queue.raw)
    cases[slot].isStored = true
    cases[slot].weight = max(
      1, cases[slot].need.weight ?? catalogue.limits.weight[cases[slot].channel])
    switch cases[slot].state {
    case .waiting, .offered:
      if cases[slot].state == .waiting {
        let now = now
        queues[queue].count(waiting: 1, at: now)
      } else {
        queues[queue].offered += 1
      }
      queues[queue].oldest.add(
        .init(age: cases[slot].age.milliseconds, sequence: cases[slot].sequence, slot: slot))
    case .assigned(let agent), .wrappingUp(let agent, _):
      queues[queue].assigned += 1
      take(slot, agent)
    case .parked: queues[queue].assigned += 1
    }
    if let consult = cases[slot].consult { agents[Int(consult.agent.raw)].advises.append(slot) }
  }
}

/// A machine that is being read from its rows, one after the other: those of a million open conversations need not be in
/// memory at once.
public struct RouterLoading: ~Copyable {
  private var router = Router()
  private var isEmpty = true

  /// Parents before children, and agents and queues before the cases that count in them. Every kind is in one of these,
  /// so that a row of a kind that nobody knows is found, too.
  public static let kinds: [ClosedRange<UInt8>] = [
    0...RowKind.catalogue.rawValue,
    RowKind.agent.rawValue...255,
    RowKind.conversation.rawValue...RowKind.offer.rawValue,
  ]

  public init() {}

  /// Takes a row; those of one range of `kinds` by kind, the ranges in their order.
  /// - Errors: `WireError` for a row that is torn, or that names something that no row holds.
  public mutating func take(
    _ kind: UInt8, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) throws(WireError) {
    guard let kind = RowKind(rawValue: kind) else { throw WireError.badValue(offset: 0) }
    isEmpty = false
    var bytes = ByteReader(value)
    let version = try bytes.uint8()
    guard (1...4).contains(version) else { throw WireError.badValue(offset: 0) }
    try router.load(kind, key, &bytes, version)
    guard bytes.isAtEnd else { throw .badValue(offset: bytes.offset) }
  }

  /// Equal, to the byte, to a replay of the log that made the rows.
  public consuming func finish() -> Router {
    if !isEmpty { router.tieUp() }
    return router
  }
}
