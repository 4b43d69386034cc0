import Foundation
import Records
import Synchronization
import System
import Testing
@testable import Server

/// A folder that goes with the test. Short, since a socket's path in it may have 107 bytes.
final class TemporaryFolder: Sendable {
  let path: String
  init() throws {
    path =
      "/tmp/tl-" + String(UInt32.random(in: 0 ... .max), radix: 36)
      + String(UInt32.random(in: 0 ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    let full = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: full, atomically: true, encoding: .utf8)
  }
}

/// Where this package stands.
enum Package {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  static let demoRules = root + "/routing-rules"
  static let peers = root + "/Tests/EndToEndTests/Peers"
}

/// The real server in a folder of its own, on ports of its own, spoken to over real sockets.
final class TestServer: Sendable {
  let folder: TemporaryFolder
  let settings: Settings
  private let process: Mutex<ServerProcess?>
  private let through: @Sendable (any Store) -> any Store
  private let clock: @Sendable () -> ServiceClock
  private let isDamaged = Atomic(false)

  /// - Parameters:
  ///   - rules: nil for the demo's.
  ///   - clock: what time each start has.
  ///   - through: puts faults between the server and its store.
  init(
    rules: String? = nil, _ change: (inout Settings) -> Void = { _ in },
    clock: @escaping @Sendable () -> ServiceClock = { ServiceClock() },
    through: @escaping @Sendable (any Store) -> any Store = { $0 }
  ) throws {
    self.through = through
    self.clock = clock
    folder = try TemporaryFolder()
    var settings = Settings()
    settings.data = folder.path + "/data"
    settings.rules = rules ?? Package.demoRules
    settings.httpListen = "127.0.0.1:0"
    settings.smtpListen = "127.0.0.1:0"
    settings.lmtpListen = "127.0.0.1:0"
    settings.fastagiListen = "off"
    settings.lanes = 2
    settings.drainSeconds = 2
    change(&settings)
    self.settings = settings
    process = Mutex(try ServerProcess(settings, clock: clock(), through: through))
  }

  /// Runs a test against a server and stops it whatever comes of the test.
  static func run(
    rules: String? = nil, _ change: (inout Settings) -> Void = { _ in },
    _ body: @Sendable (TestServer) async throws -> Void
  ) async throws {
    try await run(try TestServer(rules: rules, change), body)
  }

  static func run(_ server: TestServer, _ body: @Sendable (TestServer) async throws -> Void)
    async throws
  {
    do { try await body(server) } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  var running: ServerProcess? { process.withLock { $0 } }

  /// Stops it, and sees that what it leaves is whole: that the state which the next start would read equals a replay of
  /// the log, among much else (`FolderCheck`).
  /// - Returns: how many connections had to be cut off.
  @discardableResult
  func stop(late: @escaping @Sendable () -> Void = {}) async -> Int {
    guard let cut = await end(late) else { return 0 }
    if !isDamaged.load(ordering: .relaxed) { await checkFolder() }
    return cut
  }

  /// By itself, since the folder is held for as long as anybody refers to what has ended.
  private func end(_ late: @escaping @Sendable () -> Void = {}) async -> Int? {
    let ended = process.withLock { process in
      defer { process = nil }
      return process
    }
    return await ended?.stop(late: late)
  }

  /// From now on nobody expects the folder to be whole.
  func damages() { isDamaged.store(true, ordering: .relaxed) }

  private func checkFolder() async {
    let data = settings.data
    do {
      let findings = try await withFolder { try FolderCheck(data).findings }
      if !findings.isEmpty { Issue.record("the folder that is left is not whole: \(findings)") }
    } catch { Issue.record("the folder that is left cannot be checked: \(error)") }
  }

  func start() async throws {
    let started = try await withFolder {
      try ServerProcess(settings, clock: clock(), through: through)
    }
    process.withLock { $0 = started }
  }

  /// A peer that another test starts in the same moment is a copy of this process until it runs its program, and
  /// holds every descriptor so long, the folder's lock among them.
  private func withFolder<Made>(_ body: () throws -> Made) async throws -> Made {
    for _ in 0..<100 {
      do { return try body() } catch is FolderLock.Failure {
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    return try body()
  }

  func restart() async throws {
    await stop()
    try await start()
  }

  func port(_ name: String) -> UInt16 {
    process.withLock { process in
      for (known, address) in process?.addresses ?? [] where known == name {
        if case .ip(_, let port) = address { return port }
      }
      return 0
    }
  }

  // MARK: - HTTP

  @discardableResult
  func call(
    _ method: String, _ target: String, _ body: Body? = nil, by token: String? = nil,
    key: String? = nil
  ) async throws -> Reply {
    try await call(method, target, raw: body.map { Array($0.encoded.utf8) }, by: token, key: key)
  }

  func call(
    _ method: String, _ target: String, raw: [UInt8]?, by token: String?, key: String? = nil,
    headers: [(String, String)] = [("Content-Type", "application/json")]
  ) async throws -> Reply {
    var call = HTTPCall(method: method, target: target, headers: headers, body: raw)
    if let token { call.headers.append(("Authorization", "Bearer \(token)")) }
    if let key { call.headers.append(("Idempotency-Key", key)) }
    let (ready, port) = (call, port("http"))
    return try await blocking { try ready.send(on: try Socket.connect(port: port)) }
  }

  // MARK: - Administration

  func administer(_ method: String, _ target: String, _ body: Body? = nil) async throws -> Reply {
    let call = HTTPCall(
      method: method, target: target, headers: [("Content-Type", "application/json")],
      body: body.map { Array($0.encoded.utf8) })
    let path = settings.data + "/admin.socket"
    return try await blocking { try call.send(on: try Socket.connect(path: path)) }
  }

  func token(_ scope: String, _ holder: String, workspace: String? = nil, seconds: Int? = nil)
    async throws -> String
  {
    var body: [(String, Body)] = [("scope", .text(scope)), ("holder", .text(holder))]
    if let workspace { body.append(("workspace", .text(workspace))) }
    if let seconds { body.append(("expires_seconds", .number(seconds))) }
    let reply = try await administer("POST", "/admin/tokens", .object(body))
    guard let token = reply["token"].string else {
      throw Socket.Fault(description: "no token: \(reply)")
    }
    return token
  }

  /// How many commands a workspace, or the only one, has recorded: the same before and after means
  /// that nothing
  /// was. The first two, its rules and its start, are decided while the server already listens.
  func position(_ workspace: String? = nil) async throws -> Int {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(10)
    while true {
      let state = try await administer("GET", "/admin/state")
      let found = state["workspaces"].elements.first {
        workspace == nil || $0["name"].string == workspace
      }
      if let position = found?["position"].int, position >= 2 { return position }
      guard clock.now < end else { throw Socket.Fault(description: "no position: \(state)") }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func timeline(_ identity: String, workspace: String? = nil) async throws -> JSON {
    let query = "identity=\(identity.replacingOccurrences(of: "+", with: "%2B"))"
    let reply = try await administer(
      "GET", "/admin/timeline?" + query + (workspace.map { "&workspace=\($0)" } ?? ""))
    let all = reply["customers"].elements
    // Who merely claims to be somebody is listed behind who is.
    let proven = all.filter { $0["assurance"].string != "claimed" }
    let found = proven.isEmpty ? all : proven
    guard reply.status == 200, found.count == 1 else {
      throw Socket.Fault(description: "no one timeline: \(reply)")
    }
    return found[0]["timeline"]
  }
}

extension JSON {
  /// The entries of a timeline page, without their hashes.
  var said: [JSON] { self["entries"].elements.map { $0["entry"] } }
  var kinds: [String] { said.map { $0["kind"].text } }
  var texts: [String] { said.compactMap { $0["text"].string } }
}
