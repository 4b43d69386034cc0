import HTTPTypes
import Wire

/// Bytes of a connection into requests, RFC 9112.
///
/// ```
/// start ──request line──▶ fields ──empty line──▶ length(n) ──n bytes──▶ start
///                                 │                  └─dropContent─▶ dropped(n) ──n bytes──▶ start
///                                 ├────────────▶ chunked ──last chunk──▶ start
///                                 └─no content─▶ start
/// any ──error──▶ failed (for good)
/// ```
/// Feed with `append`, then call `next` until it says `needMore`. A head that content follows is
/// told by itself, before a byte of the content is kept: whoever answers says there how much they
/// take, or that they take none. Requests may be pipelined: `next` gives one at a time and touches
/// nothing behind it, so that after an accepted upgrade `takeRest` has the new protocol's first
/// bytes. What comes out never depends on how the bytes were cut.
public struct HTTPRequestDecoder: Sendable {
  public enum Event: Sendable {
    case needMore
    /// The head is complete and content follows. Told once, before the request, and whether or not
    /// the content has begun to arrive. Bound it with `admit`, or answer now and `dropContent`, or
    /// answer now and close. When the head `expectsContinue` its client waits for `100 Continue` or
    /// for a final status (RFC 9110 §10.1.1).
    case head(IncomingRequest)
    case request(IncomingRequest)
    /// Answer with the status and close. Nothing else will come.
    case failed(HTTPProtocolError)
  }

  enum State: Sendable {
    case start, fields
    case length(Int)
    case chunked(ChunkedReader)
    case dropped(Int)
    case failed(HTTPProtocolError)

    var hasContent: Bool {
      switch self {
      case .length(let left): left > 0
      case .chunked: true
      case .start, .fields, .dropped, .failed: false
      }
    }
  }

  let limits: HTTPLimits
  /// The bound on the content of the request that is being read, as its head was admitted.
  private var bodyBytesMax: Int
  private var failedAtHead = false
  var buffer = ByteBuffer()
  var state = State.start
  var head = HeadReader()
  var emptyLines = 0
  var request = IncomingRequest()
  var framing = RequestFraming()

  public init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
    bodyBytesMax = limits.bodyBytesMax
  }

  /// Whether what is being read, or what failed, is a HEAD: its answer has no content
  /// (RFC 9110 §9.3.2).
  public var isHead: Bool { failedAtHead || request.method == .head }

  /// What to answer to a failure, with the bound that was broken.
  public func problem(of error: HTTPProtocolError) -> Problem {
    Problem(error, limits, bodyBytesMax: bodyBytesMax)
  }

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
    case .length, .chunked, .dropped, .failed: false
    }
  }

  /// Bounds the content of the head that was just told; a length that is past it fails before a
  /// byte is kept. Without this the decoder's own limit holds.
  public mutating func admit(bodyBytesMax: Int) {
    self.bodyBytesMax = min(bodyBytesMax, limits.bodyBytesMax)
    guard case .length(let left) = state, left > self.bodyBytesMax else { return }
    fail(HTTPProtocolError(413, .bodyTooLarge))
  }

  /// Reads the content of the head that was just told and forgets it as it comes: no request will
  /// be told of it.
  /// - Returns: false when it is longer than `bytesMax`, of a length that is not told, or may never
  ///   come since its client awaits `100 Continue`: then where the next request begins is not
  ///   certain, so answer and close.
  public mutating func dropContent(bytesMax: Int) -> Bool {
    guard case .length(let left) = state, left <= bytesMax, !request.expectsContinue else {
      return false
    }
    state = .dropped(left)
    return true
  }

  /// Whether content is being read that nobody will be told of.
  public var isDropping: Bool { if case .dropped = state { true } else { false } }

  /// What follows the last request: for the protocol upgraded to.
  public mutating func takeRest() -> [UInt8] { buffer.take(buffer.count) }
  /// Whether it is as one that has read nothing yet, and may read another connection's bytes.
  public var isFresh: Bool { isIdle && emptyLines == 0 }
  /// Gives memory back that is more than so many bytes; for a connection that is idle.
  public mutating func releaseMemory(past bytes: Int = 0) {
    if isIdle, buffer.capacity > bytes { buffer.release() }
  }

  private static let head = Array("HEAD ".utf8)

  public mutating func next() -> Event {
    do throws(HTTPProtocolError) {
      return try step()
    } catch {
      fail(error)
      return .failed(error)
    }
  }

  private mutating func fail(_ error: HTTPProtocolError) {
    // Of a line that is too long only the front has come.
    if case .start = state {
      failedAtHead =
        request.method == .head || buffer.withUnsafeBytes { $0.starts(with: Self.head) }
    } else {
      failedAtHead = request.method == .head
    }
    state = .failed(error)
    buffer.release()
    request = IncomingRequest()
  }

  private mutating func step() throws(HTTPProtocolError) -> Event {
    while true {
      switch state {
      case .start:
        guard try requestLine() else { return .needMore }
        state = .fields
      case .fields:
        guard try fieldLines() else { return .needMore }
        state = try finishHead()
        if state.hasContent { return .head(request) }
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
        let isComplete = try chunks.read(
          from: &buffer, into: &request.body, bytesMax: bodyBytesMax, limits)
        if isComplete { return .request(finish()) }
        state = .chunked(chunks)
        return .needMore
      case .dropped(let left):
        let n = min(left, buffer.count)
        buffer.consume(n)
        state = .dropped(left - n)
        if n < left { return .needMore }
        _ = finish()
      case .failed(let error): return .failed(error)
      }
    }
  }

  private mutating func finish() -> IncomingRequest {
    state = .start
    head = HeadReader()
    emptyLines = 0
    framing = RequestFraming()
    bodyBytesMax = limits.bodyBytesMax
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
    let length = try buffer.reading { bytes throws(HTTPProtocolError) in
      try framing.settle(bytes, &request, limits)
    }
    request.fields.bytes = buffer.take(end)
    return length
  }
}
