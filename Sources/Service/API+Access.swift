import Model
import Records

/// Who read which timeline. What is handed to whoever takes over stands in the log already: an
/// offer names its case and its agent.
extension API {
  public func record(
    _ what: AccessRow.What, by caller: Caller, of customers: [CustomerID]
  ) {
    record(what, by: caller.signature, of: customers)
  }

  /// - Parameter who: such as `agent:ann`, or `administrator`.
  public func record(_ what: AccessRow.What, by who: String, of customers: [CustomerID]) {
    let at = now()
    let rows = customers.map { AccessRow(at: at, who: who, what: what, customer: $0) }
    recordAccess(
      rows.isEmpty ? [AccessRow(at: at, who: who, what: what, customer: nil)] : rows,
      directory.workspace)
  }

  /// The record whose matter a case is, in a list; none where that is not known.
  public func customers(of row: CaseRow, _ reads: any StoreReader) throws(StoreFault)
    -> [CustomerID]
  {
    if let customer = CaseView.decoded(row.about)?.customer { return [customer] }
    return try reads.conversation(directory.workspace, row.conversation).map { [$0.customer] } ?? []
  }
}
