import Model
import Pipeline
import Records
import Routing
import Wire

/// What the world was told, and what the disk says of it: the two must agree at every moment.
struct Ledger {
  /// A replay of what is on disk, and nothing else, held against all that must hold over a history.
  private var history = HistoryCheck(seesOffered: true)
  var watch: ((Event) -> String?)?
  private var made: [OfferID: AgentID] = [:]
  private var subjects: [OfferID: CaseID] = [:]
  private var holders: [CaseID: AgentID] = [:]
  private var accepted: Set<Acceptance> = []
  /// In this command a case that somebody has went to another. So it may when a supervisor or a
  /// colleague takes it, and never when an offer is accepted: what would be wrong then.
  private var handed: [CaseID: String] = [:]
  private var epochs: [ConversationID: UInt32] = [:]
  private(set) var acceptances = 0
  /// Offers that somebody's screen or phone shows, and those that ended since the last look.
  private var shown: Set<OfferID> = []
  private var over: Set<OfferID> = []

  private var said: [UInt64: EntryID] = [:]
  private var cases: [CaseID] = []
  private var lastOfContact: [Int: EntryID] = [:]
  private(set) var duplicates: [UInt64: Errand] = [:]

  private struct Acceptance: Hashable {
    var theCase: CaseID
    var agent: AgentID
  }

  mutating func remember(_ number: UInt64, _ errand: Errand) {
    duplicates[number] = errand
    duplicates[number &- 400] = nil
  }

  // MARK: What is on disk now

  mutating func isOnDisk(_ commit: Commit, _ trace: ((String) -> Void)?) -> String? {
    for record in commit.log {
      handed = [:]
      do throws(WireError) {
        for event in try record.routerEvents() {
          trace?("\(record.position) \(record.at) \(event)")
          history.feed(event, at: record.at)
          if let wrong = history.violations.first { return "position \(record.position): \(wrong)" }
          if let wrong = happened(event) ?? watch?(event) {
            return "position \(record.position): \(wrong)"
          }
        }
      } catch { return "log record \(record.position) cannot be read: \(error)" }
    }
    return nil
  }

  private mutating func happened(_ event: Event) -> String? {
    switch event {
    case .offerMade(let offer, let id, let agent, _, _, _):
      (subjects[offer], made[offer]) = (id, agent)
    case .caseAccepted(let id, let agent):
      acceptances += 1
      accepted.insert(Acceptance(theCase: id, agent: agent))
      if let other = holders.updateValue(agent, forKey: id) {
        handed[id] = "\(id) has two owners, agents \(other.raw) and \(agent.raw)"
      }
    case .offerEnded(let offer, let end):
      let id = subjects.removeValue(forKey: offer)
      // Who accepts it hears of the case.
      if end == .accepted {
        shown.remove(offer)
        return id.flatMap { handed[$0] }
      }
      over.insert(offer)
    case .caseClosed(let id, _): holders[id] = nil
    case .caseRequeued(let id, _): holders[id] = nil
    case .ownerChanged(let id, _, let epoch):
      if let before = epochs.updateValue(epoch, forKey: id), before >= epoch {
        return "the epoch of \(id) goes from \(before) to \(epoch)"
      }
    default: break
    }
    return nil
  }

  /// The machine that a start reads from the rows is the one that the log replays.
  func compare(_ router: Router) -> String? {
    router.canonicalBytes == history.router.canonicalBytes
      ? nil : "the state from the rows is not the replay of the log"
  }

  // MARK: What somebody was told

  mutating func offered(_ offer: OfferID, to agent: AgentID) -> String? {
    shown.insert(offer)
    return made[offer] == agent
      ? nil : "\(offer) was shown to agent \(agent.raw) and is not on disk as theirs"
  }

  mutating func withdrawn(_ offer: OfferID) { shown.remove(offer) }

  /// Whatever is shown and has ended must have been taken back, once all has left that rests on it.
  mutating func untold() -> String? {
    let left = shown.intersection(over).sorted()
    over.removeAll()
    return left.first.map { "\($0) is over, and nobody told where it was shown" }
  }

  mutating func nothingIsShown() {
    shown.removeAll()
    over.removeAll()
  }

  mutating func told(_ answer: Answer, _ purpose: Errand.Purpose, _ disk: Disk) -> String? {
    switch (answer, purpose) {
    case (.recorded(let entry, _, _, _), .say(let contact, let marker)):
      return said(marker, entry, disk) ?? follows(contact, entry, isFirst: said[marker] == nil)
        ?? keep(marker, entry)
    case (.recorded(let entry, _, _, _), .reply(_, _, let marker)),
      (.mailTaken(_, let entry, _), .mail(_, let marker)),
      (.journeyRecorded(_, let entry), .journey(let marker)):
      return said(marker, entry, disk) ?? keep(marker, entry)
    case (.accepted(let id, _, _, _), .accept(let desk, _)):
      let agent = AgentID(UInt32(desk))
      return accepted.contains(Acceptance(theCase: id, agent: agent))
        ? nil : "agent \(desk) was told that they have \(id), and the disk does not say so"
    case (.offer(let offer), .next(let desk, _)):
      return offered(offer.offer, to: AgentID(UInt32(desk)))
    case (.handedOff(let id, _, _, _, _, _), .handoff):
      cases.append(id)
      return disk.cases[id] == nil ? "\(id) was acknowledged and is not on disk" : nil
    default: return nil
    }
  }

  private mutating func keep(_ marker: UInt64, _ entry: EntryID) -> String? {
    if let before = said.updateValue(entry, forKey: marker), before != entry {
      return "words \(marker) were acknowledged as entry \(before) and as entry \(entry)"
    }
    return nil
  }

  private func said(_ marker: UInt64, _ entry: EntryID, _ disk: Disk) -> String? {
    let index = Int(entry.raw) - 1
    guard disk.entries.indices.contains(index) else {
      return "entry \(entry) was acknowledged and is not on disk"
    }
    guard Self.marker(of: disk.entries[index]) == marker else {
      return "entry \(entry) was acknowledged for words \(marker) and holds others"
    }
    return nil
  }

  /// A bot sends one message after the other has been acknowledged: their numbers rise.
  private mutating func follows(_ contact: Int, _ entry: EntryID, isFirst: Bool) -> String? {
    guard isFirst else { return nil }
    if let last = lastOfContact.updateValue(entry, forKey: contact), last >= entry {
      return "entry \(entry) was said after entry \(last)"
    }
    return nil
  }

  /// Words are marked so that they can be found again: `,"marker":17`.
  static func members(_ marker: UInt64) -> [UInt8] { Array(",\"marker\":\(marker)".utf8) }

  static func marker(of row: EntryRow) -> UInt64? {
    let wanted = Array(",\"marker\":".utf8)
    guard let body = row.body, body.count > wanted.count else { return nil }
    for start in 0..<(body.count - wanted.count) where body[start] == wanted[0] {
      guard body[start..<(start + wanted.count)].elementsEqual(wanted) else { continue }
      let digits = body[(start + wanted.count)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
      return UInt64(String(decoding: digits, as: UTF8.self))
    }
    return nil
  }

  // MARK: At rest

  func audit(_ disk: Disk, _ live: Router) -> String? {
    var found: [UInt64: EntryID] = [:]
    var digests: [CustomerID: TimelineDigest] = [:]
    for row in disk.entries {
      digests[row.customer, default: TimelineDigest()].add(row.hash)
      guard let marker = Self.marker(of: row) else { continue }
      if let twice = found.updateValue(row.id, forKey: marker) {
        return "words \(marker) stand twice, as entries \(twice) and \(row.id)"
      }
    }
    for (marker, entry) in said.sorted(by: { $0.key < $1.key }) where found[marker] != entry {
      return "words \(marker), acknowledged as entry \(entry), are not there"
    }
    for id in disk.customers.keys.sorted() {
      guard disk.customers[id]?.timeline == digests[id] ?? TimelineDigest() else {
        return "the digest of \(id) is not that of its entries"
      }
    }
    for id in cases {
      guard let row = disk.cases[id] else { return "\(id), acknowledged, is gone" }
      if row.closed == nil, live.case(id) == nil {
        return "\(id) is open on disk, and the machine does not have it"
      }
      if let view = live.case(id),
        row.state != CaseState(view.state).rawValue || row.queue != view.need.queue.raw
          || row.agent != live.agent(of: view)?.raw
      {
        return
          "\(id) stands in state \(row.state) with \(row.agent as Any) on disk, and is \(view.state)"
      }
    }
    return compare(live)
  }
}
