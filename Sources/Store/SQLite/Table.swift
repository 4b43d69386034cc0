/// The tables, with their columns in the order in which their checksum reads them. The number goes
/// into the checksum: append only.
enum Table: UInt8, CaseIterable {
  case workspaces = 1
  case tokens, secrets, heads, log, work, entries, customers, identities, conversations, sessions,
    cases, facts
  case outcomes, keys, outbox, blobs, configurations, verified, erasures, accesses, counts

  var name: String { "\(self)" }

  /// How many of the columns, from the first, are the primary key.
  var keyCount: Int {
    switch self {
    case .workspaces, .secrets, .heads, .verified, .counts: 1
    case .work, .keys: 3
    case .tokens, .log, .entries, .customers, .identities, .conversations, .sessions, .cases,
      .facts, .outcomes,
      .outbox, .blobs, .configurations, .erasures, .accesses:
      2
    }
  }

  /// Every column but the checksum, keys first.
  var columns: [String] {
    switch self {
    case .workspaces: ["workspace", "name"]
    case .tokens:
      ["workspace", "token", "hash", "scope", "holder", "created", "expires", "revoked"]
    case .secrets: ["name", "bytes"]
    case .heads: ["workspace", "position", "chain", "at", "entry", "outbox"]
    case .log: ["workspace", "position", "at", "bytes", "chain"]
    case .work: ["workspace", "kind", "key", "value"]
    case .entries:
      [
        "workspace", "entry", "position", "customer", "conversation", "session", "at", "visibility",
        "hash", "body",
      ]
    case .customers: ["workspace", "customer", "root", "created", "profile", "entries", "sum"]
    case .identities: ["workspace", "hash", "customer", "kind", "value", "assurance", "evidence"]
    case .conversations:
      [
        "workspace", "conversation", "customer", "open", "epoch", "agent", "opened", "changed",
        "about",
      ]
    case .sessions:
      ["workspace", "session", "conversation", "channel", "bot", "ended", "customer", "former"]
    case .cases:
      [
        "workspace", "case_", "conversation", "queue", "agent", "state", "created", "closed",
        "about",
      ]
    case .facts: ["workspace", "case_", "bytes"]
    case .outcomes: ["workspace", "key", "body_hash", "at", "answer"]
    case .keys: ["workspace", "space", "key", "value"]
    case .outbox: ["workspace", "id", "kind", "due", "tries", "payload"]
    case .blobs:
      [
        "workspace", "blob", "hash", "size", "media_type", "file_name", "conversation", "uploader",
        "at",
      ]
    case .configurations: ["workspace", "version", "bytes"]
    case .verified: ["workspace", "position", "chain", "entry"]
    case .erasures:
      [
        "workspace", "number", "at", "by_", "customers", "up_to", "entries", "identities", "blobs",
        "done",
      ]
    case .accesses: ["workspace", "number", "at", "who", "what", "customer"]
    case .counts: ["workspace", "rows"]
    }
  }

  /// Whether a row that vanished whole is missed by nothing but a count: see `RowCounts`. Of the
  /// others each is missed by something that names it: the log by its chain, entries by their
  /// numbers, customers by their sum, open work by a replay, conversations and cases by the log.
  var isCounted: Bool {
    switch self {
    case .workspaces, .tokens, .secrets, .identities, .sessions, .facts, .outcomes, .keys, .outbox,
      .blobs, .configurations, .erasures, .accesses:
      true
    case .heads, .log, .work, .entries, .customers, .conversations, .cases, .verified, .counts:
      false
    }
  }

  /// The log is covered by its chain, everything else by a column of its own.
  var isSealed: Bool { self != .log }

  private var all: [String] { isSealed ? columns + ["checksum"] : columns }
  private var keys: [String] { Array(columns.prefix(keyCount)) }

  /// Binds every column in order, then the checksum.
  var insert: String {
    let marks = all.map { _ in "?" }.joined(separator: ",")
    return "INSERT INTO \(name)(\(all.joined(separator: ","))) VALUES(\(marks))"
  }
  var upsert: String {
    let sets = all.dropFirst(keyCount).map { "\($0)=excluded.\($0)" }.joined(separator: ",")
    return "\(insert) ON CONFLICT(\(keys.joined(separator: ","))) DO UPDATE SET \(sets)"
  }
  /// Changes nothing where there is such a row already.
  var insertIfNew: String { "\(insert) ON CONFLICT DO NOTHING" }
  var delete: String { "DELETE FROM \(name)\(whereKey)" }
  func select(_ rest: String = "") -> String {
    "SELECT \(all.joined(separator: ",")) FROM \(name) \(rest)"
  }
  var selectByKey: String { select(whereKey) }
  private var whereKey: String { " WHERE \(keys.map { "\($0)=?" }.joined(separator: " AND "))" }
}
