import Glibc
import Model
import Records

extension SQLiteStore {
  public func record(_ accesses: [AccessRow], _ workspace: WorkspaceID) throws(StoreFault) {
    try write("record who read what") { writer throws(StoreFault) in
      try writer.record(accesses, workspace)
    }
  }

  public func erase(
    _ workspace: WorkspaceID, _ customers: [CustomerID], at: Instant, by: String,
    upTo: EntryID? = nil,
    _ forms: ErasedForms
  ) throws(StoreFault) -> ErasureReceipt {
    try erase(workspace, at: at, by: by, upTo: upTo, forms, beneath: Self.atOnce) { customers }
  }

  /// Runs a change of rows while nobody decides on what they were.
  public typealias Beneath = (() throws(StoreFault) -> Void) throws(StoreFault) -> Void
  /// Where nobody decides at all.
  public static func atOnce(_ change: () throws(StoreFault) -> Void) throws(StoreFault) {
    try change()
  }

  /// Keeps a receipt first, so that an erasure that a crash cut off is known and finished
  /// (`finish`).
  /// - Parameters:
  ///   - beneath: is asked for the rows, and for each thousand of entries anew: whoever decides goes
  ///     on in between, and while the index and the logs are done, which may take long.
  ///   - customers: the person's records, asked for once nobody decides.
  public func erase(
    _ workspace: WorkspaceID, at: Instant, by: String, upTo: EntryID? = nil, _ forms: ErasedForms,
    beneath: Beneath, _ customers: @escaping () throws(StoreFault) -> [CustomerID]
  ) throws(StoreFault) -> ErasureReceipt {
    try nameAttachments(workspace, forms)
    var begun: (receipt: ErasureReceipt, told: [EntryID])?
    try beneath { () throws(StoreFault) in
      let records = try customers()
      var receipt = try write("begin an erasure") { writer throws(StoreFault) in
        try writer.beginErasure(of: records, at: at, by: by, upTo: upTo, workspace)
      }
      let told = try eraseRows(&receipt, workspace, forms)
      begun = (receipt, told)
    }
    guard let begun else {
      throw .failed(doing: "begin an erasure", why: "nobody let it begin")
    }
    return try eraseWords(
      begun.receipt, workspace, at: at, forms, told: begun.told, beneath: beneath)
  }

  /// Does all of an erasure that is not done yet; doing it again changes nothing.
  public func finish(
    _ receipt: ErasureReceipt, _ workspace: WorkspaceID, at: Instant, _ forms: ErasedForms,
    beneath: Beneath = SQLiteStore.atOnce
  ) throws(StoreFault) -> ErasureReceipt {
    try nameAttachments(workspace, forms)
    var receipt = receipt
    var told: [EntryID] = []
    try beneath { () throws(StoreFault) in told = try eraseRows(&receipt, workspace, forms) }
    return try eraseWords(receipt, workspace, at: at, forms, told: told, beneath: beneath)
  }

  private func eraseRows(
    _ receipt: inout ErasureReceipt, _ workspace: WorkspaceID, _ forms: ErasedForms
  ) throws(StoreFault) -> [EntryID] {
    let begun = receipt
    // Cut off after the rows are gone nobody knows these entries any more: so the index goes first.
    let told = try write("find what was told of several") { writer throws(StoreFault) in
      try writer.reasons(told: begun, forms, workspace)
    }
    if !told.isEmpty { try indexer.forget(told, workspace) }
    return try write("erase a customer's rows") { writer throws(StoreFault) in
      try writer.eraseRows(&receipt, forms, blobs, workspace)
    }
  }

  /// At its end nothing is left in the files: SQLite overwrites what is deleted (`secure_delete`),
  /// the index is merged, and both write-ahead logs are emptied.
  private func eraseWords(
    _ begun: ErasureReceipt, _ workspace: WorkspaceID, at: Instant, _ forms: ErasedForms,
    told: [EntryID], beneath: Beneath
  ) throws(StoreFault) -> ErasureReceipt {
    var receipt = begun
    var entries = Set(told)
    for customer in receipt.customers {
      var last: EntryID? = EntryID(0)
      while let after = last {
        try beneath { () throws(StoreFault) in
          let page = try write("erase a customer's words") { writer throws(StoreFault) in
            try writer.eraseWords(of: customer, after: after, &receipt, forms, blobs, workspace)
          }
          entries.formUnion(page)
          last = page.last
        }
      }
    }
    try indexer.forget(entries.sorted(), workspace)
    try leaveNothing()
    receipt.done = at
    let done = receipt
    try write("keep an erasure's receipt") { writer throws(StoreFault) in
      try writer.save(done, workspace)
    }
    return receipt
  }

  /// Takes the words of these entries, and what was attached to them; their number, place and hash
  /// stay. Returns how many had words.
  public func forgetWords(
    of entries: [EntryID], _ workspace: WorkspaceID, _ forms: ErasedForms
  ) throws(StoreFault) -> Int64 {
    try forgetWords(of: entries, workspace, forms, beneath: Self.atOnce)
  }

  /// - Parameter beneath: is asked for each piece anew, so that a workspace goes on in between; what
  ///   may take long, the index and the logs of the files, comes after them all.
  public func forgetWords(
    of entries: [EntryID], _ workspace: WorkspaceID, _ forms: ErasedForms, beneath: Beneath
  ) throws(StoreFault) -> Int64 {
    try nameAttachments(workspace, forms)
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
      try leaveNothing()
    }
    return count
  }

  /// Removes what bots and phone systems uploaded before the instant and no entry came to name, at
  /// most a thousand; returns how many.
  public func sweepUnattached(
    _ workspace: WorkspaceID, before: Instant, _ forms: ErasedForms, beneath: Beneath
  ) throws(StoreFault) -> Int {
    let reader = try SQLiteReader(self)
    let found: [BlobRow] = try reader.rows(.blobsNobodyAttached) { columns in
      columns.put(workspace)
      columns.put(before)
    }
    guard !found.isEmpty else { return 0 }
    try nameAttachments(workspace, forms)
    var count = 0
    try beneath { () throws(StoreFault) in
      count = try write("remove what nobody attached") { writer throws(StoreFault) in
        try writer.removeUnattached(found.map(\.id), forms, blobs, workspace)
      }
    }
    return count
  }

  /// Once in the life of a folder of before, and before anything of it goes: which entries name which
  /// attachments (decisions/0048). Commits go on between its pieces.
  func nameAttachments(
    _ workspace: WorkspaceID, _ forms: ErasedForms, piece: Int64 = 5_000
  ) throws(StoreFault) {
    while true {
      let isDone = try write("find attachments") { writer throws(StoreFault) in
        try writer.nameAttachments(piece: piece, forms, workspace)
      }
      if isDone { return }
    }
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
