import Model
import Records
import System

/// SHA-256, and what the store makes of it.
public enum Checksum {
  /// SHA-256 of the bytes: the `hash` of an entry's body and of a blob.
  public static func sha256(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { sha256($0) } }

  static func sha256(
    _ first: UnsafeRawBufferPointer,
    then second: UnsafeRawBufferPointer = .init(start: nil, count: 0)
  )
    -> Digest
  {
    SHA256.hash(first, then: second).withBytes { bytes in
      func word(_ offset: Int) -> UInt64 {
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
      return Digest(word(0), word(8), word(16), word(24))
    }
  }

  /// `chain(n) = SHA-256(chain(n-1) ‖ position ‖ at ‖ bytes)`, integers as eight bytes, big-endian.
  public static func chain(_ previous: Digest, _ record: LogRecord) -> Digest {
    let head: (UInt64, UInt64, UInt64, UInt64, Int64, Int64) = (
      previous.words.0.bigEndian, previous.words.1.bigEndian, previous.words.2.bigEndian,
      previous.words.3.bigEndian, record.position.bigEndian, record.at.milliseconds.bigEndian
    )
    return withUnsafeBytes(of: head) { head in
      record.bytes.withUnsafeBytes { sha256(head, then: $0) }
    }
  }
}

/// Gathers the columns of one row as they are bound or read, and makes their checksum: the first
/// eight bytes of the SHA-256 over the table's number and every column with its type and length, so
/// that neither a bit, nor a value, nor a border between two values can move unnoticed.
struct Seal {
  private var gathered: [UInt8] = []

  init() { gathered.reserveCapacity(512) }

  mutating func begin(_ table: Table) {
    gathered.removeAll(keepingCapacity: true)
    gathered.append(table.rawValue)
  }
  mutating func add(_ value: Int64) {
    gathered.append(1)
    withUnsafeBytes(of: value.littleEndian) { gathered.append(contentsOf: $0) }
  }
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    gathered.append(2)
    withUnsafeBytes(of: Int64(bytes.count).littleEndian) { gathered.append(contentsOf: $0) }
    gathered.append(contentsOf: bytes)
  }
  mutating func addNull() { gathered.append(0) }

  var checksum: Int64 {
    gathered.withUnsafeBytes { Int64(bitPattern: Checksum.sha256($0).words.0) }
  }
}
