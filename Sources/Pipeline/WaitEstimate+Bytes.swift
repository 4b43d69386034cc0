import Model
import Routing
import Wire

// As it stands in the outcome under an idempotency key.
extension WaitEstimate {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .about(let expected, let from, let to):
      out.uint8(0)
      for time in [expected, from, to] { out.signed(time.milliseconds) }
    case .unknown(let why): out.uint8(why.rawValue)
    }
  }

  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    let code = try bytes.uint8()
    if code == 0 {
      self = .about(
        .milliseconds(try bytes.signed()), from: .milliseconds(try bytes.signed()),
        to: .milliseconds(try bytes.signed()))
      return
    }
    guard let why = WaitUnknown(rawValue: code) else { throw WireError.badValue(offset: at) }
    self = .unknown(why)
  }
}
