/// A member's name where it lies in the text. Compare it in a `switch` with literals: no String is
/// made. It is good only as long as its reader's bytes.
public struct JSONKey: Hashable {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  @usableFromInline let hasEscapes: Bool
  /// Of its opening quote.
  public let offset: Int

  /// The name as a String, escapes resolved.
  public var text: String {
    guard hasEscapes else { return Bytes.text(bytes) }
    var decoded: [UInt8] = []
    // The escapes were checked when the key was read, so this cannot fail.
    _ = try? JSONEscapes.append(bytes, base: offset, to: &decoded)
    return String(decoding: decoded, as: UTF8.self)
  }

  public static func == (left: JSONKey, right: JSONKey) -> Bool {
    if left.hasEscapes || right.hasEscapes { return left.text.utf8.elementsEqual(right.text.utf8) }
    return Bytes.equal(left.bytes, right.bytes)
  }

  /// Of its bytes: to a String `é` in its two Unicode forms is one.
  public func hash(into hasher: inout Hasher) {
    guard hasEscapes else { return hasher.combine(bytes: bytes) }
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  // Inlined into the caller's `switch`, so that a key of another length costs one comparison.
  @inlinable public static func ~= (pattern: StaticString, key: JSONKey) -> Bool {
    if key.hasEscapes { return key.spellsEscaped(pattern) }
    guard key.bytes.count == pattern.utf8CodeUnitCount, pattern.hasPointerRepresentation else {
      return false
    }
    return Bytes.equal(
      key.bytes, UnsafeRawBufferPointer(start: pattern.utf8Start, count: pattern.utf8CodeUnitCount))
  }

  @usableFromInline func spellsEscaped(_ pattern: StaticString) -> Bool {
    text == pattern.description
  }
}

/// The escapes inside a JSON string, RFC 8259 §7.
enum JSONEscapes {
  /// Appends the text of `bytes` (what stands between the quotes) with its escapes resolved.
  static func append(_ bytes: UnsafeRawBufferPointer, base: Int, to out: inout [UInt8])
    throws(JSONError)
  {
    var at = 0
    while let slash = Bytes.first(0x5C, bytes, at..<bytes.count) {
      out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[at..<slash]))
      at = try one(bytes, slash, base, &out)
    }
    out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[at...]))
  }

  /// Resolves the escape at `slash` and returns the offset behind it.
  private static func one(
    _ bytes: UnsafeRawBufferPointer, _ slash: Int, _ base: Int, _ out: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard slash + 1 < bytes.count else { throw JSONError(.badEscape, at: base + slash) }
    switch bytes[slash + 1] {
    case 0x22, 0x5C, 0x2F: out.append(bytes[slash + 1])
    case 0x62: out.append(8)
    case 0x66: out.append(12)
    case 0x6E: out.append(10)
    case 0x72: out.append(13)
    case 0x74: out.append(9)
    case 0x75: return try unicode(bytes, slash, base, &out)
    default: throw JSONError(.badEscape, at: base + slash)
    }
    return slash + 2
  }

  private static func unicode(
    _ bytes: UnsafeRawBufferPointer, _ slash: Int, _ base: Int, _ out: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard var scalar = hex4(bytes, slash + 2) else { throw JSONError(.badEscape, at: base + slash) }
    var end = slash + 6
    if scalar & 0xFC00 == 0xD800 {
      guard end + 6 <= bytes.count, bytes[end] == 0x5C, bytes[end + 1] == 0x75,
        let low = hex4(bytes, end + 2),
        low & 0xFC00 == 0xDC00
      else { throw JSONError(.loneSurrogate, at: base + slash) }
      scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
      end += 6
    }
    guard let character = Unicode.Scalar(scalar) else {
      throw JSONError(.loneSurrogate, at: base + slash)
    }
    out.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
    return end
  }

  private static func hex4(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
    guard at + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for index in at..<(at + 4) {
      guard let digit = hexDigit(bytes[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }
}
