/// A value as a literal of the language, as explanations show it.
extension Value: CustomStringConvertible {
  public var description: String { text(limit: 200) }

  /// - Parameter limit: about how many bytes; a longer value is cut with `…`.
  public func text(limit: Int) -> String {
    var out = ""
    write(into: &out, limit: limit)
    return out
  }

  private func write(into out: inout String, limit: Int) {
    guard out.utf8.count < limit else {
      if !out.hasSuffix("…") { out += "…" }
      return
    }
    switch self {
    case .null: out += "null"
    case .bool(let bool): out += bool ? "true" : "false"
    case .int(let int): out += String(int)
    case .uint(let uint): out += "\(uint)u"
    case .double(let double): out += DecimalText.literal(double)
    case .string(let text): out += Evaluation.quoted(Self.cut(text, limit), isShown: true)
    case .bytes(let bytes): out += "b" + Evaluation.quotedBytes(Array(bytes.prefix(limit)))
    case .timestamp(let time): out += "timestamp(\"\(time)\")"
    case .duration(let span): out += "duration(\"\(span)\")"
    case .type(let name): out += name
    case .ip(let address): out += "ip(\"\(address.text)\")"
    case .cidr(let prefix): out += "cidr(\"\(prefix.text)\")"
    // An unknown says itself what it is.
    case .error(let error):
      out += error.kind == .unknown ? error.message : "error: \(error.message)"
    case .optional(let optional):
      guard let inner = optional.value else { return out += "optional.none()" }
      out += "optional.of("
      inner.write(into: &out, limit: limit)
      out += ")"
    case .list(let list):
      out += "["
      for (at, element) in list.enumerated() where out.utf8.count < limit || at == list.count - 1 {
        if at > 0 { out += ", " }
        element.write(into: &out, limit: limit)
      }
      out += "]"
    case .map(let map):
      out += "{"
      for at in map.keys.indices where out.utf8.count < limit || at == map.count - 1 {
        if at > 0 { out += ", " }
        map.keys[at].write(into: &out, limit: limit)
        out += ": "
        map.values[at].write(into: &out, limit: limit)
      }
      out += "}"
    }
  }

  private static func cut(_ text: String, _ limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    return Evaluation.text(text.unicodeScalars.prefix(limit)) + "…"
  }
}

extension DecimalText {
  /// Always with a point or an exponent, so that it reads back as a double.
  static func literal(_ value: Double) -> String {
    guard value.isFinite else { return "double(\"\(special(value) ?? "NaN")\")" }
    let text = shortest(value)
    return text.utf8.contains(0x2E) || text.utf8.contains(0x65) ? text : text + ".0"
  }
}

extension Evaluation {
  static func quotedBytes(_ bytes: [UInt8]) -> String {
    var out = "\""
    for byte in bytes {
      switch byte {
      case 0x22: out += "\\\""
      case 0x5C: out += "\\\\"
      case 0x20..<0x7F: out.unicodeScalars.append(UnicodeScalar(byte))
      default: out += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return out + "\""
  }
}
