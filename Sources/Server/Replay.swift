import Model
import Pipeline
import Records
import Routing
import Wire

extension StoreReader {
  /// Every router event of a workspace's log in order, up to an instant.
  ///
  /// - Parameter record: asked before each record; false ends the walk.
  /// - Errors: `StoreFault`, or `WireError` for a record that cannot be read.
  func walkLog(
    _ workspace: WorkspaceID, upTo instant: Instant = .distantFuture,
    record isWanted: () -> Bool = { true },
    _ body: (Event, Instant) -> Void
  ) throws {
    try walkRecords(workspace, upTo: instant, record: isWanted) { record, events, _ in
      for event in events { body(event, record.at) }
    }
  }

  /// The same record by record, each with its events and the entries that were written with it.
  func walkRecords(
    _ workspace: WorkspaceID, upTo instant: Instant = .distantFuture,
    record isWanted: () -> Bool = { true },
    _ body: (LogRecord, [Event], [EntryID]) -> Void
  ) throws {
    var position: Int64 = 0
    while true {
      let page = try log(workspace, after: position, limit: 1_000)
      for record in page {
        guard record.at <= instant, isWanted() else { return }
        let (events, entries) = try record.contents()
        body(record, events, entries)
      }
      guard let last = page.last else { return }
      position = last.position
    }
  }
}
