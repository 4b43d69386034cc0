import WebCodec

/// Any bytes: reading never traps, and what is read and written again reads the same.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzJSON {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzJSON.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  static func one(_ bytes: [UInt8]) {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    guard let again = try? JSONValue(parsing: value.encoded), again == value else {
      fatalError("written and read again, it is another value")
    }
  }
}
