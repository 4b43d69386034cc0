import Expressions
import Testing

/// What is claimed of conditions before any case comes.
struct `What conditions say of one another` {
  static let names = [
    "s.place", "a.number", "a.text", "b.text", "c.count", "c.flag", "c.free", "c.list", "now",
  ]
  static let environment: Environment = {
    var environment = Environment(variables: [
      .init("s.place", .string), .init("a.number", .int), .init("a.text", .string),
      .init("b.text", .string), .init("c.count", .int), .init("c.flag", .bool),
      .init("c.free", .map(.string, .dyn)), .init("c.list", .list(.object("event"))),
      .init("now", .timestamp),
    ])
    environment.objects = ["event": [.init("kind", .string), .init("n", .int)]]
    return environment
  }()
  /// `a` is there in one place, `b` in two others; `c` may be anywhere, and its flag is true in one.
  static let premises: Premises = {
    var premises = Premises()
    premises.place = 0
    premises.values[0] = ["p", "q", "r"].map(Value.string)
    premises.places = [1: ["p"], 2: ["p"], 3: ["q", "r"]]
    premises.valuesAt = [5: ["p": .bool(true)]]
    premises.always = [0, 4, 7, 8]
    premises.ranges[4] = 0...10
    premises.sizes[7] = 3
    return premises
  }()

  static func program(_ source: String) throws -> Program {
    try Expression.compile(source, environment, expecting: .bool).get()
  }

  static func outcomes(_ source: String) throws -> Conditions.Outcomes {
    var conditions = Conditions(premises)
    let number = conditions.add(try program(source))
    return conditions.outcomes(of: number)
  }

  @Test(arguments: [
    "s.place != 'p' || s.place != 'q'", "s.place in ['p', 'q', 'r']", "has(s.place)",
    "c.count > 3 || c.count <= 3", "c.count >= 0", "c.count < 11", "size(c.list) >= 0",
    "c.list.size() <= 3", "now.getHours() < 24", "has(a.text) || !has(a.text)", "has(c.list)",
    "!(c.count > 4 && c.count < 5)", "c.count > 4 ? true : c.count < 5", "1 < 2",
  ])
  func `what is always true is found`(_ source: String) throws {
    #expect(try Self.outcomes(source).isAlwaysTrue, "\(source)")
  }

  @Test(arguments: [
    "a.number != 1 || a.number != 2", "a.number > 3 || a.number <= 3", "c.flag || !c.flag",
    "c.free.x == 1 || c.free.x != 1", "size(a.text) >= 0", "c.flag == true || c.flag == false",
    "a.text < 'b' || a.text >= 'b'", "c.flag in [true, false]",
  ])
  func `what is true whenever its facts are there is found`(_ source: String) throws {
    let outcomes = try Self.outcomes(source)
    #expect(outcomes.saysNothing && !outcomes.mayBeFalse && outcomes.mayFail, "\(source)")
  }

  /// One of the facts is always absent, so that it is never plainly false; but it asks something.
  @Test(arguments: ["a.text == 'x' || b.text == 'x'", "c.flag || a.number > 3 || b.text != 'y'"])
  func `facts that are never there together make nothing of a condition`(_ source: String) throws {
    #expect(try !Self.outcomes(source).saysNothing, "\(source)")
    #expect(try !Self.outcomes("c.count > 3 && (\(source))").saysNothing)
    #expect(try Self.idle("c.count > 3 && (\(source))") == [])
  }

  /// What is there may still not be what is asked of it: that is no absent fact.
  @Test(arguments: [
    "c.free.x > 100 || c.free.x > '100'", "c.free.x || c.free.x == 'yes' || c.free.x > 0",
    "c.free.x >= ''", "c.flag || 1 / 0 == 1", "int(a.text) > 0 || int(a.text) <= 0",
    "size(c.free.x) >= 0", "c.free.x || !c.free.x", "c.free.x > 3 || c.free.x <= 3",
    "c.list.exists(e, e.n > 3) || true == c.free.x || c.free.x > 'a'",
  ])
  func `what fails though its facts are there is not taken for true`(_ source: String) throws {
    #expect(try !Self.outcomes(source).saysNothing, "\(source)")
    let beside = try Self.idle("c.count > 3 && (\(source))")
    #expect(!beside.contains { $0.hasPrefix("if there") }, "\(beside)")
  }

  /// Evaluating keeps them apart, though Swift takes one for the other.
  @Test func `texts that only look alike are two`() throws {
    let (one, other) = ("caf\u{e9}", "cafe\u{301}")
    #expect(try Self.outcomes("c.free['\(one)'] == 1 && c.free['\(other)'] == 2").mayBeTrue)
    #expect(try Self.outcomes("c.free['\(one)'] == 1 || c.free['\(other)'] != 1").mayBeFalse)
    #expect(
      try Self.outcomes("a.text.contains('\(one)') && !a.text.contains('\(other)')").mayBeTrue)
    for part in [
      "a.text == 'X'", "c.free['X'] == 1", "a.text.contains('X')", "a.text in ['X', 'y']",
    ] {
      let (first, second) = (
        part.replacing("X", with: one), part.replacing("X", with: other)
      )
      #expect(try Self.takers([first], second) == [], "\(part)")
      #expect(try Self.takers([first], first) == [0], "\(part)")
      var conditions = Conditions(Self.premises)
      let numbers = try [first, second].map { conditions.add(try Self.program($0)) }
      let isSame = conditions.isSame(numbers[0], numbers[1])
      #expect(!isSame, "\(part)")
    }
  }

  /// There may be no such zone.
  @Test func `a part of the time in a zone that a fact names may fail`() throws {
    for zone in ["s.place", "a.text", "'U' + s.place"] {
      #expect(try Self.outcomes("now.getHours(\(zone)) >= 0").mayFail, "\(zone)")
      #expect(try !Self.outcomes("now.getHours(\(zone)) < 24").saysNothing, "\(zone)")
      #expect(try Self.idle("now.getHours(\(zone)) >= 0 && c.flag") == [], "\(zone)")
    }
    for zone in ["", "'UTC'", "'+02:00'", "'U' + 'TC'"] {
      #expect(try Self.outcomes("now.getHours(\(zone)) >= 0").isAlwaysTrue, "\(zone)")
    }
  }

  @Test(arguments: [
    "a.number > 4 && a.number < 5", "c.count > 10", "c.count == 11", "c.count < 0",
    "c.list.exists(e, e.kind == 'x' && e.kind == 'y')", "size(c.list) > 3",
    "c.list.exists_one(e, e.n > 3 && e.n < 4)", "!c.list.all(e, e.n >= 3 || e.n < 3)",
    "s.place == 'q' && a.text.startsWith('x')", "has(a.text) && has(b.text)",
    "a.number > 1 && b.text == 'x'", "!has(a.text) && a.text == 'x'", "s.place == 'nowhere'",
    "(a.text == 'x' || a.number == 1) && s.place != 'p'", "a.text < ''",
    "a.text > 'x' && a.text < 'x\\u0000'", "c.flag && !c.flag",
    "(c.flag || c.count == 3) == false && c.flag", "s.place == 'p' && !c.flag",
    "a.text == 'x' && c.flag == false", "has(a.text) && c.flag != true",
    "!has(c.free.x) && c.free.x == 1", "c.free.x == 1 && c.free.x == 'x'",
    "c.free.x == 1 && !has(c.free)",
    "c.free.x > 3 && c.free.x == 'x'", "c.free.x == 1 && c.free.x == 2.0",
    "now > timestamp('2026-01-02T00:00:00Z') && now < timestamp('2026-01-01T00:00:00Z')",
    "now.getDayOfWeek('UTC') == 7", "c.count in [1, 2] && c.count in [3, 4]",
    "c.count != 3 && (c.count == 3 || c.count > 10)",
    "a.text in ['x'] + ['y'] && a.text == 'z'", "a.text in {'x': 1} && a.text == 'z'",
    "['x', 'y'].exists(e, e == a.text) && a.text == 'z'", "c.count in [11] + [12]",
    "[11, 12].exists(e, c.count == e)", "!(c.count in [1, 2] + [3]) && c.count in [1, 3]",
  ])
  func `what is never true is found`(_ source: String) throws {
    #expect(try !Self.outcomes(source).mayBeTrue, "\(source)")
  }

  @Test(arguments: [
    "a.number > 4 && a.number < 6", "c.count == 10", "c.list.exists(e, e.kind == 'x')",
    "has(a.text) && a.text == 'x'", "s.place == 'p' && a.number > 3",
    "c.free.x == 1 && c.free.x == 1.0",
    "c.free.x > 3 && c.free.x < 4", "a.text > 'x' && a.text < 'y'", "!has(a.text)",
    "c.list.all(e, e.n < 3)", "c.flag ? c.count == 1 : c.count == 2", "a.text.contains('x')",
    "c.free.x.y == 1 && has(c.free.x)",
    "c.list.exists(e, e.kind == 'x') && c.list.exists(e, e.kind == 'y')",
    "a.text in ['x', c.free.x] && a.text == 'y'", "['x'].exists(e, a.text != e)",
    "['x', 'y'].exists_one(e, e == a.text) && a.text == 'y'", "c.free.x in {1: 'a'}",
    "a.text in ['x'] + ['y'] && a.text == 'y'", "s.place == 'p' && !has(c.flag)",
    "s.place != 'p' && !c.flag", "b.text == 'x' && !c.flag",
  ])
  func `what may be either is let be`(_ source: String) throws {
    let outcomes = try Self.outcomes(source)
    #expect(outcomes.mayBeTrue && !outcomes.isAlwaysTrue, "\(source)")
    #expect(outcomes.mayBeFalse, "\(source)")
  }

  @Test(arguments: [
    ("a.text == 'x'", ["p"]), ("b.text == 'x' || c.flag", ["p", "q", "r"]),
    ("b.text == 'x'", ["q", "r"]), ("!c.flag", ["q", "r"]),
    ("s.place != 'p' && c.flag", ["q", "r"]),
    ("a.text == 'x' && b.text == 'x'", []), ("c.count > 3", ["p", "q", "r"]),
  ])
  func `where a condition may be true is known`(_ source: String, _ places: [String]) throws {
    var conditions = Conditions(Self.premises)
    let number = conditions.add(try Self.program(source))
    #expect(["p", "q", "r"].filter { conditions.mayBeTrue(number, at: $0) } == places, "\(source)")
  }

  /// Which of some conditions take, in order, all that the last would.
  static func takers(_ earlier: [String], _ later: String) throws -> [Int] {
    var conditions = Conditions(premises)
    let numbers = try earlier.map { conditions.add(try program($0)) }
    let last = conditions.add(try program(later))
    for number in numbers { conditions.file(number) }
    return conditions.takers(of: last)
  }

  @Test func `a condition that asks less is known to take what one that asks more would`() throws {
    func taken(_ later: String, by earlier: String...) throws -> Bool {
      try !Self.takers(earlier, later).isEmpty
    }
    #expect(try taken("c.flag && a.text == 'x'", by: "c.flag"))
    #expect(try taken("c.flag && 'x' == a.text", by: "a.text == 'x' || a.number > 3"))
    #expect(try taken("a.text in ['x', 'y']", by: "a.text in ['y', 'z', 'x']"))
    #expect(try !taken("a.text in ['x', 'y']", by: "a.text in ['y', 'z']"))
    #expect(try taken("a.text in ['x', 'y']", by: "a.text == 'y'", "a.text == 'x'"))
    #expect(try !taken("c.flag", by: "c.flag && a.text == 'x'"))
    #expect(try !taken("c.flag || a.text == 'x'", by: "c.flag"))
    #expect(try taken("a.number >= 4", by: "a.number > 3"))
    #expect(try !taken("a.number >= 3", by: "a.number > 3"))
    #expect(try taken("a.text == 'b'", by: "a.text != 'c'"))
    #expect(try taken("a.text.startsWith('x')", by: "s.place == 'p'"))
    #expect(try taken("a.text.contains('x') || a.number == 1", by: "s.place in ['p', 'q']"))
    #expect(try !taken("b.text == 'x'", by: "s.place == 'q'"))
    #expect(try taken("b.text == 'x'", by: "s.place == 'q'", "s.place == 'r'"))
    #expect(try taken("c.count > 3", by: "c.count > 7", "c.count < 5", "c.count in [5, 6, 7]"))
    #expect(try taken("c.flag && c.count == 1", by: "c.count == 1 && (c.flag || a.number == 3)"))
    #expect(try !taken("c.free.x == 1", by: "c.free.x != 1") && !taken("!c.flag", by: "c.flag"))
    #expect(try taken("has(a.text)", by: "s.place == 'p'"))
    #expect(try !taken("s.place == 'p'", by: "has(a.text)"))
    #expect(try taken("c.free.x > 3.5", by: "c.free.x >= 3"))
    #expect(try !taken("c.flag", by: "1 / 0 == 1") && !taken("1 / 0 == 1 && c.flag", by: "c.flag"))
    let many = (0..<3_000).map { "a.text != 'x\($0)'" }.joined(separator: " && ")
    #expect(try taken("\(many) && a.number > 3", by: "\(many) && a.number > 2"))
    #expect(try !taken("\(many) && a.number > 2", by: "\(many) && a.number > 3"))
    #expect(try taken("\(many) && a.number > 3", by: "a.number >= 3"))
    // Beside those that are needed others are not named.
    #expect(
      try Self.takers(
        ["c.flag", "a.number > 0", "c.flag || c.count == 1"], "a.number > 3 && c.count > 5") == [1])
  }

  static func idle(_ source: String) throws -> [String] {
    var conditions = Conditions(premises)
    let program = try program(source)
    let number = conditions.add(program)
    return conditions.idleParts(of: number, program).map {
      switch $0 {
      case .alwaysTrue(let node, mayFail: false): "always " + program.text(of: node)
      case .alwaysTrue(let node, mayFail: true): "if there " + program.text(of: node)
      case .neverTrue(let node): "never " + program.text(of: node)
      case .neverAmong(let node, let subject):
        "\(program.text(of: subject)) never \(program.text(of: node))"
      }
    }
  }

  @Test func `parts that ask nothing are found, and alternatives that never come`() throws {
    #expect(try Self.idle("c.count >= 0 && c.flag") == ["always c.count >= 0"])
    #expect(try Self.idle("size(a.text) >= 0 && c.flag") == ["if there size(a.text) >= 0"])
    #expect(try Self.idle("s.place == 'q' && (a.text == 'x' || c.flag)") == ["never a.text == 'x'"])
    #expect(try Self.idle("c.flag || c.count > 10 || c.count == 3") == ["never c.count > 10"])
    #expect(
      try Self.idle("c.flag && (c.count in [1, 2] || c.count == 30)") == ["never c.count == 30"])
    #expect(try Self.idle("c.flag && has(a.text) && a.text == 'x'") == [])
    #expect(try Self.idle("c.count in [1, 30, 3, 11]") == ["c.count never 30", "c.count never 11"])
    #expect(
      try Self.idle("c.flag && a.text in ['x', 'y'] && a.text != 'y'") == ["a.text never 'y'"])
    #expect(
      try Self.idle("c.flag || c.list.size() in [3, 4]") == ["c.list.size() never 4"])
    #expect(try Self.idle("c.flag && (a.text in ['x', 'y'] || c.count in [1, 2])") == [])
  }

  @Test func `a condition that would take for ever to look at is let be`() throws {
    var conditions = Conditions(Self.premises, steps: 200_000)
    let parts = (0..<60).map { "(c.free.a\($0) == 1 || c.free.b\($0) == 2)" }
    let hard = conditions.add(try Self.program(parts.joined(separator: " && ") + " && c.count > 3"))
    let long = conditions.add(
      try Self.program((0..<300).map { "c.free.a\($0) == \($0)" }.joined(separator: " || ")))
    conditions.file(hard)
    #expect(conditions.outcomes(of: hard).mayBeTrue)
    #expect(conditions.outcomes(of: long) == .init())
    for _ in 0..<100 { #expect(conditions.takers(of: hard) == []) }
  }
}
