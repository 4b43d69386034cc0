import Dispatch
import Foundation
import GRDBSQLite
import Model
import Records
import Store
import Synchronization
import System

/// Durable entries a second, and how long each waits for its commit. As in the server, one loop
/// takes whatever all writers have ready, and while it syncs the next gathers.
struct CommitCases {
  let place: String
  let seconds: Int

  init(_ place: String, seconds: Int) {
    self.place = place
    self.seconds = seconds
  }

  func run(_ report: inout BenchReport) throws {
    try sync(&report)
    try floor(rows: 1, &report)
    try floor(rows: 100, &report)
    for (writers, inFlight) in [(1, 1), (1, 100), (4, 50), (16, 20), (64, 8)] {
      try measure(writers, inFlight, &report)
    }
  }

  /// What the disk itself takes for a sync after 4 kB: the floor under every latency here.
  private func sync(_ report: inout BenchReport) throws {
    let path = "\(place)/sync"
    let file = try FileDescriptor(opening: path, O_WRONLY | O_CREAT)
    var latencies = LatencyHistogram()
    let block = [UInt8](repeating: 1, count: 4_096)
    let end = MonotonicClock.nowNanoseconds + 1_000_000_000
    while MonotonicClock.nowNanoseconds < end {
      let begun = MonotonicClock.nowNanoseconds
      try file.writeAll(block, path)
      try file.syncData(path)
      latencies.record(MonotonicClock.nowNanoseconds - begun)
    }
    report.add("floor: 4 kB and a sync", latencies)
  }

  /// Bare SQLite: one table, rows of 300 bytes, prepared once, the same journal and syncing as the
  /// store.
  private func floor(rows: Int, _ report: inout BenchReport) throws {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    func must(_ code: Int32) throws {
      guard [SQLITE_OK, SQLITE_DONE, SQLITE_ROW].contains(code) else {
        throw BenchServer.Fault(description: "SQLite says \(code)")
      }
    }
    try must(sqlite3_open("\(place)/floor-\(rows).sqlite", &handle))
    try must(
      sqlite3_exec(
        handle,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows(id INTEGER PRIMARY KEY, bytes BLOB)",
        nil, nil, nil))
    var insert: OpaquePointer?
    defer { sqlite3_finalize(insert) }
    try must(sqlite3_prepare_v2(handle, "INSERT INTO rows(bytes) VALUES(?)", -1, &insert, nil))
    let bytes = [UInt8](repeating: 7, count: 300)
    var latencies = LatencyHistogram()
    var count = 0
    let (begun, cpu) = (MonotonicClock.nowNanoseconds, BenchServer.usage(of: "self").cpuSeconds)
    while MonotonicClock.nowNanoseconds - begun < Int64(seconds) * 1_000_000_000 {
      let started = MonotonicClock.nowNanoseconds
      try must(sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil))
      for _ in 0..<rows {
        try must(bytes.withUnsafeBytes { sqlite3_bind_blob64(insert, 1, $0.baseAddress, 300, nil) })
        try must(sqlite3_step(insert))
        try must(sqlite3_reset(insert))
      }
      try must(sqlite3_exec(handle, "COMMIT", nil, nil, nil))
      latencies.record(MonotonicClock.nowNanoseconds - started)
      count += rows
    }
    let name = "floor: bare SQLite, \(rows) a commit"
    let elapsed = Double(MonotonicClock.nowNanoseconds - begun) / 1e9
    report.add(name, "rows", Double(count) / elapsed, "1/s")
    report.add(
      name, "cpu a row", (BenchServer.usage(of: "self").cpuSeconds - cpu) / Double(count) * 1e6,
      "us")
    report.add(name, latencies)
  }

  private func measure(_ writers: Int, _ inFlight: Int, _ report: inout BenchReport) throws {
    let folder = "\(place)/commit-\(writers)-\(inFlight)"
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    var lines: [Line] = []
    for number in 0..<writers {
      lines.append(
        Line(workspace: try store.addWorkspace(named: "w\(number)").id, inFlight: inFlight))
    }
    var latencies = LatencyHistogram()
    var count = 0
    let (begun, cpu) = (MonotonicClock.nowNanoseconds, BenchServer.usage(of: "self").cpuSeconds)
    let end = begun + Int64(seconds) * 1_000_000_000
    let arrived = Arrived()
    // Writers decide on a queue of their own while the loop syncs, as the server's do.
    let deciding = DispatchQueue(label: "bench.deciding")
    deciding.async { [lines] in
      for (index, line) in lines.enumerated() { arrived.put(index, line, inFlight) }
    }
    while MonotonicClock.nowNanoseconds < end {
      let taken = arrived.take()
      if taken.isEmpty {
        usleep(10)
        continue
      }
      try store.commit(taken.map(\.commit))
      let now = MonotonicClock.nowNanoseconds
      for batch in taken {
        for begun in batch.begun { latencies.record(now - begun) }
        count += batch.begun.count
      }
      deciding.async { [lines] in
        for batch in taken { arrived.put(batch.line, lines[batch.line], batch.begun.count) }
      }
    }
    deciding.sync {}
    let elapsed = Double(MonotonicClock.nowNanoseconds - begun) / 1e9
    let name = "\(writers) writers, \(inFlight) in flight"
    report.add(name, "entries", Double(count) / elapsed, "1/s")
    report.add(
      name, "cpu an entry",
      (BenchServer.usage(of: "self").cpuSeconds - cpu) / Double(max(count, 1)) * 1e6, "us")
    report.add(name, latencies)
  }

  /// One workspace's writer.
  private final class Line: Sendable {
    let workspace: WorkspaceID
    let customers: [CustomerID] = (0..<2_000).map { _ in .new() }
    let last = Atomic<Int64>(0)
    init(workspace: WorkspaceID, inFlight: Int) { self.workspace = workspace }
  }

  private struct Batch: Sendable {
    var line: Int
    var commit: Commit
    var begun: [Int64] = []
  }

  /// What is decided and not yet taken.
  private final class Arrived: Sendable {
    private let waiting = Mutex<[Int: Batch]>([:])

    func put(_ index: Int, _ line: Line, _ count: Int) {
      for _ in 0..<count {
        let number = line.last.add(1, ordering: .relaxed).newValue
        let begun = MonotonicClock.nowNanoseconds
        var made = Commit(workspace: line.workspace)
        BenchRows.command(number, line.customers)(&made)
        waiting.withLock { waiting in
          var batch =
            waiting[index] ?? Batch(line: index, commit: Commit(workspace: line.workspace))
          waiting[index] = nil
          batch.commit.log += made.log
          batch.commit.entries += made.entries
          batch.commit.customers += made.customers
          batch.commit.work += made.work
          batch.begun.append(begun)
          waiting[index] = batch
        }
      }
    }

    func take() -> [Batch] {
      waiting.withLock { waiting in
        defer { waiting.removeAll(keepingCapacity: true) }
        return waiting.keys.sorted().compactMap { waiting[$0] }
      }
    }
  }
}
