/// Arithmetic and the dispatch of functions with one, two or more arguments.
extension Evaluation {
  mutating func binary(_ function: Function, _ a: Value, _ b: Value) -> Value {
    switch function {
    case .add: return add(a, b)
    case .subtract, .multiply, .divide, .modulo: return arithmetic(function, a, b)
    case .contained: return contained(a, b)
    case .startsWith, .endsWith, .contains, .matches:
      guard case .string(let text) = a, case .string(let part) = b else {
        return noOverload(function.rawValue, [a, b])
      }
      return textTest(function, text, part)
    default: return several(function, [a, b])
    }
  }

  private mutating func textTest(_ function: Function, _ text: String, _ part: String) -> Value {
    guard meter.spend(bytes: text.utf8.count), meter.spend(bytes: part.utf8.count) else {
      return Self.spent
    }
    switch function {
    case .startsWith: return .bool(text.utf8.starts(with: part.utf8))
    case .endsWith: return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
    case .contains:
      return .bool(TextSearch.first(Array(part.utf8), in: Array(text.utf8), from: 0) != nil)
    default:
      switch pattern(part) {
      case .success(let pattern): return matches(.string(text), pattern)
      case .failure(let failure): return failure.value
      }
    }
  }

  struct PatternFailure: Error { var value: Value }

  /// The pattern of a text: one that stands in the expression is compiled already, one that it
  /// makes is paid for.
  mutating func pattern(_ text: String) -> Result<Pattern, PatternFailure> {
    guard meter.spend(bytes: text.utf8.count) else {
      return .failure(PatternFailure(value: Self.spent))
    }
    if let known = program.constantPatterns[CodePoints(text)] { return .success(known) }
    if let known = computedPatterns.first(where: { sameText($0.text, text) }) {
      return .success(known.pattern)
    }
    guard meter.spend(Pattern.compileCost(text)) else {
      return .failure(PatternFailure(value: Self.spent))
    }
    switch Pattern.make(text, isComputed: true) {
    case .success(let made):
      guard meter.spend(made.size * Pattern.instructionCost) else {
        return .failure(PatternFailure(value: Self.spent))
      }
      if computedPatterns.count == Self.computedPatternsMax { computedPatterns.removeFirst() }
      computedPatterns.append((text, made))
      return .success(made)
    case .failure(let failure):
      guard meter.spend(Pattern.refusedCost) else {
        return .failure(PatternFailure(value: Self.spent))
      }
      let message = "the pattern is wrong: \(failure.message)"
      return .failure(PatternFailure(value: .fault(.invalidArgument, message)))
    }
  }

  mutating func matches(_ text: Value, _ pattern: Pattern?) -> Value {
    guard case .string(let text) = text else {
      return text.isError ? text : noOverload("matches", [text])
    }
    guard let pattern else { return .fault(.invalidArgument, "the pattern is wrong") }
    guard meter.spend(pattern.matchCost(bytes: text.utf8.count)) else { return Self.spent }
    return .bool(pattern.isFound(in: text))
  }

  private mutating func contained(_ a: Value, _ b: Value) -> Value {
    switch b {
    case .list(let list):
      for element in list {
        guard let same = a.equals(element, &meter) else { return Self.spent }
        if same { return .bool(true) }
      }
      return .bool(false)
    case .map(let map):
      return spend(key: a) ? Self.presence(map.find(a)) : Self.spent
    default: return noOverload("@in", [a, b])
    }
  }

  private mutating func add(_ a: Value, _ b: Value) -> Value {
    switch (a, b) {
    case (.int, .int), (.uint, .uint), (.double, .double): return arithmetic(.add, a, b)
    case (.string(let x), .string(let y)):
      return meter.spend(bytes: x.utf8.count + y.utf8.count) ? .string(x + y) : Self.spent
    case (.bytes(let x), .bytes(let y)):
      return meter.spend(bytes: x.count + y.count) ? .bytes(x + y) : Self.spent
    case (.list(let x), .list(let y)):
      return meter.spend(x.count + y.count) ? .list(x + y) : Self.spent
    case (.timestamp(let x), .duration(let y)), (.duration(let y), .timestamp(let x)):
      return x.adding(y).map(Value.timestamp) ?? .fault(.range, "timestamp out of range")
    case (.duration(let x), .duration(let y)):
      return x.adding(y).map(Value.duration) ?? .fault(.range, "duration out of range")
    default: return noOverload("_+_", [a, b])
    }
  }

  private func arithmetic(_ function: Function, _ a: Value, _ b: Value) -> Value {
    switch (a, b) {
    case (.int(let x), .int(let y)):
      return Self.whole(function, x, y).map(Value.int) ?? failed(function, y == 0)
    case (.uint(let x), .uint(let y)):
      return Self.whole(function, x, y).map(Value.uint) ?? failed(function, y == 0)
    case (.double(let x), .double(let y)):
      switch function {
      case .add: return .double(x + y)
      case .subtract: return .double(x - y)
      case .multiply: return .double(x * y)
      case .divide: return .double(x / y)
      default: return noOverload(function.rawValue, [a, b])
      }
    case (.timestamp(let x), .timestamp(let y)) where function == .subtract:
      return x.subtracting(y).map(Value.duration) ?? .fault(.range, "duration out of range")
    case (.timestamp(let x), .duration(let y)) where function == .subtract:
      return y.negated.flatMap { x.adding($0) }.map(Value.timestamp)
        ?? .fault(.range, "timestamp out of range")
    case (.duration(let x), .duration(let y)) where function == .subtract:
      return x.subtracting(y).map(Value.duration) ?? .fault(.range, "duration out of range")
    default: return noOverload(function.rawValue, [a, b])
    }
  }

  private static func whole<T: FixedWidthInteger>(_ function: Function, _ a: T, _ b: T) -> T? {
    let (result, overflow) =
      switch function {
      case .add: a.addingReportingOverflow(b)
      case .subtract: a.subtractingReportingOverflow(b)
      case .multiply: a.multipliedReportingOverflow(by: b)
      case .divide: a.dividedReportingOverflow(by: b)
      default: a.remainderReportingOverflow(dividingBy: b)
      }
    return overflow ? nil : result
  }

  private func failed(_ function: Function, _ byZero: Bool) -> Value {
    if byZero, function == .divide { return .fault(.divisionByZero, "divide by zero") }
    if byZero, function == .modulo { return .fault(.divisionByZero, "modulus by zero") }
    return .fault(.overflow, "integer overflow")
  }

  mutating func unary(_ function: Function, _ a: Value) -> Value {
    switch function {
    case .negate:
      switch a {
      case .int(let x): return x == .min ? .fault(.overflow, "integer overflow") : .int(-x)
      case .double(let x): return .double(-x)
      case .duration(let x):
        return x.negated.map(Value.duration) ?? .fault(.range, "duration out of range")
      default: return noOverload("-_", [a])
      }
    case .size: return size(a)
    case .int, .uint, .double, .string, .bytes, .bool, .timestamp, .duration, .type, .dyn:
      return convert(function, a)
    default: return several(function, [a])
    }
  }

  /// A key is looked at whole to be found.
  mutating func spend(key: Value) -> Bool {
    if case .string(let text) = key, text.utf8.count >= 64 {
      return meter.spend(bytes: text.utf8.count)
    }
    return true
  }

  private mutating func size(_ a: Value) -> Value {
    switch a {
    case .string(let text):
      return meter.spend(bytes: text.utf8.count)
        ? .int(Int64(text.unicodeScalars.count)) : Self.spent
    case .bytes(let bytes): return .int(Int64(bytes.count))
    case .list(let list): return .int(Int64(list.count))
    case .map(let map): return .int(Int64(map.count))
    default: return noOverload("size", [a])
    }
  }

  /// Everything without a road of its own, by family.
  @inline(never)
  mutating func several(_ function: Function, _ arguments: [Value]) -> Value {
    strings(function, arguments) ?? lists(function, arguments) ?? times(function, arguments)
      ?? mathematics(function, arguments) ?? optionals(function, arguments) ?? network(
        function, arguments)
      ?? noOverload(function.rawValue, arguments)
  }
}
