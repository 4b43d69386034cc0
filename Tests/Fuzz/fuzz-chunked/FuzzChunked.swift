import WebCodec

/// Any bytes as the chunks of a body: nothing traps, where they are cut changes nothing, no body
/// passes its bound, and a request's chunks and a response's are understood alike.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzChunked {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzChunked.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  /// How a body ended, and what of it there is.
  enum End: Equatable {
    case whole([UInt8])
    case refused(Int)
    case more
  }

  static func one(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    let whole = request(rest, step: max(rest.count, 1))
    if whole != request(rest, step: Int(first % 61) + 1) { fatalError("cut, the body differs") }
    if case .whole(let body) = whole {
      if body.count > bound { fatalError("a body past its bound") }
      if response(rest, step: Int(first) + 1) != whole {
        fatalError("a response's chunks are read otherwise")
      }
      if written(body, step: Int(first) + 1) != body {
        fatalError("written and read again it differs")
      }
    }
  }

  static let bound = 1_500

  static func request(_ bytes: [UInt8], step: Int) -> End {
    var limits = HTTPLimits()
    limits.bodyBytesMax = bound
    var decoder = HTTPRequestDecoder(limits: limits)
    decoder.append("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    guard case .head = decoder.next() else { fatalError("no head") }
    for start in stride(from: 0, to: bytes.count, by: step) {
      decoder.append(bytes[start..<min(start + step, bytes.count)])
      switch decoder.next() {
      case .request(let request): return .whole(request.body)
      case .failed(let error): return .refused(error.status)
      case .needMore: continue
      case .head: fatalError("a second head")
      }
    }
    return .more
  }

  static func response(_ bytes: [UInt8], step: Int) -> End {
    var limits = HTTPLimits()
    limits.bodyBytesMax = bound
    var decoder = HTTPResponseDecoder(limits: limits)
    decoder.append("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    for start in stride(from: 0, to: bytes.count, by: step) {
      decoder.append(bytes[start..<min(start + step, bytes.count)])
      switch decoder.next() {
      case .response(let response): return .whole(response.body)
      case .failed(let error): return .refused(error.status)
      case .needMore, .interim: continue
      }
    }
    return .more
  }

  static func written(_ body: [UInt8], step: Int) -> [UInt8]? {
    var out: [UInt8] = []
    let writer = HTTPResponseEncoder.stream(.ok, to: ReplyContext(), into: &out)
    for start in stride(from: 0, to: body.count, by: step) {
      writer.write(Array(body[start..<min(start + step, body.count)]), into: &out)
    }
    writer.end(into: &out)
    var decoder = HTTPResponseDecoder()
    decoder.append(out)
    guard case .response(let response) = decoder.next() else { return nil }
    return response.body
  }
}
