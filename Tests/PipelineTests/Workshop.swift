import Continuity
import Model
import Records
import Routing
import StoreInMemory
import Testing

@testable import Pipeline

/// One workspace's machine with a store in memory: a queue, an agent with a device, a bot.
struct Workshop {
  let store = MemoryStore()
  var pipeline: Pipeline
  var now = Instant(milliseconds: 1_000_000)

  static let ann = AgentID(0), bot = BotID(0)
  static let customer = CustomerID(high: 5, low: 1)
  static func session(_ n: UInt64) -> SessionID { .init(high: 2, low: n) }
  static func conversation(_ n: UInt64) -> ConversationID { .init(high: 1, low: n) }
  static func ticket(_ n: UInt64) -> Ticket { Ticket(a: n, b: 0) }

  struct Everything: Planner {
    var planned = Planned.route(Need(queue: QueueID(0)), rule: 0, ruleVersion: 1, facts: [])
    func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned { planned }
    var said: String?
    func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) -> String? { said }
    func prompt(ofQueue name: String) -> String? { nil }
    func handBack(ofQueue name: String) -> String? { "\(name) is late" }
    var continuity: ContinuityRules { ContinuityRules() }
  }

  init() {
    pipeline = Self.machine(Router(), LogHead())
    configure(1, queue: "support")
    submit(.setStatus(Self.ann, .available, lease: .seconds(3_600)))
    commit()
  }

  /// One queue, in which Ann works, or nobody.
  mutating func configure(
    _ version: UInt32, queue: String, isServed: Bool = true,
    _ change: (inout RoutingConfiguration.Queue) -> Void = { _ in }
  ) {
    var ann = RoutingConfiguration.Agent(
      name: "ann", skills: [], queues: isServed ? [queue] : [])
    ann.devices = ["PJSIP/ann"]
    var settings = RoutingConfiguration.Queue(name: queue)
    change(&settings)
    let configuration = RoutingConfiguration(
      version: version, skills: [], bots: ["robin"], queues: [settings], agents: [ann])
    submit(.configure(configuration, encoded: []))
  }

  private static func machine(_ router: Router, _ head: LogHead) -> Pipeline {
    // No test here looks at a hash; any sum that tells bytes apart, by its beginning, does.
    Pipeline(
      workspace: WorkspaceID(1), router: router, head: head, planner: Everything(),
      environment: .init(saltSeed: Array(repeating: 7, count: 32)) { bytes in
        let sum = bytes.reduce(UInt64(bytes.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Digest(sum, sum &* 31, sum &* 37, sum &* 41)
      })
  }

  mutating func submit(_ intake: Intake, _ ticket: UInt64 = 0, key: Idempotency? = nil) {
    let request = Request(
      intake, ticket: ticket == 0 ? .nobody : Self.ticket(ticket), idempotency: key)
    do throws(StoreFault) { try pipeline.submit(request, at: now, reads: store) } catch {
      Issue.record("\(intake): \(error)")
    }
  }

  /// Takes what was decided, and keeps it for a commit that comes later.
  mutating func gather() throws -> Commit {
    guard let commit = pipeline.gather() else { throw Missing() }
    return commit
  }

  /// Makes durable what was gathered; answers what leaves.
  @discardableResult
  mutating func commit(_ commit: Commit) -> [Pipeline.Release] {
    do throws(StoreFault) { try store.commit([commit]) } catch { Issue.record(error) }
    return pipeline.committed(upTo: commit.log.last?.position ?? 0)
  }

  @discardableResult
  mutating func commit() -> [Pipeline.Release] {
    pipeline.gather().map { commit($0) } ?? pipeline.release()
  }

  /// What the server does when a commit has failed: another machine, of what is on disk.
  mutating func rebuild() throws {
    let rows = store.work(WorkspaceID(1)).map {
      WorkRow(kind: $0.kind, key: $0.key, value: $0.value)
    }
    pipeline = Self.machine(try Router(rows: rows), store.head(WorkspaceID(1)))
  }

  // MARK: - Requests

  static func open(_ n: UInt64) -> Intake {
    .openSession(
      OpenSession(
        session: session(n), conversation: conversation(n), customer: CustomerID(high: 5, low: n),
        channel: .chat, bot: bot,
        claims: [], attributes: [], members: []))
  }

  static func say(_ n: UInt64, _ text: String = "hello") -> Intake {
    let entry = EntryDraft(
      kind: .message, author: .customer, visibility: .customer, channel: .chat,
      members: Array(",\"text\":\"\(text)\"".utf8))
    return .say(Say(session: session(n), bot: bot, entry: entry, epoch: nil))
  }

  static func key(_ n: UInt64) -> [UInt8] {
    Array(repeating: UInt8(truncatingIfNeeded: n), count: 16)
  }

  static func call(_ n: UInt64) -> Intake {
    .call(
      CallArrival(
        customer: CustomerID(high: 5, low: n), conversation: conversation(n), session: session(n),
        case: CaseID(high: 3, low: n), callKey: key(n), claims: [], from: "+12025550143",
        to: "+18005551212", members: [],
        facts: HandoffFacts()))
  }

  /// A call that rings at Ann's, on disk.
  mutating func ringing() throws -> OfferID {
    submit(Self.call(1))
    for release in commit() {
      if case .ring(_, let offer, "PJSIP/ann") = release { return offer.offer }
    }
    throw Missing()
  }
  struct Missing: Error {}
}

extension [Pipeline.Release] {
  /// Who is answered, in order.
  var tickets: [UInt64] {
    compactMap {
      if case .answer(let ticket, _, _) = $0, ticket != .nobody { ticket.a } else { nil }
    }
  }
  func answer(_ ticket: UInt64) -> Answer? {
    for release in self {
      if case .answer(Workshop.ticket(ticket), let answer, _) = release { return answer }
    }
    return nil
  }
  var rings: Int { count { if case .ring = $0 { true } else { false } } }
}

extension Workshop {
  /// Mia writes: the first time a new matter, then in its thread.
  static func mail(_ n: UInt64) -> MailArrival {
    var mail = mail(
      attachment: BlobRow(
        id: BlobID(high: 9, low: n), hash: .zero, size: 1, mediaType: "text/plain", fileName: nil,
        conversation: nil, uploader: "mail", at: Instant(milliseconds: 0)))
    (mail.blobs, mail.entry.blobs) = ([], [])
    mail.seenKey = key(100 + n)
    (mail.session, mail.case) = (session(100 + n), CaseID(high: 3, low: 100 + n))
    if n > 1 { mail.replyAddress = mail.conversation }
    return mail
  }

  static func bounce(_ n: UInt64) -> MailArrival {
    var mail = mail(n)
    let entry = EntryDraft(
      kind: .undelivered, author: .system, visibility: .business, channel: .email)
    mail.automatic = "a report"
    let fate = MailReport.Fate(
      address: "mia\(n)@home.example", replyAddress: mail.conversation, isFinal: true, members: [])
    mail.report = MailReport(messageID: nil, fates: [fate], entry: entry)
    return mail
  }

  static func recording(_ n: UInt64) -> CallNews {
    var entry = EntryDraft(
      kind: .voicemail, author: .customer, visibility: .customer, channel: .phone)
    entry.arrival = .init(key: key(200 + n), content: key(0))
    return .left(
      Recording(
        entry, words: nil, named: nil,
        new: NewCase(session: session(200 + n), case: CaseID(high: 3, low: 200 + n))))
  }

  /// What Ann's mail is known by.
  static let reply = MailID(high: 77, low: 1)

  /// What Ann writes in her case.
  /// - Parameter mail: the text that leaves by mail; nil for none.
  static func says(
    _ id: CaseID, _ kind: EntryKind = .message, _ visibility: Visibility = .customer,
    on channel: Channel? = .chat, mail text: String? = nil
  ) -> Intake {
    let entry = EntryDraft(
      kind: kind, author: .agent(ann), visibility: visibility, channel: channel)
    let mail = text.map { OutgoingMailID(id: reply, text: $0, blobs: []) }
    return .agentSays(AgentWords(agent: ann, case: id, entry: entry, mail: mail))
  }

  static func handoff(_ n: UInt64) -> Intake {
    .handoff(
      Handoff(
        session: session(n), bot: bot, epoch: nil, case: CaseID(high: 3, low: n), imported: [],
        members: [], facts: HandoffFacts()))
  }

  /// What waits for Ann, if anything does, and is hers then.
  mutating func take(_ n: UInt64) throws -> OfferAnswer? {
    submit(.next(Self.ann, WaiterID(n), until: now + .seconds(1)), 900 + n)
    var left = commit()
    if left.answer(900 + n) == nil {
      now = now + .seconds(2)
      submit(.tick)
      left = commit()
    }
    guard case .offer(let offer)? = left.answer(900 + n) else { return nil }
    submit(.accept(offer.offer, Self.ann))
    commit()
    return offer
  }

  static func mail(attachment: BlobRow) -> MailArrival {
    var entry = EntryDraft(
      kind: .message, author: .customer, visibility: .customer, channel: .email)
    entry.blobs = [attachment.id]
    var mail = MailArrival(
      customer: CustomerID(high: 5, low: 7), conversation: conversation(7), session: session(7),
      case: CaseID(high: 3, low: 7),
      from: IdentityClaim(
        identity: Identity(kind: .email, value: "mia@home.example"), hash: key(7),
        assurance: .claimed, source: "mail:from",
        means: "from"),
      attributes: [], seenKey: key(8), messageKey: nil, threadKeys: [], replyAddress: nil,
      entry: entry,
      thread: MailLine(
        ours: "help@shop.example", theirs: "mia@home.example", theirName: "", subject: "",
        lastMessageID: nil, references: []),
      subjectKey: "", automatic: nil,
      facts: MailFacts(from: "mia@home.example", to: ["help@shop.example"], subject: "", text: ""))
    mail.blobs = [attachment]
    return mail
  }
}
