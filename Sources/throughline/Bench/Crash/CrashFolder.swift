import Channels
import Foundation
import Model
import Pipeline
import Records
import Server
import System

/// Looks at a copy of the folder as the dead server left it, so that the next one still has to
/// recover by itself.
enum CrashFolder {
  static func check(_ folder: BenchFolder, _ ledger: inout CrashLedger) throws -> Int64 {
    let copy = "\(folder.path)/copy"
    if FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.removeItem(atPath: copy)
    }
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.data)
    where name != "admin.socket" {
      try FileManager.default.copyItem(atPath: "\(folder.data)/\(name)", toPath: "\(copy)/\(name)")
    }
    var seen = ledger
    let check = try FolderCheck(copy) { reader, workspace in
      for call in seen.calls { try checkCall(call, &seen, reader, workspace) }
      let said = try said(reader, workspace)
      for mail in seen.mails {
        let count = said[mail.text, default: 0]
        if mail.isAcknowledged ? count != 1 : count > 1 {
          seen.violated(
            "mail \(mail.id), \(mail.isAcknowledged ? "acknowledged" : "never acknowledged"), stands \(count) times"
          )
        }
      }
    }
    ledger = seen
    for finding in check.findings { ledger.violated("the folder: \(finding)") }
    return check.records
  }

  /// A call stands once, in one conversation; what it was told is there; and nobody ended it but
  /// who was on it.
  private static func checkCall(
    _ call: CrashLedger.Call, _ ledger: inout CrashLedger, _ reader: any StoreReader,
    _ workspace: WorkspaceID
  ) throws {
    let key = PhoneChannel.key(system: "bench/\(BenchFolder.phoneSystem)", id: call.unique)
    guard let known = try reader.key(workspace, .call, key).flatMap(Pipeline.line),
      let session = try reader.session(workspace, known.session),
      let conversation = try reader.conversation(workspace, known.conversation)
    else {
      if call.isTaken { ledger.violated("call \(call.unique), which was taken, is not there") }
      return
    }
    let rows = try reader.transcript(
      workspace, of: conversation.id, after: EntryID(0), limit: 100_000, visible: .internal)
    let entries = rows.compactMap { row in
      row.body.map { CrashEntry(id: row.id.raw, bytes: $0, hash: SHA256.hash($0)) }
    }
    ledger.saw(entries, of: conversation.customer.description)
    let kinds = entries.map { JSONPick.find("kind", in: $0.bytes) }
    let arrived = entries.count { JSONPick.find("event", in: $0.bytes) == "arrived" }
    if arrived != 1 { ledger.violated("call \(call.unique) has arrived \(arrived) times") }
    let accepted = kinds.count { $0 == "accepted" }
    if accepted < call.talks {
      ledger.violated(
        "call \(call.unique) was bridged \(call.talks) times and accepted \(accepted) times")
    }
    if call.isServed, session.ended == nil {
      ledger.violated("call \(call.unique) was served and has not ended")
    }
    // After a talk its end may be on disk, and the phone not yet told.
    if call.isTaken, !call.isOver, call.talks == 0, session.ended != nil {
      ledger.violated("call \(call.unique) goes on and has ended here")
    }
  }

  /// How often each text stands, in whichever conversation.
  private static func said(_ reader: any StoreReader, _ workspace: WorkspaceID) throws
    -> [String: Int]
  {
    var said: [String: Int] = [:]
    let last = try reader.head(workspace).entry.raw
    for id in stride(from: 1, through: last, by: 1) {
      guard let body = try reader.entry(workspace, EntryID(id))?.body,
        JSONPick.find("kind", in: body) == "message", let text = JSONPick.find("text", in: body)
      else { continue }
      said[text, default: 0] += 1
    }
    return said
  }
}
