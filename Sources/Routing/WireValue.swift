import Model
import Wire

/// A value with one encoding: what `write` writes, `init` reads, and nothing else.
protocol WireValue {
  func write(_ out: inout ByteWriter)
  init(_ bytes: inout ByteReader) throws(WireError)
}

extension ByteWriter {
  // Not by `ByteWriter.optional` and `.array`: across modules these would be called without their
  // types.
  @inline(__always) mutating func put(_ value: some WireValue) { value.write(&self) }
  @inline(__always) mutating func putOptional<V: WireValue>(_ value: V?) {
    bool(value != nil)
    if let value { value.write(&self) }
  }
  @inline(__always) mutating func putArray<V: WireValue>(_ values: [V]) {
    count(values.count)
    for value in values { value.write(&self) }
  }
}

extension ByteReader {
  mutating func get<V: WireValue>(_: V.Type = V.self) throws(WireError) -> V { try V(&self) }
  mutating func getOptional<V: WireValue>(_: V.Type = V.self) throws(WireError) -> V? {
    try bool() ? try V(&self) : nil
  }
  mutating func getArray<V: WireValue>(_: V.Type = V.self) throws(WireError) -> [V] {
    let n = try count()
    var values: [V] = []
    values.reserveCapacity(n)
    for _ in 0..<n { values.append(try V(&self)) }
    return values
  }
  /// A raw value that its enum knows; another is an error at its place.
  mutating func code<E: RawRepresentable>(_: E.Type = E.self) throws(WireError) -> E
  where E.RawValue == UInt8 {
    let at = offset
    guard let value = E(rawValue: try uint8()) else { throw WireError.badValue(offset: at) }
    return value
  }
  /// A varint that fits.
  mutating func small<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError) -> T {
    let at = offset
    guard let value = T(exactly: try varint()) else { throw WireError.badValue(offset: at) }
    return value
  }
}

extension UInt8: WireValue {
  func write(_ out: inout ByteWriter) { out.uint8(self) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.uint8() }
}
extension UInt16: WireValue {
  func write(_ out: inout ByteWriter) { out.varint(UInt64(self)) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.small() }
}
extension UInt32: WireValue {
  func write(_ out: inout ByteWriter) { out.varint(UInt64(self)) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.small() }
}
extension UInt64: WireValue {
  func write(_ out: inout ByteWriter) { out.varint(self) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.varint() }
}
extension Int16: WireValue {
  func write(_ out: inout ByteWriter) { out.signed(Int64(self)) }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    guard let value = Int16(exactly: try bytes.signed()) else {
      throw WireError.badValue(offset: at)
    }
    self = value
  }
}
extension Bool: WireValue {
  func write(_ out: inout ByteWriter) { out.bool(self) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.bool() }
}
extension String: WireValue {
  func write(_ out: inout ByteWriter) { out.string(self) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.string() }
}
extension ID: WireValue {
  func write(_ out: inout ByteWriter) {
    out.fixed(high)
    out.fixed(low)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(high: try bytes.fixed(), low: try bytes.fixed())
  }
}
extension Handle: WireValue {
  func write(_ out: inout ByteWriter) { out.varint(UInt64(raw)) }
  init(_ bytes: inout ByteReader) throws(WireError) { self.init(try bytes.small()) }
}
extension WaiterID: WireValue {
  func write(_ out: inout ByteWriter) { out.varint(raw) }
  init(_ bytes: inout ByteReader) throws(WireError) { self.init(try bytes.varint()) }
}
extension Instant: WireValue {
  func write(_ out: inout ByteWriter) { out.signed(milliseconds) }
  init(_ bytes: inout ByteReader) throws(WireError) { self.init(milliseconds: try bytes.signed()) }
}
extension Duration64: WireValue {
  func write(_ out: inout ByteWriter) { out.signed(milliseconds) }
  init(_ bytes: inout ByteReader) throws(WireError) { self.init(milliseconds: try bytes.signed()) }
}

/// Enums whose raw value is their code.
protocol WireCode: WireValue, RawRepresentable where RawValue == UInt8 {}
extension WireCode {
  func write(_ out: inout ByteWriter) { out.uint8(rawValue) }
  init(_ bytes: inout ByteReader) throws(WireError) { self = try bytes.code() }
}
extension Channel: WireCode {}
extension Visibility: WireCode {}
extension SessionEnd: WireCode {}
extension CaseEnd: WireCode {}
extension OfferFailure: WireCode {}
extension OfferEnd.Revocation: WireCode {}
extension RouteReason.Cause: WireCode {}
extension RequeueReason: WireCode {}
extension OverflowReason: WireCode {}
extension ConsultEnd: WireCode {}
extension HoldEnd: WireCode {}
extension RoutingConfiguration.Strategy: WireCode {}
extension RoutingConfiguration.Order: WireCode {}
