import Model
import Wire

extension EntryID: WireValue {
  func write(_ out: inout ByteWriter) { out.signed(raw) }
  init(_ bytes: inout ByteReader) throws(WireError) { self.init(try bytes.signed()) }
}
