import Expressions
import Testing

/// What is known of a condition before it runs.
struct `Looking at a condition` {
  static let environment = Environment(variables: [
    .init("a.text", .string), .init("a.number", .int), .init("a.flag", .bool),
    .init("a.list", .list(.string)),
    .init("a.share", .double),
  ])

  static func program(_ source: String) throws -> Program {
    try Expression.compile(source, environment).get()
  }

  @Test(arguments: [
    "true", "1 < 2", "a.flag || true", "has(a.text) || true", "'a' in ['a']", "!(a.flag && false)",
  ])
  func `what is always true is found`(_ source: String) throws {
    #expect(try Self.program(source).constantOutcome() == true, "\(source)")
  }

  @Test(arguments: [
    "false", "a.flag && false", "has(a.text) && 1 > 2", "a.text == 'x' && a.text == 'y'",
    "a.number > 5 && a.number < 3", "a.number > 5 && 5 > a.number", "a.number >= 5 && a.number < 5",
    "a.number == 3 && a.number > 3", "a.number == 3 && a.number == 4", "a.flag && !a.flag",
    "size(a.list) > 2 && a.flag && size(a.list) <= 2", "a.share < 0.5 && a.share > 0.5",
    "a.number == 5 && a.number != 5", "a.flag && a.flag == false", "!a.flag && a.flag == true",
    "a.text != 'x' && 'x' == a.text", "a.text in ['x', 'y'] && a.text == 'z'",
    "a.number in [1, 2] && a.number in [3] && a.flag", "size(a.text) < 0",
    "a.text in ['x'] && (a.text == 'y' || a.text in ['z', 'w'])",
  ])
  func `what is always false is found`(_ source: String) throws {
    #expect(try Self.program(source).constantOutcome() == false, "\(source)")
  }

  @Test(arguments: [
    "a.flag", "a.text == 'x' && a.text == 'x'", "a.text in ['x', 'y'] && a.text in ['y', 'z']",
    "a.number in [1, 2] && a.share == 1.0", "a.number in [1, 2] && a.number == 2",
    "size(a.text) < 1", "a.number >= 5 && a.number <= 5",
    "a.number > 5 || a.number < 3",
    "a.number > 3 && a.share < 3.0", "a.flag && !(a.text == 'x')", "has(a.text)",
    "a.number == 3 && a.number >= 3",
    "a.text == 'x' && a.number == 3", "a.flag ? true : false",
  ])
  func `what depends on a fact is neither`(_ source: String) throws {
    #expect(try Self.program(source).constantOutcome() == nil, "\(source)")
  }

  @Test func `whatever is called constant never comes out otherwise`() throws {
    var generator = Seeded(seed: 5)
    var found = 0
    let texts: [Value?] = [nil, .string("a"), .string("")]
    for _ in 0..<3_000 {
      let clauses = (0...generator.next(3)).map { _ in generator.clause() }
      let program = try Self.program(
        clauses.joined(separator: generator.next(4) == 0 ? " || " : " && "))
      guard let outcome = program.constantOutcome() else { continue }
      found += 1
      for number in [Value?.none, .int(2), .int(3), .int(4)] {
        for text in texts {
          for flag in [Value?.none, .bool(true), .bool(false)] {
            let value = program.evaluate([text, number, flag, .list([]), .double(3)])
            #expect(value.isError || value == .bool(outcome), "\(program.source)")
          }
        }
      }
    }
    #expect(found > 300)
  }

  /// By name, the facts that a condition needs to be true.
  static func required(_ source: String) throws -> [String] {
    let program = try Self.program(source)
    return program.requiredSlots().map { Self.environment.variables[$0.slot].name }
  }

  @Test(arguments: [
    ("a.flag && a.text == 'x'", ["a.flag", "a.text"]),
    ("a.flag && !(!(a.text == 'x' || a.number == 1))", ["a.flag"]),
    ("a.flag && ((a.flag && a.text == 'x') == false)", ["a.flag"]),
    ("!(a.flag || a.text == 'x')", ["a.flag", "a.text"]), ("!(a.flag && a.text == 'x')", []),
    ("a.flag && has(a.text)", ["a.flag", "a.text"]), ("a.flag && !has(a.text)", ["a.flag"]),
    ("has(a.text) == false", []), ("a.list.exists(x, a.text == x)", ["a.list"]),
    ("optional.of(a.number).orValue(size(a.list)) == 1", ["a.number"]),
    ("a.flag && (a.text == 'x' || a.text == 'y' && a.number == 1)", ["a.flag", "a.text"]),
    ("!(a.text == 'x' && a.text == 'y')", ["a.text"]),
    ("a.flag ? a.text == 'x' : (a.number == 1 && a.text == 'y')", ["a.flag", "a.text"]),
    ("(a.flag ? a.text : 'x') == 'x'", ["a.flag"]), ("a.text in ['x']", ["a.text"]),
  ])
  func `the facts that it needs are known`(_ source: String, _ expected: [String]) throws {
    #expect(try Self.required(source) == expected, "\(source)")
  }

  @Test func `without a fact that it needs no condition is ever true`() throws {
    var generator = Seeded(seed: 6)
    var found = 0
    for _ in 0..<3_000 {
      let source = generator.truth(4)
      let environment = Environment(variables: [.init("a.flag", .bool), .init("b.flag", .bool)])
      let program = try Expression.compile(source, environment).get()
      for (slot, _) in program.requiredSlots() {
        found += 1
        for other in [Value?.none, .bool(true), .bool(false)] {
          let slots: [Value?] = slot == 0 ? [nil, other] : [other, nil]
          #expect(program.evaluate(slots) != .bool(true), "\(source)")
        }
      }
    }
    #expect(found > 500)
  }

  @Test func `the facts that it may look at are known`() throws {
    let program = try Self.program("has(a.text) && (a.number > 3 || a.list.exists(x, x == 'a'))")
    #expect(program.slotsRead == [0, 1, 3])
  }
}

extension Seeded {
  mutating func clause() -> String {
    let inner = pick([
      "a.number \(pick(["<", "<=", "==", ">", ">="])) \(next(3) + 2)",
      "\(next(3) + 2) \(pick(["<", "==", ">="])) a.number",
      "a.text == \(pick(["'a'", "''", "'b'"]))", "a.flag", "has(a.text)", "1 < 2",
    ])
    return next(4) == 0 ? "!(\(inner))" : inner
  }
}
