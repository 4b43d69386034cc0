import HTTPTypes
import Wire

/// What the field lines say about framing, Host and the connection; gathered line by line, settled
/// at the end of the head. This is where smuggling is decided: every doubt is a refusal (RFC 9112
/// §6.3, §11.2).
struct RequestFraming: Sendable {
  private var length: Int?
  private var coding: FieldTable.Line?
  private var host: Range<Int>?
  private var hasClose = false
  private var hasKeepAlive = false
  private var hasUpgrade = false
  private var namesWebSocket = false
  private var expectsContinue = false
  private var expectsMore = false

  /// Looks at one field line.
  mutating func note(_ bytes: UnsafeRawBufferPointer, _ line: FieldTable.Line)
    throws(HTTPProtocolError)
  {
    switch line.name.count {
    case 4 where Bytes.spells(bytes, line.name, "host"):
      // RFC 9112 §3.2: more than one Host, or a malformed one, is 400.
      guard host == nil, HostField.isValid(bytes, line.value) else {
        throw HTTPProtocolError(400, .badHost)
      }
      host = line.value
    case 6 where Bytes.spells(bytes, line.name, "expect"):
      // RFC 9110 §10.1.1: a list. Any other expectation may be refused with 417, and a known one
      // beside it does not make it known.
      Bytes.list(bytes, line.value) {
        if Bytes.spells(bytes, $0, "100-continue") {
          expectsContinue = true
        } else if !$0.isEmpty {
          expectsMore = true
        }
      }
    case 7 where Bytes.spells(bytes, line.name, "upgrade"):
      Bytes.list(bytes, line.value) {
        if Bytes.spells(bytes, $0, "websocket") { namesWebSocket = true }
      }
    case 10 where Bytes.spells(bytes, line.name, "connection"):
      Bytes.list(bytes, line.value) { element in
        if Bytes.spells(bytes, element, "close") { hasClose = true }
        if Bytes.spells(bytes, element, "keep-alive") { hasKeepAlive = true }
        if Bytes.spells(bytes, element, "upgrade") { hasUpgrade = true }
      }
    case 14 where Bytes.spells(bytes, line.name, "content-length"):
      // RFC 9112 §6.3: repeated lengths are refused even when they agree.
      guard length == nil else { throw HTTPProtocolError(400, .badContentLength) }
      length = try ContentLength.parse(bytes, line.value)
    case 17 where Bytes.spells(bytes, line.name, "transfer-encoding"):
      if coding != nil { throw HTTPProtocolError(400, .badTransferEncoding) }
      coding = line
    default: break
    }
  }

  /// Decides what content follows the head and fills in what the request says of the connection.
  func settle(
    _ bytes: UnsafeRawBufferPointer, _ request: inout IncomingRequest, _ limits: HTTPLimits
  ) throws(HTTPProtocolError) -> HTTPRequestDecoder.State {
    let isOld = request.minorVersion == 0
    if host == nil, !isOld { throw HTTPProtocolError(400, .badHost) }  // RFC 9112 §3.2
    if request.targetForm != .absolute { request.hostRange = host }
    request.keepAlive = !hasClose && (!isOld || hasKeepAlive)  // RFC 9112 §9.3
    request.wantsWebSocket = hasUpgrade && namesWebSocket && !isOld && request.method == .get
    request.contentLength = coding == nil ? length ?? 0 : nil
    let hasContent = coding != nil || (length ?? 0) > 0
    if let coding {
      // RFC 9112 §6.1: in HTTP/1.0 the framing is faulty; with a length besides, it is an attack.
      if isOld { throw HTTPProtocolError(400, .badTransferEncoding) }
      if length != nil { throw HTTPProtocolError(400, .lengthAndCoding) }
      try TransferCoding.check(bytes, coding.value)
    }
    if let length, length > limits.bodyBytesMax { throw HTTPProtocolError(413, .bodyTooLarge) }
    if !isOld {  // RFC 9110 §10.1.1: a 1.0 client's expectation is ignored
      if expectsMore { throw HTTPProtocolError(417, .unknownExpectation) }
      request.expectsContinue = expectsContinue && hasContent
    }
    return coding != nil ? .chunked(ChunkedReader()) : .length(length ?? 0)
  }
}

enum ContentLength {
  /// `1*DIGIT`, RFC 9110 §8.6: no sign, no list, no space. One that no machine can hold is too
  /// large.
  static func parse(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(HTTPProtocolError)
    -> Int
  {
    guard !range.isEmpty, range.allSatisfy({ Bytes.isDigit(bytes[$0]) }) else {
      throw HTTPProtocolError(400, .badContentLength)
    }
    var length = 0
    for index in range {
      let (tens, overflow) = length.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[index] - 48))
      if overflow || carry { throw HTTPProtocolError(413, .bodyTooLarge) }
      length = sum
    }
    return length
  }
}

enum TransferCoding {
  /// Exactly `chunked` passes. A known-to-exist coding before a final `chunked` is 501 (RFC 9112
  /// §6.1); anything else leaves the length unknown and is 400 (§6.3).
  static func check(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(HTTPProtocolError)
  {
    if Bytes.spells(bytes, range, "chunked") { return }
    var chunkedCount = 0
    var isLast = false
    var isList = true
    Bytes.list(bytes, range) { element in
      isLast = Bytes.spells(bytes, element, "chunked")
      if isLast { chunkedCount += 1 }
      if element.isEmpty || !element.allSatisfy({ Bytes.isToken(bytes[$0]) }) { isList = false }
    }
    if isList, isLast, chunkedCount == 1 { throw HTTPProtocolError(501, .unknownTransferCoding) }
    throw HTTPProtocolError(400, .badTransferEncoding)
  }
}
