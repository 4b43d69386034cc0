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

    init(_ backup: FolderBackup) {
      workspaces = backup.workspaces.map {
        "\($0.name): \($0.entries) entries, log position \($0.position)"
      }
      attachments = backup.blobs
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
    }
  }

  /// nil when a server holds the folder: it must be asked, then.
  public static func backUpUnlessServed(_ data: String, to target: String) throws -> BackedUp? {
    guard Files.exists("\(data)/throughline.sqlite") else {
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
  }

  /// Puts a backup in the folder's place. What was erased or taken out since, as far as the folder
  /// that is replaced, or the file, tells, is not brought back.
  public static func restore(_ backup: String, to data: String, erasures file: String?) throws
    -> Restored
  {
    try Files.createFolder(data)
    let lock = try FolderLock(folder: data)
    defer { withExtendedLifetime(lock) {} }
    var given: [(workspace: String, receipt: ErasureReceipt)] = []
    if let file { given = try receipts(file) }
    let redactions =
      Files.exists("\(data)/throughline.sqlite") ? try RedactionsSince(in: data) : nil
    let restored = try SQLiteStore.restore(
      backup, to: data, receipts: given, at: Instant.now, PersonForms.erased)
    return Restored(
      replaced: restored.replaced, erasuresRepeated: restored.erasuresRepeated,
      redactionsRepeated: try redactions?.repeated(in: data, at: Instant.now) ?? 0)
  }

  /// What `throughline erasures --json` wrote.
  private static func receipts(_ file: String) throws -> [(
    workspace: String, receipt: ErasureReceipt
  )] {
    struct Line: Decodable {
      var workspace: String
      var erasure: Int64
      var at: String
      var by: String
      var customers: [String]
      var up_to: Int64
    }
    let lines = try JSONDecoder().decode(
      [Line].self, from: Data(try Files.read(file, bytesMax: 64 << 20)))
    return try lines.map { line in
      guard let at = Instant(rfc3339: line.at) else {
        throw AdminClient.Fault("\(file): \(line.at) is no time")
      }
      let customers = try line.customers.map { text in
        guard let id = CustomerID(text) else {
          throw AdminClient.Fault("\(file): \(text) is no customer id")
        }
        return id
      }
      return (
        line.workspace,
        ErasureReceipt(
          number: line.erasure, at: at, by: line.by, customers: customers, upTo: EntryID(line.up_to)
        )
      )
    }
  }
}
