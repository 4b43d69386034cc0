import Foundation
import GRDB
import Testing

@testable import Store

/// Nothing crosses between workspaces, in the files as well: what is looked up is looked up in one
/// workspace.
struct SchemaTests {
  /// Keys that do not begin with the workspace, each with its reason. (The words to search have
  /// rows' numbers alone, whose upper bits are the workspace: `SearchFile.row`.)
  private static let exceptions = [
    "secrets(name)": "keys of the whole folder, by which no row of a workspace is found",
    "workspaces(name)": "what the workspaces are: a name gives the workspace",
    "grdb_migrations(identifier)": "how the file was made; GRDB's own",
  ]

  @Test func `every key and every index begins with the workspace`() throws {
    let folder = TemporaryFolder()
    let store = try SQLiteStore(folder: folder.path)
    _ = try store.addWorkspace(named: "demo")
    store.close()
    var keys: Set<String> = []
    var tables = 0
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where file.hasSuffix(".sqlite") {
      try DatabaseQueue(path: "\(folder.path)/\(file)").read { database in
        let names = try String.fetchAll(
          database,
          sql:
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for table in names {
          tables += 1
          let key = try String.fetchAll(
            database, sql: "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
            arguments: [table])
          #expect(!key.isEmpty, "\(table) has no key")
          keys.insert("\(table)(\(key.joined(separator: ",")))")
          for index in try String.fetchAll(
            database, sql: "SELECT name FROM pragma_index_list(?)", arguments: [table])
          {
            let columns = try String.fetchAll(
              database, sql: "SELECT name FROM pragma_index_info(?) ORDER BY seqno",
              arguments: [index])
            keys.insert("\(table)(\(columns.joined(separator: ",")))")
          }
        }
      }
    }
    #expect(tables >= 22, "tables were overlooked")
    let others = keys.filter { !$0.contains("(workspace)") && !$0.contains("(workspace,") }
    #expect(others == Set(Self.exceptions.keys))
  }
}
