import Model
import Pipeline
import Records
import WebCodec

/// What was said, tried and promised in another matter of the same customer, and how long they waited
/// there: whoever takes over is asked for it, too.
struct LinkedBrief {
  enum Relation: String {
    /// The matter goes on from it.
    case earlier
    /// It is open at the same time.
    case open
  }

  var conversation: ConversationID
  var relation: Relation
  var isOpen: Bool
  var brief: Brief
  var waited: Duration64

  /// Of each kind of relation.
  static let countMax = 4
  /// Of each, how many entries are looked at that lie before the last ones of the customer.
  static let entriesMax = 200
  /// Of a customer with very many records, how many are asked for what is open.
  static let recordsMax = 100

  func write(_ json: inout JSONWriter) {
    json.field("conversation", conversation.description)
    json.field("relation", relation.rawValue)
    json.field("open", isOpen)
    brief.writeWords(&json)
    brief.writeDeeds(&json)
    brief.writeChannels(&json)
    json.field("waited_seconds", waited.milliseconds / 1_000)
  }

  /// The conversations that a matter goes on from, nearest first, and then those that are open beside
  /// it, newest first.
  /// - Parameter records: of the customer, as far as the asker may know of them.
  static func conversations(
    besides matter: [ConversationRow], of records: [CustomerID], _ workspace: WorkspaceID,
    _ reads: any StoreReader
  ) throws(StoreFault) -> [(row: ConversationRow, relation: Relation)] {
    var known = Set(matter.map(\.id))
    var found: [(row: ConversationRow, relation: Relation)] = []
    var next = matter.compactMap { ConversationPage.decoded($0.about)?.earlier }
    while let id = next.first, found.count < countMax {
      next.removeFirst()
      guard known.insert(id).inserted, let row = try reads.conversation(workspace, id) else {
        continue
      }
      found.append((row, .earlier))
      if let before = ConversationPage.decoded(row.about)?.earlier { next.append(before) }
    }
    var open: [ConversationRow] = []
    for record in records.prefix(recordsMax) {
      open += try reads.openConversations(
        workspace, of: record, limit: countMax + known.count
      ).filter { !known.contains($0.id) }
    }
    open.sort { ($1.opened, $1.id) < ($0.opened, $0.id) }
    return found + open.prefix(countMax).map { ($0, .open) }
  }
}
