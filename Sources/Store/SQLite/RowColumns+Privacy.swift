import Model
import Records

extension ErasureReceipt: ColumnRow {
  static var table: Table { .erasures }
  func put(into columns: Prepared) {
    columns.put(number)
    columns.put(at)
    columns.put(by)
    columns.put(customers)
    columns.put(upTo)
    columns.put(entries)
    columns.put(identities)
    columns.put(blobs)
    columns.put(done) { columns.put($0) }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> ErasureReceipt {
    let number = columns.integer()
    let at = columns.instant()
    let by = columns.text()
    return ErasureReceipt(
      number: number, at: at, by: by, customers: try columns.ids(), upTo: columns.entry(),
      entries: columns.integer(),
      identities: columns.integer(), blobs: columns.integer(),
      done: try columns.optional { c throws(StoreFault) in c.instant() })
  }
}

/// An access with its number.
struct AccessColumns: ColumnRow {
  var number: Int64
  var access: AccessRow
  static var table: Table { .accesses }
  func put(into columns: Prepared) {
    columns.put(number)
    columns.put(access.at)
    columns.put(access.who)
    columns.put(Int64(access.what.rawValue))
    columns.put(access.customer) { columns.put($0) }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> AccessColumns {
    AccessColumns(
      number: columns.integer(),
      access: AccessRow(
        at: columns.instant(), who: columns.text(), what: try columns.code(),
        customer: try columns.optional { c throws(StoreFault) in try c.id() }))
  }
}
