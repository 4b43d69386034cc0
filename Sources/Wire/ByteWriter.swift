/// Writes encoded values; the counterpart of `ByteReader`, value for value.
public struct ByteWriter: Sendable {
  public var bytes: [UInt8] = []

  @inlinable public init() {}
  @inlinable public init(reserving capacity: Int) { bytes.reserveCapacity(capacity) }

  @inlinable public mutating func uint8(_ value: UInt8) { bytes.append(value) }

  @inlinable public mutating func fixed<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  @inlinable public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  @inlinable public mutating func signed(_ value: Int64) {
    varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  @inlinable public mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }
  @inlinable public mutating func count(_ value: Int) { varint(UInt64(value)) }
  @inlinable public mutating func raw(_ value: some Sequence<UInt8>) {
    bytes.append(contentsOf: value)
  }

  @inlinable public mutating func blob(_ value: some Collection<UInt8>) {
    count(value.count)
    bytes.append(contentsOf: value)
  }

  @inlinable public mutating func string(_ value: String) { blob(value.utf8) }

  @inlinable public mutating func optional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
    bool(value != nil)
    if let value { write(&self, value) }
  }

  @inlinable public mutating func array<T>(
    _ values: some Collection<T>, _ write: (inout ByteWriter, T) -> Void
  ) {
    count(values.count)
    for value in values { write(&self, value) }
  }
}
