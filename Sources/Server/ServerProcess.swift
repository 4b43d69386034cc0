import Channels
import Foundation
import MailCodec
import Model
import Pipeline
import Records
import Routing
import RuleFiles
import Rules
import Service
import Sockets
import Store
import Synchronization
import System
import Wire

/// One server: a locked data folder, its workspaces and rules, its listeners. Starting and stopping are here.
public final class ServerProcess: Sendable {
  public let edge: Edge
  public let addresses: [(name: String, address: SocketAddress)]
  public let workspaces: [(name: String, rules: Int, agents: Int, queues: Int)]
  private let sockets: SocketServer
  private let lock: FolderLock

  public enum StartFault: Error, CustomStringConvertible {
    case sentence(String)
    public var description: String {
      switch self { case .sentence(let text): text }
    }
  }

  public init(_ settings: Settings) throws {
    SignalWatch.ignoreBrokenPipes()
    _ = ProcessFacts.raiseDescriptorLimit()
    try Files.createFolder(settings.data)
    lock = try FolderLock(folder: settings.data)
    let store = try SQLiteStore(folder: settings.data)
    let health = Health()
    let hub = Hub()
    let edge = Edge(
      store: store, reads: try ReadPool(store: store), hub: hub, health: health, settings: settings,
      encryption: try Encryption(settings))
    self.edge = edge
    let reader = try store.reader()
    let loop = CommitLoop(store: store, health: health)
    workspaces = try Self.openWorkspaces(edge, loop, reader)
    edge.use(try reader.tokens())

    var options = SocketServer.Options()
    if settings.lanes > 0 { options.lanes = settings.lanes }
    if settings.connectionsMax > 0 { options.connectionsMax = settings.connectionsMax }
    options.descriptorReserve = settings.descriptorReserve
    sockets = try SocketServer(options)
    let outbox = Outbox(edge: edge)
    hub.attach(sockets) { outbox.wake($0) }
    addresses = try Self.listen(sockets, edge)
    for writer in edge.writers {
      writer.submit([Request(.start)])
      outbox.wake(writer.workspace)
    }
  }

  // MARK: - Workspaces

  private static func openWorkspaces(
    _ edge: Edge, _ loop: CommitLoop, _ reader: any StoreReader
  ) throws -> [(name: String, rules: Int, agents: Int, queues: Int)] {
    let root = edge.settings.rules
    let names = WorkspaceFolder.names(in: root)
    guard !names.isEmpty else {
      throw StartFault.sentence("\(root) has no workspace: make a folder with a workspace.yaml in it, or name another with --rules")
    }
    var known = try reader.workspaces()
    var opened: [(name: String, rules: Int, agents: Int, queues: Int)] = []
    for name in names {
      let loaded = WorkspaceFolder.load("\(root)/\(name)")
      guard let checked = loaded.workspace else { throw StartFault.sentence(loaded.rendered) }
      let row: WorkspaceRow
      if let found = known.first(where: { $0.name == name }) {
        row = found
      } else {
        row = try edge.store.addWorkspace(named: name)
        known.append(row)
      }
      try open(row, checked, edge, loop)
      opened.append((name, checked.rules.rules.count, checked.agents.count, checked.queues.count))
    }
    return opened
  }

  private static func open(
    _ row: WorkspaceRow, _ checked: CheckedWorkspace, _ edge: Edge, _ loop: CommitLoop
  ) throws {
    let fingerprint = try fingerprint("\(edge.settings.rules)/\(row.name)")
    let reader = try edge.store.reader()
    let last = try reader.configuration(row.id, version: nil)
    let isSame = last?.bytes == fingerprint
    let version = isSame ? last?.version ?? 1 : (last?.version ?? 0) + 1
    let store = edge.store
    edge.setPlanner(RulePlanner(checked, version: version), for: row.id)
    let writer = try Writer(workspace: row, commits: loop, outlet: edge.hub) { () throws(StoreFault) in
      let reads = try store.reader()
      let rows = try reads.work(row.id).map { WorkRow(kind: $0.kind, key: $0.key, value: $0.value) }
      let router: Router
      do throws(WireError) { router = rows.isEmpty ? Router() : try Router(rows: rows) } catch {
        throw StoreFault.corrupt(what: "the rows of open work: \(error)")
      }
      let pipeline = Pipeline(
        workspace: row.id, router: router, head: try reads.head(row.id),
        planner: edge.planner(of: row.id) ?? RulePlanner(checked, version: version),
        environment: .init(saltSeed: Entropy.bytes(32)) { Digest(SHA256.hash($0)) })
      return (pipeline, ConfinedReader(reads))
    }
    edge.add(writer)
    if !isSame {
      writer.install(
        RulePlanner(checked, version: version),
        Request(.configure(RoutingConfiguration(checked, version: version), encoded: fingerprint)))
    }
    try publish(writer, checked, version, edge, reader)
  }

  /// The names that lanes need.
  private static func publish(
    _ writer: Writer, _ checked: CheckedWorkspace, _ version: UInt32, _ edge: Edge, _ reader: any StoreReader
  ) throws {
    var directory = writer.peek { Directory(writer.workspace, writer.name, $0.router) }
    directory.defaultRegion = checked.workspace.defaultRegion
    directory.ruleVersion = version
    directory.dialledNumbers = Set(checked.workspace.dialledNumbers)
    for bot in checked.workspace.bots {
      directory.mayAssert[bot.name] = Set(bot.identityKinds.compactMap { IdentityKind(name: $0) })
    }
    for integration in checked.workspace.integrations {
      directory.mayAssertAsIntegration[integration.name] = Set(
        integration.identityKinds.compactMap { IdentityKind(name: $0) })
    }
    directory.ruleNames = checked.rules.rules.map(\.name)
    let key = HMACKey(try reader.secret(named: "identity"))
    edge.use(
      API(directory: directory, identityKey: key, blobBytesMax: edge.settings.blobBytesMax, e164: Edge.e164))
    edge.use(
      MailChannel(
        workspace: writer.workspace, addresses: checked.workspace.mailAddresses, identityKey: key,
        replyKey: HMACKey(try reader.secret(named: "reply address"))))
    try edge.use(phones(writer, checked, key, edge, reader), of: writer.workspace)
    edge.use(checked, for: writer.workspace)
  }

  /// The phone systems of a workspace, each under `<workspace>/<name>`. Where the rules name no secret, the data
  /// folder keeps a random one; `throughline phone` prints it for the dialplan.
  private static func phones(
    _ writer: Writer, _ checked: CheckedWorkspace, _ key: HMACKey, _ edge: Edge, _ reader: any StoreReader
  ) throws -> [String: Edge.PhoneLine] {
    let channel = PhoneChannel(
      workspace: writer.workspace, defaultRegion: checked.workspace.defaultRegion, identityKey: key)
    var lines: [String: Edge.PhoneLine] = [:]
    for system in checked.workspace.phoneSystems {
      let name = "\(writer.name)/\(system.name)"
      let own = Hex.encode(try reader.secret(named: "phone \(name)").prefix(16))
      let given = edge.settings.fastagiSecret
      lines[name] = .init(
        channel: channel, networks: system.networks,
        secret: system.secret ?? (given.isEmpty || system.api != .fastagi ? own : given),
        isFastAGI: system.api == .fastagi)
    }
    return lines
  }

  /// Tells two states of a rule folder apart: the names and contents of its files.
  static func fingerprint(_ folder: String) throws -> [UInt8] {
    var all: [UInt8] = []
    let found = FileManager.default.enumerator(atPath: folder)
    var paths: [String] = []
    while let path = found?.nextObject() as? String { if path.hasSuffix(".yaml") { paths.append(path) } }
    for path in paths.sorted() {
      all += Array(path.utf8) + [0] + (try Files.read("\(folder)/\(path)", bytesMax: 4 << 20)) + [0]
    }
    return SHA256.hash(all).bytes
  }

  /// Reads all rule folders and certificates again; a folder or a file with faults is refused whole, and what ran
  /// before stays.
  static func reload(_ edge: Edge) -> String? {
    var faults: [String] = []
    for writer in edge.writers {
      let folder = "\(edge.settings.rules)/\(writer.name)"
      let loaded = WorkspaceFolder.load(folder)
      guard let checked = loaded.workspace else {
        faults.append(loaded.rendered)
        continue
      }
      do {
        let reader = try edge.store.reader()
        let fingerprint = try fingerprint(folder)
        let last = try reader.configuration(writer.workspace, version: nil)
        if last?.bytes == fingerprint { continue }
        let version = (last?.version ?? 0) + 1
        let planner = RulePlanner(checked, version: version)
        edge.setPlanner(planner, for: writer.workspace)
        writer.install(
          planner, Request(.configure(RoutingConfiguration(checked, version: version), encoded: fingerprint)))
        try publish(writer, checked, version, edge, reader)
        Log.note("workspace \(writer.name): rule version \(version) applies")
      } catch { faults.append("\(error)") }
    }
    if let fault = edge.encryption?.reload() { faults.append(fault) }
    return faults.isEmpty ? nil : faults.joined(separator: "\n")
  }

  // MARK: - Listeners

  private static func listen(
    _ sockets: SocketServer, _ edge: Edge
  ) throws -> [(name: String, address: SocketAddress)] {
    var addresses: [(name: String, address: SocketAddress)] = []
    var administration = ListenerOptions(.path("\(edge.settings.data)/admin.socket"))
    administration.isAdministration = true
    let admin = try sockets.listen(administration) { _ in
      let dates = DateText()
      return { _ in HTTPConnection(edge: edge, dates: dates, isAdministration: true) }
    }
    addresses.append(("administration", admin.address))
    for (name, text) in [("http", edge.settings.httpListen), ("https", edge.settings.httpsListen)] {
      guard var web = try options(text, edge) else { continue }
      if name == "https" { web.tls = try encryption(edge).https }
      let listener = try sockets.listen(web) { _ in
        let dates = DateText()
        return { _ in HTTPConnection(edge: edge, dates: dates, isAdministration: false) }
      }
      addresses.append((name, listener.address))
    }
    for (name, text, dialect) in [
      ("smtp", edge.settings.smtpListen, SMTPServer.Dialect.smtp), ("lmtp", edge.settings.lmtpListen, .lmtp),
    ] {
      guard let options = try options(text, edge) else { continue }
      let listener = try sockets.listen(options) { _ in { _ in SMTPConnection(edge: edge, dialect: dialect) } }
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
      throw StartFault.sentence("\(host) is not an IP address; listen on an address such as 127.0.0.1")
    }
    var options = ListenerOptions(address)
    options.connectionsPerAddressMax = edge.settings.connectionsPerAddressMax
    // One whole attachment must fit: it is written in one piece, and is no sign of a slow reader.
    options.limits.outputMaxBytes = max(edge.settings.httpUnsentBytesMax, edge.settings.blobBytesMax + (64 << 10))
    options.limits.outputStallMilliseconds = edge.settings.httpStallSeconds * 1_000
    options.limits.handshakeMilliseconds = edge.settings.tlsHandshakeSeconds * 1_000
    return options
  }

  private static func encryption(_ edge: Edge) throws -> Encryption {
    guard let encryption = edge.encryption else {
      throw StartFault.sentence("https.listen wants a certificate: name its files in tls.certificates")
    }
    return encryption
  }

  // MARK: - The end

  /// Stops accepting, finishes what is in flight, and closes the store. Answers how many connections were cut off.
  public func stop() async -> Int {
    edge.stopping()
    let cutOff = await sockets.shutdown(withinMilliseconds: edge.settings.drainSeconds * 1_000)
    edge.store.close()
    return cutOff
  }

  public func reload() -> String? { Self.reload(edge) }
}
