import Foundation
import Model
import Pipeline
import Records
import Server
import System

/// Looks at a copy of the folder as the dead server left it, so that the next one still has to recover by itself.
enum CrashFolder {
  static func check(_ folder: BenchFolder, _ ledger: inout CrashLedger) throws -> Int64 {
    let copy = "\(folder.path)/copy"
    if FileManager.default.fileExists(atPath: copy) { try FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.data) where name != "admin.socket" {
      try FileManager.default.copyItem(atPath: "\(folder.data)/\(name)", toPath: "\(copy)/\(name)")
    }
    var seen = ledger
    let check = try FolderCheck(copy) { reader, workspace in
      for mail in seen.mails {
        let count = try standing(mail, reader, workspace)
        if mail.isAcknowledged ? count != 1 : count > 1 {
          seen.violated("mail \(mail.id), \(mail.isAcknowledged ? "acknowledged" : "never acknowledged"), stands \(count) times")
        }
      }
    }
    ledger = seen
    for finding in check.findings { ledger.violated("the folder: \(finding)") }
    return check.records
  }

  private static func standing(
    _ mail: CrashLedger.Mail, _ reader: any StoreReader, _ workspace: WorkspaceID
  ) throws -> Int {
    let key = Array(SHA256.hash(Array(MessageKey.text(mail.id).utf8)).bytes.prefix(16))
    guard let value = try reader.key(workspace, .mailThread, key),
      let conversation = Pipeline.conversation(value)
    else { return 0 }
    let entries = try reader.transcript(workspace, of: conversation, after: EntryID(0), limit: 100_000, visible: .internal)
    return entries.count { entry in
      entry.body.flatMap { JSONPick.position(after: "\"\(mail.text)", in: $0) } != nil
    }
  }
}
