import Wire

/// Reads the lines of a head or of a trailer section, one complete line at a time.
///
/// It remembers how far it has looked, so that a head arriving a byte at a time is still scanned
/// once. What it
/// decides depends only on complete lines and on byte counts, never on where the bytes were cut.
struct HeadReader: Sendable {
  /// Where the line that is being awaited begins, from the front of the buffer.
  var lineStart = 0
  private var looked = 0
  /// Where the field lines begin; the bound on all of them counts from here.
  var fieldsStart = 0

  enum Line {
    case more
    case line(Range<Int>)
  }

  /// Finds the next line, without its CRLF.
  mutating func line(_ bytes: UnsafeRawBufferPointer, max: Int, past: HTTPProtocolError)
    throws(HTTPProtocolError) -> Line
  {
    guard let lf = Bytes.first(Bytes.lf, bytes, Swift.max(looked, lineStart)..<bytes.count) else {
      looked = bytes.count
      if bytes.count - lineStart >= max { throw past }
      return .more
    }
    if lf + 1 - lineStart > max { throw past }
    // RFC 9112 §2.2 lets a recipient take a bare LF as a line end. Two parsers that differ here can
    // be made to see different messages, so it is refused.
    guard lf > lineStart, bytes[lf - 1] == Bytes.cr else {
      throw HTTPProtocolError(400, .bareLineFeed)
    }
    let range = lineStart..<(lf - 1)
    lineStart = lf + 1
    looked = lineStart
    return .line(range)
  }

  enum Field {
    case more, end
    case field(FieldTable.Line)
  }

  /// Reads the next field line; `.end` at the empty line that closes the section. RFC 9112 §5.
  mutating func field(
    _ bytes: UnsafeRawBufferPointer, _ count: Int, _ limits: HTTPLimits
  ) throws(HTTPProtocolError) -> Field {
    let tooLarge = HTTPProtocolError(431, .fieldsTooLarge)
    let room = limits.fieldBytesMax - (lineStart - fieldsStart)
    let line = try line(
      bytes, max: min(limits.fieldLineBytesMax, Swift.max(room, 2)), past: tooLarge)
    guard case .line(let range) = line else { return .more }
    if range.isEmpty { return .end }
    guard count < limits.fieldCountMax else { throw tooLarge }
    return .field(try Self.split(bytes, range))
  }

  /// `field-name ":" OWS field-value OWS`
  private static func split(
    _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>
  ) throws(HTTPProtocolError) -> FieldTable.Line {
    let first = bytes[line.lowerBound]
    // RFC 9112 §5.2: obs-fold is refused. A first line that begins with a space is the same trick
    // (§2.2).
    if first == Bytes.space || first == Bytes.tab {
      throw HTTPProtocolError(400, .foldedField)
    }
    var at = line.lowerBound
    while at < line.upperBound, Bytes.isToken(bytes[at]) { at &+= 1 }
    // RFC 9112 §5.1: no space between the name and the colon; an empty name is no name.
    guard at < line.upperBound, bytes[at] == Bytes.colon, at > line.lowerBound else {
      throw HTTPProtocolError(400, .malformedField)
    }
    // RFC 9110 §5.5: CR, LF and NUL make a message invalid; so do the other controls here.
    if Bytes.firstControl(bytes, (at + 1)..<line.upperBound) != nil {
      throw HTTPProtocolError(400, .malformedField)
    }
    let value = Bytes.trim(bytes, (at + 1)..<line.upperBound)
    return FieldTable.Line(
      nameStart: UInt32(truncatingIfNeeded: line.lowerBound),
      nameEnd: UInt32(truncatingIfNeeded: at),
      valueStart: UInt32(truncatingIfNeeded: value.lowerBound),
      valueEnd: UInt32(truncatingIfNeeded: value.upperBound))
  }
}
