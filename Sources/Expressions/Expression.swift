/// Reading, checking and evaluating expressions: the face of this target.
public enum Expression {
  /// - Units: see `Meter`. Enough for any rule; little enough for a hundred thousand evaluations a
  ///   second.
  public static let budgetDefault = 100_000

  /// Reads and checks. All mistakes are told at once.
  public static func compile(
    _ source: String, _ environment: Environment, expecting: Type? = nil
  ) -> Result<Program, CompileFailure> {
    let parsed = Parser.parse(source)
    guard parsed.diagnostics.isEmpty else {
      return .failure(CompileFailure(diagnostics: beside(parsed, environment)))
    }
    var checker = Checker.check(parsed.syntax, environment)
    checker.checkConstants()
    if let expecting, checker.diagnostics.isEmpty {
      let type = checker.types[parsed.syntax.root]
      if type != expecting, type != .dyn {
        let wanted = expecting == .bool ? "true or false" : "\(expecting)"
        checker.report(
          parsed.syntax.root, "this is \(type), where \(wanted) is needed",
          hint: expecting == .bool ? checker.conditionHint(parsed.syntax.root, type) : nil)
      }
    }
    guard checker.diagnostics.isEmpty else {
      return .failure(
        CompileFailure(diagnostics: checker.diagnostics.sorted { $0.start < $1.start }))
    }
    return .success(Program(source, checker))
  }

  /// What was misread, and the names beside it that are wrong anyhow. Types are left for when it can
  /// be read: they would only follow from what the parser made of the mistake. So would a name
  /// that the mistake cut off.
  private static func beside(
    _ parsed: (syntax: Syntax, diagnostics: [ExpressionDiagnostic]), _ environment: Environment
  ) -> [ExpressionDiagnostic] {
    let checker = Checker.check(parsed.syntax, environment)
    let names = checker.certain.filter { name in
      !parsed.diagnostics.contains { $0.start <= name.end && name.start <= $0.end }
    }
    let told = checker.forms(parsed.diagnostics)
    return (told + names).sorted { ($0.start, $0.end) < ($1.start, $1.end) }
  }

  /// Reads without checking types: what is wrong shows when it is evaluated.
  public static func compileUnchecked(
    _ source: String, _ environment: Environment
  ) -> Result<Program, CompileFailure> {
    let parsed = Parser.parse(source)
    guard parsed.diagnostics.isEmpty else {
      return .failure(CompileFailure(diagnostics: parsed.diagnostics))
    }
    return .success(Program(source, Checker.check(parsed.syntax, environment)))
  }

  /// Whether a source can be read, and its types go together. Patterns and other constants are not
  /// looked at.
  public static func isTyped(_ source: String, _ environment: Environment, as type: Type) -> Bool {
    let parsed = Parser.parse(source)
    guard parsed.diagnostics.isEmpty else { return false }
    let checker = Checker.check(parsed.syntax, environment)
    return checker.diagnostics.isEmpty && [type, .dyn].contains(checker.types[parsed.syntax.root])
  }

  /// How often a source names a class of Unicode in a pattern, such as `\pL`, at most: known before
  /// any pattern is read, since each takes up to milliseconds.
  public static func unicodeClasses(in source: String) -> Int {
    var count = 0
    var isEscaped = false
    for byte in source.utf8 {
      if isEscaped, byte | 0x20 == UInt8(ascii: "p") { count += 1 }
      isEscaped = byte == UInt8(ascii: "\\")
    }
    return count
  }

  /// Where comments stand, by bytes.
  public static func comments(_ source: String) -> [Range<Int>] {
    guard source.utf8.count <= Syntax.sourceBytesMax, source.contains("//") else { return [] }
    var lexer = Lexer(source)
    while lexer.next().kind != .end {}
    return lexer.comments
  }

  public struct CompileFailure: Error, Sendable {
    public var diagnostics: [ExpressionDiagnostic]
  }
}

extension Program {
  /// - Parameter slots: the variables' values, in the order in which the environment declares them;
  ///   nil for an absent one.
  /// - Returns: a value; `.error` where there is none.
  public func evaluate(_ slots: [Value?], budget: Int = Expression.budgetDefault) -> Value {
    slots.withUnsafeBufferPointer { slots in
      var evaluation = Evaluation(self, slots: slots, budget: budget, tracing: false)
      return evaluation.run()
    }
  }

  /// As `evaluate`, out of a purse that several expressions share.
  /// - Parameter purse: the steps that are left; less by those that this took.
  public func evaluate(_ slots: [Value?], from purse: inout Int) -> Value {
    let budget = min(purse, Expression.budgetDefault)
    return slots.withUnsafeBufferPointer { slots in
      var evaluation = Evaluation(self, slots: slots, budget: budget, tracing: false)
      let result = evaluation.run()
      purse -= budget - max(0, evaluation.meter.left)
      return result
    }
  }

  /// As `evaluate`, and every node's last value by its id; nil for one that was not reached.
  public func trace(_ slots: [Value?], budget: Int = Expression.budgetDefault) -> (Value, [Value?])
  {
    var purse = min(budget, Expression.budgetDefault)
    return trace(slots, from: &purse)
  }

  /// As `evaluate(_:from:)`, step for step, with the values of all nodes.
  public func trace(_ slots: [Value?], from purse: inout Int) -> (Value, [Value?]) {
    let budget = min(purse, Expression.budgetDefault)
    return slots.withUnsafeBufferPointer { slots in
      var evaluation = Evaluation(self, slots: slots, budget: budget, tracing: true)
      let result = evaluation.run()
      purse -= budget - max(0, evaluation.meter.left)
      return (result, evaluation.trace)
    }
  }
}

extension Checker {
  /// Constants that can only fail: patterns, time zones, divisions by zero.
  mutating func checkConstants() {
    for (node, kind) in syntax.nodes.enumerated() {
      let arguments: [Int]
      let function: Function
      switch (kind, references[node]) {
      case (.call(_, let given), .function(let found?)): (function, arguments) = (found, given)
      case (.member(let target, _, let given), .method(let found?)):
        (function, arguments) = (found, [target] + given)
      case (.member(_, _, let given), .function(let found?)): (function, arguments) = (found, given)
      default: continue
      }
      if function == .format {
        checkFormat(arguments)
        continue
      }
      guard arguments.count >= 2, case .literal(let literal) = syntax.nodes[arguments[1]] else {
        checkConversion(node, function, arguments)
        continue
      }
      switch (function, literal) {
      case (.matches, .string(let text)), (.regexExtract, .string(let text)),
        (.regexExtractAll, .string(let text)), (.regexReplace, .string(let text)):
        switch Pattern.make(text) {
        case .success(let made): patterns[CodePoints(text)] = made
        case .failure(let failure):
          report(
            arguments[1], "this pattern is wrong: \(failure.message)",
            hint: "patterns are those of RE2")
        }
      case (.getDate, .string(let zone)), (.getDayOfMonth, .string(let zone)),
        (.getDayOfWeek, .string(let zone)),
        (.getDayOfYear, .string(let zone)), (.getFullYear, .string(let zone)),
        (.getHours, .string(let zone)),
        (.getMilliseconds, .string(let zone)), (.getMinutes, .string(let zone)),
        (.getMonth, .string(let zone)),
        (.getSeconds, .string(let zone)):
        if ZoneTable(offsetText: zone) == nil, zone != "UTC", environment.zone(zone) == nil {
          report(
            arguments[1], "there is no time zone `\(zone)`",
            hint: ZoneTable.offset(meantBy: zone).map { "write it as \($0)" }
              ?? Spelling.zone(zone, among: environment.zoneNames()).map { "did you mean `\($0)`?" }
              ?? "zones are named as in Europe/Berlin, or +02:00")
        }
      case (.containsIP, .string(let text)) where NetworkAddress(text) == nil:
        report(
          arguments[1], "this is not an address", hint: "write it as 192.0.2.1 or 2001:db8::1")
      case (.containsCIDR, .string(let text)) where NetworkPrefix(text) == nil:
        report(
          arguments[1], "this is not a network", hint: "write it as 192.0.2.0/24 or 2001:db8::/32")
      default: break
      }
    }
  }

  private mutating func checkConversion(_ node: Int, _ function: Function, _ arguments: [Int]) {
    guard arguments.count == 1, case .literal(.string(let text)) = syntax.nodes[arguments[0]] else {
      return
    }
    switch function {
    case .timestamp where Timestamp(text) == nil:
      report(
        arguments[0], "this is not a moment",
        hint: "write it as \(Timestamp.meant(by: text) ?? "2026-11-25T21:25:00Z")")
    case .duration where Span(text) == nil:
      report(
        arguments[0], "this is not a length of time",
        hint: "write it as \(Span.meant(by: text) ?? "90s, 15m or 1h30m")")
    case .ip where NetworkAddress(text) == nil:
      report(arguments[0], "this is not an address", hint: "write it as 192.0.2.1 or 2001:db8::1")
    case .cidr where NetworkPrefix(text) == nil:
      report(
        arguments[0], "this is not a network", hint: "write it as 192.0.2.0/24 or 2001:db8::/32")
    default: break
    }
  }
}
