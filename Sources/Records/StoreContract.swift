import Model

/// Everything that commands of one workspace changed, in the order in which they were decided. Rows
/// with the same key appear once, with their last value.
public struct Commit: Sendable, Equatable {
  public var workspace: WorkspaceID
  public var log: [LogRecord] = []
  public var work: [OpenWorkRow] = []
  public var entries: [EntryRow] = []
  /// Earlier entries, with other words and the hash of those.
  public var rewritten: [EntryRow] = []
  public var customers: [CustomerRow] = []
  public var identities: [IdentityRow] = []
  public var conversations: [ConversationRow] = []
  public var sessions: [SessionRow] = []
  public var cases: [CaseRow] = []
  public var facts: [FactsRow] = []
  public var outcomes: [OutcomeRow] = []
  public var keys: [KeyRow] = []
  public var outbox: [OutboxRow] = []
  public var blobs: [BlobRow] = []
  /// Encoded rule versions, as they were when they began to apply.
  public var configurations: [(version: UInt32, bytes: [UInt8])] = []

  public init(workspace: WorkspaceID) { self.workspace = workspace }

  public static func == (a: Commit, b: Commit) -> Bool {
    a.workspace == b.workspace && a.log == b.log && a.work == b.work && a.entries == b.entries
      && a.rewritten == b.rewritten
      && a.customers == b.customers && a.identities == b.identities
      && a.conversations == b.conversations
      && a.sessions == b.sessions && a.cases == b.cases && a.facts == b.facts
      && a.outcomes == b.outcomes
      && a.keys == b.keys && a.outbox == b.outbox && a.blobs == b.blobs
      && a.configurations.elementsEqual(b.configurations, by: ==)
  }
}

/// Where a workspace's log ends.
public struct LogHead: Hashable, Sendable {
  public var position: Int64 = 0
  public var chain = Digest.zero
  public var at = Instant(milliseconds: 0)
  public var entry = EntryID(0)
  public var outbox: Int64 = 0
  public init() {}
}

/// A durable store. One contract, one test suite that every store must pass.
public protocol Store: Sendable {
  /// Writes all of it or nothing, and returns when it is on disk. Called from one thread at a time.
  /// The chain is carried on here: `chain(n) = SHA-256(chain(n-1) ‖ position ‖ at ‖ bytes)`,
  /// checked against the last position so that a gap or a repeat is a fault and not a corruption.
  func commit(_ commits: [Commit]) throws(StoreFault)

  /// Rows outside the log: administration.
  func addWorkspace(named: String) throws(StoreFault) -> WorkspaceRow
  func save(_ token: TokenRow) throws(StoreFault)

  /// A connection of its own for one queue or thread; it never waits for the writer and sees every
  /// commit that had returned when a call begins.
  func reader() throws(StoreFault) -> any StoreReader

  /// Brings the full-text index of a workspace forward by at most `limit` entries, and answers
  /// whether it has seen all of them. Where one of them changed an earlier one, no file of the
  /// store holds a byte of what that had said before, once this returns. Runs behind the commits,
  /// beside them, on one thread at a time.
  func index(_ workspace: WorkspaceID, limit: Int, words: (EntryRow) -> EntryWords)
    throws(StoreFault) -> Bool

  /// Makes durable who read what.
  func record(_ accesses: [AccessRow], _ workspace: WorkspaceID) throws(StoreFault)

  /// Erases what these customer records are known by and have said: identities, profiles, words,
  /// attachments, handoffs, facts, mail that waits, and their words in the index; then the bytes
  /// are in no file of the store. What proves completeness stays: each entry's number, place and
  /// hash. Nobody may commit rows meanwhile that they had read before.
  /// - Parameter upTo: the last entry that is covered; nil for all there are.
  func erase(
    _ workspace: WorkspaceID, _ customers: [CustomerID], at: Instant, by: String, upTo: EntryID?,
    _ forms: ErasedForms
  ) throws(StoreFault) -> ErasureReceipt
  /// Takes the words of these entries and what was attached to them; returns how many had words.
  func forgetWords(of entries: [EntryID], _ workspace: WorkspaceID, _ forms: ErasedForms)
    throws(StoreFault) -> Int64

  /// Removes outcomes older than the instant.
  func forgetOutcomes(before: Instant) throws(StoreFault)
  func close()
}

/// Hears of a row of open work, whose bytes stand until it returns.
public typealias TakeOpenWork = (
  _ kind: UInt8, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
) throws(StoreFault) -> Void

/// Which way a page runs.
public enum PageDirection: Sendable { case older, newer }

/// Reads. Not Sendable: each belongs to one queue. Every row read is checked against its checksum;
/// a bad one is `StoreFault.corrupt`, never served.
public protocol StoreReader: AnyObject {
  /// Everything that `body` reads is of one moment: that of its first read. Keep it short, since
  /// what was written
  /// meanwhile cannot be tidied up before it ends. One inside another is part of the outer one.
  func snapshot<T>(_ body: (any StoreReader) throws(StoreFault) -> T) throws(StoreFault) -> T

  func workspaces() throws(StoreFault) -> [WorkspaceRow]
  func tokens() throws(StoreFault) -> [TokenRow]
  func head(_ workspace: WorkspaceID) throws(StoreFault) -> LogHead
  func secret(named: String) throws(StoreFault) -> [UInt8]

  func work(_ workspace: WorkspaceID) throws(StoreFault) -> [OpenWorkRow]
  /// Open work of these kinds, by kind and key. `take` must not ask this reader.
  func eachOfWork(
    _ workspace: WorkspaceID, kinds: ClosedRange<UInt8>,
    _ take: TakeOpenWork
  ) throws(StoreFault)
  func log(_ workspace: WorkspaceID, after: Int64, limit: Int) throws(StoreFault) -> [LogRecord]
  func outbox(_ workspace: WorkspaceID, limit: Int) throws(StoreFault) -> [OutboxRow]
  func outbox(_ workspace: WorkspaceID, id: Int64) throws(StoreFault) -> OutboxRow?
  func configuration(_ workspace: WorkspaceID, version: UInt32?) throws(StoreFault) -> (
    version: UInt32, bytes: [UInt8]
  )?

  func identity(_ workspace: WorkspaceID, hash: [UInt8]) throws(StoreFault) -> IdentityRow?
  func identities(_ workspace: WorkspaceID, of customer: CustomerID) throws(StoreFault)
    -> [IdentityRow]
  /// Whoever has or claims this identity, by hash. Looks at every identity: for an administrator's
  /// question, and no connection's.
  func identities(_ workspace: WorkspaceID, like identity: Identity, limit: Int) throws(StoreFault)
    -> [IdentityRow]
  func customer(_ workspace: WorkspaceID, _ id: CustomerID) throws(StoreFault) -> CustomerRow?
  /// All records merged into `root`, itself included, by id.
  func merged(_ workspace: WorkspaceID, into root: CustomerID) throws(StoreFault) -> [CustomerRow]
  /// All records that are one person's with this one, whoever's row does not match its checksum
  /// included: for an erasure alone, which must reach what cannot be read. None where nobody can tell.
  func records(_ workspace: WorkspaceID, evenDamagedWith customer: CustomerID) throws(StoreFault)
    -> [CustomerID]
  /// Whose an identity is, also where its row does not match its checksum and nobody doubts that. For
  /// the same alone.
  func owner(_ workspace: WorkspaceID, evenDamaged hash: [UInt8]) throws(StoreFault) -> CustomerID?
  func conversation(_ workspace: WorkspaceID, _ id: ConversationID) throws(StoreFault)
    -> ConversationRow?
  /// Newest first.
  func conversations(_ workspace: WorkspaceID, of customer: CustomerID, limit: Int)
    throws(StoreFault) -> [ConversationRow]
  /// Those that are open, newest first, however many others came after them.
  func openConversations(_ workspace: WorkspaceID, of customer: CustomerID, limit: Int)
    throws(StoreFault) -> [ConversationRow]
  func session(_ workspace: WorkspaceID, _ id: SessionID) throws(StoreFault) -> SessionRow?
  func sessions(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [SessionRow]
  func aCase(_ workspace: WorkspaceID, _ id: CaseID) throws(StoreFault) -> CaseRow?
  func cases(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [CaseRow]
  func facts(_ workspace: WorkspaceID, of aCase: CaseID) throws(StoreFault) -> FactsRow?
  func outcome(_ workspace: WorkspaceID, key: [UInt8]) throws(StoreFault) -> OutcomeRow?
  func key(_ workspace: WorkspaceID, _ space: KeyRow.Space, _ key: [UInt8]) throws(StoreFault)
    -> [UInt8]?
  func blob(_ workspace: WorkspaceID, _ id: BlobID) throws(StoreFault) -> BlobRow?
  /// The first hundred entries, ascending, that name an attachment (`KeyRow.attachment`).
  func entries(_ workspace: WorkspaceID, naming attachment: BlobID) throws(StoreFault) -> [EntryID]

  func entry(_ workspace: WorkspaceID, _ id: EntryID) throws(StoreFault) -> EntryRow?
  /// Entries of these customer records, in ascending order; `older` than `from` gives the last ones
  /// before it.
  /// `atMost` bounds what is seen, so that a page is of one moment. An entry that does not match its
  /// checksum has its place there (`isDamaged`): one flipped bit must not hide what everybody said.
  func timeline(
    _ workspace: WorkspaceID, of customers: [CustomerID], from: EntryID, _ direction: PageDirection,
    atMost: EntryID, limit: Int, visible: Visibility
  ) throws(StoreFault) -> [EntryRow]
  /// Entries of one conversation after a number, ascending.
  func transcript(
    _ workspace: WorkspaceID, of conversation: ConversationID, after: EntryID, limit: Int,
    visible: Visibility
  ) throws(StoreFault) -> [EntryRow]
  /// The last entries of one conversation, ascending, without those that do not match their checksum: for whom
  /// fewer words are better than none.
  func readableTranscript(
    _ workspace: WorkspaceID, of conversation: ConversationID, limit: Int, visible: Visibility
  ) throws(StoreFault) -> [EntryRow]
  /// By number.
  func erasures(_ workspace: WorkspaceID) throws(StoreFault) -> [ErasureReceipt]
  /// Who read what of a customer record, or of all (nil); newest first.
  func accesses(
    _ workspace: WorkspaceID, of customer: CustomerID?, before: Int64, limit: Int
  ) throws(StoreFault) -> [(number: Int64, access: AccessRow)]
  /// Full text, newest first, as far as the index has come.
  /// - Parameter words: as the index was told them: each find is held against what its entry says, and
  ///   its excerpt is made of that.
  func search(
    _ workspace: WorkspaceID, _ query: SearchQuery, words: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> SearchPage
}

extension StoreReader {
  /// For a store whose rows cannot be damaged.
  public func records(
    _ workspace: WorkspaceID, evenDamagedWith customer: CustomerID
  ) throws(StoreFault) -> [CustomerID] {
    guard let root = try self.customer(workspace, customer)?.root else { return [] }
    return try merged(workspace, into: root).map(\.id)
  }
  /// The same.
  public func owner(
    _ workspace: WorkspaceID, evenDamaged hash: [UInt8]
  ) throws(StoreFault) -> CustomerID? { try identity(workspace, hash: hash)?.customer }

  /// For a store that holds its rows in memory.
  public func eachOfWork(
    _ workspace: WorkspaceID, kinds: ClosedRange<UInt8>,
    _ take: TakeOpenWork
  ) throws(StoreFault) {
    for row in try work(workspace) where kinds.contains(row.kind) {
      let result: Result<Void, StoreFault> = row.key.withUnsafeBytes { key in
        (row.value ?? []).withUnsafeBytes { value in
          do throws(StoreFault) { return .success(try take(row.kind, key, value)) } catch {
            return .failure(error)
          }
        }
      }
      try result.get()
    }
  }
  /// For a store that finds them no faster.
  public func openConversations(_ workspace: WorkspaceID, of customer: CustomerID, limit: Int)
    throws(StoreFault) -> [ConversationRow]
  {
    Array(try conversations(workspace, of: customer, limit: .max).filter(\.isOpen).prefix(limit))
  }
  /// For a store whose rows cannot be damaged.
  public func readableTranscript(
    _ workspace: WorkspaceID, of conversation: ConversationID, limit: Int, visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    try transcript(
      workspace, of: conversation, after: EntryID(0), limit: .max, visible: visible
    ).suffix(limit)
  }
}

/// What went wrong with storage, in a sentence for the log and the health page.
public enum StoreFault: Error, Sendable, Equatable {
  /// The disk or the database refused; the operation had no effect.
  case failed(doing: String, why: String)
  /// A row does not match its checksum, or the chain is broken.
  case corrupt(what: String)
  /// Positions do not follow the last one committed: a fault of ours.
  case outOfOrder(expected: Int64, got: Int64)

  /// What is read, and nil for what is damaged: for whoever must go on without it.
  public static func unlessCorrupt<T>(_ read: () throws(StoreFault) -> T) throws(StoreFault) -> T? {
    do throws(StoreFault) { return try read() } catch {
      guard case .corrupt = error else { throw error }
      return nil
    }
  }
}
