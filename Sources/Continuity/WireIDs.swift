import Model
import Wire

extension ByteWriter {
  public mutating func id<Kind>(_ id: ID<Kind>) {
    fixed(id.high)
    fixed(id.low)
  }
}

extension ByteReader {
  public mutating func id<Kind>(_: ID<Kind>.Type = ID<Kind>.self) throws(WireError) -> ID<Kind> {
    ID(high: try fixed(), low: try fixed())
  }

  public mutating func uint32() throws(WireError) -> UInt32 {
    let at = offset
    guard let value = UInt32(exactly: try varint()) else { throw WireError.badValue(offset: at) }
    return value
  }
}
