import Model
import Records
import Store
import System

/// Looking for what the disk changed or lost. Nothing damaged is ever served, since every row is
/// checked as it is
/// read; this finds what nobody has read.
extension Housekeeper {
  /// What came since the last look.
  func checkRecent(_ writer: Writer) throws(StoreFault) {
    guard let reader = try edge.store.reader() as? SQLiteReader else { return }
    let report = try IntegrityCheck.recent(reader, writer.workspace)
    try edge.store.save(report.verified, writer.workspace)
    tell(report.findings, writer)
  }

  /// Everything, attachments included.
  func checkWhole(_ writer: Writer) throws(StoreFault) {
    guard let reader = try edge.store.reader() as? SQLiteReader else { return }
    let report = try IntegrityCheck.whole(reader, writer.workspace, blobs: edge.store.blobs)
    tell(report.findings, writer)
    if report.findings.isEmpty {
      Log.note(
        "workspace \(writer.name): all \(report.entries) entries and what belongs to them are whole"
      )
    }
  }

  private func tell(_ findings: [String], _ writer: Writer) {
    edge.health.found(damage: findings.count, in: writer.name)
    for finding in findings.prefix(20) { Log.fault("checking workspace \(writer.name)", finding) }
    if !findings.isEmpty {
      Log.note(
        "workspace \(writer.name) is damaged: see docs/operations.md, or run throughline doctor")
    }
  }
}
