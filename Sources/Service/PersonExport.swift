import Continuity
import Model
import Pipeline
import Records
import WebCodec
import Wire

/// Everything that is kept of one person, as one JSON text: who they are to us and how we know,
/// their conversations and cases with what was handed over and which facts a rule saw, every entry,
/// every attachment, who read of it.
public struct PersonExport: Sendable {
  public let attachments: [BlobRow]
  public var entries: Int { page.entries.count }
  private let at: Instant
  private let directory: Directory
  private let root: CustomerID
  private let records: [CustomerRow]
  private let identities: [IdentityRow]
  private let conversations: [ConversationRow]
  private let cases: [(CaseRow, FactsRow?)]
  private let accesses: [AccessRow]
  private let page: TimelinePage

  /// - Returns: nil when there is no such customer.
  public static func read(
    _ customer: CustomerID, _ directory: Directory, _ reads: any StoreReader, at: Instant
  ) throws(StoreFault) -> PersonExport? {
    try reads.snapshot { reads throws(StoreFault) in
      guard let root = try reads.customer(directory.workspace, customer)?.root else { return nil }
      return try PersonExport(root, directory, reads, at)
    }
  }

  private init(
    _ root: CustomerID, _ directory: Directory, _ reads: any StoreReader, _ at: Instant
  ) throws(StoreFault) {
    let workspace = directory.workspace
    let records = try reads.person(workspace, root)
    var identities: [IdentityRow] = []
    var conversations: [ConversationRow] = []
    var accesses: [AccessRow] = []
    for record in records {
      identities += try reads.identities(workspace, of: record.id)
      conversations += try reads.conversations(workspace, of: record.id, limit: .max)
      accesses += try reads.accesses(workspace, of: record.id, before: .max, limit: 100_000).map(
        \.access)
    }
    var page = try TimelinePage.read(
      workspace, of: root, .before(EntryID(.max)), limit: 1_000, visible: .internal, reads)
    page = try page.whole(workspace, reads)
    // Where they took part with another, of whom nothing is told.
    let own = Set(conversations.map(\.id))
    for id in Set(page.entries.compactMap(\.conversation)).subtracting(own).sorted() {
      if let row = try reads.conversation(workspace, id) { conversations.append(row) }
    }
    let members = Set(page.members)
    var blobs: [BlobRow] = []
    for entry in page.entries {
      for id in PersonForms.attachments(entry) {
        if let row = try reads.blob(workspace, id), !blobs.contains(row) { blobs.append(row) }
      }
    }
    // What rules saw of a case tells of all who were one person then: of another now, too. So does why
    // an agent took them for one, or apart.
    let parted = try Self.parted(records)
    if let parted {
      for index in page.entries.indices
      where page.entries[index].at <= parted && ToldReasons.forms.entry(page.entries[index]) {
        page.entries[index].body = nil
      }
    }
    var cases: [(CaseRow, FactsRow?)] = []
    for conversation in conversations {
      for row in try reads.cases(workspace, of: conversation.id)
      where members.contains(CaseView.decoded(row.about)?.customer ?? conversation.customer) {
        let isOwn = parted.map { row.created > $0 } ?? true
        cases.append((row, isOwn ? try reads.facts(workspace, of: row.id) : nil))
      }
    }
    (self.at, self.directory, self.root, self.records) = (at, directory, root, records)
    (self.identities, self.conversations, self.cases) = (identities, conversations, cases)
    (self.accesses, self.page, attachments) = (accesses, page, blobs)
  }

  public var json: [UInt8] { json(without: []) }

  /// - Parameter damaged: attachments whose bytes cannot be read: they have no file.
  public func json(without damaged: Set<BlobID>) -> [UInt8] {
    var timeline: [UInt8] = []
    page.append(to: &timeline)
    let members = Set(page.members)
    var out = JSONWriter(reserving: timeline.count + 4_096)
    out.object { out in
      out.field("exported", at.description)
      out.field("workspace", directory.workspaceName)
      out.field("customer", root.description)
      out.field("records", array: { for record in records { Self.append(record, &$0) } })
      out.field("identities", array: { for row in identities { Self.append(row, &$0) } })
      out.field(
        "conversations", array: { for row in conversations { Self.append(row, members, &$0) } })
      out.field(
        "cases", array: { for (row, facts) in cases { Self.append(row, facts, directory, &$0) } })
      out.field(
        "attachments",
        array: {
          for row in attachments { Self.append(row, isDamaged: damaged.contains(row.id), &$0) }
        })
      out.field("read_by", array: { for row in accesses { Self.append(row, &$0) } })
      out.field("timeline", raw: timeline)
    }
    return out.bytes
  }

  /// When one of these was last taken apart from somebody who is another person by now.
  private static func parted(_ records: [CustomerRow]) throws(StoreFault) -> Instant? {
    var last: Instant?
    for record in records {
      for link in try CustomerPage.profile(record).links where !link.isActive && !link.isSpare {
        guard let step = link.story.last else { continue }
        last = max(last ?? step.at, step.at)
      }
    }
    return last
  }

  /// The name of an attachment's file: its id, and what it was called where that is harmless.
  public static func fileName(_ row: BlobRow) -> String {
    let safe = (row.fileName ?? "").unicodeScalars.filter {
      $0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0)
    }
    let name = String(String.UnicodeScalarView(safe.suffix(80)))
    return name.isEmpty ? "\(row.id)" : "\(row.id)-\(name)"
  }

  private static func append(_ record: CustomerRow, _ json: inout JSONWriter) {
    json.object {
      $0.field("id", record.id.description)
      $0.field("created", record.created.description)
      $0.field("entries", record.timeline.count)
      guard let profile = record.decodedProfile else { return }
      $0.field(
        "attributes",
        array: { array in
          for attribute in profile.attributes {
            array.object {
              $0.field("name", attribute.name)
              $0.field("value", raw: attribute.value.isEmpty ? Array("null".utf8) : attribute.value)
              $0.field("source", attribute.source)
              $0.field("at", attribute.at.description)
              if !attribute.reason.isEmpty { $0.field("reason", attribute.reason) }
            }
          }
        })
      $0.field("last_events", array: { for event in profile.journey { $0.string(event.name) } })
    }
  }

  private static func append(_ row: IdentityRow, _ json: inout JSONWriter) {
    json.object {
      if let evidence = row.decodedEvidence {
        CustomerPage.write(row, evidence, source: "source", &$0)
      } else {
        CustomerPage.write(row, &$0)
      }
    }
  }

  private static func append(
    _ row: ConversationRow, _ members: Set<CustomerID>, _ json: inout JSONWriter
  ) {
    json.object {
      $0.field("id", row.id.description)
      $0.field("opened", row.opened.description)
      $0.field("changed", row.changed.description)
      $0.field("open", row.isOpen)
      let about: ConversationAbout
      do throws(WireError) { about = try ConversationAbout(decoding: row.about) } catch { return }
      if let mail = about.mail, members.contains(about.mailBy ?? row.customer) {
        $0.field("subject", mail.subject)
        $0.field("address", mail.theirs)
        $0.field("name", mail.theirName)
      }
      if let call = about.call, members.contains(about.callBy ?? row.customer) {
        $0.field("number", call.from)
      }
      if !about.tags.isEmpty, members.contains(row.customer) {
        $0.field("tags", array: { for tag in about.tags { $0.string(tag) } })
      }
    }
  }

  private static func append(
    _ row: CaseRow, _ facts: FactsRow?, _ directory: Directory, _ json: inout JSONWriter
  ) {
    json.object {
      $0.field("id", row.id.description)
      $0.field("conversation", row.conversation.description)
      $0.field("created", row.created.description)
      $0.field("queue", directory.queueNames[row.queue] ?? "")
      if let agent = row.agent { $0.field("agent", directory.agentNames[agent] ?? "") }
      if let about = CaseView.decoded(row.about) {
        $0.field(
          "handoff",
          raw: Array("{\"cause\":\"\(Explanation.cause(about.cause))\"".utf8) + about.handoff
            + Array("}".utf8))
      }
      if let facts { $0.field("facts", raw: facts.bytes) }
    }
  }

  private static func append(_ row: BlobRow, isDamaged: Bool, _ json: inout JSONWriter) {
    json.object {
      $0.field("id", row.id.description)
      if let name = row.fileName { $0.field("name", name) }
      $0.field("type", row.mediaType)
      $0.field("bytes", row.size)
      $0.field("sha256", Hex.encode(row.hash.bytes))
      if isDamaged {
        $0.field("damaged", true)
      } else {
        $0.field("file", "attachments/\(fileName(row))")
      }
    }
  }

  private static func append(_ row: AccessRow, _ json: inout JSONWriter) {
    json.object {
      $0.field("at", row.at.description)
      $0.field("who", row.who)
      $0.field("what", row.what.name)
    }
  }
}

extension TimelinePage {
  /// With all older entries before it, however many: of the same snapshot.
  func whole(_ workspace: WorkspaceID, _ reads: any StoreReader) throws(StoreFault) -> TimelinePage
  {
    var whole = self
    while whole.hasMore, let first = whole.entries.first {
      let older = try reads.timeline(
        workspace, of: members, from: first.id, .older, atMost: EntryID(.max), limit: 1_000,
        visible: .internal)
      whole.entries = older + whole.entries
      whole.hasMore = older.count == 1_000
    }
    return whole
  }
}
