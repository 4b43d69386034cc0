import HTTPTypes

/// A field value that is safe on the wire: no CR, LF, NUL or other control, no space at its ends.
/// There is no way
/// to have one that is not, so a response cannot be split (CVE-2022-3215 in another server).
public struct HeaderValue: Sendable, Equatable {
  let text: String

  /// nil when the text holds what a field value may not (RFC 9110 §5.5).
  public init?(_ text: String) {
    for byte in text.utf8 where byte < 32 && byte != Bytes.tab || byte == 127 { return nil }
    if let first = text.utf8.first, first == Bytes.space || first == Bytes.tab { return nil }
    if let last = text.utf8.last, last == Bytes.space || last == Bytes.tab { return nil }
    self.text = text
  }

  /// For a value that stands in the source; a bad one is our own fault.
  public init(fixed literal: StaticString) {
    let text = literal.description
    precondition(HeaderValue(text) != nil, "not a field value: \(text)")
    self.text = text
  }

  public init(_ number: Int) { text = String(number) }
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
  public static let closing = ReplyContext(keepAlive: false)
}

/// Writes responses. Framing is this type's business alone: `Content-Length`, `Transfer-Encoding`,
/// `Connection`
/// and `Date` among the given fields are left out, so that no caller can contradict the bytes that
/// follow.
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
    startLine(status, fields, reply, date, &out)
    if let type {
      append("content-type: ", &out)
      append(type.text, &out)
      append("\r\n", &out)
    }
    // RFC 9110 §8.6: none with 1xx and 204; with 304 it would speak of another body, so it is left
    // out.
    let hasLength = status.code >= 200 && status.code != 204 && status.code != 304
    if hasLength {
      append("content-length: ", &out)
      appendDecimal(bodyBytes, &out)
      append("\r\n", &out)
    }
    append("\r\n", &out)
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
    startLine(status, fields, reply, date, &out)
    let hasNone = status.code < 200 || status.code == 204 || status.code == 304
    if isChunked, !hasNone { append("transfer-encoding: chunked\r\n", &out) }
    append("\r\n", &out)
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

  static func startLine(
    _ status: HTTPResponse.Status, _ fields: [HeaderField], _ reply: ReplyContext,
    _ date: HeaderValue?,
    _ out: inout [UInt8]
  ) {
    if status.code == 200 {
      append("HTTP/1.1 200 OK\r\n", &out)
    } else {
      append("HTTP/1.1 ", &out)
      appendDecimal(status.code, &out)
      append(" ", &out)
      append(ReasonPhrase.of(status.code), &out)
      append("\r\n", &out)
    }
    for field in fields where !isOurs(field.name) {
      append(field.name.rawName, &out)
      append(": ", &out)
      append(field.value.text, &out)
      append("\r\n", &out)
    }
    if let date {
      append("date: ", &out)
      append(date.text, &out)
      append("\r\n", &out)
    }
    if status.code == 101 { return }  // its Connection field is part of the handshake
    // RFC 9110 §7.8: Upgrade, which §15.5.22 wants with 426, is a field of this connection alone.
    if status.code == 426 {
      append(
        reply.keepAlive ? "connection: Upgrade\r\n" : "connection: close, Upgrade\r\n", &out)
    } else if !reply.keepAlive {
      append("connection: close\r\n", &out)
    } else if reply.minorVersion == 0 {
      append("connection: keep-alive\r\n", &out)
    }
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
