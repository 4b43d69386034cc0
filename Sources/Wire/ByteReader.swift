/// Reads encoded values from bytes that may be cut, torn or hostile. Every read is bounded; none
/// can trap.
///
/// - Units: integers are little-endian; `varint` is LEB128, at most ten bytes.
/// - Errors: `WireError`, with the offset at which reading stopped. Nothing is consumed by a failed
///   read.
public struct ByteReader {
  @usableFromInline let base: UnsafeRawBufferPointer
  @usableFromInline var at = 0
  @inlinable public var offset: Int { at }

  /// The memory must outlive the reader: use it inside `withUnsafeBytes`.
  @inlinable public init(_ bytes: UnsafeRawBufferPointer) { base = bytes }

  @inlinable public var remaining: Int { base.count - offset }
  @inlinable public var isAtEnd: Bool { offset == base.count }

  @inlinable public mutating func uint8() throws(WireError) -> UInt8 {
    guard remaining >= 1 else { throw WireError.truncated(offset: offset) }
    defer { at += 1 }
    return base[offset]
  }

  @inlinable public mutating func fixed<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError)
    -> T
  {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw WireError.truncated(offset: offset) }
    defer { at += size }
    return T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  @inlinable public mutating func varint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var next = at
    while true {
      guard next < base.count else { throw WireError.truncated(offset: offset) }
      let byte = base[next]
      next += 1
      if shift == 63 && byte > 1 { throw WireError.overlong(offset: offset) }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { break }
      shift += 7
      if shift > 63 { throw WireError.overlong(offset: offset) }
    }
    at = next
    return value
  }

  /// A zigzag-coded signed integer.
  @inlinable public mutating func signed() throws(WireError) -> Int64 {
    let raw = try varint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  @inlinable public mutating func bool() throws(WireError) -> Bool {
    let start = at
    switch try uint8() {
    case 0: return false
    case 1: return true
    default:
      at = start
      throw WireError.badValue(offset: start)
    }
  }

  /// A count that is followed by at least `each` bytes for every element, so that a lie cannot
  /// allocate.
  @inlinable public mutating func count(each: Int = 1) throws(WireError) -> Int {
    let start = at
    let n = try varint()
    guard n <= UInt64(remaining / max(each, 1)) else {
      at = start
      throw WireError.truncated(offset: start)
    }
    return Int(n)
  }

  @inlinable public mutating func bytes(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
    guard count >= 0, remaining >= count else { throw WireError.truncated(offset: offset) }
    defer { at += count }
    return UnsafeRawBufferPointer(rebasing: base[offset..<(offset + count)])
  }

  /// Length-prefixed bytes.
  @inlinable public mutating func blob() throws(WireError) -> [UInt8] {
    let n = try count()
    return Array(try bytes(n))
  }

  /// Length-prefixed UTF-8; anything else is an error, never repaired.
  @inlinable public mutating func string() throws(WireError) -> String {
    let start = at
    let raw = try bytes(try count())
    guard let text = String(validating: raw, as: UTF8.self) else {
      at = start
      throw WireError.badValue(offset: start)
    }
    return text
  }

  @inlinable public mutating func optional<T>(
    _ read: (inout ByteReader) throws(WireError) -> T
  ) throws(WireError) -> T? {
    try bool() ? try read(&self) : nil
  }

  @inlinable public mutating func array<T>(
    each: Int = 1, _ read: (inout ByteReader) throws(WireError) -> T
  ) throws(WireError) -> [T] {
    let n = try count(each: each)
    var result: [T] = []
    result.reserveCapacity(n)
    for _ in 0..<n { result.append(try read(&self)) }
    return result
  }
}

/// Why encoded bytes could not be read.
public enum WireError: Error, Equatable, Sendable {
  case truncated(offset: Int)
  case overlong(offset: Int)
  case badValue(offset: Int)
}

extension ByteReader {
  /// Reads a whole array; bytes left over are an error, since an encoding says all or nothing.
  public static func readAll<T>(
    _ bytes: [UInt8], _ body: (inout ByteReader) throws(WireError) -> T
  ) throws(WireError) -> T {
    try bytes.reading { raw throws(WireError) in
      var reader = ByteReader(raw)
      let value = try body(&reader)
      guard reader.isAtEnd else { throw WireError.badValue(offset: reader.offset) }
      return value
    }
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` for bodies with a typed error.
  @inlinable public func reading<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    let result: Result<R, E> = withUnsafeBytes { raw in
      do throws(E) { return .success(try body(raw)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
