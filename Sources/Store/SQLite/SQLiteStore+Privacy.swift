import Glibc
import Model
import Records

extension SQLiteStore {
  public func record(_ accesses: [AccessRow], _ workspace: WorkspaceID) throws(StoreFault) {
    try write("record who read what") { writer throws(StoreFault) in
      try writer.record(accesses, workspace)
    }
  }

  /// Keeps a receipt first, so that an erasure that a crash cut off is known and finished
  /// (`finish`).
  public func erase(
    _ workspace: WorkspaceID, _ customers: [CustomerID], at: Instant, by: String,
    upTo: EntryID? = nil,
    _ forms: ErasedForms
  ) throws(StoreFault) -> ErasureReceipt {
    let receipt = try write("begin an erasure") { writer throws(StoreFault) in
      try writer.beginErasure(of: customers, at: at, by: by, upTo: upTo, workspace)
    }
    return try finish(receipt, workspace, at: at, forms)
  }

  /// Does all of an erasure that is not done yet; doing it again changes nothing.
  ///
  /// A thousand entries a transaction, so that commits go on in between. At its end nothing of it
  /// is left in the
  /// files: SQLite overwrites what is deleted (`secure_delete`), the index is merged, and both
  /// write-ahead logs
  /// are emptied.
  public func finish(
    _ receipt: ErasureReceipt, _ workspace: WorkspaceID, at: Instant, _ forms: ErasedForms
  ) throws(StoreFault) -> ErasureReceipt {
    var receipt = receipt
    try write("erase a customer's rows") { writer throws(StoreFault) in
      try writer.eraseRows(&receipt, forms, blobs, workspace)
    }
    var entries: Set<EntryID> = []
    for customer in receipt.customers {
      var last = EntryID(0)
      while true {
        let page = try write("erase a customer's words") { writer throws(StoreFault) in
          try writer.eraseWords(of: customer, after: last, &receipt, forms, blobs, workspace)
        }
        entries.formUnion(page)
        guard let end = page.last else { break }
        last = end
      }
    }
    try indexer.forget(entries.sorted(), workspace)
    try emptyLog()
    receipt.done = at
    let done = receipt
    try write("keep an erasure's receipt") { writer throws(StoreFault) in
      try writer.save(done, workspace)
    }
    return receipt
  }

  /// Takes the words of these entries, and what was attached to them; their number, place and hash
  /// stay. Returns
  /// how many had words.
  public func forgetWords(
    of entries: [EntryID], _ workspace: WorkspaceID, _ forms: ErasedForms
  ) throws(StoreFault) -> Int64 {
    try forgetWords(of: entries, workspace, forms) { change throws(StoreFault) in try change() }
  }

  /// Runs a change of rows while nobody decides on what they were.
  public typealias Beneath = (() throws(StoreFault) -> Void) throws(StoreFault) -> Void

  /// - Parameter beneath: is asked for each piece anew, so that a workspace goes on in between; what
  ///   may take long, the index and the logs of the files, comes after them all.
  public func forgetWords(
    of entries: [EntryID], _ workspace: WorkspaceID, _ forms: ErasedForms, beneath: Beneath
  ) throws(StoreFault) -> Int64 {
    var count: Int64 = 0
    for start in stride(from: 0, to: entries.count, by: 500) {
      let piece = Array(entries[start..<min(entries.count, start + 500)])
      try beneath { () throws(StoreFault) in
        count += try write("forget old words") { writer throws(StoreFault) in
          try writer.eraseWords(of: piece, forms, blobs, workspace)
        }
      }
    }
    if count > 0 {
      try indexer.forget(entries, workspace)
      try emptyLog()
    }
    return count
  }

  /// Waits, with no lock held, for whoever still reads from the write-ahead log: half a minute at
  /// most.
  public func emptyLog() throws(StoreFault) {
    for _ in 0..<300 {
      if try write(
        "empty the write-ahead log", { writer throws(StoreFault) in try writer.emptyLog() })
      {
        return
      }
      usleep(100_000)
    }
    throw .failed(
      doing: "empty the write-ahead log", why: "somebody has been reading from it for half a minute"
    )
  }
}
