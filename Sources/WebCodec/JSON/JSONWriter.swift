/// Writes JSON (RFC 8259) straight to bytes. Commas are its business; order is the caller's, so the same calls give
/// the same bytes.
///
/// ```swift
/// var json = JSONWriter()
/// json.object {
///   $0.field("id", id)
///   $0.key("tags").array { for tag in tags { $0.string(tag) } }
/// }
/// ```
public struct JSONWriter: Sendable {
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  public init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    open(0x7B)
    try body(&self)
    close(0x7D)
  }

  public mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    open(0x5B)
    try body(&self)
    close(0x5D)
  }

  public mutating func key(_ name: StaticString) {
    comma()
    bytes.append(0x22)
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }  // names in the source need no escape; see `key(text:)`
    bytes.append(0x22)
    bytes.append(0x3A)
    needsComma = false
  }

  /// A key that is not known beforehand.
  public mutating func key(text: String) {
    comma()
    quoted(text)
    bytes.append(0x3A)
    needsComma = false
  }

  public mutating func string(_ text: String) {
    comma()
    quoted(text)
  }

  public mutating func int(_ number: some BinaryInteger) {
    comma()
    if let small = Int(exactly: number) {
      appendDecimal(small, &bytes)
    } else {
      append(number.description, &bytes)
    }
  }

  /// A number that has no JSON form (infinite, not a number) is null.
  public mutating func double(_ number: Double) {
    comma()
    append(number.isFinite ? number.description : "null", &bytes)
  }

  public mutating func bool(_ value: Bool) {
    comma()
    if value { append("true" as StaticString, &bytes) } else { append("false" as StaticString, &bytes) }
  }

  public mutating func null() {
    comma()
    append("null" as StaticString, &bytes)
  }

  /// JSON that is already encoded. The caller answers for it.
  public mutating func raw(_ json: some Collection<UInt8>) {
    comma()
    bytes.append(contentsOf: json)
  }

  public mutating func field(_ name: StaticString, _ text: String) {
    key(name)
    string(text)
  }
  public mutating func field(_ name: StaticString, _ number: some BinaryInteger) {
    key(name)
    int(number)
  }
  public mutating func field(_ name: StaticString, _ value: Bool) {
    key(name)
    bool(value)
  }
  public mutating func field(_ name: StaticString, _ value: JSONValue) {
    key(name)
    self.value(value)
  }
  public mutating func field(_ name: StaticString, raw json: some Collection<UInt8>) {
    key(name)
    raw(json)
  }
  public mutating func field(_ name: StaticString, object body: (inout JSONWriter) throws -> Void) rethrows {
    key(name)
    try object(body)
  }
  public mutating func field(_ name: StaticString, array body: (inout JSONWriter) throws -> Void) rethrows {
    key(name)
    try array(body)
  }

  private mutating func comma() {
    if needsComma { bytes.append(0x2C) }
    needsComma = true
  }

  private mutating func open(_ bracket: UInt8) {
    comma()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func quoted(_ text: String) {
    bytes.append(0x22)
    let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { escape(UnsafeRawBufferPointer($0)) }
    if isDone == nil { Array(text.utf8).withUnsafeBytes { escape($0) } }
    bytes.append(0x22)
  }

  /// RFC 8259 §7: the quote, the backslash and the controls. Stretches between them are copied whole.
  private mutating func escape(_ text: UnsafeRawBufferPointer) {
    var start = 0
    while true {
      let at = JSONScan.special(text, from: start)
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<at]))
      guard at < text.count else { return }
      bytes.append(0x5C)
      switch text[at] {
      case 0x22: bytes.append(0x22)
      case 0x5C: bytes.append(0x5C)
      case 8: bytes.append(0x62)
      case 9: bytes.append(0x74)
      case 10: bytes.append(0x6E)
      case 12: bytes.append(0x66)
      case 13: bytes.append(0x72)
      case let control:
        append("u00" as StaticString, &bytes)
        bytes.append(control < 16 ? 0x30 : 0x31)
        let low = control & 15
        bytes.append(low < 10 ? low + 48 : low + 87)
      }
      start = at + 1
    }
  }
}

enum JSONScan {
  /// The offset of the first quote, backslash or control at or after `from`, or the end.
  @inline(__always) static func special(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int {
    var at = from
    while at &+ 8 <= bytes.count {
      let word = Bytes.word(bytes, at)
      let found =
        (word &- Bytes.lows &* 32) & ~word & Bytes.highs
        | Bytes.zeros(word ^ Bytes.lows &* 0x22) | Bytes.zeros(word ^ Bytes.lows &* 0x5C)
      if found != 0 { break }
      at &+= 8
    }
    while at < bytes.count {
      let byte = bytes[at]
      if byte < 32 || byte == 0x22 || byte == 0x5C { return at }
      at &+= 1
    }
    return at
  }
}
