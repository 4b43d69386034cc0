import Records
import Model

// The nouns as columns: ids and digests as their bytes, big-endian, so that their order in SQLite
// is their own.

extension Prepared {
  func put(_ bytes: [UInt8]) { bytes.withUnsafeBytes { put($0) } }
  func put(_ workspace: WorkspaceID) { put(Int64(workspace.raw)) }
  func put<Kind>(_ workspace: WorkspaceID, _ id: ID<Kind>) {
    put(workspace)
    put(id)
  }
  func put(_ workspace: WorkspaceID, _ key: [UInt8]) {
    put(workspace)
    put(key)
  }
  func put(_ entry: EntryID) { put(entry.raw) }
  func put(_ instant: Instant) { put(instant.milliseconds) }
  func put(_ flag: Bool) { put(flag ? 1 : 0 as Int64) }
  func put<Kind>(_ id: ID<Kind>) {
    withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { put($0) }
  }
  /// One after the other, in one column.
  func put<Kind>(_ ids: [ID<Kind>]) {
    var bytes: [UInt8] = []
    for id in ids {
      withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { bytes.append(contentsOf: $0) }
    }
    put(bytes)
  }
  func put(_ digest: Digest) {
    let words = digest.words
    withUnsafeBytes(
      of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    ) { put($0) }
  }
  func put<T>(_ value: T?, _ put: (T) -> Void) {
    if let value { put(value) } else { putNull() }
  }

  func workspace() throws(StoreFault) -> WorkspaceID { WorkspaceID(try small()) }
  func entry() -> EntryID { EntryID(integer()) }
  func instant() -> Instant { Instant(milliseconds: integer()) }
  func flag() -> Bool { integer() != 0 }
  func bytes() -> [UInt8] { Array(raw()) }
  func text() -> String { String(decoding: raw(), as: UTF8.self) }

  func small<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(StoreFault) -> T {
    guard let value = T(exactly: integer()) else {
      throw .corrupt(what: "a number is out of its range")
    }
    return value
  }
  func code<T: RawRepresentable>(_ type: T.Type = T.self) throws(StoreFault) -> T
  where T.RawValue == UInt8 {
    guard let value = T(rawValue: try small()) else {
      throw .corrupt(what: "a code of \(T.self) is unknown")
    }
    return value
  }
  func id<Kind>(_ kind: Kind.Type = Kind.self) throws(StoreFault) -> ID<Kind> {
    let bytes = raw()
    guard bytes.count == 16 else { throw .corrupt(what: "an id has \(bytes.count) bytes") }
    return ID(high: bytes.word(at: 0), low: bytes.word(at: 8))
  }
  func ids<Kind>(_ kind: Kind.Type = Kind.self) throws(StoreFault) -> [ID<Kind>] {
    let bytes = raw()
    guard bytes.count % 16 == 0 else { throw .corrupt(what: "a list of ids ends in half an id") }
    return stride(from: 0, to: bytes.count, by: 16).map {
      ID(high: bytes.word(at: $0), low: bytes.word(at: $0 + 8))
    }
  }
  func formers() throws(StoreFault) -> [SessionRow.Former] {
    let bytes = raw()
    guard bytes.count % 24 == 0 else {
      throw .corrupt(what: "a list of places ends in half of one")
    }
    return stride(from: 0, to: bytes.count, by: 24).map {
      .init(
        ConversationID(high: bytes.word(at: $0), low: bytes.word(at: $0 + 8)),
        upTo: EntryID(Int64(truncatingIfNeeded: bytes.word(at: $0 + 16))))
    }
  }
  /// The one id of every row.
  func eachID<Kind>(_ kind: Kind.Type = Kind.self) throws(StoreFault) -> [ID<Kind>] {
    var found: [ID<Kind>] = []
    while try step() {
      begin()
      found.append(try id(kind))
    }
    return found
  }
  func digest() throws(StoreFault) -> Digest {
    let bytes = raw()
    guard bytes.count == 32 else { throw .corrupt(what: "a digest has \(bytes.count) bytes") }
    return Digest(bytes.word(at: 0), bytes.word(at: 8), bytes.word(at: 16), bytes.word(at: 24))
  }
}

extension UnsafeRawBufferPointer {
  /// Eight bytes, big-endian; the caller has checked the count.
  func word(at offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
