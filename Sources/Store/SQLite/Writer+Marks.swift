import Model
import Records

extension Writer {
  /// Whether anybody is left whom the mark of a shared identity keeps from being joined: who was ever
  /// joined with the record that it lies on, or came with it since. Without them it is a row of nobody,
  /// and whoever comes by it next is somebody new. One whose value went already, with its record alone,
  /// does not say who uses it, and stays.
  func isMarkUsed(
    _ row: IdentityRow, besides gone: Set<CustomerID>, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> Bool {
    guard !row.identity.value.isEmpty else { return true }
    func found(_ id: CustomerID) throws(StoreFault) -> FoundRows<CustomerRow> {
      try queries.bound(.customer) { $0.put(workspace, id) }.found()
    }
    guard let holder = try found(row.customer).rows.first else { return true }
    for id in forms.linked(holder) where !gone.contains(id) {
      let other = try found(id)
      // Of whoever was erased nothing tells of the link any more.
      if !other.damaged.isEmpty
        || other.rows.contains(where: { forms.linked($0).contains(holder.id) })
      {
        return true
      }
    }
    let named: FoundRows<IdentityRow> = try queries.bound(.identitiesLike) {
      $0.put(workspace)
      $0.put(Int64(row.identity.kind.rawValue))
      $0.put(row.identity.value)
      $0.put(1_000 as Int64)
    }.found()
    return !named.damaged.isEmpty || named.rows.contains { !gone.contains($0.customer) }
  }
}
