/// What Asterisk answers to one command.
///
/// - Shape:  `200 result=1 (value) endpos=0`, `200 result= (timeout)`, `510 Invalid or unknown
///   command`,
///           `511 Command Not Permitted on a dead channel …`, or `520-…`, free lines, `520 End of
///           proper usage.`
public enum AGIReply: Equatable, Sendable {
  /// `result` is text, since `GET DATA` answers with digits, `*`, `#` or nothing. `value` is what
  /// stood in parentheses. `rest` is what came after both, such as `endpos=8000`.
  case result(String, value: String?, rest: String)
  /// 510: this Asterisk has no such command.
  case unknownCommand
  /// 511: the caller has hung up, and the command needs a live channel.
  case deadChannel
  /// 520: the lines between the first and the last, without their line ends.
  case usage([String])
  /// A code that no known Asterisk sends, kept so that a newer one does not end the call.
  case other(code: Int, text: String)

  /// The result as a number: `-1` is what most commands answer when the caller hung up meanwhile.
  public var number: Int? {
    if case .result(let text, _, _) = self { Int(text) } else { nil }
  }

  public var value: String? {
    if case .result(_, let value, _) = self { value } else { nil }
  }
}

extension AGIReply {
  /// Reads a single reply line without its LF. `520-` is the codec's business.
  static func read(_ line: [UInt8], at offset: Int) throws(AGIError) -> AGIReply {
    guard let code = code(of: line), line.count == 3 || line[3] == UInt8(ascii: " ") else {
      throw .malformedReply(offset: offset)
    }
    let text = line.dropFirst(4)
    switch code {
    case 200: return try result(text, at: offset)
    case 510: return .unknownCommand
    case 511: return .deadChannel
    case 520: return .usage([])  // "Proper usage not available" comes as one line
    default: return .other(code: code, text: String(decoding: text, as: UTF8.self))
    }
  }

  /// The three digits at the front, or nil.
  static func code(of line: [UInt8]) -> Int? {
    guard line.count >= 3 else { return nil }
    var code = 0
    for byte in line.prefix(3) {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      code = code * 10 + Int(byte - 0x30)
    }
    return code
  }

  private static func result(_ text: ArraySlice<UInt8>, at offset: Int) throws(AGIError) -> AGIReply
  {
    let label = "result=".utf8
    guard text.starts(with: label) else { throw .malformedReply(offset: offset) }
    var rest = text.dropFirst(label.count)
    let result = rest.prefix { $0 != UInt8(ascii: " ") }
    rest = rest.dropFirst(result.count).drop { $0 == UInt8(ascii: " ") }
    var value: String?
    if rest.first == UInt8(ascii: "(") {
      // The value may itself hold parentheses: `PJSIP/ann(home)`. The last one closes.
      guard let close = rest.lastIndex(of: UInt8(ascii: ")")) else {
        throw .unclosedValue(offset: offset)
      }
      value = String(decoding: rest[(rest.startIndex + 1)..<close], as: UTF8.self)
      rest = rest[(close + 1)...].drop { $0 == UInt8(ascii: " ") }
    }
    return .result(
      String(decoding: result, as: UTF8.self), value: value,
      rest: String(decoding: rest, as: UTF8.self))
  }
}
