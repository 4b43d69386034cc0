extension JSONError: CustomStringConvertible {
  /// A sentence for whoever sent the text: `a string was expected at byte 17`.
  public var description: String { "\(what) at byte \(offset)" }

  private var what: String {
    switch kind {
    case .expected(let thing): "\(thing) was expected"
    case .tooDeep: "too many arrays and objects inside each other"
    case .invalidUTF8: "bytes that are not UTF-8"
    case .badEscape: "an unknown escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a string"
    case .controlInString: "an unescaped control character in a string"
    case .badNumber: "a malformed number"
    case .numberOutOfRange: "a number out of range"
    case .duplicateKey(let key): "\"\(key)\" for the second time"
    case .unknownField(let key): "an unknown field \"\(key)\""
    case .missingField(let key): "\"\(key)\" is missing"
    case .badValue(let why): why
    case .trailingBytes: "something after the end"
    }
  }
}
