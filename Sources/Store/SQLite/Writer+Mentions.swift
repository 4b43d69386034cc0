import Model
import Records

/// A conversation or a customer record as it is named inside of keys and of mail that waits.
struct Mention {
  /// Eight at least.
  let bytes: [UInt8]
  /// Whoever took part in it and stays: what names one of these, too, stays.
  let others: [[UInt8]]
  init(_ bytes: [UInt8], butNotBeside others: [[UInt8]] = []) {
    self.bytes = bytes
    self.others = others
  }
}

extension Writer {
  /// What names a conversation or a record belongs to it. These two tables have no index by it; an
  /// erasure is rare enough to walk them, but once for all that it names: a walk for each of a person's
  /// conversations kept every workspace waiting for seconds.
  func deleteWhatNames(
    _ mentions: [Mention], _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) {
    let search = MentionSearch(mentions)
    let keys = try queries.prepare(
      "SELECT space, key, value FROM keys WHERE workspace=?", "find keys that name a customer")
    keys.begin()
    keys.put(workspace)
    var named: [(space: Int64, key: [UInt8])] = []
    while try keys.step() {
      if search.isNamed(in: keys.bytes(at: 2)) {
        named.append((keys.integer(at: 0), keys.blob(at: 1)))
      }
    }
    for (space, key) in named {
      try delete(.keys, workspace) { columns in
        columns.put(space)
        columns.put(key)
      }
    }
    let outbox = try queries.prepare(
      "SELECT id, payload FROM outbox WHERE workspace=?", "find mail that names a customer")
    outbox.begin()
    outbox.put(workspace)
    var waiting: [Int64] = []
    while try outbox.step() {
      if search.isNamed(in: outbox.bytes(at: 1)) { waiting.append(outbox.integer(at: 0)) }
    }
    for id in waiting { try delete(.outbox, workspace) { $0.put(id) } }
  }
}

/// Looks for any of many mentions in one pass over a text.
struct MentionSearch {
  private let mentions: [Mention]
  /// By their first eight bytes: ids begin with the time, so that fewer would tell little.
  private var starts: [UInt64: [Int]] = [:]

  init(_ mentions: [Mention]) {
    self.mentions = mentions
    for (index, mention) in mentions.enumerated() where mention.bytes.count >= 8 {
      let start = mention.bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
      starts[start, default: []].append(index)
    }
  }

  func isNamed(in text: UnsafeRawBufferPointer) -> Bool {
    guard text.count >= 8 else { return false }
    for at in 0...(text.count - 8) {
      let start = text.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      for index in starts[start] ?? [] {
        let mention = mentions[index]
        if text[at...].starts(with: mention.bytes),
          !mention.others.contains(where: { Self.holds(text, $0) })
        {
          return true
        }
      }
    }
    return false
  }

  private static func holds(_ text: UnsafeRawBufferPointer, _ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, text.count >= bytes.count else { return false }
    return (0...(text.count - bytes.count)).contains {
      text[$0] == first && text[$0...].starts(with: bytes)
    }
  }
}
