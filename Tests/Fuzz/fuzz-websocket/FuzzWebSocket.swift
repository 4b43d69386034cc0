import WebCodec

/// Any bytes as frames, in both roles: nothing traps, no message passes its bound, and cuts change
/// nothing.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzWebSocket {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzWebSocket.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  static func one(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    let role: WebSocketRole = first & 1 == 0 ? .server : .client
    var agreed = PermessageDeflate()
    (agreed.serverKeepsContext, agreed.clientKeepsContext) = (first & 4 != 0, first & 4 != 0)
    let bits = [15, 9][Int(first >> 7)]
    (agreed.serverWindowBits, agreed.clientWindowBits) = (bits, bits)
    let compression = first & 2 != 0 ? agreed : nil
    let whole = events(rest, role, compression, step: max(rest.count, 1))
    let cut = events(rest, role, compression, step: Int(first >> 3) + 1)
    if whole != cut { fatalError("cut, the events differ") }
  }

  static func events(
    _ bytes: [UInt8], _ role: WebSocketRole, _ compression: PermessageDeflate?, step: Int
  ) -> [WebSocketDecoder.Event] {
    var decoder = WebSocketDecoder(role: role, messageBytesMax: 1_000, compression: compression)
    var seen: [WebSocketDecoder.Event] = []
    for start in stride(from: 0, to: bytes.count, by: step) {
      decoder.append(bytes[start..<min(start + step, bytes.count)])
      feeding: while true {
        let event = decoder.next()
        switch event {
        case .needMore: break feeding
        case .failed: return seen + [event]
        case .message(let kind, let payload, _):
          if payload.count > 1_000 { fatalError("a message past its bound") }
          if kind == .text, String(validating: payload, as: UTF8.self) == nil {
            fatalError("text that is not UTF-8")
          }
          seen.append(event)
        case .ping, .pong, .closed: seen.append(event)
        }
      }
    }
    return seen
  }
}
