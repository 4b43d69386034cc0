import Model
import Records

/// Reads what is on the simulated disk; each look-up may fail, as on a real one.
final class DiskReader: StoreReader {
  let disk: Disk
  /// Look-ups until the next one fails; nil: none does.
  var failsAfter: Int?

  init(_ disk: Disk) { self.disk = disk }

  func snapshot<T>(_ body: (any StoreReader) throws(StoreFault) -> T) throws(StoreFault) -> T {
    try body(self)
  }

  private func look<R>(_ value: R) throws(StoreFault) -> R {
    if let left = failsAfter {
      failsAfter = left > 0 ? left - 1 : nil
      if left == 0 {
        throw StoreFault.failed(doing: "a look-up", why: "the simulated disk refused")
      }
    }
    return value
  }

  func workspaces() throws(StoreFault) -> [WorkspaceRow] { try look([]) }
  func tokens() throws(StoreFault) -> [TokenRow] { try look([]) }
  func head(_ workspace: WorkspaceID) throws(StoreFault) -> LogHead { try look(disk.head) }
  func secret(named: String) throws(StoreFault) -> [UInt8] { try look(Array(named.utf8)) }
  func work(_ workspace: WorkspaceID) throws(StoreFault) -> [OpenWorkRow] {
    try look(disk.workRows)
  }
  func log(_ workspace: WorkspaceID, after: Int64, limit: Int) throws(StoreFault) -> [LogRecord] {
    try look(Array(disk.log.dropFirst(Int(after)).prefix(limit)))
  }
  func outbox(_ workspace: WorkspaceID, limit: Int) throws(StoreFault) -> [OutboxRow] {
    try look(disk.outbox.values.sorted { $0.id < $1.id })
  }
  func outbox(_ workspace: WorkspaceID, id: Int64) throws(StoreFault) -> OutboxRow? {
    try look(disk.outbox[id])
  }
  func configuration(
    _ workspace: WorkspaceID, version: UInt32?
  ) throws(StoreFault) -> (version: UInt32, bytes: [UInt8])? {
    try look(disk.configurations.last { version == nil || $0.version == version })
  }
  func identity(_ workspace: WorkspaceID, hash: [UInt8]) throws(StoreFault) -> IdentityRow? {
    try look(disk.identities[hash])
  }
  func identities(_ workspace: WorkspaceID, of customer: CustomerID) throws(StoreFault)
    -> [IdentityRow]
  {
    try look(disk.identities(of: customer).sorted { $0.identity < $1.identity })
  }
  func identities(
    _ workspace: WorkspaceID, like identity: Identity, limit: Int
  ) throws(StoreFault) -> [IdentityRow] {
    try look(
      disk.identities.values.filter { $0.identity == identity }.sorted { $0.customer < $1.customer }
    )
  }
  // Nothing is erased, looked for or watched in a simulated world.
  func erasures(_ workspace: WorkspaceID) throws(StoreFault) -> [ErasureReceipt] { try look([]) }
  func accesses(
    _ workspace: WorkspaceID, of customer: CustomerID?, before: Int64, limit: Int
  ) throws(StoreFault) -> [(number: Int64, access: AccessRow)] { try look([]) }
  func search(
    _ workspace: WorkspaceID, _ query: SearchQuery, words: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> SearchPage {
    try look(SearchPage())
  }
  func entry(_ workspace: WorkspaceID, _ id: EntryID) throws(StoreFault) -> EntryRow? {
    try look(disk.entries.indices.contains(Int(id.raw) - 1) ? disk.entries[Int(id.raw) - 1] : nil)
  }
  func customer(_ workspace: WorkspaceID, _ id: CustomerID) throws(StoreFault) -> CustomerRow? {
    try look(disk.customers[id])
  }
  func merged(_ workspace: WorkspaceID, into root: CustomerID) throws(StoreFault) -> [CustomerRow] {
    try look(disk.records(of: root).sorted { $0.id < $1.id })
  }
  func conversation(_ workspace: WorkspaceID, _ id: ConversationID) throws(StoreFault)
    -> ConversationRow?
  {
    try look(disk.conversations[id])
  }
  func conversations(
    _ workspace: WorkspaceID, of customer: CustomerID, limit: Int
  ) throws(StoreFault) -> [ConversationRow] {
    try look(disk.conversations(of: customer, limit: limit))
  }
  func openConversations(
    _ workspace: WorkspaceID, of customer: CustomerID, limit: Int
  ) throws(StoreFault) -> [ConversationRow] {
    try look(disk.openConversations(of: customer, limit: limit))
  }
  func session(_ workspace: WorkspaceID, _ id: SessionID) throws(StoreFault) -> SessionRow? {
    try look(disk.sessions[id])
  }
  func sessions(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [SessionRow]
  {
    try look(disk.sessions(of: conversation).sorted { $0.id < $1.id })
  }
  func aCase(_ workspace: WorkspaceID, _ id: CaseID) throws(StoreFault) -> CaseRow? {
    try look(disk.cases[id])
  }
  func cases(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [CaseRow]
  {
    try look(disk.cases(of: conversation).sorted { $0.id < $1.id })
  }
  func facts(_ workspace: WorkspaceID, of aCase: CaseID) throws(StoreFault) -> FactsRow? {
    try look(disk.facts[aCase])
  }
  func outcome(_ workspace: WorkspaceID, key: [UInt8]) throws(StoreFault) -> OutcomeRow? {
    try look(disk.outcomes[key])
  }
  func key(_ workspace: WorkspaceID, _ space: KeyRow.Space, _ key: [UInt8]) throws(StoreFault)
    -> [UInt8]?
  {
    try look(disk.keys[Disk.KeyOf(space: space.rawValue, key: key)]?.value)
  }
  func blob(_ workspace: WorkspaceID, _ id: BlobID) throws(StoreFault) -> BlobRow? {
    try look(disk.blobs[id])
  }

  func entries(_ workspace: WorkspaceID, naming attachment: BlobID) throws(StoreFault) -> [EntryID]
  {
    let first = KeyRow.attachment(attachment, of: EntryID(0)).key.prefix(16)
    return try look(
      disk.keys.filter { $0.key.space == KeyRow.Space.attachment.rawValue }
        .map { KeyRow(space: .attachment, key: $0.key.key, value: []) }
        .filter { $0.key.starts(with: first) }.compactMap(\.attachingEntry).sorted())
  }

  func timeline(
    _ workspace: WorkspaceID, of customers: [CustomerID], from: EntryID, _ direction: PageDirection,
    atMost: EntryID, limit: Int, visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    try page(from, direction, limit) { row in
      customers.contains(row.customer) && row.id <= atMost
        && row.visibility.rawValue <= visible.rawValue
    }
  }

  func transcript(
    _ workspace: WorkspaceID, of conversation: ConversationID, after: EntryID, limit: Int,
    visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    try page(after, .newer, limit) { row in
      row.conversation == conversation && row.visibility.rawValue <= visible.rawValue
    }
  }

  private func page(
    _ from: EntryID, _ direction: PageDirection, _ limit: Int, _ suits: (EntryRow) -> Bool
  ) throws(StoreFault) -> [EntryRow] {
    switch direction {
    case .newer: try look(Array(disk.entries.filter { $0.id > from && suits($0) }.prefix(limit)))
    case .older: try look(Array(disk.entries.filter { $0.id < from && suits($0) }.suffix(limit)))
    }
  }
}
