import Continuity
import Model
import Records
import Routing

/// What rules ask of a case beyond what is at hand when it is routed. Each costs a look into the
/// store, so that it is gathered only where some rule asks it.
public struct AskedFacts: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// What was said in the conversation so far.
  public static let transcript = AskedFacts(rawValue: 1)
  /// How many conversations the customer had before.
  public static let history = AskedFacts(rawValue: 2)
  public static let sessions = AskedFacts(rawValue: 4)
  /// How well it is known who the customer is.
  public static let assurance = AskedFacts(rawValue: 8)
}

extension Planner {
  public var asks: AskedFacts { [] }
}

/// What was gathered of a case because its rules ask for it, or because it is at hand; nil for what
/// was not.
public struct GatheredFacts: Hashable, Sendable {
  public var isReopened = false
  /// Bodies of the conversation's entries as JSON, in order; the last `transcriptMax` of them.
  public var transcript: [[UInt8]]?
  public var conversationsBefore: Int?
  public var sessions: Int?
  public var assurance: Assurance?
  /// Attachments of the mail that began the case.
  public var attachments = 0
  public init() {}

  /// How many entries of a conversation rules can look back on.
  public static let transcriptMax = 500
  /// Conversations are counted up to here.
  public static let conversationsMax = 1_000
}

extension Pipeline {
  /// - Parameter conversation: nil where it only begins with this case.
  mutating func gather(
    for facts: inout RouteFacts, _ conversation: ConversationID?, claims: [IdentityClaim] = [],
    imported: [EntryDraft] = [], _ reads: any StoreReader
  ) throws(StoreFault) {
    let asks = planner.asks
    // What needs no look into the store is known, whether or not somebody asks.
    if conversation == nil {
      facts.gathered.transcript = []
      facts.gathered.sessions = 1
    }
    if facts.isNewCustomer { facts.gathered.conversationsBefore = 0 }
    if asks.contains(.transcript), let conversation {
      facts.gathered.transcript =
        try transcript(of: conversation, with: facts.customer, reads) + imported.map(Self.asBody)
    }
    if asks.contains(.sessions), let conversation {
      facts.gathered.sessions = try known { machine throws(StoreFault) in
        try machine.sessions(of: conversation, reads)
      }
    }
    let customer = facts.customer
    if asks.contains(.history), !facts.isNewCustomer {
      facts.gathered.conversationsBefore = try known { machine throws(StoreFault) in
        try machine.conversations(of: customer, except: conversation, reads)
      }
    }
    if asks.contains(.assurance) || !claims.isEmpty {
      facts.gathered.assurance = try known { machine throws(StoreFault) in
        try machine.assurance(of: customer, claims, reads)
      }
    }
  }

  /// What a bot brings along is written only once the rules have taken the case: as much of it as
  /// rules can ask.
  private static func asBody(_ draft: EntryDraft) -> [UInt8] {
    let author = draft.author == .customer ? "customer" : "bot"
    return Array("{\"kind\":\"\(draft.kind.rawValue)\",\"author\":{\"kind\":\"\(author)\"}".utf8)
      + draft.members
      + [UInt8(ascii: "}")]
  }

  /// Committed entries, and after them those that are not yet: what was said by and to this person.
  /// Nobody is turned away because a word of long ago is damaged: rules see the others.
  private func transcript(
    of id: ConversationID, with root: CustomerID, _ reads: any StoreReader
  ) throws(StoreFault) -> [[UInt8]] {
    let limit = GatheredFacts.transcriptMax
    let recent = pending.entries(of: id)
    let first = recent.first?.id ?? EntryID(.max)
    let kept = try reads.readableTranscript(
      workspace, of: id, limit: limit, visible: .business
    )
    .filter { $0.id < first }.map { pending.rewritten[$0.id] ?? $0 }
    var whole = kept + recent.filter { $0.visibility != .internal }
    for record in Set(whole.map(\.customer)).subtracting([root])
    where try Self.customer(record, pending, reads)?.root != root {
      whole.removeAll { $0.customer == record }
    }
    return whole.suffix(limit).compactMap(\.body)
  }

  private func sessions(of id: ConversationID, _ reads: any StoreReader) throws(StoreFault) -> Int {
    let known = Set(try reads.sessions(workspace, of: id).map(\.id) + pending.sessionsOf(id))
    return max(known.count, 1)
  }

  private mutating func conversations(
    of customer: CustomerID, except id: ConversationID?, _ reads: any StoreReader
  ) throws(StoreFault) -> Int {
    guard let row = try self.customer(customer, reads) else { return 0 }
    let records = try Self.merged(into: row.root, pending, reads).map(\.id)
    let known = try conversations(of: records, atMost: GatheredFacts.conversationsMax, reads).count
    { $0.id != id }
    return min(known, GatheredFacts.conversationsMax)
  }

  /// The strongest of what is claimed now and of what is known.
  private func assurance(
    of customer: CustomerID, _ claims: [IdentityClaim], _ reads: any StoreReader
  ) throws(StoreFault) -> Assurance? {
    var found = claims.map(\.assurance)
    if claims.isEmpty {
      for record in try Self.merged(into: customer, pending, reads) {
        found += try Self.identities(of: record.id, pending, reads).map(\.assurance)
      }
    }
    return found.max()
  }
}
