// What went wrong on a FastAGI connection, for whoever reads the log and sets up the dialplan.

extension AGIError {
  public var sentence: String {
    let what =
      switch self {
      case .lineTooLong: "a line is longer than any that Asterisk sends"
      case .tooManyLines: "there are more lines than any Asterisk sends"
      case .missingColon: "a header line has no colon"
      case .badFieldName: "a header line does not begin with agi_ and a name"
      case .fieldTwice: "a header field came twice, as when a caller's name holds a line end"
      case .argumentOutOfOrder: "agi_arg_1, agi_arg_2 … did not come in their order"
      case .malformedReply: "a reply to a command cannot be read"
      case .unclosedValue: "a reply's value has no closing bracket, as when it holds a line end"
      case .unaskedReply: "a reply came to no command"
      }
    return "\(what) (the line at byte \(offset) of the connection); is that an Asterisk?"
  }
}

extension AGIRefusal {
  public var sentence: String {
    switch self {
    case .wrongSecret:
      "its first argument is no phone system's secret; `throughline phone` prints them"
    case .unknownScript(let name):
      "it asks for the script \"\(printable(name))\"; there are wait, answered and hangup"
    case .missingField(let name): "it did not send \(name)"
    case .badOffer: "the second argument of \"answered\" is no offer"
    case .broken(let error): error.sentence
    case .incomplete: "it closed before its header was complete"
    }
  }

  /// What a stranger sent must neither fill the log nor break its lines.
  private func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.prefix(60).filter { (" "..."~").contains($0) }))
  }
}

extension AGIKeyring.Refusal {
  public var sentence: String {
    switch self {
    case .tooShort(let name):
      "the secret of \(name) is shorter than \(AGIKeyring.secretBytesMin) bytes"
    case .placeholder(let name): "the secret of \(name) is one that everybody knows; choose another"
    case .unusable(let name):
      "the secret of \(name) has a character that no dialplan keeps, such as a comma"
    case .shared(let name, let other):
      "\(name) and \(other) have the same secret; each needs its own"
    }
  }
}
