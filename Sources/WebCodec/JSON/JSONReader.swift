import Wire

/// Why a JSON text was refused, and where.
public struct JSONError: Error, Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// What should have stood there, in words: `a string`, `a comma or the end of the object`.
    case expected(String)
    case tooDeep
    case invalidUTF8
    case badEscape
    case loneSurrogate
    case controlInString
    case badNumber
    case numberOutOfRange
    case duplicateKey(String)
    case unknownField(String)
    case missingField(String)
    /// A value of the right shape that does not do, said by the caller.
    case badValue(String)
    case trailingBytes
  }
  public var kind: Kind
  /// Bytes from the start of the text.
  public var offset: Int

  public init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }
}

/// A strict pull reader of JSON, RFC 8259, over bytes that stay where they are.
///
/// ```swift
/// try JSONReader.read(body) { r throws(JSONError) in
///   try r.object { key, r throws(JSONError) in
///     switch key {
///     case "text": text = try r.string()
///     case "author": author = try r.optional { r throws(JSONError) in try r.string() }
///     default: throw r.unknownField(key)
///     }
///   }
/// }
/// ```
/// - Errors: `JSONError`, with the byte offset and what was expected. Nothing is repaired: UTF-8 is
///   validated, lone
///   surrogates, duplicate keys, leading zeros, comments, and bytes after the value are refused.
public struct JSONReader {
  public struct Limits: Sendable, Equatable {
    /// Nested arrays and objects. The stack of a lane is small.
    public var depthMax = 64
    /// RFC 8259 §4: names SHOULD be unique. Two readers that choose differently can be played
    /// against each other.
    public var refusesDuplicateKeys = true
    public init() {}
  }

  let bytes: UnsafeRawBufferPointer
  var limits: Limits
  public internal(set) var offset = 0
  var depth = 0
  /// Keys of the objects that are open, the innermost last.
  var keys: [JSONKey] = []
  /// The same for objects with many keys, by where their first key stands in `keys`.
  var wideKeys: [Int: Set<JSONKey>] = [:]

  /// The memory must outlive the reader: use it inside `withUnsafeBytes`, or take
  /// `JSONReader.read`.
  public init(_ bytes: UnsafeRawBufferPointer, limits: Limits = Limits()) {
    self.bytes = bytes
    self.limits = limits
  }

  /// Reads one whole text; bytes after it are an error.
  @inlinable public static func read<R>(
    _ bytes: [UInt8], limits: Limits = Limits(), _ body: (inout JSONReader) throws(JSONError) -> R
  ) throws(JSONError) -> R {
    try bytes.reading { raw throws(JSONError) in
      var reader = JSONReader(raw, limits: limits)
      let value = try body(&reader)
      try reader.end()
      return value
    }
  }

  public enum Kind: Sendable, Equatable { case object, array, string, number, bool, null, none }

  /// What comes next, without reading it.
  public mutating func peek() -> Kind {
    switch nextByte() {
    case 0x7B: .object
    case 0x5B: .array
    case 0x22: .string
    case 0x2D, .some(0x30...0x39): .number
    case 0x74, 0x66: .bool
    case 0x6E: .null
    default: .none
    }
  }

  public mutating func end() throws(JSONError) {
    if nextByte() != nil { throw JSONError(.trailingBytes, at: offset) }
  }

  public mutating func object(_ member: (JSONKey, inout JSONReader) throws(JSONError) -> Void)
    throws(JSONError)
  {
    try enter(0x7B, "an object")
    let firstKey = keys.count
    if nextByte() == 0x7D {
      offset &+= 1
    } else {
      while true {
        guard nextByte() == 0x22 else { throw expected("a key in quotes") }
        let key = try key(since: firstKey)
        guard nextByte() == 0x3A else { throw expected("a colon") }
        offset &+= 1
        try member(key, &self)
        if try !goesOn(0x7D, "a comma or the end of the object") { break }
      }
    }
    if keys.count > firstKey {
      if !wideKeys.isEmpty { wideKeys.removeValue(forKey: firstKey) }
      keys.removeSubrange(firstKey...)
    }
    depth &-= 1
  }

  public mutating func array(_ element: (inout JSONReader) throws(JSONError) -> Void)
    throws(JSONError)
  {
    try enter(0x5B, "an array")
    if nextByte() == 0x5D {
      offset &+= 1
    } else {
      repeat { try element(&self) } while try goesOn(0x5D, "a comma or the end of the array")
    }
    depth &-= 1
  }

  public mutating func bool() throws(JSONError) -> Bool {
    if nextByte() == 0x74 {
      try literal("true", "true or false")
      return true
    }
    try literal("false", "true or false")
    return false
  }

  /// Reads `null` when it comes next.
  public mutating func null() throws(JSONError) -> Bool {
    guard nextByte() == 0x6E else { return false }
    try literal("null", "null")
    return true
  }

  /// nil for `null`.
  @inlinable public mutating func optional<R>(_ read: (inout JSONReader) throws(JSONError) -> R)
    throws(JSONError) -> R?
  {
    try null() ? nil : try read(&self)
  }

  /// A list of one kind.
  @inlinable public mutating func list<R>(
    max: Int = .max, _ read: (inout JSONReader) throws(JSONError) -> R
  ) throws(JSONError) -> [R] {
    var values: [R] = []
    try array { reader throws(JSONError) in
      guard values.count < max else {
        throw JSONError(.badValue("too many elements"), at: reader.offset)
      }
      values.append(try read(&reader))
    }
    return values
  }

  /// The error for a key that the caller does not know.
  public func unknownField(_ key: JSONKey) -> JSONError {
    JSONError(.unknownField(key.text), at: key.offset)
  }
  public func missingField(_ name: String) -> JSONError {
    JSONError(.missingField(name), at: offset)
  }

  /// Reads any value and throws it away, having checked it.
  public mutating func skip() throws(JSONError) {
    switch peek() {
    case .object: try object { _, reader throws(JSONError) in try reader.skip() }
    case .array: try array { reader throws(JSONError) in try reader.skip() }
    case .string: _ = try stringRange()
    case .number: _ = try numberRange()
    case .bool: _ = try bool()
    case .null: _ = try null()
    case .none: throw expected("a value")
    }
  }

  /// Any value's own bytes, checked, for splicing elsewhere.
  public mutating func raw() throws(JSONError) -> UnsafeRawBufferPointer {
    _ = nextByte()
    let start = offset
    try skip()
    return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
  }

  public mutating func value() throws(JSONError) -> JSONValue {
    switch peek() {
    case .object:
      var members: [JSONObject.Member] = []
      try object { key, reader throws(JSONError) in
        members.append(JSONObject.Member(key.text, try reader.value()))
      }
      return .object(JSONObject(members))
    case .array: return .array(try list { reader throws(JSONError) in try reader.value() })
    case .string: return .string(try string())
    case .number:
      let range = try numberRange()
      if let int = parseInt(range) { return .int(int) }
      return .number(String(decoding: bytes[range], as: UTF8.self))
    case .bool: return .bool(try bool())
    case .null:
      _ = try null()
      return .null
    case .none: throw expected("a value")
    }
  }

  // MARK: Inside

  func expected(_ what: String) -> JSONError { JSONError(.expected(what), at: offset) }

  /// Skips white space (RFC 8259 §2) and looks at the byte behind it.
  @inline(__always) mutating func nextByte() -> UInt8? {
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte > 0x20 || byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09 { return byte }
      offset &+= 1
    }
    return nil
  }

  private mutating func enter(_ bracket: UInt8, _ what: String) throws(JSONError) {
    guard nextByte() == bracket else { throw expected(what) }
    guard depth < limits.depthMax else { throw JSONError(.tooDeep, at: offset) }
    depth &+= 1
    offset &+= 1
  }

  private mutating func goesOn(_ bracket: UInt8, _ what: String) throws(JSONError) -> Bool {
    let byte = nextByte()
    guard byte == 0x2C || byte == bracket else { throw expected(what) }
    offset &+= 1
    return byte == 0x2C
  }

  private mutating func literal(_ word: StaticString, _ what: String) throws(JSONError) {
    _ = nextByte()
    let end = offset &+ word.utf8CodeUnitCount
    guard end <= bytes.count, Bytes.matches(bytes, offset, word) else { throw expected(what) }
    offset = end
  }

  private mutating func key(since firstKey: Int) throws(JSONError) -> JSONKey {
    let at = offset
    let (range, hasEscapes) = try stringRange()
    let key = JSONKey(
      bytes: UnsafeRawBufferPointer(rebasing: bytes[range]), hasEscapes: hasEscapes, offset: at)
    guard limits.refusesDuplicateKeys else { return key }
    // Few keys are compared one by one; many by their hashes, lest a large object cost its square.
    if keys.count - firstKey < 16 {
      for index in firstKey..<keys.count where keys[index] == key {
        throw JSONError(.duplicateKey(key.text), at: at)
      }
      keys.append(key)
    } else {
      var seen =
        wideKeys.removeValue(forKey: firstKey) ?? Set(keys[firstKey...])
      guard seen.insert(key).inserted else {
        throw JSONError(.duplicateKey(key.text), at: at)
      }
      wideKeys[firstKey] = seen
    }
    return key
  }
}
