import Model
import Records
import System

/// Who read which timeline. What is handed to whoever takes over stands in the log already: an
/// offer names its case
/// and its agent.
extension API {
  public func record(
    _ what: AccessRow.What, by caller: Caller, of customers: [CustomerID]
  ) {
    let at = Instant(milliseconds: WallClock.nowMilliseconds)
    let who = caller.signature
    let rows = customers.map { AccessRow(at: at, who: who, what: what, customer: $0) }
    recordAccess(
      rows.isEmpty ? [AccessRow(at: at, who: who, what: what, customer: nil)] : rows,
      directory.workspace)
  }
}
