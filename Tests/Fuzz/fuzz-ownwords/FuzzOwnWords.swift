import MailCodec

/// Any text: its fragments cover it from end to end; headers of any text are read without a trap.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzOwnWords {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzOwnWords.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  static func one(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let words = OwnWords(text)
    var end = 0
    for fragment in words.fragments {
      guard fragment.range.lowerBound == end else { fatalError("a gap in the fragments") }
      end = fragment.range.upperBound
    }
    guard end == text.utf8.count else { fatalError("text was lost") }
    _ = words.own
    _ = try? MailAddress.list(text)  // only traps count here
    _ = MailDate.parse(text)
    _ = MailSubject(text)
    _ = MessageIDs.list(text)
    _ = AuthenticationResults(text)
  }
}

/// libFuzzer's archive wants this symbol wherever its driver is linked.
@_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(
  _ start: UnsafePointer<UInt8>?, _ count: Int
) -> CInt {
  FuzzOwnWords.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
  return 0
}
