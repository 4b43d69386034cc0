/// What one HTTP message may cost. Each bound is checked before the bytes that it bounds are kept.
public struct HTTPLimits: Sendable, Equatable {
  /// The request line, line end included. Past it: 414. RFC 9112 §3 wants at least 8,000.
  public var requestLineBytesMax = 8_192
  /// One field line, line end included. Past it: 431.
  public var fieldLineBytesMax = 8_192
  /// All field lines of a head, or of a trailer section. Past it: 431.
  public var fieldBytesMax = 32_768
  /// The number of field lines. Past it: 431.
  public var fieldCountMax = 100
  /// The content, after chunks are joined. Past it: 413, before it is read where the length is
  /// told.
  public var bodyBytesMax = 1_048_576
  /// The size line of one chunk with its extensions. Past it: 400.
  public var chunkLineBytesMax = 256
  /// All chunk extensions of one message: many small chunks with long extensions are an attack
  /// (CVE-2023-39326). Past it: 400.
  public var chunkExtensionBytesMax = 8_192

  public init() {}
}

/// Why a message was refused: what to answer, and where it went wrong.
///
/// After any of these the framing of what follows is not certain enough to go on: answer and close
/// (RFC 9112 §9.6). The reason is bland and fixed; it never repeats bytes of the peer.
public struct HTTPProtocolError: Error, Equatable, Sendable {
  /// 400, 413, 414, 417, 431, 501 or 505.
  public var status: Int
  public var reason: StaticReason

  init(_ status: Int, _ reason: StaticReason) {
    self.status = status
    self.reason = reason
  }

  /// Every reason there is.
  public enum StaticReason: String, Sendable {
    case requestLineTooLong = "request line too long"
    case fieldsTooLarge = "header fields too large"
    case bodyTooLarge = "content too large"
    case malformedRequestLine = "malformed request line"
    case malformedStatusLine = "malformed status line"
    case unknownMethod = "method not implemented"
    case badTarget = "malformed request target"
    case unsupportedVersion = "HTTP version not supported"
    case bareLineFeed = "line feed without carriage return"
    case malformedField = "malformed header field"
    case foldedField = "folded header field"
    case badHost = "missing, repeated or malformed Host"
    case badContentLength = "malformed Content-Length"
    case badTransferEncoding = "malformed Transfer-Encoding"
    case unknownTransferCoding = "transfer coding not implemented"
    case lengthAndCoding = "both Content-Length and Transfer-Encoding"
    case unknownExpectation = "expectation not supported"
    case malformedChunk = "malformed chunk"
    case truncated = "connection ended inside a message"
  }
}
