/// The string extension. Positions count code points.
extension Evaluation {
  private typealias Scalars = [UnicodeScalar]

  mutating func strings(_ function: Function, _ arguments: [Value]) -> Value? {
    if function == .join { return join(arguments) }
    guard case .string(let text)? = arguments.first else { return nil }
    switch function {
    case .charAt, .indexOf, .lastIndexOf, .lowerAscii, .upperAscii, .replace, .split, .substring,
      .trim,
      .format,
      .reverse, .quote:
      guard meter.spend(bytes: text.utf8.count) else { return Self.spent }
    default: return nil
    }
    let rest = Array(arguments.dropFirst())
    // What is looked for and what is put in are gone through as well.
    for argument in rest where !meter.spend(comparing: argument) { return Self.spent }
    switch (function, rest.count) {
    case (.lowerAscii, 0): return .string(mapASCII(text, 0x41...0x5A) { $0 + 32 })
    case (.upperAscii, 0): return .string(mapASCII(text, 0x61...0x7A) { $0 - 32 })
    case (.trim, 0): return .string(Self.trimmed(text))
    case (.reverse, 0): return .string(Self.text(Scalars(text.unicodeScalars).reversed()))
    case (.quote, 0): return .string(Self.quoted(text))
    case (.charAt, 1): return charAt(text, rest[0])
    case (.substring, 1...2): return substring(text, rest)
    case (.indexOf, 1...2), (.lastIndexOf, 1...2): return find(function, text, rest)
    case (.replace, 2...3): return replace(text, rest)
    case (.split, 1...2): return split(text, rest)
    case (.format, 1):
      guard case .list(let values) = rest[0] else { return nil }
      return format(text, values)
    default: return nil
    }
  }

  static func text(_ scalars: some Sequence<UnicodeScalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private func mapASCII(_ text: String, _ range: ClosedRange<UInt8>, _ change: (UInt8) -> UInt8)
    -> String
  {
    String(decoding: text.utf8.map { range.contains($0) ? change($0) : $0 }, as: UTF8.self)
  }

  /// White space by Unicode's property, which leaves U+180E and the zero-width ones alone.
  static func trimmed(_ text: String) -> String {
    let scalars = Scalars(text.unicodeScalars)
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return Self.text(scalars[first...last])
  }

  private func outOfRange(_ index: Int64) -> Value {
    .fault(.range, "index out of range: \(index)")
  }

  private func charAt(_ text: String, _ index: Value) -> Value? {
    guard case .int(let index) = index else { return nil }
    let scalars = Scalars(text.unicodeScalars)
    guard index >= 0, index <= Int64(scalars.count) else { return outOfRange(index) }
    return .string(index == Int64(scalars.count) ? "" : Self.text([scalars[Int(index)]]))
  }

  private func substring(_ text: String, _ rest: [Value]) -> Value? {
    let scalars = Scalars(text.unicodeScalars)
    let count = Int64(scalars.count)
    guard case .int(let start) = rest[0] else { return nil }
    var end = count
    if rest.count == 2 {
      guard case .int(let given) = rest[1] else { return nil }
      end = given
    }
    guard start >= 0, start <= count else { return outOfRange(start) }
    guard end >= 0, end <= count else { return outOfRange(end) }
    guard start <= end else {
      return .fault(.range, "invalid substring range. start: \(start), end: \(end)")
    }
    return .string(Self.text(scalars[Int(start)..<Int(end)]))
  }

  private mutating func find(_ function: Function, _ text: String, _ rest: [Value]) -> Value? {
    guard case .string(let part) = rest[0] else { return nil }
    let scalars = Scalars(text.unicodeScalars)
    let wanted = Scalars(part.unicodeScalars)
    var from = function == .indexOf ? 0 : scalars.count
    if rest.count == 2 {
      guard case .int(let given) = rest[1] else { return nil }
      guard given >= 0, given <= Int64(scalars.count) else { return outOfRange(given) }
      from = Int(given)
    }
    let at =
      function == .indexOf
      ? TextSearch.first(wanted, in: scalars, from: from)
      : TextSearch.last(wanted, in: scalars, from: from)
    return .int(Int64(at ?? -1))
  }

  private mutating func replace(_ text: String, _ rest: [Value]) -> Value? {
    guard case .string(let old) = rest[0], case .string(let new) = rest[1] else { return nil }
    var limit = Int64.max
    if rest.count == 3 {
      guard case .int(let given) = rest[2] else { return nil }
      limit = given < 0 ? .max : given
    }
    let scalars = Scalars(text.unicodeScalars)
    let wanted = Scalars(old.unicodeScalars)
    let put = Scalars(new.unicodeScalars)
    // Nothing stands before every code point and behind the last.
    let places =
      wanted.isEmpty
      ? Array(0...scalars.count) : TextSearch.all(wanted, in: scalars, atMost: limit)
    var out: Scalars = []
    var at = 0
    for found in places.prefix(Int(clamping: limit)) {
      guard meter.spend(put.count / 16 + 1) else { return Self.spent }
      out += scalars[at..<found]
      out += put
      at = found + wanted.count
    }
    return .string(Self.text(out + scalars[at...]))
  }

  private mutating func split(_ text: String, _ rest: [Value]) -> Value? {
    guard case .string(let separator) = rest[0] else { return nil }
    var limit = Int64.max
    if rest.count == 2 {
      guard case .int(let given) = rest[1] else { return nil }
      limit = given < 0 ? .max : given
    }
    if limit == 0 { return .list([]) }
    let scalars = Scalars(text.unicodeScalars)
    let wanted = Scalars(separator.unicodeScalars)
    guard meter.spend(scalars.count) else { return Self.spent }
    var parts: [Value] = []
    var at = 0
    if wanted.isEmpty {
      while at < scalars.count, Int64(parts.count) < limit - 1 {
        parts.append(.string(Self.text([scalars[at]])))
        at += 1
      }
      if at < scalars.count { parts.append(.string(Self.text(scalars[at...]))) }
      return .list(parts)
    }
    for found in TextSearch.all(wanted, in: scalars, atMost: limit - 1) {
      parts.append(.string(Self.text(scalars[at..<found])))
      at = found + wanted.count
    }
    parts.append(.string(Self.text(scalars[at...])))
    return .list(parts)
  }

  private mutating func join(_ arguments: [Value]) -> Value? {
    guard (1...2).contains(arguments.count), case .list(let list) = arguments[0] else { return nil }
    var separator = ""
    if arguments.count == 2 {
      guard case .string(let given) = arguments[1] else { return nil }
      separator = given
    }
    var out = ""
    for (at, element) in list.enumerated() {
      guard case .string(let part) = element else { return nil }
      guard meter.spend(bytes: part.utf8.count + separator.utf8.count) else { return Self.spent }
      if at > 0 { out += separator }
      out += part
    }
    return .string(out)
  }

  /// Text as a literal of the language in double quotes.
  ///
  /// - Parameter isShown: at a terminal, to which a customer's words must say nothing: whatever is no
  ///   character of its own, or turns the direction of the line, is written as its number.
  static func quoted(_ text: String, isShown: Bool = false) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{07}": out += "\\a"
      case "\u{08}": out += "\\b"
      case "\u{0C}": out += "\\f"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0B}": out += "\\v"
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case _ where isShown && scalar.isUnseen: out += scalar.asNumber
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension Unicode.Scalar {
  /// Controls, ends of lines, and what turns the direction of what follows (UAX #9).
  public var isUnseen: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
      true
    default: false
    }
  }

  /// `\u001b`, as the language writes a character by its number; of those that are unseen.
  public var asNumber: String {
    let hex = String(value, radix: 16)
    return "\\u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
  }
}
