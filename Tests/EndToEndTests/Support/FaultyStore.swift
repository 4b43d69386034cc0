import Foundation
import Model
import Pipeline
import Records
import Testing
@testable import Server

/// A disk that can be held, and that can refuse: in front of the real store, for writers and the
/// commit loop.
final class Disk: @unchecked Sendable {
  private let condition = NSCondition()
  private var isHeld = false
  private var allowed = 0
  private var waitingNow = 0
  private var fault: StoreFault?
  private var isUnreadable = false
  private var refusedSoFar = 0
  private var doneSoFar = 0

  /// Commits that wait now.
  var waiting: Int { locked { waitingNow } }
  /// Commits refused so far.
  var refused: Int { locked { refusedSoFar } }

  /// Commits let through so far.
  var done: Int { locked { doneSoFar } }

  /// From here on commits wait.
  func hold() { locked { isHeld = true } }
  /// Lets so many of them through; those that come then wait again.
  func allow(_ count: Int) { locked { allowed += count } }
  func release() { locked { (isHeld, allowed) = (false, 0) } }

  /// - Parameter unreadable: whether the state cannot be read either, so that no recovery succeeds.
  func fail(unreadable: Bool = false) {
    locked {
      fault = .failed(doing: "writing", why: "the disk of this test is full")
      isUnreadable = unreadable
    }
  }
  func heal() { locked { (fault, isUnreadable) = (nil, false) } }

  private func locked<R>(_ body: () -> R) -> R {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return body()
  }

  fileprivate func pass() throws(StoreFault) {
    condition.lock()
    waitingNow += 1
    while isHeld, allowed == 0 { condition.wait() }
    waitingNow -= 1
    if isHeld { allowed -= 1 }
    let fault = fault
    if fault != nil { refusedSoFar += 1 } else { doneSoFar += 1 }
    condition.unlock()
    if let fault { throw fault }
  }

  fileprivate func read() throws(StoreFault) {
    if let fault = locked({ isUnreadable ? fault : nil }) { throw fault }
  }
}

struct FaultyStore: Store {
  let base: any Store
  let disk: Disk
  /// Hears of every transaction that was let through, before it is written.
  var transaction: @Sendable ([Commit]) -> Void = { _ in }

  func commit(_ commits: [Commit]) throws(StoreFault) {
    try disk.pass()
    transaction(commits)
    try base.commit(commits)
  }
  func reader() throws(StoreFault) -> any StoreReader {
    try disk.read()
    return try base.reader()
  }
  func addWorkspace(named name: String) throws(StoreFault) -> WorkspaceRow {
    try base.addWorkspace(named: name)
  }
  func save(_ token: TokenRow) throws(StoreFault) { try base.save(token) }
  func forgetOutcomes(before: Instant) throws(StoreFault) {
    try base.forgetOutcomes(before: before)
  }
  func index(_ workspace: WorkspaceID, limit: Int, words: (EntryRow) -> EntryWords)
    throws(StoreFault) -> Bool
  {
    try base.index(workspace, limit: limit, words: words)
  }
  func record(_ accesses: [AccessRow], _ workspace: WorkspaceID) throws(StoreFault) {
    try disk.pass()
    try base.record(accesses, workspace)
  }
  func erase(
    _ workspace: WorkspaceID, _ customers: [CustomerID], at: Instant, by: String, upTo: EntryID?,
    _ forms: ErasedForms
  ) throws(StoreFault) -> ErasureReceipt {
    try base.erase(workspace, customers, at: at, by: by, upTo: upTo, forms)
  }
  func forgetWords(
    of entries: [EntryID], _ workspace: WorkspaceID, _ forms: ErasedForms
  ) throws(StoreFault) -> Int64 {
    try base.forgetWords(of: entries, workspace, forms)
  }
  func close() { base.close() }
}

extension TestServer {
  static func run(
    on disk: Disk, _ change: (inout Settings) -> Void = { _ in },
    _ body: @Sendable (TestServer) async throws -> Void
  ) async throws {
    try await run(try TestServer(change, through: { FaultyStore(base: $0, disk: disk) })) {
      server in
      defer { disk.release() }  // or the server could not stop
      try await body(server)
    }
  }

  /// Waits until a commit is being held and the workspace has decided up to this position.
  func decided(_ position: Int, behind disk: Disk) async throws {
    try await eventually("position \(position) is decided") {
      try await self.position() >= position && disk.waiting > 0
    }
  }
}

extension Writer {
  /// A writer of a new workspace with nothing in it, beside those of a running server.
  static func alone(
    _ name: String, _ edge: Edge, _ store: FaultyStore, _ commits: CommitLoop,
    _ outlet: any Outlet
  ) throws -> Writer {
    let planner = try #require(edge.planner(of: edge.writers[0].workspace, version: nil))
    let row = try edge.store.addWorkspace(named: name)
    return try Writer(workspace: row, commits: commits, outlet: outlet) {
      () throws(StoreFault) in
      let reads = try store.reader()
      return (try Pipeline(row.id, from: reads) { _ in planner }, ConfinedReader(reads))
    }
  }
}
