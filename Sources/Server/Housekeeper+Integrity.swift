import Model
import Records
import Store
import System

/// Looking for what the disk changed or lost. Nothing damaged is ever served, since every row is
/// checked as it is read; this finds what nobody has read.
extension Housekeeper {
  /// What came since the last look.
  func checkRecent(_ writer: Writer) throws(StoreFault) {
    guard let reader = try edge.store.reader() as? SQLiteReader else { return }
    let report = try IntegrityCheck.recent(reader, writer.workspace)
    try edge.store.save(report.verified, writer.workspace)
    edge.health.found(report.findings, doing: "checking workspace \(writer.name)")
  }

  /// Everything, attachments included. What was known to be damaged before and is not found by it
  /// is no longer told of.
  func checkWhole(_ writers: [Writer]) throws(StoreFault) {
    let known = edge.health.now.damaged
    // What went from the end of the log no look at the rows finds: it is told until somebody has done
    // something about it.
    var damage = Set(try edge.store.entriesLost())
    // The indexes among it: a row that one of them does not find is on nobody's page, and each row by
    // itself looks well.
    if let reader = try edge.store.reader() as? SQLiteReader {
      damage.formUnion(try IntegrityCheck.file(reader))
      edge.health.found(damage.sorted(), doing: "checking the data folder")
    }
    for writer in writers {
      guard !isStopped.load(ordering: .acquiring),
        let reader = try edge.store.reader() as? SQLiteReader
      else { return }
      let report = try IntegrityCheck.whole(reader, writer.workspace, blobs: edge.store.blobs)
      damage.formUnion(report.findings)
      edge.health.found(report.findings, doing: "checking workspace \(writer.name)")
      if report.findings.isEmpty {
        Log.note(
          "workspace \(writer.name): all \(report.entries) entries and what belongs to them are whole"
        )
      }
    }
    edge.health.foundAll(damage, knownBefore: known)
  }
}
