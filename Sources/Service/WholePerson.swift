import Continuity
import Model
import Records

extension StoreReader {
  /// The records of a person, of which it is known that they are all. Which ones were merged stands in
  /// an index alone, and one flipped bit there would leave a record out, whose entries nobody would
  /// miss: count and hash are the sum over the records. But each record names those that it is linked
  /// with.
  /// - Errors: `.corrupt` where one of these is not among them.
  func person(
    _ workspace: WorkspaceID, _ root: CustomerID
  ) throws(StoreFault) -> [CustomerRow] {
    let records = try merged(workspace, into: root)
    let ids = Set(records.map(\.id))
    for record in records {
      for link in record.decodedProfile?.links ?? []
      where link.isActive && !ids.contains(link.other(than: record.id)) {
        throw .corrupt(
          what:
            "customer \(record.id) is one with \(link.other(than: record.id)), which the records "
            + "of customer \(root) do not have")
      }
    }
    return records
  }
}
