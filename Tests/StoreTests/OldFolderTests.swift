import Foundation
import Model
import Records
import Testing

@testable import Store

/// Data folders as older servers wrote them (see Folders/README.md).
struct `An old data folder` {
  let folder = TemporaryFolder()
  static let names = ["1-demo", "2-demo"]

  private func place(_ name: String) throws -> String {
    let kept = try #require(Bundle.module.resourceURL).appendingPathComponent("Folders/\(name)")
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    let path = "\(folder.path)/\(name)"
    try FileManager.default.copyItem(atPath: kept.path, toPath: path)
    return path
  }

  @Test(arguments: names)
  func `goes forward, whole, and goes on`(_ name: String) throws {
    let path = try place(name)
    var store = try SQLiteStore(folder: path)
    #expect(try store.applied() == Schema.names)
    let workspace = WorkspaceID(1)
    let reader = try SQLiteReader(store)
    let report = try IntegrityCheck.whole(reader, workspace, blobs: store.blobs)
    #expect(report.findings == [] && report.entries == 76 && report.records > 76)
    #expect(
      report.rows["customers"] ?? 0 > 3 && report.rows["cases"] ?? 0 >= 3
        && report.rows["identities"] ?? 0 > 3)
    #expect(try IntegrityCheck.file(reader) == [])
    // What the new schema is for works on what the old one wrote.
    while try !store.index(workspace, limit: 30, words: StoreContract.words) {}
    #expect(try !reader.search(workspace, SearchQuery(words: "session")).hits.isEmpty)
    let entry = try #require(try reader.entries(workspace, after: 0, limit: 1).entries.first)
    let root = try #require(try reader.customer(workspace, entry.customer)).root
    let members = try reader.merged(workspace, into: root).map(\.id)
    let receipt = try store.erase(
      workspace, members, at: .distantFuture, by: "admin:root", upTo: nil, Samples.blank)
    #expect(receipt.entries > 0)
    // And it goes on.
    let head = try reader.head(workspace)
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(head.position + 1)]
    try store.commit([commit])
    store.close()
    store = try SQLiteStore(folder: path)
    #expect(
      try IntegrityCheck.whole(SQLiteReader(store), workspace, blobs: store.blobs).findings == [])
    store.close()
  }

  @Test func `there is one of every schema but the newest`() {
    #expect(
      Self.names.compactMap { $0.split(separator: "-").first.map(String.init) }
        == Schema.names.dropLast())
  }
}
