import Dispatch
import MailCodec
import Model
import Pipeline
import Records
import Sockets
import Store
import System

/// One server: a locked data folder, its workspaces and rules, its listeners. Starting and stopping
/// are here.
public final class ServerProcess: Sendable {
  public let edge: Edge
  public let addresses: [(name: String, address: SocketAddress)]
  public let workspaces: [Workspaces.Change]
  private let sockets: SocketServer
  private let lock: FolderLock
  private let commits: CommitLoop
  private let search: SearchWorker
  private let housekeeper: Housekeeper
  private let diskWatch: DiskWatch
  private let outbox: Outbox

  public enum StartFault: Error, CustomStringConvertible {
    case sentence(String)
    public var description: String {
      switch self {
      case .sentence(let text): text
      }
    }
  }

  /// - Parameters:
  ///   - clock: what time it is; tests step it.
  ///   - through: what writers and the commit loop see of the store; tests put faults in between.
  public init(
    _ settings: Settings, clock: ServiceClock = ServiceClock(),
    through: (any Store) -> any Store = { $0 }
  ) throws {
    SignalWatch.ignoreBrokenPipes()
    _ = ProcessFacts.raiseDescriptorLimit()
    ProcessFacts.giveBackLargeBlocks()
    try Files.createFolder(settings.data)
    lock = try FolderLock(folder: settings.data)
    let store = try SQLiteStore(folder: settings.data)
    if store.isRestoreFinished {
      Log.note("a restore of \(settings.data) had been cut off and is finished now")
    }
    let health = Health(clock: clock)
    store.onDamage { health.met($0) }
    let hub = Hub()
    let edge = try Edge(
      store: store, hub: hub, health: health, settings: settings,
      encryption: try Encryption(settings))
    self.edge = edge
    let reader = try store.reader()
    let seen = through(store)
    let commits = CommitLoop(store: seen, health: health)
    self.commits = commits
    let all = Workspaces(edge, seen, commits)
    edge.use(all)
    do { workspaces = try Self.open(all, store, reader, edge) } catch StoreFault.corrupt(let what) {
      // What none of the workspaces can do without.
      throw StartFault.sentence(
        "the data folder cannot be served: \(what); \(Self.advice(settings.data))")
    }

    var options = SocketServer.Options()
    if settings.lanes > 0 { options.lanes = settings.lanes }
    if settings.connectionsMax > 0 { options.connectionsMax = settings.connectionsMax }
    options.descriptorReserve = settings.descriptorReserve
    sockets = try SocketServer(options)
    guard sockets.connectionsMax > 0 else {
      throw StartFault.sentence(
        "this process may open \(ProcessFacts.now().descriptorLimit) descriptors, which leaves none for "
          + "clients: raise the limit (`ulimit -n`) to 256 or more")
    }
    search = SearchWorker(store, health) { edge.writers.map(\.workspace) }
    let outbox = try Outbox(edge: edge)
    self.outbox = outbox
    hub.attach(sockets) { outbox.wake($0) }
    // Before anybody can take a seat, which the start would empty again.
    for writer in edge.writers { writer.submit([Request(.start)]) }
    addresses = try Self.listen(sockets, edge)
    for writer in edge.writers { edge.hub.wakeOutbox(writer.workspace) }
    let probe = try ReadPool(store: store, name: "disk watch", threads: 1)
    diskWatch = DiskWatch(health, files: edge.files, looks: edge.looks, keeps: edge.keeps) { then in
      // What comes of it others tell, who need it.
      probe.run { reader in
        _ = try? reader.workspaces()
        then()
      }
    }
    housekeeper = Housekeeper(edge)
    edge.use(housekeeper)
  }

  private static func open(
    _ all: Workspaces, _ store: SQLiteStore, _ reader: any StoreReader, _ edge: Edge
  ) throws -> [Workspaces.Change] {
    let opened = try all.openAll()
    if let reader = reader as? SQLiteReader {
      // A token that cannot be read opens nothing; the others do.
      edge.use(try reader.readableTokens())
      edge.health.found(try IntegrityCheck.workspaces(reader), doing: "opening the data folder")
    } else {
      edge.use(try reader.tokens())
    }
    edge.health.found(try store.entriesLost(settles: true), doing: "opening the data folder")
    return opened
  }

  // MARK: - Listeners

  private static func listen(
    _ sockets: SocketServer, _ edge: Edge
  ) throws -> [(name: String, address: SocketAddress)] {
    var addresses: [(name: String, address: SocketAddress)] = []
    var administration = ListenerOptions(.path("\(edge.settings.data)/admin.socket"))
    administration.isAdministration = true
    administration.limits.outputStallMilliseconds = edge.settings.httpStallSeconds * 1_000
    let admin = try sockets.listen(administration) { _ in
      let lane = HTTPLane(edge.settings)
      return { _ in HTTPConnection(edge: edge, lane: lane, isAdministration: true) }
    }
    addresses.append(("administration", admin.address))
    for (name, text) in [("http", edge.settings.httpListen), ("https", edge.settings.httpsListen)] {
      guard var web = try options(text, edge) else { continue }
      if name == "https" { web.tls = try encryption(edge).https }
      let listener = try sockets.listen(web) { _ in
        let lane = HTTPLane(edge.settings, isSecured: name == "https")
        return { _ in HTTPConnection(edge: edge, lane: lane, isAdministration: false) }
      }
      addresses.append((name, listener.address))
    }
    for (name, text, dialect) in [
      ("smtp", edge.settings.smtpListen, SMTPServer.Dialect.smtp),
      ("lmtp", edge.settings.lmtpListen, .lmtp),
    ] {
      guard let options = try options(text, edge) else { continue }
      let listener = try sockets.listen(options) { _ in
        { _ in SMTPConnection(edge: edge, dialect: dialect) }
      }
      addresses.append((name, listener.address))
    }
    if let options = try options(edge.settings.fastagiListen, edge) {
      let listener = try sockets.listen(options) { _ in { _ in FastAGIConnection(edge: edge) } }
      addresses.append(("fastagi", listener.address))
    }
    return addresses
  }

  static func options(_ text: String, _ edge: Edge) throws -> ListenerOptions? {
    guard text != "off", let (host, port) = Settings.address(text) else { return nil }
    guard let address = SocketAddress(host: host, port: port) else {
      throw StartFault.sentence(
        "\(host) is not an IP address; listen on an address such as 127.0.0.1")
    }
    var options = ListenerOptions(address)
    options.connectionsPerAddressMax = edge.settings.connectionsPerAddressMax
    // An answer begins while as much is unread as pauses reading, and its content follows its head.
    options.limits.outputMaxBytes = max(
      edge.settings.httpUnsentBytesMax, options.limits.outputPauseBytes + (64 << 10))
    options.limits.outputStallMilliseconds = edge.settings.httpStallSeconds * 1_000
    options.limits.handshakeMilliseconds = edge.settings.tlsHandshakeSeconds * 1_000
    return options
  }

  private static func encryption(_ edge: Edge) throws -> Encryption {
    guard let encryption = edge.encryption else {
      throw StartFault.sentence(
        "https.listen wants a certificate: name its files in tls.certificates")
    }
    return encryption
  }

  // MARK: - The end

  /// Stops accepting, finishes what is in flight, and closes the store. Answers how many
  /// connections were cut off.
  /// - Parameter late: called where the store has not closed `closeSeconds` after the time for what
  ///   is in flight: the disk hangs, and nobody knows for how long. What was acknowledged is on it.
  public func stop(late: @escaping @Sendable () -> Void = {}) async -> Int {
    edge.stopping()
    let deadline = DispatchTime.now() + .seconds(edge.settings.drainSeconds)
    // Not a task: what hangs may hold every thread that tasks have.
    let watch = DispatchWorkItem(block: late)
    DispatchQueue.global().asyncAfter(
      deadline: deadline + .seconds(Self.closeSeconds), execute: watch)
    defer { watch.cancel() }
    let cutOff = await sockets.shutdown(withinMilliseconds: edge.settings.drainSeconds * 1_000)
    await outbox.drain(until: deadline)
    for writer in edge.writers { writer.finishTurn() }
    housekeeper.stop()
    diskWatch.stop()
    search.stop()
    commits.stop()
    edge.accesses.finish()
    edge.store.close()
    edge.end()
    return cutOff
  }

  /// How long the last commit and the closing of the store may take.
  static let closeSeconds = 5

  /// Reads all rule folders and certificates again; see `Workspaces`.
  public func reload(at now: Instant = .now) async -> Workspaces.Reloaded {
    await withCheckedContinuation { waiting in
      edge.reload(by: "SIGHUP", at: now) { waiting.resume(returning: $0) }
    }
  }
}
