import Model
import Records

/// What people said of several when they joined them, took them apart or marked what they share: it
/// goes with each of them.
extension Writer {
  /// Entries of others in which it is told. Asked while the profiles still tell who that is.
  func reasons(
    told receipt: ErasureReceipt, _ forms: ErasedForms, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryID] {
    let queries = try statements().queries
    let customers = Set(receipt.customers)
    guard let range = try together(customers, forms, queries, workspace) else { return [] }
    var found: [EntryID] = []
    let others = try everOne(with: customers, forms, queries, workspace).subtracting(customers)
    for other in others.sorted() {
      found += try entries(
        telling: other, in: range, upTo: receipt.upTo, forms, queries, workspace
      ).map(\.id)
    }
    return found
  }

  /// Takes it out of others' rows; returns which of their entries have no words any more.
  func eraseReasons(
    told customers: Set<CustomerID>, upTo: EntryID, _ forms: ErasedForms,
    _ statements: PrivacyStatements, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryID] {
    let queries = statements.queries
    guard let range = try together(customers, forms, queries, workspace) else { return [] }
    var emptied: [EntryID] = []
    let others = try everOne(with: customers, forms, queries, workspace).subtracting(customers)
    for other in others.sorted() {
      if var row = try record(other, queries, workspace),
        let profile = forms.reasons.profile(row, customers, range)
      {
        row.profile = profile
        try put(row, workspace)
      }
      for var row in try queries.bound(.identitiesOfCustomer, { $0.put(workspace, other) })
        .found(IdentityRow.self).rows
      {
        guard let evidence = forms.reasons.identity(row, range) else { continue }
        row.evidence = evidence
        try put(row, workspace)
      }
      for var entry in try entries(
        telling: other, in: range, upTo: upTo, forms, queries, workspace)
      {
        entry.body = nil
        try statements.rewrite(entry, workspace)
        emptied.append(entry.id)
      }
    }
    return emptied
  }

  /// From when to when any of these was joined with another.
  private func together(
    _ customers: Set<CustomerID>, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> ClosedRange<Instant>? {
    var whole: ClosedRange<Instant>?
    for id in customers.sorted() {
      guard let row = try recordEvenDamaged(id, queries, workspace),
        let range = forms.reasons.together(row, customers)
      else { continue }
      let low = min(whole?.lowerBound ?? range.lowerBound, range.lowerBound)
      whole = low...max(whole?.upperBound ?? range.upperBound, range.upperBound)
    }
    return whole
  }

  /// No customer sees such entries, which the index knows; one that is damaged is told of by the
  /// integrity check.
  private func entries(
    telling customer: CustomerID, in range: ClosedRange<Instant>, upTo: EntryID,
    _ forms: ErasedForms, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryRow] {
    let statement = try queries.prepare(
      Table.entries.select(
        """
        INDEXED BY entries_by_customer
        WHERE workspace=? AND customer=? AND entry<=? AND visibility>=? AND at BETWEEN ? AND ?
        """), "find what was told of several")
    statement.begin()
    statement.put(workspace, customer)
    statement.put(upTo)
    statement.put(Int64(Visibility.business.rawValue))
    statement.put(range.lowerBound)
    statement.put(range.upperBound)
    var found: [EntryRow] = []
    try statement.eachReadable(.entries, EntryRow.inWorkspace) { row in
      if forms.reasons.entry(row) { found.append(row) }
    }
    return found
  }

  private func record(
    _ id: CustomerID, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> CustomerRow? {
    try queries.bound(.customer, { $0.put(workspace, id) }).found(CustomerRow.self).rows.first
  }

  /// One whose row does not match its checksum, for whom it is linked with alone: a wrong one among
  /// them is no record, and a wrong time costs a reason more or less.
  private func recordEvenDamaged(
    _ id: CustomerID, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> CustomerRow? {
    if let row = try record(id, queries, workspace) { return row }
    let statement = try queries.prepare(
      "SELECT profile FROM customers WHERE workspace=? AND customer=?",
      "read whom it is linked with")
    statement.begin()
    statement.put(workspace, id)
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    return CustomerRow(
      id: id, root: id, created: .distantPast, profile: statement.blob(at: 0),
      timeline: TimelineDigest())
  }

  /// All records that are, or ever were, one person's with these.
  func everOne(
    with customers: Set<CustomerID>, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> Set<CustomerID> {
    try customers.reach { id throws(StoreFault) in
      try recordEvenDamaged(id, queries, workspace).map(forms.linked) ?? []
    }
  }
}
