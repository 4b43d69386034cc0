import WebCodec

/// Any bytes as requests and as responses: nothing traps, and where the bytes are cut changes
/// nothing.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzHTTP {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzHTTP.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  static func one(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    var limits = HTTPLimits()
    limits.bodyBytesMax = 2_000
    if first >= 128 {  // bounds that an input is long enough to pass
      (limits.requestLineBytesMax, limits.fieldLineBytesMax) = (200, 200)
      (limits.fieldBytesMax, limits.fieldCountMax) = (600, 10)
      (limits.chunkLineBytesMax, limits.chunkExtensionBytesMax) = (40, 100)
    }
    let whole = requests(rest, limits, step: max(rest.count, 1))
    let cut = requests(rest, limits, step: Int(first % 61) + 1)
    if whole != cut { fatalError("cut, the requests differ") }
    responses(rest, limits, step: Int(first) + 1)
  }

  static func pieces(_ bytes: [UInt8], _ step: Int) -> [ArraySlice<UInt8>] {
    stride(from: 0, to: bytes.count, by: step).map { bytes[$0..<min($0 + step, bytes.count)] }
  }

  static func requests(_ bytes: [UInt8], _ limits: HTTPLimits, step: Int) -> [String] {
    var decoder = HTTPRequestDecoder(limits: limits)
    var seen: [String] = []
    for piece in pieces(bytes, step) {
      decoder.append(piece)
      feeding: while true {
        switch decoder.next() {
        case .needMore: break feeding
        case .head(let request):
          if !request.body.isEmpty { fatalError("content kept before its head was admitted") }
          // What becomes of the content hangs on the head alone, as it does in the server.
          let isDropped =
            request.rawPath.utf8.count % 3 == 1 && decoder.dropContent(bytesMax: 1_000)
          if request.rawPath.utf8.count % 3 == 2 { decoder.admit(bodyBytesMax: 20) }
          seen.append("head \(request.rawPath) \(request.contentLength ?? -1) \(isDropped)")
        case .request(let request):
          if request.body.count > limits.bodyBytesMax { fatalError("a body past its bound") }
          let query = request.queryParameters?.pairs.count ?? -1
          let segments = request.pathSegments?.count ?? -1
          let fields = request.fields.all.map { "\($0.name)=\($0.value)" }
          seen.append(
            "\(request.method) \(request.rawPath) \(query) \(segments) \(fields) \(request.body)")
          if request.wantsWebSocket { _ = try? WebSocketHandshake.check(request) }
          if let agreed = try? WebSocketHandshake.compression(request, keepsContexts: true) {
            seen.append("\(agreed.agreed) \(agreed.field)")
          }
        case .failed(let error):
          return seen + ["\(error.status) \(error.reason)"]
        }
      }
    }
    return seen
  }

  static func responses(_ bytes: [UInt8], _ limits: HTTPLimits, step: Int) {
    var decoder = HTTPResponseDecoder(limits: limits)
    for piece in pieces(bytes, step) {
      decoder.append(piece)
      feeding: while true {
        switch decoder.next() {
        case .needMore: break feeding
        case .interim, .response: continue
        case .failed: return
        }
      }
    }
    decoder.peerClosed()
    _ = decoder.next()
  }
}
