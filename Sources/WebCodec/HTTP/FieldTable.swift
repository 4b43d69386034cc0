import HTTPTypes

/// The field lines of one head, as ranges into its bytes: names and values become Strings only when
/// asked for.
public struct FieldTable: Sendable {
  struct Line: Sendable {
    var nameStart: UInt32, nameEnd: UInt32, valueStart: UInt32, valueEnd: UInt32
    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
  }

  /// The head's bytes, from the first byte of its start line; the ranges count from there.
  var bytes: [UInt8] = []
  var lines: [Line] = []

  public var count: Int { lines.count }

  /// The first value of a field, or nil. The name is given in lower case: `value("content-type")`.
  public func value(_ name: StaticString) -> String? {
    withValue(name) { String(decoding: $0, as: UTF8.self) }
  }

  /// Looks at the first value's bytes where they lie, without making a String.
  public func withValue<R>(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> R) -> R? {
    bytes.withUnsafeBytes { raw in
      for line in lines where Bytes.spells(raw, line.name, name) {
        return body(UnsafeRawBufferPointer(rebasing: raw[line.value]))
      }
      return nil
    }
  }

  /// Every value of a field, in order, unjoined.
  public func values(_ name: StaticString) -> [String] {
    bytes.withUnsafeBytes { raw in
      lines.filter { Bytes.spells(raw, $0.name, name) }.map {
        String(decoding: raw[$0.value], as: UTF8.self)
      }
    }
  }

  /// Whether the comma-separated list in a field, over all its lines, has this element (lower
  /// case).
  public func list(_ name: StaticString, has element: StaticString) -> Bool {
    list(name) { Bytes.spells($0, $1, element) }
  }

  /// Whether it has another element than this one; empty ones are none (RFC 9110 §5.6.1.2).
  public func list(_ name: StaticString, hasOtherThan element: StaticString) -> Bool {
    list(name) { !$1.isEmpty && !Bytes.spells($0, $1, element) }
  }

  private func list(
    _ name: StaticString, hasSuch isSuch: (UnsafeRawBufferPointer, Range<Int>) -> Bool
  ) -> Bool {
    bytes.withUnsafeBytes { raw in
      var found = false
      for line in lines where Bytes.spells(raw, line.name, name) {
        Bytes.list(raw, line.value) { if isSuch(raw, $0) { found = true } }
      }
      return found
    }
  }

  /// All fields in order, as Strings: for logs and tests.
  public var all: [(name: String, value: String)] {
    bytes.withUnsafeBytes { raw in
      lines.map {
        (
          String(decoding: raw[$0.name], as: UTF8.self),
          String(decoding: raw[$0.value], as: UTF8.self)
        )
      }
    }
  }
}
