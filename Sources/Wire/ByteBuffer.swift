/// Bytes that have arrived and are not yet understood: appended at the end, consumed at the front.
///
/// Every codec reads from one. Nothing here can trap on what a peer sends: positions are clamped,
/// absent bytes are `nil`. Consuming moves a cursor; the storage is compacted only when the dead
/// front outgrows the live rest, so that a byte is moved at most once on average.
public struct ByteBuffer: Sendable, Equatable {
  @usableFromInline var storage: [UInt8] = []
  @usableFromInline var head = 0

  @inlinable public init() {}

  public init(_ bytes: some Sequence<UInt8>) { storage = Array(bytes) }

  @inlinable public var count: Int { storage.count - head }
  @inlinable public var isEmpty: Bool { storage.count == head }
  /// Bytes that it has room for.
  @inlinable public var capacity: Int { storage.capacity }

  @inlinable public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    storage.append(contentsOf: bytes)
  }
  public mutating func append(_ bytes: some Sequence<UInt8>) { storage.append(contentsOf: bytes) }

  /// The byte at `offset` from the front, or nil past the end.
  @inlinable public subscript(offset: Int) -> UInt8? {
    let index = head &+ offset
    return offset >= 0 && index < storage.count ? storage[index] : nil
  }

  /// Drops up to `count` bytes at the front.
  @inlinable public mutating func consume(_ count: Int) {
    head += min(max(count, 0), self.count)
    if head == storage.count {
      storage.removeAll(keepingCapacity: storage.capacity <= 65_536)
      head = 0
    } else if head >= 4_096 && head > storage.count / 2 {
      storage.removeFirst(head)
      head = 0
    }
  }

  /// Takes up to `count` bytes from the front.
  @inlinable public mutating func take(_ count: Int) -> [UInt8] {
    let n = min(max(count, 0), self.count)
    var bytes: [UInt8] = []
    if head == 0, n == storage.count {  // all there is: handed over uncopied
      swap(&bytes, &storage)
    } else {
      bytes = Array(storage[head..<(head + n)])
      consume(n)
    }
    return bytes
  }

  /// The offset of the first `byte` at or after `from`, looking at no more than `limit` bytes from
  /// the front.
  public func firstOffset(of byte: UInt8, from: Int = 0, limit: Int = .max) -> Int? {
    let end = min(count, limit)
    guard from >= 0, from < end else { return nil }
    return storage.withUnsafeBufferPointer { all in
      let live = UnsafeBufferPointer(rebasing: all[(head + from)..<(head + end)])
      guard let found = live.firstIndex(of: byte) else { return nil }
      return from + found
    }
  }

  /// The live bytes, for reading in place.
  @inlinable public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows
    -> R
  {
    try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[head...])) }
  }

  /// A copy of the live bytes.
  public var bytes: [UInt8] { Array(storage[head...]) }

  /// Gives back what there is room for beside the bytes, where that is more than so many.
  public mutating func trim(past bytes: Int) {
    guard storage.capacity - count > bytes else { return }
    storage = Array(storage[head...])
    head = 0
  }

  /// Forgets everything and gives the memory back, as an idle connection should.
  @inlinable public mutating func release() {
    storage = []
    head = 0
  }
}
