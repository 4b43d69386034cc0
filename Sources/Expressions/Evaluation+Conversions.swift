/// `int(x)`, `string(x)` and their kind.
extension Evaluation {
  mutating func convert(_ function: Function, _ a: Value) -> Value {
    if case .string(let text) = a, text.utf8.count >= 64, !meter.spend(bytes: text.utf8.count) {
      return Self.spent
    }
    let result: Value? =
      switch function {
      case .int: toInt(a)
      case .uint: toUint(a)
      case .double: toDouble(a)
      case .string: toText(a)
      case .bytes: toBytes(a)
      case .bool: toBool(a)
      case .timestamp: toTimestamp(a)
      case .duration: toDuration(a)
      case .type: .type(a.typeName)
      default: a
      }
    return result ?? noOverload(function.rawValue, [a])
  }

  private func bad(_ what: String, _ type: String) -> Value {
    .fault(.conversion, "Type conversion error: \(what) is not \(type)")
  }

  private func toInt(_ a: Value) -> Value? {
    switch a {
    case .int: return a
    case .uint(let x): return Int64(exactly: x).map(Value.int) ?? .fault(.range, "int64 range")
    case .double(let x):
      // The ends themselves are refused, since a double there has been rounded.
      guard x > -9.223372036854775808e18, x < 9.223372036854775808e18 else {
        return .fault(.range, "int64 range")
      }
      return .int(Int64(x))
    // The specification says nothing of a plus; every implementation takes it here.
    case .string(let text): return Int64(text).map(Value.int) ?? bad("'\(text)'", "an int")
    case .timestamp(let time): return .int(time.seconds)
    case .duration(let span): return nanoseconds(span)
    default: return nil
    }
  }

  /// The specification has no `int(duration)`: this is what cel-go makes of it.
  private func nanoseconds(_ span: Span) -> Value {
    let (whole, isOver) = span.seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isOverNow) = whole.addingReportingOverflow(Int64(span.nanoseconds))
    return isOver || isOverNow ? .fault(.range, "int64 range") : .int(sum)
  }

  private func toUint(_ a: Value) -> Value? {
    switch a {
    case .uint: return a
    case .int(let x): return UInt64(exactly: x).map(Value.uint) ?? .fault(.range, "uint64 range")
    case .double(let x):
      guard x >= 0, x < 18446744073709551616.0 else { return .fault(.range, "uint64 range") }
      return .uint(UInt64(x))
    case .string(let text):
      // Swift would take a leading sign; cel-go, which reads it for `int`, does not here.
      let isSigned = text.utf8.first.map("+-".utf8.contains) ?? false
      let number = isSigned ? nil : UInt64(text)
      return number.map(Value.uint) ?? bad("'\(text)'", "a uint")
    default: return nil
    }
  }

  private func toDouble(_ a: Value) -> Value? {
    switch a {
    case .double: return a
    case .int(let x): return .double(Double(x))
    case .uint(let x): return .double(Double(x))
    case .string(let text):
      return Self.double(text).map(Value.double) ?? bad("'\(text)'", "a double")
    default: return nil
    }
  }

  private static func double(_ text: String) -> Double? {
    // In any case, as cel-go takes them (`strconv.ParseFloat`).
    switch text.utf8.count <= 9 ? text.lowercased() : text {
    case "nan": .nan
    case "inf", "+inf", "infinity", "+infinity": .infinity
    case "-inf", "-infinity": -.infinity
    default:
      // A number that is too large for a double is none, as it is in a rule.
      text.utf8.allSatisfy { Lexer.isDigit($0) || "+-.eE".utf8.contains($0) }
        ? Double(text).flatMap { $0.isFinite ? $0 : nil } : nil
    }
  }

  private mutating func toText(_ a: Value) -> Value? {
    switch a {
    case .string: return a
    case .int(let x): return .string(String(x))
    case .uint(let x): return .string(String(x))
    // As cel-go's `%g` does, with an exponent from a million on.
    case .double(let x): return .string(DecimalText.shortest(x, exponentFrom: 6))
    case .bool(let x): return .string(x ? "true" : "false")
    case .timestamp(let x): return .string(x.description)
    case .duration(let x): return .string(x.description)
    case .ip(let x): return .string(x.text)
    case .cidr(let x): return .string(x.text)
    case .bytes(let bytes):
      guard meter.spend(bytes: bytes.count) else { return Self.spent }
      return String(validating: bytes, as: UTF8.self).map(Value.string)
        ?? .fault(.conversion, "invalid UTF-8 in bytes, cannot convert to string")
    default: return nil
    }
  }

  private mutating func toBytes(_ a: Value) -> Value? {
    switch a {
    case .bytes: return a
    case .string(let text):
      return meter.spend(bytes: text.utf8.count) ? .bytes(Array(text.utf8)) : Self.spent
    default: return nil
    }
  }

  private func toBool(_ a: Value) -> Value? {
    switch a {
    case .bool: return a
    case .string(let text):
      switch text {
      case "1", "t", "T", "true", "TRUE", "True": return .bool(true)
      case "0", "f", "F", "false", "FALSE", "False": return .bool(false)
      default: return bad("'\(text)'", "a bool")
      }
    default: return nil
    }
  }

  private func toTimestamp(_ a: Value) -> Value? {
    switch a {
    case .timestamp: return a
    case .int(let seconds):
      return Timestamp(seconds: seconds).map(Value.timestamp) ?? .fault(.range, "timestamp range")
    case .string(let text):
      return Timestamp(text).map(Value.timestamp) ?? bad("'\(text)'", "a timestamp in range")
    default: return nil
    }
  }

  private func toDuration(_ a: Value) -> Value? {
    switch a {
    case .duration: return a
    case .int(let seconds):
      return Span(seconds: seconds).map(Value.duration) ?? .fault(.range, "duration range")
    case .string(let text):
      return Span(text).map(Value.duration) ?? bad("'\(text)'", "a duration in range")
    default: return nil
    }
  }
}
