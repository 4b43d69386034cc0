/// `"%d of %s".format([…])`: the text taken apart into what stands there and what is put in.
struct FormatText {
  enum Part: Equatable {
    case text(String)
    case clause(verb: UnicodeScalar, precision: Int?)
  }
  struct Wrong: Error { var what: String }

  var parts: [Part] = []
  var clauses: [UnicodeScalar] {
    parts.compactMap { if case .clause(let verb, _) = $0 { verb } else { nil } }
  }

  init(_ pattern: String) throws(Wrong) {
    var text = ""
    var scalars = Array(pattern.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      guard scalar == "%" else {
        text.unicodeScalars.append(scalar)
        continue
      }
      if scalars.first == "%" {
        scalars.removeFirst()
        text += "%"
        continue
      }
      if !text.isEmpty { parts.append(.text(text)) }
      text = ""
      let precision = try Self.precision(&scalars)
      guard let verb = scalars.popFirst() else { throw Wrong(what: "unexpected end of string") }
      parts.append(.clause(verb: verb, precision: precision))
    }
    if !text.isEmpty { parts.append(.text(text)) }
  }

  private static func precision(_ scalars: inout ArraySlice<UnicodeScalar>) throws(Wrong) -> Int? {
    guard scalars.first == "." else { return nil }
    scalars.removeFirst()
    var digits = ""
    while let digit = scalars.first, digit.isASCII, digit.properties.numericType != nil {
      digits.unicodeScalars.append(digit)
      scalars.removeFirst()
    }
    guard let given = Int(digits), given <= 100 else {
      throw Wrong(what: "the precision must be a number up to 100")
    }
    return given
  }

  /// Whether a clause takes values of a type; nil for a clause that there is none of.
  static func takes(_ verb: UnicodeScalar, _ type: Type) -> Bool? {
    let isNumber = [.int, .uint, .double].contains(type)
    let isFree = type.isGradual
    switch verb {
    case "s": return true
    case "d", "f", "e": return isNumber || isFree
    case "b": return [.int, .uint, .bool].contains(type) || isFree
    case "o": return [.int, .uint].contains(type) || isFree
    case "x", "X": return [.int, .uint, .string, .bytes].contains(type) || isFree
    default: return nil
    }
  }
}

extension Checker {
  /// A text that stands there, and what is put into it: too few values, or of types that its
  /// clauses do not take.
  mutating func checkFormat(_ arguments: [Int]) {
    guard arguments.count == 2, case .literal(.string(let pattern)) = syntax.nodes[arguments[0]]
    else { return }
    let clauses: [UnicodeScalar]
    do {
      clauses = try FormatText(pattern).clauses
    } catch {
      return report(arguments[0], "this cannot be formatted: \(error.what)")
    }
    var given: [(node: Int, type: Type)]?
    if case .list(let elements, let optional) = syntax.nodes[arguments[1]], optional.isEmpty {
      given = elements.map { ($0, types[$0]) }
      if elements.count < clauses.count {
        report(
          arguments[1], "this text has \(clauses.count) places, and \(elements.count) are filled")
      }
    }
    for (at, verb) in clauses.enumerated() {
      var (node, type) = (arguments[1], Type.dyn)
      if let given {
        guard given.indices.contains(at) else { return }
        (node, type) = given[at]
      } else if case .list(let element) = types[arguments[1]] {
        type = element
      }
      guard let takes = FormatText.takes(verb, type) else {
        return report(arguments[0], "there is no `%\(verb)`", hint: "%s takes anything")
      }
      if !takes { report(node, "`%\(verb)` does not take \(shown(type))") }
    }
  }
}

extension Evaluation {
  mutating func format(_ pattern: String, _ values: [Value]) -> Value {
    let text: FormatText
    do {
      text = try FormatText(pattern)
    } catch {
      return clause(error.what)
    }
    var out = ""
    var next = 0
    for part in text.parts {
      switch part {
      case .text(let text): out += text
      case .clause(let verb, let precision):
        guard values.indices.contains(next) else {
          return .fault(.range, "index \(next) out of range")
        }
        switch formatted(verb, precision, values[next]) {
        case .success(let text): out += text
        case .failure(let failure): return .error(failure.error)
        }
        next += 1
      }
      guard meter.spend(bytes: out.utf8.count / 8) else { return Self.spent }
    }
    return .string(out)
  }

  private struct Failure: Error { var error: EvaluationError }

  private func clause(_ what: String) -> Value {
    .fault(.invalidArgument, "could not parse formatting clause: \(what)")
  }

  private func refused(_ what: String, _ value: Value) -> Result<String, Failure> {
    let message = "error during formatting: \(what), was given \(value.typeName)"
    return .failure(Failure(error: EvaluationError(.invalidArgument, message)))
  }

  private mutating func formatted(
    _ verb: UnicodeScalar, _ precision: Int?, _ value: Value
  ) -> Result<String, Failure> {
    switch verb {
    case "s":
      var out = ""
      guard plain(value, &out) else {
        return .failure(
          Failure(error: EvaluationError(.budget, "the expression costs more than its budget")))
      }
      return .success(out)
    case "d": return decimal(value)
    case "f", "e":
      guard let number = Self.number(value) else {
        let name = verb == "f" ? "fixed-point" : "scientific"
        return refused("\(name) clause can only be used on doubles", value)
      }
      if let special = DecimalText.special(number) { return .success(special) }
      return .success(
        verb == "f"
          ? DecimalText.fixed(number, precision ?? 6)
          : DecimalText.scientific(number, precision ?? 6))
    case "b":
      switch value {
      case .int(let int): return .success(String(int, radix: 2))
      case .uint(let uint): return .success(String(uint, radix: 2))
      case .bool(let bool): return .success(bool ? "1" : "0")
      default: return refused("only integers and bools can be formatted as binary", value)
      }
    case "o":
      switch value {
      case .int(let int): return .success(String(int, radix: 8))
      case .uint(let uint): return .success(String(uint, radix: 8))
      default: return refused("octal clause can only be used on integers", value)
      }
    case "x", "X": return hexadecimal(value, upper: verb == "X")
    default:
      let message = "could not parse formatting clause: unrecognized formatting clause \"\(verb)\""
      return .failure(Failure(error: EvaluationError(.invalidArgument, message)))
    }
  }

  private static func number(_ value: Value) -> Double? {
    switch value {
    case .double(let double): double
    case .int(let int): Double(int)
    case .uint(let uint): Double(uint)
    default: nil
    }
  }

  private func decimal(_ value: Value) -> Result<String, Failure> {
    switch value {
    case .int(let int): return .success(String(int))
    case .uint(let uint): return .success(String(uint))
    case .double(let double):
      return .success(DecimalText.special(double) ?? DecimalText.plain(double))
    default: return refused("decimal clause can only be used on numbers", value)
    }
  }

  private func hexadecimal(_ value: Value, upper: Bool) -> Result<String, Failure> {
    func hex(_ bytes: some Sequence<UInt8>) -> String {
      bytes.map { byte in
        let digits = String(byte, radix: 16, uppercase: upper)
        return byte < 16 ? "0" + digits : digits
      }.joined()
    }
    switch value {
    case .int(let int): return .success(String(int, radix: 16, uppercase: upper))
    case .uint(let uint): return .success(String(uint, radix: 16, uppercase: upper))
    case .string(let text): return .success(hex(text.utf8))
    case .bytes(let bytes): return .success(hex(bytes))
    default:
      return refused("only integers, byte buffers, and strings can be formatted as hex", value)
    }
  }

  /// What `%s` prints; maps are sorted by their keys' text. False when the meter ran out.
  private mutating func plain(_ value: Value, _ out: inout String) -> Bool {
    guard meter.spend() else { return false }
    switch value {
    case .null: out += "null"
    case .bool(let bool): out += bool ? "true" : "false"
    case .int(let int): out += String(int)
    case .uint(let uint): out += String(uint)
    case .double(let double): out += DecimalText.special(double) ?? DecimalText.shortest(double)
    case .string(let text):
      out += text
      return meter.spend(bytes: text.utf8.count)
    case .bytes(let bytes):
      out += String(decoding: bytes, as: UTF8.self)
      return meter.spend(bytes: bytes.count)
    case .timestamp(let timestamp): out += timestamp.description
    case .duration(let span): out += span.description
    case .type(let name): out += name
    case .ip(let address): out += address.text
    case .cidr(let prefix): out += prefix.text
    case .optional(let optional):
      out += optional.value == nil ? "optional.none()" : "optional.of("
      guard let inner = optional.value else { return true }
      guard plain(inner, &out) else { return false }
      out += ")"
    case .error(let error): out += error.message
    case .list(let list):
      out += "["
      for (at, element) in list.enumerated() {
        if at > 0 { out += ", " }
        guard plain(element, &out) else { return false }
      }
      out += "]"
    case .map(let map):
      var entries: [(key: String, value: String)] = []
      for at in map.keys.indices {
        var (key, held) = ("", "")
        guard plain(map.keys[at], &key), plain(map.values[at], &held) else { return false }
        entries.append((key, held))
      }
      entries.sort { textPrecedes($0.key, $1.key) }
      out += "{" + entries.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
    }
    return true
  }
}
