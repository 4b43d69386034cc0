/// Why the peer's bytes are no FastAGI. The connection cannot go on after one.
///
/// Offsets count bytes from the start of the connection; each names the first byte of the line at
/// fault.
public enum AGIError: Error, Equatable, Sendable {
  case lineTooLong(offset: Int)
  /// More header lines, or more lines of a `520` usage text, than any Asterisk sends.
  case tooManyLines(offset: Int)
  case missingColon(offset: Int)
  case badFieldName(offset: Int)
  /// A caller's name that smuggled in a line end could bring a second `agi_callerid`.
  case fieldTwice(offset: Int)
  case argumentOutOfOrder(offset: Int)
  case malformedReply(offset: Int)
  /// `200 result=1 (…` without a closing parenthesis: the value held a line end, so framing is
  /// lost.
  case unclosedValue(offset: Int)
  /// A reply although no command was in flight.
  case unaskedReply(offset: Int)

  public var offset: Int {
    switch self {
    case .lineTooLong(let offset), .tooManyLines(let offset), .missingColon(let offset),
      .badFieldName(let offset), .fieldTwice(let offset), .argumentOutOfOrder(let offset),
      .malformedReply(let offset), .unclosedValue(let offset), .unaskedReply(let offset):
      offset
    }
  }
}
