import Expressions
import Testing

/// Evaluation over part of the facts: `u` and `v` are unknown, `k` is known, `gone` is absent.
struct `What is unknown` {
  static let environment = Environment(variables: [
    .init("u.flag", .bool), .init("v.flag", .bool), .init("k.flag", .bool),
    .init("gone.flag", .bool),
    .init("u.text", .string), .init("u.list", .list(.bool)), .init("u.map", .map(.string, .dyn)),
    .init("u.free", .dyn),
  ])
  static let slots: [Value?] = [
    .unknown("u.flag"), .unknown("v.flag"), .bool(true), nil, .unknown("u.text"),
    .unknown("u.list"),
    .unknown("u.map"), .unknown("u.free"),
  ]

  static func result(_ source: String) throws -> Value {
    try Expression.compile(source, environment).get().evaluate(slots)
  }

  @Test(arguments: [
    "u.flag && false", "false && u.flag", "u.flag && !k.flag", "[u.flag, false].all(x, x) && false",
    "u.list.all(x, x) && false", "[1, 2].all(x, x == 1 && u.flag)", "!(u.flag || true)",
  ])
  func `does not matter where another part is false`(_ source: String) throws {
    #expect(try Self.result(source) == .bool(false), "\(source)")
  }

  @Test(arguments: [
    "u.flag || true", "k.flag || u.flag", "[1, 2].exists(x, x == 2 || u.flag)",
    "k.flag ? true : u.flag",
    "u.flag || gone.flag || k.flag", "optional.of(1).hasValue() || has(u.text)",
  ])
  func `does not matter where another part is true`(_ source: String) throws {
    #expect(try Self.result(source) == .bool(true), "\(source)")
  }

  @Test(arguments: [
    ("u.flag && true", ["u.flag"]), ("u.flag || false", ["u.flag"]), ("!u.flag", ["u.flag"]),
    ("u.flag ? true : true", ["u.flag"]), ("u.text == 'x'", ["u.text"]),
    ("has(u.text)", ["u.text"]),
    ("has(u.map.field)", ["u.map"]), ("u.map.a.b == 1", ["u.map"]), ("u.map['a']", ["u.map"]),
    ("u.list.exists(x, x)", ["u.list"]), ("size(u.list) > 3", ["u.list"]), ("[u.flag]", ["u.flag"]),
    ("{'k': u.flag}", ["u.flag"]), ("u.flag && v.flag", ["u.flag", "v.flag"]),
    ("v.flag || u.flag || false", ["u.flag", "v.flag"]),
    ("u.flag == v.flag", ["u.flag", "v.flag"]),
    // Where a value could still decide, what is unknown outweighs an error.
    ("gone.flag && u.flag", ["u.flag"]), ("u.flag || gone.flag", ["u.flag"]),
    ("1 / 0 == 1 || u.flag", ["u.flag"]),
    ("[1, 0].all(x, 1 / x == 1 && u.flag)", ["u.flag"]), ("u.free.?x.orValue(true)", ["u.free"]),
    ("[true].map(x, x && u.flag)", ["u.flag"]), ("[1, 2].filter(x, u.flag)", ["u.flag"]),
    ("[1].exists_one(x, u.flag)", ["u.flag"]), ("u.text.matches('a+')", ["u.text"]),
    ("cel.bind(x, u.flag, x && k.flag)", ["u.flag"]),
    ("u.free.?x.orValue(1 / 0 == 1)", ["u.free"]),
  ])
  func `is told with what would have to be known`(_ source: String, _ needs: [String]) throws {
    let value = try Self.result(source)
    #expect(value.isUnknown, "\(source): \(value)")
    #expect(value.needs == needs, "\(source)")
    #expect(value.description == "unknown: \(needs.joined(separator: ", "))", "\(source)")
  }

  @Test(arguments: [
    "[u.flag, 1 / 0 == 1]", "{u.text: 1 / 0}", "(1 / 0 == 1) == u.flag", "u.flag == (1 / 0 == 1)",
    "[1, 0].map(x, x == 1 ? u.flag : 1 / x == 1)", "[1, 0].filter(x, x == 1 ? u.flag : 1 / x == 1)",
    "u.map[string(1 / 0)]", "u.text.replace('a', 'b', 1 / 0)", "gone.flag == u.flag",
  ])
  func `is outweighed by an error where nothing could mend that`(_ source: String) throws {
    let value = try Self.result(source)
    #expect(value.isError && !value.isUnknown, "\(source): \(value)")
  }

  /// Whatever the facts turn out to be, a result that was known before stays: over every value of
  /// two truths.
  @Test func `never hides a result that its value would change`() throws {
    var generator = Seeded(seed: 77)
    let environment = Environment(variables: [.init("a.flag", .bool), .init("b.flag", .bool)])
    var decided = 0
    for _ in 0..<4_000 {
      let source = generator.truth(4)
      let program = try Expression.compile(source, environment).get()
      for known in [true, false] {
        let partial = program.evaluate([.bool(known), .unknown("b.flag")])
        guard case .bool(let result) = partial else { continue }
        decided += 1
        for other in [Value?.none, .bool(true), .bool(false)] {
          #expect(program.evaluate([.bool(known), other]) == .bool(result), "\(source)")
        }
      }
    }
    #expect(decided > 500)
  }
}

extension Seeded {
  /// A condition over two facts.
  mutating func truth(_ depth: Int) -> String {
    guard depth > 0 else {
      return pick(["a.flag", "b.flag", "true", "false", "has(b.flag)", "1 / 0 == 1"])
    }
    let d = depth - 1
    switch next(6) {
    case 0, 1: return "(\(truth(d)) && \(truth(d)))"
    case 2, 3: return "(\(truth(d)) || \(truth(d)))"
    case 4: return "!(\(truth(d)))"
    default: return "(\(truth(d)) ? \(truth(d)) : \(truth(d)))"
    }
  }
}
