import Mime

/// Any bytes: a message is understood without a trap, and none of its text is lost; nor is what stands behind
/// any HTML.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzMIME {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzMIME.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  static func one(_ bytes: [UInt8]) {
    let mail = MailUnderstanding(bytes: bytes)
    guard mail.words.fragments.last?.range.upperBound ?? 0 == mail.text.utf8.count else {
      fatalError("text was lost")
    }
    let html = String(decoding: bytes, as: UTF8.self)
    let read = HTMLText(html + "<p>behind</p>")
    guard read.isCut || read.text.contains("behind") || html.lowercased().contains("display") else {
      fatalError("text behind it was lost")
    }
  }
}

/// libFuzzer's archive wants this symbol wherever its driver is linked.
@_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(
  _ start: UnsafePointer<UInt8>?, _ count: Int
) -> CInt {
  FuzzMIME.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
  return 0
}
