import HTTPTypes

/// A field value that is safe on the wire: no CR, LF, NUL or other control, no space at its ends.
/// There is no way
/// to have one that is not, so a response cannot be split (CVE-2022-3215 in another server).
public struct HeaderValue: Sendable, Equatable {
  let bytes: [UInt8]

  /// nil when the text holds what a field value may not (RFC 9110 §5.5).
  public init?(_ text: String) {
    for byte in text.utf8 where byte < 32 && byte != Bytes.tab || byte == 127 { return nil }
    if let first = text.utf8.first, first == Bytes.space || first == Bytes.tab { return nil }
    if let last = text.utf8.last, last == Bytes.space || last == Bytes.tab { return nil }
    bytes = Array(text.utf8)
  }

  /// For a value that stands in the source; a bad one is our own fault.
  public init(fixed literal: StaticString) {
    let text = literal.description
    precondition(HeaderValue(text) != nil, "not a field value: \(text)")
    bytes = Array(text.utf8)
  }

  public init(_ number: Int) { bytes = Array(String(number).utf8) }
}

public struct HeaderField: Sendable, Equatable {
  public var name: HTTPField.Name
  public var value: HeaderValue
  public init(_ name: HTTPField.Name, _ value: HeaderValue) {
    self.name = name
    self.value = value
  }
}

/// What a reply must know of its request.
public struct ReplyContext: Sendable, Equatable {
  public var isHead: Bool
  public var minorVersion: Int
  public var keepAlive: Bool
  public init(isHead: Bool = false, minorVersion: Int = 1, keepAlive: Bool = true) {
    self.isHead = isHead
    self.minorVersion = minorVersion
    self.keepAlive = keepAlive
  }
  /// After a protocol error: an answer that closes.
  public static func closing(isHead: Bool = false) -> ReplyContext {
    ReplyContext(isHead: isHead, keepAlive: false)
  }
}

/// Writes responses. Framing is this type's business alone: `Content-Length`, `Transfer-Encoding`,
/// `Connection` and `Date` among the given fields are left out, so that no caller can contradict
/// the bytes that follow.
public enum HTTPResponseEncoder {
  /// `HTTP/1.1 100 Continue`, for a head that `expectsContinue` and whose content is welcome.
  public static let continueBytes = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  /// Appends a whole response.
  /// - Parameter date: an IMF-fixdate made at most once a second by the caller (RFC 9110 §6.6.1),
  ///   or nil.
  public static func whole(
    _ status: HTTPResponse.Status, _ fields: [HeaderField] = [], body: [UInt8] = [],
    to reply: ReplyContext,
    date: HeaderValue? = nil, into out: inout [UInt8]
  ) {
    let wantsBody = head(status, fields, bodyBytes: body.count, to: reply, date: date, into: &out)
    if wantsBody { out.append(contentsOf: body) }
  }

  /// Appends the head of a response whose content the caller sends.
  /// - Returns: whether the content is to follow: not after HEAD, nor with a status that has none.
  public static func head(
    _ status: HTTPResponse.Status, type: HeaderValue? = nil, _ fields: [HeaderField] = [],
    bodyBytes: Int,
    to reply: ReplyContext, date: HeaderValue? = nil, into out: inout [UInt8]
  ) -> Bool {
    // RFC 9110 §8.6: none with 1xx and 204; with 304 it would speak of another body, so it is left
    // out.
    let hasLength = status.code >= 200 && status.code != 204 && status.code != 304
    HeadText.append(to: &out) { head in
      startLine(status, fields, reply, date, &head)
      if hasLength {
        if let type { line("content-type: ", type, &head) }
        head.append("content-length: ")
        head.append(decimal: bodyBytes)
        head.append("\r\n")
      }
      head.append("\r\n")
    }
    // RFC 9110 §9.3.2: HEAD has the length that GET would have, and no content.
    return hasLength && !reply.isHead
  }

  /// Appends the head of a response whose length is not known, and returns the writer of its
  /// content.
  public static func stream(
    _ status: HTTPResponse.Status, _ fields: [HeaderField] = [], to reply: ReplyContext,
    date: HeaderValue? = nil,
    into out: inout [UInt8]
  ) -> StreamWriter {
    // RFC 9112 §6.1: no chunks to a 1.0 client; there the end of the connection is the end of the
    // content.
    let isChunked = reply.minorVersion >= 1
    var reply = reply
    if !isChunked { reply.keepAlive = false }
    let hasNone = status.code < 200 || status.code == 204 || status.code == 304
    HeadText.append(to: &out) { head in
      startLine(status, fields, reply, date, &head)
      if isChunked, !hasNone { head.append("transfer-encoding: chunked\r\n") }
      head.append("\r\n")
    }
    let form: StreamWriter.Form =
      reply.isHead || hasNone ? .none : isChunked ? .chunked : .untilClose
    return StreamWriter(form: form, keepAlive: reply.keepAlive)
  }

  /// Content in pieces.
  public struct StreamWriter: Sendable {
    enum Form: Sendable { case chunked, untilClose, none }
    var form: Form
    /// Whether the connection lives on after `end`.
    public let keepAlive: Bool

    public func write(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
      guard !bytes.isEmpty, form != .none else { return }  // an empty chunk would be the last one
      if form == .chunked {
        append(String(bytes.count, radix: 16), &out)
        append("\r\n", &out)
      }
      out.append(contentsOf: bytes)
      if form == .chunked { append("\r\n", &out) }
    }

    public func write(_ bytes: [UInt8], into out: inout [UInt8]) {
      bytes.withUnsafeBytes { write($0, into: &out) }
    }

    public func end(into out: inout [UInt8]) {
      if form == .chunked { append("0\r\n\r\n", &out) }
    }
  }

  private static func startLine(
    _ status: HTTPResponse.Status, _ fields: [HeaderField], _ reply: ReplyContext,
    _ date: HeaderValue?, _ head: inout HeadText
  ) {
    if status.code == 200 {
      head.append("HTTP/1.1 200 OK\r\n")
    } else {
      head.append("HTTP/1.1 ")
      head.append(decimal: status.code)
      head.append(" ")
      head.append(ReasonPhrase.of(status.code))
      head.append("\r\n")
    }
    for field in fields where !isOurs(field.name) {
      head.append(text: field.name.rawName)
      line(": ", field.value, &head)
    }
    if let date { line("date: ", date, &head) }
    if status.code == 101 { return }  // its Connection field is part of the handshake
    // RFC 9110 §7.8: Upgrade, which §15.5.22 wants with 426, is a field of this connection alone.
    if status.code == 426 {
      head.append(
        reply.keepAlive ? "connection: Upgrade\r\n" : "connection: close, Upgrade\r\n")
    } else if !reply.keepAlive {
      head.append("connection: close\r\n")
    } else if reply.minorVersion == 0 {
      head.append("connection: keep-alive\r\n")
    }
  }

  @inline(__always)
  private static func line(
    _ name: StaticString, _ value: HeaderValue, _ head: inout HeadText
  ) {
    head.append(name)
    value.bytes.withUnsafeBytes { head.append($0) }
    head.append("\r\n")
  }

  private static func isOurs(_ name: HTTPField.Name) -> Bool {
    switch name.canonicalName.utf8.count {
    case 4: name == .date
    case 10: name == .connection
    case 14: name == .contentLength
    case 17: name == .transferEncoding
    default: false
    }
  }
}

func append(_ text: String, _ out: inout [UInt8]) { out.append(contentsOf: text.utf8) }
func append(_ text: StaticString, _ out: inout [UInt8]) {
  text.withUTF8Buffer { out.append(contentsOf: $0) }
}

func appendDecimal(_ number: Int, _ out: inout [UInt8]) {
  if number >= 0, number < 10 { return out.append(UInt8(truncatingIfNeeded: number &+ 48)) }
  var rest = number.magnitude
  let start = out.count
  while rest > 0 {
    out.append(UInt8(truncatingIfNeeded: rest % 10 &+ 48))
    rest /= 10
  }
  if number < 0 { out.append(45) }
  out[start...].reverse()
}
