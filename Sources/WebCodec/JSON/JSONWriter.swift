import Wire

/// Writes JSON (RFC 8259) straight to bytes. Commas are its business; order is the caller's, so the
/// same calls give the same bytes.
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
    if value {
      append("true" as StaticString, &bytes)
    } else {
      append("false" as StaticString, &bytes)
    }
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
  public mutating func field(_ name: StaticString, object body: (inout JSONWriter) throws -> Void)
    rethrows
  {
    key(name)
    try object(body)
  }
  public mutating func field(_ name: StaticString, array body: (inout JSONWriter) throws -> Void)
    rethrows
  {
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

  private mutating func quoted(_ text: String) { JSONText.append(text, to: &bytes) }
}
