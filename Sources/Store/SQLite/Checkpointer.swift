import Dispatch
internal import GRDB
internal import GRDBSQLite
import Model
import Synchronization

/// When the write-ahead log is moved into the main file.
public struct CheckpointPolicy: Sendable {
  /// Pages of 4 kB in the log from which the move begins: 64 MB. Fewer would move the same page
  /// more often, more would lengthen the first reading after a crash.
  public var pages: Int32 = 16_384
  public init() {}
}

/// Moves the write-ahead log into the main file beside the commits, on a connection and a queue of
/// its own.
///
/// A checkpoint beside a busy writer never reaches the log's end, and only a log that is moved
/// whole can be begun anew. So the bulk is moved here, and what came meanwhile by the writer
/// itself, between two commits:
///
/// | state | when the log is long | next |
/// |---|---|---|
/// | idle | the bulk is started here | moving |
/// | moving | nothing | moved, when it ends |
/// | moved | the writer moves the rest, which is short | idle |
final class Checkpointer: Sendable {
  private enum State: UInt8 { case idle, moving, moved }

  private let policy: CheckpointPolicy
  private let connection: DatabaseQueue
  private let queue = DispatchQueue(label: "throughline.checkpoint")
  private let state = Atomic<UInt8>(State.idle.rawValue)
  /// Where the log was long last: a reader that holds it back must not make every commit try again.
  private let tried = Atomic<Int32>(0)

  init(file: String, _ policy: CheckpointPolicy) throws {
    self.policy = policy
    connection = try DatabaseQueue(path: file, configuration: SQLiteStore.configuration())
    try connection.writeWithoutTransaction {
      // FULL here too: the main file must be on disk before the log is begun anew.
      try $0.execute(sql: "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0")
    }
  }

  /// Called by the writer after a commit.
  func committed(walPages: Int32, writer: OpaquePointer) {
    guard walPages >= policy.pages else { return tried.store(0, ordering: .relaxed) }
    switch State(rawValue: state.load(ordering: .acquiring)) ?? .moving {
    case .idle:
      let last = tried.load(ordering: .relaxed)
      guard last == 0 || walPages &- last >= policy.pages / 4 || walPages < last else { return }
      tried.store(walPages, ordering: .relaxed)
      state.store(State.moving.rawValue, ordering: .releasing)
      queue.async { [self] in
        connection.unsafeReentrantRead { db in Self.move(db.sqliteConnection) }
        state.store(State.moved.rawValue, ordering: .releasing)
      }
    case .moving: break
    case .moved:
      Self.move(writer)
      state.store(State.idle.rawValue, ordering: .releasing)
    }
  }

  /// What cannot be moved now is moved the next time; only the size of the file depends on it. A
  /// disk that refuses is told by the next commit.
  private static func move(_ connection: OpaquePointer?) {
    sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
  }

  /// Waits for a move that is under way.
  func settle() { queue.sync {} }

  func stop() {
    settle()
    do { try connection.close() } catch {}  // It has no statements that could keep it open.
  }
}
