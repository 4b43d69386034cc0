import Model

// What the machine holds of each open thing. Slots (`Int32`, -1 for none) tie records together in
// memory; rows and events know only ids.

struct ConversationRecord: SlotRecord, Sendable {
  var id: ConversationID
  var customer: CustomerID
  var owner: Owner
  var epoch: UInt32
  var lastAgent: AgentID?
  /// Until when the bot that owns it must have answered the customer, who spoke at `askedAt`.
  var answerBy: Instant?
  var askedAt: Instant = .distantPast
  var openCase: Int32 = -1
  /// First of the open sessions, in the order in which they were opened; the rest hang on
  /// `nextSession`.
  var firstSession: Int32 = -1
  var sequence: UInt64
  var isDirty = false
  var isStored = false
}

struct SessionRecord: SlotRecord, Sendable {
  var id: SessionID
  var conversation: Int32
  var channel: Channel
  var bot: BotID?
  /// When something was last said on it.
  var activity: Instant
  /// After a restart: until when the caller may come back.
  var graceUntil: Instant?
  var nextSession: Int32 = -1
  var sequence: UInt64
  var isDirty = false
  var isStored = false
}

/// Where a case is. Waiting → offered → assigned → (parked ⇄ assigned) → wrapping up → gone; from
/// waiting and offered also → gone; from offered, and from parked at its wake, back to waiting.
enum CaseState: Hashable, Sendable {
  case waiting
  /// At least one offer of it is open.
  case offered
  case assigned(AgentID)
  case parked(AgentID, until: Instant)
  case wrappingUp(AgentID, until: Instant)
}

/// In this order since nearly every decision reads the first two or three lines of the cache, and few the others.
struct CaseRecord: SlotRecord, Sendable {
  var id: CaseID
  var state: CaseState = .waiting
  var channel: Channel
  var isDirty = false
  var isStored = false
  // Derived, as all that says so: not in the row.
  var isPending = false
  var isHeld = false
  /// Whether it names agents or teams, or was declined, so that each agent must be asked for
  /// singly. Derived.
  var isRestricted = false
  /// Derived.
  var offersOpen: UInt8 = 0
  var conversation: Int32
  /// Derived.
  var firstOffer: Int32 = -1
  /// Derived.
  var key: Int64 = 0
  var sequence: UInt64
  /// Derived.
  var weight: UInt16 = 1
  var stepsTaken: UInt16 = 0
  var offersMade: UInt32 = 0
  var age: Instant
  var queuedAt: Instant
  /// Waits for its preferred agent alone, until this.
  var preferenceUntil: Instant?
  var acceptedOnce = false
  /// Device that the agent talks on, for an accepted call.
  var device: UInt8?
  /// The session that carries it; it may have ended while an agent still works.
  var session: SessionID
  /// What it needs now: as routed, changed by the steps taken.
  var need: Need
  var backOffs: [CaseBackOff] = []
  /// Until when the agent who took it must have spoken.
  var replyBy: Instant?
  /// Until when its customer waits on hold; only where an agent has it.
  var heldUntil: Instant?
  /// Another agent who may see it and write beside it.
  var consult: Consult?
  var widened: [QueueID] = []
  var by: RouteReason
}

struct Consult: Hashable, Sendable {
  var agent: AgentID
  var until: Instant
}

/// An agent who declined a case and is not asked again for a while, longer each time.
struct CaseBackOff: Hashable, Sendable {
  var agent: AgentID
  var until: Instant
  var times: UInt16
  var isOver: Bool
}

struct OfferRecord: SlotRecord, Sendable {
  var id: OfferID
  var theCase: Int32
  var agent: AgentID
  var seat: Seat
  var until: Instant
  var nextOfCase: Int32 = -1
  var sequence: UInt64
  var isDirty = false
  var isStored = false
}

struct AgentRecord: Sendable {
  // In the row.
  var status: AgentStatus = .offline
  var reason: StatusReasonID?
  var isPresent = false
  var presentUntil: Instant = .distantPast
  var isNotResponding = false
  var backOffUntil: Instant?
  var next: WaitingNext?
  var streams: [WaiterID] = []
  /// Rises when the agent becomes available, accepts, or ends a case: the lowest is longest idle.
  var idleStamp: UInt64 = 0
  var idleSince: Instant = .distantPast
  var offeredStamp: UInt64 = 0
  /// UTC day, and cases accepted in it.
  var day: Int64 = 0
  var acceptedInDay: UInt32 = 0
  /// What the agent will be when their last case has ended.
  var statusAfter: AgentStatus?
  var reasonAfter: StatusReasonID?
  /// Channels that the agent wants, as bits.
  var channels: UInt8 = Channel.allBits
  /// What they are on channels that they do not want, by channel, where they have said.
  var channelStatuses: [ChannelStatus] = []
  var isDirty = false

  // Derived: not in the row.
  var used: Int = 0
  /// Without the cases of interruptible channels.
  var usedFirmly: Int = 0
  var casesByChannel: (chat: UInt16, email: UInt16, phone: UInt16) = (0, 0, 0)
  var cases: [Int32] = []
  var openOffer: Int32 = -1
  /// Cases that wait for this agent alone, by key.
  var held: [Int32] = []
  /// Cases of others on which this agent's advice is asked, in no order.
  var advises: [Int32] = []
  var isPending = false
  var blocker: UInt8 = AgentRecord.unblocked
  static let unblocked: UInt8 = 255
  var ready: UInt8 = 0
  /// Capacity in use when the agent last found nothing.
  var usedWhenListed: Int = .max

  struct WaitingNext: Hashable, Sendable {
    var waiter: WaiterID
    var until: Instant
  }

  struct ChannelStatus: Hashable, Sendable {
    var channel: Channel
    var status: AgentStatus
    var reason: StatusReasonID?
  }
}

struct QueueRecord: Sendable {
  // In the row.
  var accepted: UInt64 = 0
  var acceptedInTime: UInt64 = 0
  var abandoned: UInt64 = 0
  var isOpen = true
  /// How much it was given, each case counting one part of its share: see `Router+Between.swift`.
  var turn: UInt64 = 0
  var isDirty = false

  // Derived.
  var waiting: UInt32 = 0
  var offered: UInt32 = 0
  var assigned: UInt32 = 0
  var oldest = OldestWaiting()
  /// Agents who serve it, by what keeps them from being offered something:
  /// `PassedOverReason.rawValue`.
  var blocked: [UInt32] = Array(repeating: 0, count: PassedOverReason.allCases.count)
  var members: UInt32 = 0
  /// Agents who serve it and could be offered something now, by the channels of which:
  /// `AgentRecord.ready`.
  var ready: [UInt32] = Array(repeating: 0, count: Int(Channel.allBits) + 1)

  /// What was seen of its line since this machine was made: nothing that is decided rests on it.
  var pace = QueuePace()

  mutating func count(waiting change: Int, at now: Instant) {
    waiting = UInt32(Int(waiting) + change)
    pace.line(isEmpty: waiting == 0, at: now)
  }

  /// Those among them who could be offered a case of one of these channels.
  func ready(for channels: UInt8) -> Int {
    ready.indices.reduce(0) {
      UInt8(truncatingIfNeeded: $1) & channels == 0 ? $0 : $0 + Int(ready[$1])
    }
  }
}

/// The oldest case of a queue that has no agent yet: a heap by age in which the dead are dropped
/// when they come to the top, or when they are more than the living.
struct OldestWaiting: Sendable {
  struct Entry {
    var age: Int64
    var sequence: UInt64
    var slot: Int32
  }
  private var heap: [Entry] = []
  private var live = 0
  var top: Entry? { heap.first }

  mutating func add(_ entry: Entry) {
    live += 1
    heap.append(entry)
    var place = heap.count - 1
    while place > 0, Self.less(entry, heap[(place - 1) >> 1]) {
      heap[place] = heap[(place - 1) >> 1]
      place = (place - 1) >> 1
    }
    heap[place] = entry
  }

  /// The slots whose entries pass, the oldest first. Looks at every entry. A case that left and came
  /// back may have two: they stand side by side, and it is told once.
  func all(where passes: (Entry) -> Bool) -> [Int32] {
    Self.once(heap.filter(passes)).map(\.slot)
  }

  /// By age, each case once.
  private static func once(_ entries: [Entry]) -> [Entry] {
    let sorted = entries.sorted(by: less)
    return sorted.indices.filter { $0 == 0 || sorted[$0].sequence != sorted[$0 - 1].sequence }
      .map { sorted[$0] }
  }

  /// Call after the case left; `isLive` tells whether an entry still stands for a case without an
  /// agent.
  mutating func removed(isLive: (Entry) -> Bool) {
    live -= 1
    if heap.count > 2 * live + 64 {
      heap.removeAll { !isLive($0) }
      // What is left then are cases that came back, often: in order, they are a heap.
      if heap.count > 2 * live + 64 { heap = Self.once(heap) }
      for place in stride(from: heap.count / 2, through: 0, by: -1) where place < heap.count {
        down(place)
      }
    }
    while let top = heap.first, !isLive(top) { pop() }
  }

  private mutating func pop() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    down(0)
  }

  private mutating func down(_ start: Int) {
    var place = start
    let entry = heap[start]
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, Self.less(heap[child + 1], heap[child]) { child += 1 }
      guard Self.less(heap[child], entry) else { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = entry
  }

  private static func less(_ a: Entry, _ b: Entry) -> Bool {
    a.age == b.age ? a.sequence < b.sequence : a.age < b.age
  }
}
