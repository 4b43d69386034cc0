import Model
import Wire

/// One row of open work, as the store keeps it. A value of nil: the row is gone.
public struct WorkRow: Hashable, Sendable {
  public var kind: UInt8
  public var key: [UInt8]
  public var value: [UInt8]?
  public init(kind: UInt8, key: [UInt8], value: [UInt8]?) {
    self.kind = kind
    self.key = key
    self.value = value
  }
}

/// What the rows are about. Codes are stored: append only.
enum RowKind: UInt8 {
  case meta = 1
  case catalogue = 2
  case conversation = 3
  case session = 4
  case theCase = 5
  case offer = 6
  case agent = 7
  case queue = 8
}

/// A row to write: a record's slot, or the key of what is gone.
enum DirtyRow: Sendable {
  case live(RowKind, Int32)
  case gone(RowKind, high: UInt64, low: UInt64)
}

extension Router {
  // MARK: Marking

  mutating func markDirty(conversation slot: Int32) {
    guard !conversations[slot].isDirty else { return }
    conversations[slot].isDirty = true
    dirty.append(.live(.conversation, slot))
  }
  mutating func markDirty(session slot: Int32) {
    guard !sessions[slot].isDirty else { return }
    sessions[slot].isDirty = true
    dirty.append(.live(.session, slot))
  }
  mutating func markDirty(theCase slot: Int32) {
    guard !cases[slot].isDirty else { return }
    cases[slot].isDirty = true
    dirty.append(.live(.theCase, slot))
  }
  mutating func markDirty(offer slot: Int32) {
    guard !offers[slot].isDirty else { return }
    offers[slot].isDirty = true
    dirty.append(.live(.offer, slot))
  }
  mutating func markDirty(_ agent: AgentID) {
    guard !agents[Int(agent.raw)].isDirty else { return }
    agents[Int(agent.raw)].isDirty = true
    dirty.append(.live(.agent, Int32(truncatingIfNeeded: agent.raw)))
  }
  mutating func markDirty(queue: QueueID) {
    guard !queues[Int(queue.raw)].isDirty else { return }
    queues[Int(queue.raw)].isDirty = true
    dirty.append(.live(.queue, Int32(truncatingIfNeeded: queue.raw)))
  }
  mutating func markGone(conversation slot: Int32) {
    gone(.conversation, conversations[slot].id, conversations[slot].isStored)
  }
  mutating func markGone(session slot: Int32) {
    gone(.session, sessions[slot].id, sessions[slot].isStored)
  }
  mutating func markGone(theCase slot: Int32) {
    gone(.theCase, cases[slot].id, cases[slot].isStored)
  }
  mutating func markGone(offer slot: Int32) { gone(.offer, offers[slot].id, offers[slot].isStored) }

  /// What came and went between two takings was never a row.
  private mutating func gone<Kind>(_ kind: RowKind, _ id: ID<Kind>, _ wasStored: Bool) {
    if wasStored { dirty.append(.gone(kind, high: id.high, low: id.low)) }
  }

  // MARK: Taking

  /// The rows that changed since they were last taken: first those that went, then those that are
  /// there, in the order in which they first changed. So what went and came again stays, though its
  /// slot may have been marked before it went.
  public mutating func takeDirtyRows() -> [WorkRow] {
    var rows: [WorkRow] = []
    if metaIsDirty { rows.append(row(.meta, 0)) }
    if catalogueIsDirty { rows.append(row(.catalogue, 0)) }
    metaIsDirty = false
    catalogueIsDirty = false
    for case .gone(let kind, let high, let low) in dirty {
      rows.append(WorkRow(kind: kind.rawValue, key: Self.key(high, low), value: nil))
    }
    for case .live(let kind, let slot) in dirty where settle(kind, slot) {
      rows.append(row(kind, slot))
    }
    dirty.removeAll(keepingCapacity: true)
    return rows
  }

  /// For whoever keeps no rows.
  public mutating func forgetDirtyRows() {
    metaIsDirty = false
    catalogueIsDirty = false
    for case .live(let kind, let slot) in dirty { _ = settle(kind, slot) }
    dirty.removeAll(keepingCapacity: true)
  }

  /// Whether the record is there and still dirty; clears the mark.
  private mutating func settle(_ kind: RowKind, _ slot: Int32) -> Bool {
    switch kind {
    case .meta, .catalogue: return true
    case .conversation: return conversations[slot].takeDirty()
    case .session: return sessions[slot].takeDirty()
    case .theCase: return cases[slot].takeDirty()
    case .offer: return offers[slot].takeDirty()
    case .agent: return agents[Int(slot)].takeDirty()
    case .queue:
      defer { queues[Int(slot)].isDirty = false }
      return queues[Int(slot)].isDirty
    }
  }

  // MARK: The whole state

  /// All rows in the order of kind and key: the state, and nothing but the state.
  public func allRows() -> [WorkRow] {
    var rows = [row(.meta, 0)]
    if catalogue.isConfigured { rows.append(row(.catalogue, 0)) }
    rows += byID(conversations.ordered.map { row(.conversation, $0) })
    rows += byID(sessions.ordered.map { row(.session, $0) })
    rows += byID(cases.ordered.map { row(.theCase, $0) })
    rows += byID(offers.ordered.map { row(.offer, $0) })
    for index in agents.indices { rows.append(row(.agent, Int32(truncatingIfNeeded: index))) }
    for index in queues.indices { rows.append(row(.queue, Int32(truncatingIfNeeded: index))) }
    return rows
  }

  private func byID(_ rows: [WorkRow]) -> [WorkRow] {
    rows.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  public var canonicalBytes: [UInt8] {
    var out = ByteWriter()
    for row in allRows() {
      out.uint8(row.kind)
      out.blob(row.key)
      out.blob(row.value ?? [])
    }
    return out.bytes
  }

  /// FNV-1a over the canonical bytes: the same in every process. Not for security.
  public var stateHash: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in canonicalBytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return hash
  }

  static func key(_ high: UInt64, _ low: UInt64) -> [UInt8] {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
  }
  static func key(_ number: UInt32) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}

extension SlotRecord {
  mutating func takeDirty() -> Bool {
    guard isDirty else { return false }
    isDirty = false
    isStored = true
    return true
  }
}
extension AgentRecord {
  mutating func takeDirty() -> Bool {
    guard isDirty else { return false }
    isDirty = false
    return true
  }
}
