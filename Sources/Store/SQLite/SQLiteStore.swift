import Records
internal import GRDB
import Model
import Synchronization
import System

/// The embedded store: one SQLite file in WAL mode with `synchronous=FULL`, and a folder of blobs
/// beside it.
///
/// ```
/// <folder>/throughline.sqlite            rows: the log, open work, entries, customers, …
/// <folder>/search.sqlite                 the full-text index: may be removed, and is made anew
/// <folder>/blobs/<workspace>/<2 hex>/<hash hex>
/// ```
/// One process at a time holds the folder (the server locks it). Within it, one connection writes
/// and any number of `SQLiteReader`s read beside it.
public final class SQLiteStore: Store {
  public let folder: String
  public let blobs: BlobFiles
  /// Whether opening it has finished a restore that was cut off.
  public let isRestoreFinished: Bool
  let queue: DatabaseQueue
  /// nil once closed. The lock is never contended by commits, which come from one thread; it orders
  /// them with administration.
  private let writer: Mutex<UnsafeSend<Writer>?>
  let indexer: SearchIndexer
  private let place: MainFile.Place
  private let afterCommit = Mutex<Handler<Void>?>(nil)
  private let damageHeard = Mutex<Handler<String>?>(nil)

  /// Opens the folder, making it if there is none, and brings an older one forward.
  public convenience init(
    folder: String, checkpointing: CheckpointPolicy = CheckpointPolicy()
  ) throws(StoreFault) {
    try self.init(folder: folder, checkpointing: checkpointing, disk: RealDisk())
  }

  /// - Parameter disk: what the blobs are written to.
  init(folder: String, checkpointing: CheckpointPolicy, disk: any BlobDisk) throws(StoreFault) {
    self.folder = folder
    try Folders.make(folder)
    isRestoreFinished = try HalfRestored.finish(folder)
    blobs = BlobFiles(folder: "\(folder)/blobs", disk: disk)
    let file = MainFile.path(folder)
    try MainFile.prepare(folder) { file in
      let queue = try DatabaseQueue(path: file, configuration: Self.configuration())
      try Self.migrate(queue)
      try queue.close()
    }
    do throws(StoreFault) {
      let (queue, writer) = try Self.open(file, checkpointing)
      self.queue = queue
      self.writer = Mutex(writer)
    } catch {
      guard case .corrupt(let what) = error else { throw error }
      throw .corrupt(what: "\(file) is damaged (\(what)); \(MainFile.advice(folder))")
    }
    place = MainFile.Place(folder)
    indexer = SearchIndexer(folder)
  }

  private static func open(
    _ file: String, _ checkpointing: CheckpointPolicy
  ) throws(StoreFault) -> (DatabaseQueue, UnsafeSend<Writer>) {
    let queue = try storeFault("open \(file)") {
      try DatabaseQueue(path: file, configuration: configuration())
    }
    return try storeFault("prepare \(file)") {
      try migrate(queue)
      let writer = try queue.writeWithoutTransaction { db in
        // After opening: what GRDB sets up beforehand would win over it.
        for pragma in pragmas { try db.execute(sql: "PRAGMA \(pragma)") }
        guard let connection = db.sqliteConnection else {
          throw StoreFault.failed(doing: "prepare \(file)", why: "it is closed")
        }
        return UnsafeSend(
          value: try Writer(connection, try Checkpointer(file: file, checkpointing)))
      }
      return (queue, writer)
    }
  }

  static let pragmas = [
    "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-65536",
    "temp_store=MEMORY",
    "cell_size_check=ON", "trusted_schema=OFF", "journal_size_limit=67108864",
    // Overwrites what is deleted, so that an erasure leaves nothing behind in a page.
    "secure_delete=ON",
  ]

  static let busyMilliseconds: Int32 = 5_000

  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false  // There are none: rows of one command come in any order.
    configuration.busyMode = .timeout(Double(busyMilliseconds) / 1_000)
    return configuration
  }

  private static func migrate(_ queue: DatabaseQueue) throws {
    let migrations = Schema.migrations
    if try queue.read({ try migrations.hasBeenSuperseded($0) }) {
      throw StoreFault.failed(
        doing: "open the data folder",
        why: "a newer Throughline wrote it; start that one, or restore a backup")
    }
    try migrations.migrate(queue)
  }

  // MARK: The contract

  public func commit(_ commits: [Commit]) throws(StoreFault) {
    try write("commit") { writer throws(StoreFault) in
      try checkPlace()
      try writer.commit(commits)
    }
    afterCommit.withLock { $0 }?.call(())
  }

  /// A file that was moved or removed under our hands takes every commit, and no later start finds
  /// any of them.
  private func checkPlace() throws(StoreFault) {
    guard let lost = place.lost(in: folder) else { return }
    throw .failed(
      doing: "commit",
      why:
        "\(lost) is not the file any more that this server opened: move it back, or stop the server and restore a backup"
    )
  }

  /// What is called after each commit, on the committing thread: it must only wake somebody.
  public func onCommit(_ wake: @escaping @Sendable () -> Void) {
    afterCommit.withLock { $0 = Handler { wake() } }
  }

  /// Who hears of whatever a reader finds damaged, in a sentence, as often as it is found: on the
  /// reading thread.
  public func onDamage(_ hear: @escaping @Sendable (String) -> Void) {
    damageHeard.withLock { $0 = Handler(hear) }
  }
  func tell(damage: StoreFault) {
    if case .corrupt = damage { damageHeard.withLock { $0 }?.call(damage.sentence) }
  }

  public func addWorkspace(named name: String) throws(StoreFault) -> WorkspaceRow {
    try write("add the workspace \(name)") { writer throws(StoreFault) in
      try writer.addWorkspace(named: name)
    }
  }

  public func save(_ token: TokenRow) throws(StoreFault) {
    try write("save a token") { writer throws(StoreFault) in try writer.save(token) }
  }

  /// Keeps how far `IntegrityCheck` came, so that the next start goes on from there.
  public func save(_ verified: VerifiedMark, _ workspace: WorkspaceID) throws(StoreFault) {
    try write("keep what was verified") { writer throws(StoreFault) in
      try writer.save(verified, workspace)
    }
  }

  public func reader() throws(StoreFault) -> any StoreReader { try SQLiteReader(self) }

  public func forgetOutcomes(before: Instant) throws(StoreFault) {
    // A thousand a transaction, so that commits are never kept waiting for long.
    var more = true
    while more {
      more = try write("forget old outcomes") { writer throws(StoreFault) in
        try writer.forgetOutcomes(before: before, limit: 1_000)
      }
    }
  }

  public func index(
    _ workspace: WorkspaceID, limit: Int, words: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> Bool {
    try indexer.index(workspace, limit: limit, of: self, words: words) { () throws(StoreFault) in
      try leaveNothing()
    }
  }

  /// Entries that the full-text index had seen and that are not there: nothing else tells of commits
  /// that went from the end of the write-ahead log, since SQLite takes its first frame that does not
  /// match for its end. In sentences; empty where all are there, and where there is no index to ask.
  /// - Parameter settles: whether the index goes on from what is there; see `SearchIndexer.lost`.
  public func entriesLost(settles: Bool = false) throws(StoreFault) -> [String] {
    let reader = try SQLiteReader(self)
    var found: [String] = []
    for workspace in try reader.workspaces() {
      let head: EntryID
      do throws(StoreFault) { head = try reader.head(workspace.id).entry } catch .corrupt {
        continue
      }
      do throws(StoreFault) {
        guard let lost = try indexer.lost(workspace.id, head: head, settles: settles) else {
          continue
        }
        found.append(
          "\(workspace.name): the full-text index had seen entries up to \(lost.seen), and the log "
            + "ended at \(lost.entry): acknowledged entries may be lost; restore the last good backup, or "
            + "delete search.sqlite* while no server runs to go on without them")
      } catch {}  // Without an index there is nothing to tell by; the worker tells why there is none.
    }
    return found
  }

  /// Removes blobs' bytes that no row refers to; returns how many. See `BlobFiles.sweep`.
  public func sweepBlobs(_ workspace: WorkspaceID, before: Instant) throws(StoreFault) -> Int {
    let reader = try SQLiteReader(self)
    return try blobs.sweep(workspace, before: before) { hash throws(StoreFault) in
      try !reader.blobs(workspace, hash: hash).isEmpty
    }
  }

  /// Moves what the write-ahead log holds into the main file, and closes. Readers made before stay
  /// usable.
  public func close() {
    writer.withLock { held in
      if let writer = held?.value { queue.unsafeReentrantRead { _ in writer.finish() } }
      held = nil
    }
    indexer.close()
    // Closing can only report a statement that is still open, and those are gone with the writer.
    do { try queue.close() } catch {}
  }

  // MARK: For the reader

  /// Made at first use: 32 bytes of the kernel's entropy.
  func makeSecret(named name: String) throws(StoreFault) -> [UInt8] {
    try write("make the secret \(name)") { writer throws(StoreFault) in
      try writer.makeSecret(named: name)
    }
  }

  /// The migrations that the folder has gone through.
  func applied() throws -> [String] {
    try queue.unsafeReentrantRead {
      try String.fetchAll($0, sql: "SELECT identifier FROM grdb_migrations ORDER BY 1")
    }
  }
  /// For tests that make the machine fail.
  func execute(_ sql: String) throws {
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
  }
  func rootPage(of name: String) throws -> Int {
    try queue.unsafeReentrantRead {
      try Int.fetchOne(
        $0, sql: "SELECT rootpage FROM sqlite_schema WHERE name=?", arguments: [name])
        ?? 0
    }
  }
  func settleCheckpoint() throws(StoreFault) {
    try write("wait") { writer throws(StoreFault) in writer.checkpointer.settle() }
  }
  func ask(_ pragma: String) throws -> String? {
    try queue.unsafeReentrantRead { try String.fetchOne($0, sql: "PRAGMA \(pragma)") }
  }

  var file: String { MainFile.path(folder) }

  func write<T>(_ doing: String, _ body: (Writer) throws(StoreFault) -> T) throws(StoreFault) -> T {
    try writer.withLock { writer throws(StoreFault) in
      guard let held = writer else { throw .failed(doing: doing, why: "the store is closed") }
      return UnsafeSend(
        value: try storeFault(doing) {
          try queue.writeWithoutTransaction { _ in try body(held.value) }
        })
    }.value
  }
}

/// Carries a value over a border that the compiler cannot see is safe: what crosses here is used
/// only under the store's lock and on its connection's queue.
struct UnsafeSend<T>: @unchecked Sendable { var value: T }

/// Runs what may throw anything and gives it the store's words.
func storeFault<T>(_ doing: String, _ body: () throws -> T) throws(StoreFault) -> T {
  do {
    return try body()
  } catch let fault as StoreFault {
    throw fault
  } catch let error as DatabaseError
    where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
  {
    throw .corrupt(what: "could not \(doing): \(error.message ?? error.description)")
  } catch {
    throw .failed(doing: doing, why: "\(error)")
  }
}
