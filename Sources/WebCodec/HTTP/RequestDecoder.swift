import HTTPTypes
import Wire

/// Bytes of a connection into requests, RFC 9112.
///
/// ```
/// start ──request line──▶ fields ──empty line──▶ length(n) ──n bytes──▶ start
///                                 ├────────────▶ chunked ──last chunk──▶ start
///                                 └─no content─▶ start
/// any ──error──▶ failed (for good)
/// ```
/// Feed with `append`, then call `next` until it says `needMore`. Requests may be pipelined: `next` gives one
/// at a time and touches nothing behind it, so that after an accepted upgrade `takeRest` has the new protocol's
/// first bytes. What comes out never depends on how the bytes were cut.
public struct HTTPRequestDecoder: Sendable {
  public enum Event: Sendable {
    case needMore
    /// The head is complete, the client waits (RFC 9110 §10.1.1): answer `100 Continue`, or a final status and
    /// close. Told once, before the request, and whether or not the content has begun to arrive.
    case continueWanted(IncomingRequest)
    case request(IncomingRequest)
    /// Answer with the status and close. Nothing else will come.
    case failed(HTTPProtocolError)
  }

  enum State: Sendable {
    case start, fields
    case length(Int)
    case chunked(ChunkedReader)
    case failed(HTTPProtocolError)
  }

  var limits: HTTPLimits
  var buffer = ByteBuffer()
  var state = State.start
  var head = HeadReader()
  var emptyLines = 0
  var request = IncomingRequest()
  var framing = RequestFraming()

  public init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  public mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(bytes) }
  public mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(bytes) }

  /// Bytes kept that are not yet part of an event.
  public var bufferedBytes: Int { buffer.count + request.body.count }
  /// Whether nothing of a next request has come: the connection may be closed without harm.
  public var isIdle: Bool { if case .start = state { buffer.isEmpty } else { false } }
  /// Whether a head has begun and is not complete: the time-out for heads applies.
  public var isInHead: Bool {
    switch state {
    case .start: !buffer.isEmpty
    case .fields: true
    case .length, .chunked, .failed: false
    }
  }

  /// What follows the last request: for the protocol upgraded to.
  public mutating func takeRest() -> [UInt8] { buffer.take(buffer.count) }
  /// Gives memory back; for a connection that is idle.
  public mutating func releaseMemory() { if isIdle { buffer.release() } }

  public mutating func next() -> Event {
    do throws(HTTPProtocolError) {
      return try step()
    } catch {
      state = .failed(error)
      buffer.release()
      request = IncomingRequest()
      return .failed(error)
    }
  }

  private mutating func step() throws(HTTPProtocolError) -> Event {
    while true {
      switch state {
      case .start:
        guard try requestLine() else { return .needMore }
        state = .fields
      case .fields:
        guard try fieldLines() else { return .needMore }
        let length = try finishHead()
        state = length
        if request.expectsContinue { return .continueWanted(request) }
      case .length(let left):
        let n = min(left, buffer.count)
        if n > 0 {
          buffer.withUnsafeBytes {
            request.body.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<n]))
          }
          buffer.consume(n)
        }
        if n == left { return .request(finish()) }
        state = .length(left - n)
        return .needMore
      case .chunked(var chunks):
        state = .length(0)  // so that the reader below is not copied
        let isComplete = try chunks.read(from: &buffer, into: &request.body, limits)
        if isComplete { return .request(finish()) }
        state = .chunked(chunks)
        return .needMore
      case .failed(let error): return .failed(error)
      }
    }
  }

  private mutating func finish() -> IncomingRequest {
    state = .start
    head = HeadReader()
    emptyLines = 0
    framing = RequestFraming()
    var finished = IncomingRequest()
    swap(&finished, &request)
    return finished
  }

  /// Parses the request line when it is complete.
  private mutating func requestLine() throws(HTTPProtocolError) -> Bool {
    while true {
      let tooLong = HTTPProtocolError(414, .requestLineTooLong)
      let parsed = try buffer.reading { bytes throws(HTTPProtocolError) -> Bool? in
        let line = try head.line(bytes, max: limits.requestLineBytesMax, past: tooLong)
        guard case .line(let range) = line else { return nil }
        if range.isEmpty { return false }
        try RequestLine.parse(bytes, range, into: &request)
        return true
      }
      guard let parsed else { return false }
      if parsed {
        head.fieldsStart = head.lineStart
        request.fields.lines.reserveCapacity(12)
        return true
      }
      // RFC 9112 §2.2: ignore at least one empty line before a request line. A few, not a flood.
      emptyLines += 1
      if emptyLines > 4 { throw HTTPProtocolError(400, .malformedRequestLine) }
      buffer.consume(head.lineStart)
      head = HeadReader()
    }
  }

  /// Takes the field lines that are complete; true when the empty line has come.
  private mutating func fieldLines() throws(HTTPProtocolError) -> Bool {
    try buffer.reading { bytes throws(HTTPProtocolError) in
      while true {
        switch try head.field(bytes, request.fields.lines.count, limits) {
        case .more: return false
        case .end: return true
        case .field(let line):
          try framing.note(bytes, line)
          request.fields.lines.append(line)
        }
      }
    }
  }

  /// The head is complete: takes it off the buffer and says what content follows.
  private mutating func finishHead() throws(HTTPProtocolError) -> State {
    let end = head.lineStart
    let length = try buffer.reading { bytes throws(HTTPProtocolError) -> State in
      let length = try framing.settle(bytes, &request, limits)
      request.fields.bytes = Array(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
      return length
    }
    buffer.consume(end)
    return length
  }
}
