import Records
import Model

// Rows outside the log. Here the row itself says its workspace.

extension WorkspaceRow: ColumnRow {
  static var table: Table { .workspaces }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(name)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> WorkspaceRow {
    WorkspaceRow(id: try columns.workspace(), name: columns.text())
  }
}

extension TokenRow: ColumnRow {
  static var table: Table { .tokens }
  func put(into columns: Prepared) {
    columns.put(workspace)
    columns.put(id)
    columns.put(hash)
    columns.put(scope)
    columns.put(holder)
    columns.put(created)
    columns.put(expires) { columns.put($0) }
    columns.put(revoked)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> TokenRow {
    let workspace = try columns.workspace()
    return TokenRow(
      id: try columns.id(), hash: try columns.digest(), workspace: workspace, scope: columns.text(),
      holder: columns.text(), created: columns.instant(),
      expires: try columns.optional { c throws(StoreFault) in c.instant() }, revoked: columns.flag()
    )
  }
}

/// A key that the folder keeps for itself.
struct SecretColumns: ColumnRow {
  var name: String
  var bytes: [UInt8]
  static var table: Table { .secrets }
  func put(into columns: Prepared) {
    columns.put(name)
    columns.put(bytes)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> SecretColumns {
    SecretColumns(name: columns.text(), bytes: columns.bytes())
  }
}
