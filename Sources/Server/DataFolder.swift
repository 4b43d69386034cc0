import Foundation
import Model
import Records
import Service
import Store
import System

/// What is done to a data folder that no server holds.
public enum DataFolder {
  public struct BackedUp: Sendable {
    public var workspaces: [String]
    public var attachments: Int
    /// What is damaged in the folder, and so in its copy; empty when all is well.
    public var findings: [String]

    init(_ backup: FolderBackup) {
      workspaces = backup.workspaces.map {
        "\($0.name): \($0.entries) entries, log position \($0.position)"
      }
      attachments = backup.blobs
      findings = backup.findings
    }

    /// As a server answers it.
    public init(_ answer: Any) throws {
      guard let facts = answer as? [String: Any], let all = facts["workspaces"] as? [[String: Any]]
      else {
        throw AdminClient.Fault("the server's answer cannot be read")
      }
      workspaces = all.map {
        "\($0["name"] ?? ""): \($0["entries"] ?? 0) entries, log position \($0["position"] ?? 0)"
      }
      attachments = facts["attachments"] as? Int ?? 0
      findings = facts["damaged"] as? [String] ?? []
    }
  }

  /// nil when a server holds the folder: it must be asked, then.
  public static func backUpUnlessServed(_ data: String, to target: String) throws -> BackedUp? {
    guard try SQLiteStore.isAnythingThere(data) else {
      throw AdminClient.Fault("there is no data folder \(data)")
    }
    let lock: FolderLock
    do throws(FolderLock.Failure) { lock = try FolderLock(folder: data) } catch {
      if case .held = error { return nil }
      throw error
    }
    defer { withExtendedLifetime(lock) {} }
    let store = try SQLiteStore(folder: data)
    defer { store.close() }
    return BackedUp(
      try store.backUp(to: target, at: Instant.now))
  }

  public struct Restored: Sendable {
    public var replaced: String?
    public var erasuresRepeated: Int
    /// Entries that words were taken out of again.
    public var redactionsRepeated: Int
    /// What could not be known or is not whole, in sentences for a person.
    public var warnings: [String]
  }

  /// Puts a backup in the folder's place. What was erased or taken out since, as far as the folder
  /// that is replaced, or the file, tells, is not brought back.
  /// - Errors: the folder is as it was then.
  public static func restore(
    _ backup: String, to data: String, erasures file: String?,
    consent: SQLiteStore.RestoreConsent = .init()
  ) throws -> Restored {
    try Files.createFolder(data)
    let lock = try FolderLock(folder: data)
    defer { withExtendedLifetime(lock) {} }
    let given = try file.map { try KeptErasures.read($0) } ?? []
    var consent = consent
    if file != nil { consent.lostErasures = true }
    var redactions = 0
    var warnings: [String] = []
    let restored = try SQLiteStore.restore(
      backup, to: data, receipts: given, consent: consent, at: Instant.now, PersonForms.erased
    ) { store, old throws(StoreFault) in
      guard let old else { return }
      warnings += old.lost.map { "receipts of erasures may be lost: \($0)" }
      let since = RedactionsSince(in: old)
      if since.unreadable > 0 {
        warnings.append(
          "\(since.unreadable) entries of the folder that was replaced cannot be read: words that were "
            + "taken out of these since the backup are back, where these alone told of it")
      }
      redactions = try since.repeated(in: store, at: Instant.now)
    }
    for (name, count) in restored.receiptsOfOthers.sorted(by: { $0.key < $1.key }) {
      warnings.append(
        "\(count == 1 ? "one receipt of an erasure is" : "\(count) receipts of erasures are") of the workspace "
          + "\(name), which the backup does not have: nothing of it came back, and what was restored does not "
          + "keep \(count == 1 ? "it" : "them"); keep the file of receipts for a backup that has this workspace"
      )
    }
    return Restored(
      replaced: restored.replaced, erasuresRepeated: restored.erasuresRepeated,
      redactionsRepeated: redactions, warnings: warnings + restored.damaged)
  }
}
