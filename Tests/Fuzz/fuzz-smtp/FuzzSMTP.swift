import MailCodec

/// Any bytes, in two cuts: the same is said and asked, and nothing traps.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzSMTP {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzSMTP.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  static func one(_ bytes: [UInt8]) {
    guard let split = bytes.first else { return }
    let talk = Array(bytes.dropFirst())
    let cut = min(Int(split), talk.count)
    for dialect in [SMTPServer.Dialect.smtp, .lmtp] {
      var whole = SMTPServer(dialect, hostname: "fuzz.example")
      let first = play(&whole, [talk])
      var halves = SMTPServer(dialect, hostname: "fuzz.example")
      guard play(&halves, [Array(talk[..<cut]), Array(talk[cut...])]) == first else {
        fatalError("a cut changed the talk")
      }
    }
  }

  static func play(_ server: inout SMTPServer, _ pieces: [[UInt8]]) -> [UInt8] {
    var said = server.opened().bytes
    for piece in pieces {
      var step = server.receive(piece)
      said += step.bytes
      while let request = step.request {
        if case .message(let message) = request { said += message.bytes }
        if case .startTLS = request { break }
        step = server.answer(.ok)
        said += step.bytes
      }
    }
    return said
  }
}

/// libFuzzer's archive wants this symbol wherever its driver is linked.
@_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(
  _ start: UnsafePointer<UInt8>?, _ count: Int
) -> CInt {
  FuzzSMTP.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
  return 0
}
