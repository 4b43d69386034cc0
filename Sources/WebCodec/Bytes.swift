/// Classes of bytes and fast searches that every part of this codec uses. Eight bytes are looked at
/// as one word where a line or a string is long; all reads are bounded by the buffer's own count.
@usableFromInline enum Bytes {
  static let cr: UInt8 = 13
  static let lf: UInt8 = 10
  static let tab: UInt8 = 9
  static let space: UInt8 = 32
  static let colon: UInt8 = 58

  @usableFromInline static let lows: UInt64 = 0x0101_0101_0101_0101
  @usableFromInline static let highs: UInt64 = 0x8080_8080_8080_8080

  /// `tchar`: RFC 9110 §5.6.2.
  @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
    byte < 64
      ? 0x03FF_6CFA_0000_0000 as UInt64 >> UInt64(byte) & 1 == 1
      : byte < 128 && 0x57FF_FFFF_C7FF_FFFE as UInt64 >> UInt64(byte - 64) & 1 == 1
  }

  @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
  @inline(__always) static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }

  /// The word at `offset`, which must be at least eight bytes before the end.
  @inlinable @inline(__always) static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int)
    -> UInt64
  {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The high bit of the lowest zero byte; bits above it may lie.
  @inline(__always) static func zeros(_ word: UInt64) -> UInt64 { (word &- lows) & ~word & highs }

  /// The offset of the first `byte` in `range`.
  static func first(_ byte: UInt8, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    let end = min(range.upperBound, bytes.count)
    let pattern = lows &* UInt64(byte)
    while at &+ 8 <= end {
      let found = zeros(word(bytes, at) ^ pattern)
      if found != 0 { return at &+ found.trailingZeroBitCount / 8 }
      at &+= 8
    }
    while at < end {
      if bytes[at] == byte { return at }
      at &+= 1
    }
    return nil
  }

  /// The offset of the first byte that a field value may not hold: a control other than TAB (RFC
  /// 9110 §5.5).
  static func firstControl(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    let end = min(range.upperBound, bytes.count)
    while at < end {
      while at &+ 8 <= end {
        let eight = word(bytes, at)
        let controls = (eight &- lows &* 32) & ~eight & highs
        let found = controls | zeros(eight ^ lows &* 127)
        if found != 0 { break }
        at &+= 8
      }
      let stop = min(at &+ 8, end)
      while at < stop {
        let byte = bytes[at]
        if byte < 32 && byte != tab || byte == 127 { return at }
        at &+= 1
      }
    }
    return nil
  }

  /// Whether `range` spells `name`, which is given in lower case, whatever the case on the wire.
  static func spells(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ name: StaticString)
    -> Bool
  {
    let count = name.utf8CodeUnitCount
    guard range.count == count, range.lowerBound >= 0, range.upperBound <= bytes.count else {
      return false
    }
    return name.withUTF8Buffer { wanted in
      for index in 0..<count where lower(bytes[range.lowerBound &+ index]) != wanted[index] {
        return false
      }
      return true
    }
  }

  /// `range` without the spaces and tabs at its ends: OWS, RFC 9110 §5.6.3.
  static func trim(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, bytes[low] == space || bytes[low] == tab { low &+= 1 }
    while low < high, bytes[high &- 1] == space || bytes[high &- 1] == tab { high &-= 1 }
    return low..<high
  }

  /// Calls `body` with each element of a comma-separated list, trimmed (RFC 9110 §5.6.1). Elements
  /// may be empty.
  static func list(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void
  ) {
    var start = range.lowerBound
    while true {
      let comma = first(44, bytes, start..<range.upperBound) ?? range.upperBound
      body(trim(bytes, start..<comma))
      if comma == range.upperBound { return }
      start = comma + 1
    }
  }

  /// Whether `text` stands at `offset`; the caller has checked that there is room.
  @inline(__always) static func matches(
    _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ text: StaticString
  )
    -> Bool
  {
    text.withUTF8Buffer { wanted in
      for index in 0..<wanted.count where bytes[offset &+ index] != wanted[index] { return false }
      return true
    }
  }

  /// A String of `bytes`, by way of typed memory: for raw memory the standard library has only its
  /// slow path.
  @inline(__always) static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
  }

  @inlinable @inline(__always) static func equal(
    _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
  )
    -> Bool
  {
    guard a.count == b.count else { return false }
    var at = 0
    while at &+ 8 <= a.count {
      if word(a, at) != word(b, at) { return false }
      at &+= 8
    }
    while at < a.count {
      if a[at] != b[at] { return false }
      at &+= 1
    }
    return true
  }
}
