import Channels
import Dispatch
import Expressions
import Glibc
import MailCodec
import Model
import PhoneCodec
import PhoneNumbers
import Pipeline
import Records
import Routing
import Rules
import Service
import Sockets
import Store
import Synchronization
import System

/// What every connection may use: the writers, the names, the tokens, the readers. Shared by all
/// lanes; what changes sits behind a mutex that is held for a copy.
public final class Edge: Sendable {
  public let store: SQLiteStore
  /// Renders answers that need rows: short, and somebody waits for each.
  public let reads: ReadPool
  /// What takes long, so that no reader waits behind it: understanding mail, looking back.
  public let heavy: ReadPool
  /// Keeps attachments. Their disk may hang, where mail that has none is still understood.
  public let keeps: ReadPool
  /// What is large and has its bound, some tens of milliseconds: understanding long bodies. Neither do
  /// readers wait behind it, nor it behind what takes seconds.
  public let bulk: ReadPool
  /// Reads attachments, small ones and pieces. Their disk may hang, where rows are still read.
  public let files: ReadPool
  /// Looks through large attachments before they are sent.
  public let looks: ReadPool
  public let hub: Hub
  public let health: Health
  let accesses: AccessRecorder
  public let settings: Settings
  /// Nil without certificates.
  let encryption: Encryption?
  let streams: StreamCounts
  /// For the content of requests, and for mail: strangers who send mail take nothing from those who
  /// have a token.
  let contents: ContentRoom
  let mails: ContentRoom
  private let state = Mutex(State())
  private let ends = DispatchQueue(label: "ends of tokens")

  struct State {
    var writers: [WorkspaceID: Writer] = [:]
    var apis: [WorkspaceID: API] = [:]
    var tokens: [Digest: TokenRow] = [:]
    /// The rule set that applies and, while a reload is on its way to the disk, the one that is
    /// about to.
    var planners: [WorkspaceID: [RulePlanner]] = [:]
    var earlierRules: [WorkspaceID: EarlierRules] = [:]
    var workspaces: Workspaces?
    var checked: [WorkspaceID: CheckedWorkspace] = [:]
    var mail: [WorkspaceID: MailChannel] = [:]
    var phones: [String: PhoneLine] = [:]
    var unserved: [WorkspaceID: Unserved] = [:]
    var isStopping = false
    weak var housekeeper: Housekeeper?
  }

  /// A workspace that the start could not read: nobody is served there until another start.
  struct Unserved: Sendable {
    var name: String
    /// What is damaged and what to do, in a sentence.
    var why: String
    /// What is still sent to it is not another's.
    var mailAddresses: [String]
  }

  func use(_ housekeeper: Housekeeper) { state.withLock { $0.housekeeper = housekeeper } }
  /// Tidies up now; answers how many entries lost their words to age.
  func tidy(now: Instant = Instant.now) throws(StoreFault)
    -> Int64
  {
    try state.withLock { $0.housekeeper }?.tidy(now: now) ?? 0
  }

  init(
    store: SQLiteStore, hub: Hub, health: Health, settings: Settings, encryption: Encryption? = nil
  ) throws(StoreFault) {
    func pool(_ name: String) throws(StoreFault) -> ReadPool {
      try ReadPool(store: store, name: name, threads: 2)
    }
    self.encryption = encryption
    self.store = store
    reads = try pool("read")
    heavy = try pool("heavy")
    keeps = try pool("keeps")
    bulk = try pool("bulk")
    files = try pool("files")
    looks = try pool("looks")
    self.hub = hub
    self.health = health
    accesses = AccessRecorder(store, health)
    self.settings = settings
    streams = StreamCounts(contextBytesMax: settings.contextBytesMax)
    contents = ContentRoom(
      bytesMax: max(settings.heldBytesMax, settings.contentBytesMax))
    mails = ContentRoom(bytesMax: max(settings.mailHeldBytesMax, settings.mailBytesMax))
  }

  func writer(_ workspace: WorkspaceID) -> Writer? { state.withLock { $0.writers[workspace] } }
  var writers: [Writer] {
    state.withLock { $0.writers.values.sorted { $0.workspace < $1.workspace } }
  }
  /// Nothing of it is left over but that it is not served.
  func leave(_ row: WorkspaceRow, _ mailAddresses: [String], unserved why: String) {
    state.withLock { state in
      state.unserved[row.id] = Unserved(name: row.name, why: why, mailAddresses: mailAddresses)
      state.writers[row.id] = nil
      state.apis[row.id] = nil
      state.planners[row.id] = nil
      state.phones = state.phones.filter { $0.value.channel.workspace != row.id }
    }
    health.leave(row.id, unserved: why)
  }
  func unserved(_ workspace: WorkspaceID) -> Unserved? {
    state.withLock { $0.unserved[workspace] }
  }
  func unserved(named name: String) -> Unserved? {
    state.withLock { $0.unserved.values.first { $0.name == name } }
  }
  /// Of all workspaces, in the order of their ids, those that are not served among them.
  var names: [String] {
    state.withLock { state in
      (state.writers.map { ($0.key, $0.value.name) }
        + state.unserved.map { ($0.key, $0.value.name) })
        .sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
  /// Of each workspace, of those that are not served, too.
  var mailAddresses: [(name: String, addresses: [String])] {
    state.withLock { state in
      state.writers.compactMap { id, writer in
        state.checked[id].map { (writer.name, $0.workspace.mailAddresses) }
      } + state.unserved.values.map { ($0.name, $0.mailAddresses) }
    }
  }
  func name(of workspace: WorkspaceID) -> String {
    state.withLock { $0.writers[workspace]?.name ?? $0.unserved[workspace]?.name ?? "" }
  }
  func api(_ workspace: WorkspaceID) -> API? { state.withLock { $0.apis[workspace] } }

  func add(_ writer: Writer) { state.withLock { $0.writers[writer.workspace] = writer } }
  func use(_ api: API) { state.withLock { $0.apis[api.directory.workspace] = api } }
  func add(_ planner: RulePlanner, for id: WorkspaceID) {
    state.withLock { $0.planners[id, default: []].append(planner) }
  }
  /// The planner that goes with a machine of this version: a writer that begins again may find the
  /// old one on disk.
  func planner(of id: WorkspaceID, version: UInt32?) -> RulePlanner? {
    state.withLock { state in
      let known = state.planners[id] ?? []
      return known.last { $0.version == version } ?? known.last
    }
  }
  func earlierRules(of id: WorkspaceID, _ name: String) -> EarlierRules {
    state.withLock { state in
      let known = state.earlierRules[id] ?? EarlierRules(id, name)
      state.earlierRules[id] = known
      return known
    }
  }
  func forgetPlanners(of id: WorkspaceID, before version: UInt32) {
    state.withLock { state in
      state.planners[id]?.removeAll { $0.version < version }
      if let newest = state.planners[id]?.last { state.planners[id] = [newest] }
    }
  }
  func use(_ checked: CheckedWorkspace, for id: WorkspaceID) {
    state.withLock { $0.checked[id] = checked }
  }
  func checked(_ id: WorkspaceID) -> CheckedWorkspace? { state.withLock { $0.checked[id] } }

  /// When all has stopped: what knows it goes, so that nothing keeps a descriptor of what is over.
  func end() {
    hub.detach()
    state.withLock { state in
      state = State()
      state.isStopping = true
    }
  }

  func use(_ all: Workspaces) { state.withLock { $0.workspaces = all } }
  var workspaces: Workspaces? { state.withLock { $0.workspaces } }
  func reload(
    by who: String, at now: Instant = .now,
    _ then: @escaping @Sendable (Workspaces.Reloaded) -> Void
  ) {
    workspaces?.reload(by: who, at: now, then)
  }

  @Sendable static func e164(_ raw: String, _ region: String) -> String? {
    PhoneNumbers.e164(raw, defaultRegion: region)
  }

  func use(_ channel: MailChannel) { state.withLock { $0.mail[channel.workspace] = channel } }
  func mailChannel(of workspace: WorkspaceID) -> MailChannel? {
    state.withLock { $0.mail[workspace] }
  }

  /// A phone system and the workspace that it belongs to.
  struct PhoneLine {
    var channel: PhoneChannel
    var networks: [String]
    var secret: String
    var isFastAGI: Bool
  }

  func use(_ lines: [String: PhoneLine], of workspace: WorkspaceID) {
    state.withLock { state in
      state.phones = state.phones.filter { $0.value.channel.workspace != workspace }.merging(lines)
      { $1 }
    }
  }
  func phone(of system: String) -> PhoneChannel? { state.withLock { $0.phones[system]?.channel } }
  /// Name and secret of every phone system that speaks FastAGI, for whoever writes its dialplan.
  public var fastAGISecrets: [(system: String, secret: String)] {
    state.withLock { state in
      state.phones.keys.sorted().compactMap { name in
        state.phones[name].flatMap { $0.isFastAGI ? (name, $0.secret) : nil }
      }
    }
  }

  var keyring: AGIKeyring {
    var ring = AGIKeyring()
    for (system, secret) in fastAGISecrets {
      do throws(AGIKeyring.Refusal) { try ring.add(phoneSystem: system, secret: secret) } catch {
        Log.fault("taking the secret of a phone system", error.sentence)
      }
    }
    return ring
  }

  func maySpeakFastAGI(_ peer: SocketAddress) -> Bool {
    guard case .ip(let ip, _) = peer, let address = NetworkAddress("\(ip)") else { return false }
    let networks = state.withLock { state in
      state.phones.values.filter(\.isFastAGI).flatMap(\.networks)
    }
    return networks.contains { NetworkPrefix($0)?.contains(address) ?? false }
  }

  var isStopping: Bool { state.withLock { $0.isStopping } }
  func stopping() { state.withLock { $0.isStopping = true } }

  /// The workspace that takes mail for this mailbox; a bare `postmaster` is the first one's.
  func mailChannel(for path: SMTPPath) -> MailChannel? {
    state.withLock { state in
      for id in state.mail.keys.sorted() {
        if let channel = state.mail[id], channel.takes(path) { return channel }
      }
      return nil
    }
  }

  /// The name under which a listed relay at this address writes what it has checked; nil for
  /// anybody else.
  func relay(_ peer: SocketAddress, of workspace: WorkspaceID) -> String? {
    guard case .ip(let ip, _) = peer, let address = NetworkAddress("\(ip)"),
      let checked = checked(workspace)
    else {
      return nil
    }
    for relay in checked.workspace.trustedRelays {
      if let prefix = NetworkPrefix(relay.network), prefix.contains(address) {
        return relay.authservID
      }
    }
    return nil
  }

  func workspace(named name: String) -> Writer? { writers.first { $0.name == name } }

  func use(_ tokens: [TokenRow]) {
    state.withLock { state in for token in tokens { state.tokens[token.hash] = token } }
    for token in tokens where !token.revoked {
      if let end = token.expires { tellEnd(of: token.id, at: end) }
    }
  }

  /// Whoever waits or listens by a token when its time is up is turned away then, as when it is
  /// revoked.
  private func tellEnd(of token: TokenID, at end: Instant) {
    let (seconds, rest) = end.milliseconds.quotientAndRemainder(dividingBy: 1_000)
    let due = DispatchWallTime(
      timespec: timespec(tv_sec: Int(seconds), tv_nsec: Int(rest) * 1_000_000))
    ends.asyncAfter(wallDeadline: due) { [weak self] in self?.hub.tellAll(.tokenEnded(token)) }
    waitForEnd(of: token, at: end)
  }

  /// Where the machine's clock steps back, it comes to that end later than the one that we go by.
  private func waitForEnd(of token: TokenID, at end: Instant) {
    let left = min(max(0, (end - health.clock.now).milliseconds), Self.endsMilliseconds)
    ends.asyncAfter(deadline: .now() + .milliseconds(Int(left) + 1)) { [weak self] in
      guard let self else { return }
      if health.clock.now >= end { return hub.tellAll(.tokenEnded(token)) }
      waitForEnd(of: token, at: end)
    }
  }
  private static let endsMilliseconds: Int64 = 3_600_000

  /// Every token, revoked and expired ones too; the oldest of a workspace first.
  var tokens: [TokenRow] {
    state.withLock {
      $0.tokens.values.sorted {
        ($0.workspace, $0.created, $0.id) < ($1.workspace, $1.created, $1.id)
      }
    }
  }

  /// Who a token speaks for; nil when it is unknown, revoked or over. By the clock that does not
  /// step back: what was over stays over.
  func caller(token: String, now: Instant? = nil) -> Caller? {
    guard token.utf8.count <= 256 else { return nil }
    let now = now ?? health.clock.now
    let hash = Digest(SHA256.hash(Array(token.utf8)))
    return state.withLock { state in
      // Tokens hold 256 random bits and are looked up by their hash, so that no comparison of
      // secrets is timed.
      guard let row = state.tokens[hash], !row.revoked, row.expires.map({ $0 > now }) ?? true,
        let scope = Caller.Scope(rawValue: row.scope)
      else { return nil }
      return Caller(workspace: row.workspace, scope: scope, holder: row.holder, token: row.id)
    }
  }
}

/// What a connection hears from within.
enum Inbound: Sendable {
  case answer(UInt64, Answer)
  case unavailable(UInt64)
  /// Nothing becomes durable for the time being; whoever only reads need not wait.
  case hanging(UInt64)
  /// Rendered elsewhere, for the exchange of this number.
  case rendered(UInt64, APIResponse)
  /// The next of the bytes that the exchange of this number is sent; nil where they can be read no
  /// further.
  case piece(UInt64, [UInt8]?)
  /// What the body of the exchange of this number asks for.
  case handled(UInt64, APIAction)
  /// A poll's look found nothing yet.
  case nothingYet(UInt64, ConversationID)
  /// Nil where there is nothing, or why it cannot be read.
  case looked(SessionID, ConversationID?, EventsPage?, APIProblem? = nil)
  /// A conversation has new entries.
  case wake(ConversationID)
  /// A customer record has new entries.
  case timelineMoved(CustomerID)
  /// What a look at a followed timeline found; nil when there is no such customer, or it cannot be
  /// read.
  case followed(CustomerID, TimelineFollow.Look?, APIProblem? = nil)
  case offer(OfferAnswer, WaiterID)
  case offerEnded(OfferID, OfferEnd)
  case agentHears(ConversationID, EntryID)
  /// The agent is asked to look at another's case, until then.
  case consult(CaseID, by: AgentID, until: Instant)
  case consultEnded(CaseID, ConsultEnd)
  /// For a desk: what became of a case in its agent's hands.
  case caseNews(CaseID, CaseNews)
  /// What the agent of this stream is from now on.
  case agentStatus(AgentStatus, responding: Bool)
  /// What an agent's stream has read, as frames in order.
  case heard([[UInt8]])
  /// For a desk: its agent's phone rings for this offer. The phone answers it, not the desk.
  case ringing(OfferAnswer)
  case ring(OfferID, AgentID, device: String, until: Instant)
  /// The stream's turn has come again: it has not heard all that came.
  case hearOn
  /// The stream is no seat any more.
  case streamEnded(StreamEnd)
  case stopRinging(OfferID, OfferEnd)
  case endCall(SessionEnd)
  /// The caller on this line is to leave a message.
  case takeMessage
  case mailRefused(UInt64, SMTPReply)
  /// Something happened to a call that somebody waits for.
  case lineChanged
  /// To every connection: this token is revoked or over, and whoever waits or listens by it is
  /// turned away.
  case tokenEnded(TokenID)
}

extension Ticket {
  /// Names an exchange of a connection: its lane and number share a word.
  init(_ ref: ConnectionRef, exchange: UInt64) {
    self.init(a: ref.tag, b: UInt64(ref.lane) << 48 | exchange & 0xFFFF_FFFF_FFFF)
  }
  var ref: ConnectionRef { ConnectionRef(lane: UInt16(truncatingIfNeeded: b >> 48), tag: a) }
  var exchange: UInt64 { b & 0xFFFF_FFFF_FFFF }
}
