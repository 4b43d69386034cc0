import Wire

/// The chunked transfer coding, RFC 9112 §7.1: takes chunks off the front of a buffer and joins
/// their data.
///
/// ```
/// size ──line──▶ data(n) ──n bytes──▶ dataEnd ──CRLF──▶ size
///   └─ "0" line ──▶ trailer ──empty line──▶ done
/// ```
/// Trailer fields are checked like any others and then dropped: none that this server knows may be
/// acted on when it comes late (RFC 9110 §6.5.1).
struct ChunkedReader: Sendable {
  private enum State: Sendable {
    case size
    case data(Int)
    case dataEnd, trailer, done
  }
  private var state = State.size
  private var head = HeadReader()
  private var trailerCount = 0
  private var extensionBytes = 0

  /// - Parameter bytesMax: the bound on all data, which may be less than that of `limits`.
  /// - Returns: whether the last chunk and the trailer section are complete.
  mutating func read(
    from buffer: inout ByteBuffer, into body: inout [UInt8], bytesMax: Int, _ limits: HTTPLimits
  ) throws(HTTPProtocolError) -> Bool {
    while true {
      switch state {
      case .size:
        guard let size = try size(&buffer, room: bytesMax - body.count, limits) else {
          return false
        }
        state = size == 0 ? .trailer : .data(size)
      case .data(let left):
        let n = min(left, buffer.count)
        if n == 0 { return false }
        buffer.withUnsafeBytes {
          body.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<n]))
        }
        buffer.consume(n)
        state = n == left ? .dataEnd : .data(left - n)
      case .dataEnd:
        guard let first = buffer[0] else { return false }
        if first != Bytes.cr { throw HTTPProtocolError(400, .malformedChunk) }
        guard let second = buffer[1] else { return false }
        if second != Bytes.lf { throw HTTPProtocolError(400, .malformedChunk) }
        buffer.consume(2)
        state = .size
      case .trailer:
        guard try trailer(&buffer, limits) else { return false }
        state = .done
      case .done: return true
      }
    }
  }

  private mutating func size(
    _ buffer: inout ByteBuffer, room: Int, _ limits: HTTPLimits
  ) throws(HTTPProtocolError) -> Int? {
    let found = try buffer.reading {
      bytes throws(HTTPProtocolError) -> (size: Int, line: Int, extra: Int)? in
      let tooLong = HTTPProtocolError(400, .malformedChunk)
      guard
        case .line(let range) = try head.line(bytes, max: limits.chunkLineBytesMax, past: tooLong)
      else { return nil }
      let (size, digits) = try Self.parseSize(bytes, range)
      try Self.checkExtensions(bytes, (range.lowerBound + digits)..<range.upperBound)
      return (size, head.lineStart, range.count - digits)
    }
    guard let found else { return nil }
    buffer.consume(found.line)
    head = HeadReader()
    extensionBytes += found.extra
    if extensionBytes > limits.chunkExtensionBytesMax {
      throw HTTPProtocolError(400, .malformedChunk)
    }
    if found.size > room { throw HTTPProtocolError(413, .bodyTooLarge) }
    return found.size
  }

  /// `1*HEXDIG`. A size that no body may have is clamped, never overflowed (RFC 9112 §7.1).
  private static func parseSize(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
  ) throws(HTTPProtocolError) -> (size: Int, digits: Int) {
    var size = 0
    var at = range.lowerBound
    while at < range.upperBound, let digit = Hex.value(bytes[at]) {
      size = size > Int.max >> 8 ? size : size << 4 | Int(digit)
      at += 1
    }
    // Sixteen digits are a full 64-bit size; more are an attempt to overflow somebody.
    guard at > range.lowerBound, at - range.lowerBound <= 16 else {
      throw HTTPProtocolError(400, .malformedChunk)
    }
    return (size, at - range.lowerBound)
  }

  /// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, RFC 9112 §7.1.1. Checked,
  /// then ignored.
  static func checkExtensions(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
  ) throws(HTTPProtocolError) {
    var at = range.lowerBound
    func blank() {
      while at < range.upperBound, bytes[at] == Bytes.space || bytes[at] == Bytes.tab { at += 1 }
    }
    func token() -> Bool {
      let start = at
      while at < range.upperBound, Bytes.isToken(bytes[at]) { at += 1 }
      return at > start
    }
    func quoted() -> Bool {
      at += 1
      while at < range.upperBound, bytes[at] != 34 {
        if bytes[at] == 92 { at += 1 }
        guard at < range.upperBound, bytes[at] >= 32 || bytes[at] == Bytes.tab, bytes[at] != 127
        else {
          return false
        }
        at += 1
      }
      at += 1
      return at <= range.upperBound
    }
    while at < range.upperBound {
      blank()
      guard at < range.upperBound, bytes[at] == 59 else {
        throw HTTPProtocolError(400, .malformedChunk)
      }
      at += 1
      blank()
      guard token() else { throw HTTPProtocolError(400, .malformedChunk) }
      let afterName = at
      blank()
      guard at < range.upperBound, bytes[at] == 61 else {
        at = afterName
        continue
      }
      at += 1
      blank()
      let isQuoted = at < range.upperBound && bytes[at] == 34
      guard isQuoted ? quoted() : token() else { throw HTTPProtocolError(400, .malformedChunk) }
    }
  }

  private mutating func trailer(_ buffer: inout ByteBuffer, _ limits: HTTPLimits)
    throws(HTTPProtocolError)
    -> Bool
  {
    while true {
      let field = try buffer.reading { bytes throws(HTTPProtocolError) in
        try head.field(bytes, trailerCount, limits)
      }
      switch field {
      case .more: return false
      case .field: trailerCount += 1
      case .end:
        buffer.consume(head.lineStart)
        return true
      }
    }
  }
}

extension ByteBuffer {
  /// `withUnsafeBytes` for bodies with a typed error.
  func reading<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    let result: Result<R, E> = withUnsafeBytes { raw in
      do throws(E) { return .success(try body(raw)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
