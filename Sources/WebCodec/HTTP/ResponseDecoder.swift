import Wire

/// A response, as a client of ours reads it.
public struct IncomingResponse: Sendable {
  public internal(set) var status = 0
  public internal(set) var minorVersion = 1
  public internal(set) var fields = FieldTable()
  public internal(set) var body: [UInt8] = []
  public internal(set) var keepAlive = true
}

/// The client's side of HTTP/1.1, for benches and end-to-end tests: as strict as the server's side.
public struct HTTPResponseDecoder: Sendable {
  public enum Event: Sendable {
    case needMore
    /// A final response; also `101`, after which `takeRest` has the new protocol's bytes.
    case response(IncomingResponse)
    /// 1xx other than 101; the final response follows.
    case interim(IncomingResponse)
    case failed(HTTPProtocolError)
  }

  private enum State: Sendable {
    case start, fields
    case length(Int)
    case chunked(ChunkedReader)
    case untilClose
    case failed(HTTPProtocolError)
  }

  private var limits: HTTPLimits
  private var buffer = ByteBuffer()
  private var state = State.start
  private var head = HeadReader()
  private var response = IncomingResponse()
  private var isClosed = false
  /// Whether the next response answers a HEAD request and so has no content.
  public var answersHead = false

  public init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  public mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(bytes) }
  public mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(bytes) }
  /// The server has closed its side.
  public mutating func peerClosed() { isClosed = true }
  public mutating func takeRest() -> [UInt8] { buffer.take(buffer.count) }

  public mutating func next() -> Event {
    do throws(HTTPProtocolError) {
      let event = try step()
      if case .needMore = event, isClosed, !isBetween { throw HTTPProtocolError(400, .truncated) }
      return event
    } catch {
      state = .failed(error)
      buffer.release()
      return .failed(error)
    }
  }

  private var isBetween: Bool { if case .start = state { buffer.isEmpty } else { false } }

  private mutating func step() throws(HTTPProtocolError) -> Event {
    while true {
      switch state {
      case .start:
        guard try statusLine() else { return .needMore }
        state = .fields
      case .fields:
        guard try fieldLines() else { return .needMore }
        state = try finishHead()
        if response.status < 200, response.status != 101 { return .interim(finish()) }
      case .length(let left):
        let n = min(left, buffer.count)
        response.body += buffer.take(n)
        if n == left { return .response(finish()) }
        state = .length(left - n)
        return .needMore
      case .chunked(var chunks):
        let isComplete = try chunks.read(
          from: &buffer, into: &response.body, bytesMax: limits.bodyBytesMax, limits)
        if isComplete { return .response(finish()) }
        state = .chunked(chunks)
        return .needMore
      case .untilClose:
        if response.body.count + buffer.count > limits.bodyBytesMax {
          throw HTTPProtocolError(413, .bodyTooLarge)
        }
        response.body += buffer.take(buffer.count)
        return isClosed ? .response(finish()) : .needMore
      case .failed(let error): return .failed(error)
      }
    }
  }

  private mutating func finish() -> IncomingResponse {
    state = .start
    head = HeadReader()
    var finished = IncomingResponse()
    swap(&finished, &response)
    return finished
  }

  /// `HTTP-version SP status-code SP [ reason ]`, RFC 9112 §4.
  private mutating func statusLine() throws(HTTPProtocolError) -> Bool {
    let malformed = HTTPProtocolError(400, .malformedStatusLine)
    let parsed = try buffer.reading { bytes throws(HTTPProtocolError) -> Bool in
      guard
        case .line(let line) = try head.line(
          bytes, max: limits.requestLineBytesMax, past: malformed)
      else { return false }
      guard line.count >= 12, bytes[line.lowerBound + 8] == Bytes.space else { throw malformed }
      response.minorVersion = try RequestLine.version(
        bytes, line.lowerBound..<(line.lowerBound + 8))
      for index in 9..<12 {
        let digit = bytes[line.lowerBound + index]
        guard Bytes.isDigit(digit) else { throw malformed }
        response.status = response.status * 10 + Int(digit - 48)
      }
      guard response.status >= 100, line.count == 12 || bytes[line.lowerBound + 12] == Bytes.space
      else {
        throw malformed
      }
      return true
    }
    head.fieldsStart = head.lineStart
    return parsed
  }

  private mutating func fieldLines() throws(HTTPProtocolError) -> Bool {
    try buffer.reading { bytes throws(HTTPProtocolError) in
      while true {
        switch try head.field(bytes, response.fields.lines.count, limits) {
        case .more: return false
        case .end: return true
        case .field(let line): response.fields.lines.append(line)
        }
      }
    }
  }

  /// RFC 9112 §6.3, in its order.
  private mutating func finishHead() throws(HTTPProtocolError) -> State {
    response.fields.bytes = buffer.take(head.lineStart)
    let fields = response.fields
    let isOld = response.minorVersion == 0
    let hasClose = fields.list("connection", has: "close")
    response.keepAlive = !hasClose && (!isOld || fields.list("connection", has: "keep-alive"))
    let isWithoutContent =
      answersHead || response.status < 200 || response.status == 204 || response.status == 304
    if response.status >= 200 { answersHead = false }
    if isWithoutContent { return .length(0) }
    let lengths = fields.values("content-length")
    let codings = fields.values("transfer-encoding")
    if let coding = codings.first {
      guard lengths.isEmpty else { throw HTTPProtocolError(400, .lengthAndCoding) }
      guard codings.count == 1, coding.lowercased() == "chunked" else {
        throw HTTPProtocolError(400, .badTransferEncoding)
      }
      return .chunked(ChunkedReader())
    }
    guard let text = lengths.first else {
      response.keepAlive = false
      return .untilClose
    }
    guard lengths.count == 1 else { throw HTTPProtocolError(400, .badContentLength) }
    let length = try Self.length(Array(text.utf8))
    if length > limits.bodyBytesMax { throw HTTPProtocolError(413, .bodyTooLarge) }
    return .length(length)
  }

  private static func length(_ digits: [UInt8]) throws(HTTPProtocolError) -> Int {
    try ByteBuffer(digits).reading { bytes throws(HTTPProtocolError) in
      try ContentLength.parse(bytes, 0..<bytes.count)
    }
  }
}
