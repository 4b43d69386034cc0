import HTTPTypes
import Wire

/// `method SP request-target SP HTTP-version`, RFC 9112 §3.
enum RequestLine {
  static func parse(
    _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, into request: inout IncomingRequest
  ) throws(HTTPProtocolError) {
    let malformed = HTTPProtocolError(400, .malformedRequestLine)
    guard let methodEnd = Bytes.first(Bytes.space, bytes, line),
      let targetEnd = Bytes.first(Bytes.space, bytes, (methodEnd + 1)..<line.upperBound)
    else { throw malformed }  // HTTP/0.9 has no version: refused here
    let method = line.lowerBound..<methodEnd
    let target = (methodEnd + 1)..<targetEnd
    guard !method.isEmpty, method.allSatisfy({ Bytes.isToken(bytes[$0]) }), !target.isEmpty else {
      throw malformed
    }
    request.method = self.method(bytes, method)
    request.minorVersion = try version(bytes, (targetEnd + 1)..<line.upperBound)
    // RFC 9112 §3: a method longer than any that is implemented gets 501.
    if method.count > 24 { throw HTTPProtocolError(501, .unknownMethod) }
    try self.target(bytes, target, &request)
  }

  /// `HTTP/1.x`. RFC 9110 §2.5: a higher minor version is spoken to as 1.1.
  static func version(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>)
    throws(HTTPProtocolError) -> Int
  {
    guard range.count == 8, prefix("HTTP/", bytes, range),
      Bytes.isDigit(bytes[range.lowerBound + 5]),
      bytes[range.lowerBound + 6] == 46, Bytes.isDigit(bytes[range.lowerBound + 7])
    else { throw HTTPProtocolError(400, .malformedRequestLine) }
    // The HTTP/2 preface `PRI * HTTP/2.0` ends here too.
    guard bytes[range.lowerBound + 5] == 49 else {
      throw HTTPProtocolError(505, .unsupportedVersion)
    }
    return bytes[range.lowerBound + 7] == 48 ? 0 : 1
  }

  private static func method(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>)
    -> HTTPRequest.Method
  {
    if prefix("GET", bytes, range), range.count == 3 { return .get }
    if prefix("POST", bytes, range), range.count == 4 { return .post }
    // The bytes are a token, so the fallback is never taken.
    return HTTPRequest.Method(rawValue: String(decoding: bytes[range], as: UTF8.self)) ?? .get
  }

  private static func prefix(
    _ text: StaticString, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
  )
    -> Bool
  {
    guard range.count >= text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { wanted in
      for index in 0..<wanted.count where bytes[range.lowerBound &+ index] != wanted[index] {
        return false
      }
      return true
    }
  }

  /// RFC 9112 §3.2. A fragment is never sent; bytes outside visible ASCII are never part of a URI.
  private static func target(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ request: inout IncomingRequest
  ) throws(HTTPProtocolError) {
    let bad = HTTPProtocolError(400, .badTarget)
    for index in range where bytes[index] <= 32 || bytes[index] >= 127 || bytes[index] == 35 {
      throw bad
    }
    // CONNECT wants a tunnel, which this server does not make; its authority-form is good for
    // nothing else.
    if request.method == .connect { throw HTTPProtocolError(501, .unknownMethod) }
    if bytes[range.lowerBound] == 47 {
      (request.path, request.queryRange) = split(bytes, range)
      return
    }
    if range.count == 1, bytes[range.lowerBound] == 42 {
      guard request.method == .options else { throw bad }  // §3.2.4
      request.targetForm = .asterisk
      request.path = range
      return
    }
    // §3.2.2: absolute-form must be understood.
    guard let scheme = schemeLength(bytes, range) else { throw bad }
    let authority = range.lowerBound + scheme
    let end =
      (authority..<range.upperBound).first { bytes[$0] == 47 || bytes[$0] == 63 }
      ?? range.upperBound
    guard HostField.isValid(bytes, authority..<end) else { throw bad }
    request.targetForm = .absolute
    request.hostRange = authority..<end
    (request.path, request.queryRange) = split(bytes, end..<range.upperBound)
  }

  private static func schemeLength(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    for scheme in ["http://", "https://"] as [StaticString] {
      let n = scheme.utf8CodeUnitCount
      if range.count > n, Bytes.spells(bytes, range.lowerBound..<(range.lowerBound + n), scheme) {
        return n
      }
    }
    return nil
  }

  private static func split(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> (
    Range<Int>, Range<Int>?
  ) {
    guard let mark = Bytes.first(63, bytes, range) else { return (range, nil) }
    return (range.lowerBound..<mark, (mark + 1)..<range.upperBound)
  }
}

/// `uri-host [ ":" port ]`, RFC 9110 §7.2.
enum HostField {
  static func isValid(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    guard let first = range.first else { return false }  // an http URI without a host is invalid: RFC 9110 §4.2.1
    var at = range.lowerBound
    if bytes[first] == 91 {
      guard let close = Bytes.first(93, bytes, range), close - first > 2 else { return false }
      let inside = (first + 1)..<close
      guard isIPv6(bytes, inside) || isFutureAddress(bytes, inside) else { return false }
      at = close + 1
    } else {
      while at < range.upperBound, bytes[at] != Bytes.colon {
        if bytes[at] == 37 {
          guard at + 2 < range.upperBound, Hex.value(bytes[at + 1]) != nil,
            Hex.value(bytes[at + 2]) != nil
          else { return false }
          at += 3
        } else {
          guard isNameByte(bytes[at]) else { return false }
          at += 1
        }
      }
      if at == range.lowerBound { return false }
    }
    guard at < range.upperBound else { return true }
    guard bytes[at] == Bytes.colon else { return false }
    var port = 0  // `*DIGIT` (RFC 3986 §3.2.3): none, and zeros in front, are well-formed
    for index in (at + 1)..<range.upperBound {
      guard Bytes.isDigit(bytes[index]) else { return false }
      port = port * 10 + Int(bytes[index] - 48)
      if port > 65_535 { return false }
    }
    return true
  }

  /// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`, RFC 3986 §3.2.2.
  private static func isFutureAddress(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool
  {
    guard Bytes.lower(bytes[range.lowerBound]) == 118,
      let dot = Bytes.first(46, bytes, range), dot > range.lowerBound + 1,
      dot + 1 < range.upperBound
    else { return false }
    return ((range.lowerBound + 1)..<dot).allSatisfy { Hex.value(bytes[$0]) != nil }
      && ((dot + 1)..<range.upperBound).allSatisfy {
        isNameByte(bytes[$0]) || bytes[$0] == Bytes.colon
      }
  }

  /// `unreserved / sub-delims` but the comma, which is how a middlebox joins two Host fields.
  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, 45, 46, 95, 126, 33, 36, 38...43, 59, 61: true
    default: false
    }
  }

  /// Eight groups of four hex digits, of which one run may be left out and the last two may be
  /// written as IPv4, RFC 3986 §3.2.2; zone identifiers do not travel in Host.
  private static func isIPv6(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    var groups = 0
    var at = range.lowerBound
    var isShortened = Bytes.spells(bytes, at..<min(at + 2, range.upperBound), "::")
    if isShortened { at += 2 }
    while at < range.upperBound {
      let end = Bytes.first(Bytes.colon, bytes, at..<range.upperBound) ?? range.upperBound
      if end == range.upperBound, isIPv4(bytes, at..<end) {
        groups += 2
        break
      }
      guard 1...4 ~= end - at, (at..<end).allSatisfy({ Hex.value(bytes[$0]) != nil }) else {
        return false
      }
      groups += 1
      if end == range.upperBound { break }
      at = end + 1
      if at == range.upperBound { return false }
      if bytes[at] == Bytes.colon {
        if isShortened { return false }
        isShortened = true
        at += 1
      }
    }
    return isShortened ? groups < 8 : groups == 8
  }

  private static func isIPv4(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    let parts = bytes[range].split(separator: 46, omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        1...3 ~= part.count && part.allSatisfy(Bytes.isDigit)
          && (part.count == 1 || part.first != 48)
          && part.reduce(0) { $0 * 10 + Int($1 - 48) } < 256
      }
  }
}
