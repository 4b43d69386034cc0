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
  /// `a` is there in one place, `b` in two others; `c` may be anywhere.
  static let premises: Premises = {
    var premises = Premises()
    premises.place = 0
    premises.values[0] = ["p", "q", "r"].map(Value.string)
    premises.places = [1: ["p"], 2: ["p"], 3: ["q", "r"]]
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

  @Test(arguments: [
    "a.number > 4 && a.number < 5", "c.count > 10", "c.count == 11", "c.count < 0",
    "c.list.exists(e, e.kind == 'x' && e.kind == 'y')", "size(c.list) > 3",
    "c.list.exists_one(e, e.n > 3 && e.n < 4)", "!c.list.all(e, e.n >= 3 || e.n < 3)",
    "s.place == 'q' && a.text.startsWith('x')", "has(a.text) && has(b.text)",
    "a.number > 1 && b.text == 'x'", "!has(a.text) && a.text == 'x'", "s.place == 'nowhere'",
    "(a.text == 'x' || a.number == 1) && s.place != 'p'", "a.text < ''",
    "a.text > 'x' && a.text < 'x\\u0000'", "c.flag && !c.flag",
    "(c.flag || c.count == 3) == false && c.flag",
    "!has(c.free.x) && c.free.x == 1", "c.free.x == 1 && c.free.x == 'x'",
    "c.free.x == 1 && !has(c.free)",
    "c.free.x > 3 && c.free.x == 'x'", "c.free.x == 1 && c.free.x == 2.0",
    "now > timestamp('2026-01-02T00:00:00Z') && now < timestamp('2026-01-01T00:00:00Z')",
    "now.getDayOfWeek('UTC') == 7", "c.count in [1, 2] && c.count in [3, 4]",
    "c.count != 3 && (c.count == 3 || c.count > 10)",
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
  ])
  func `what may be either is let be`(_ source: String) throws {
    let outcomes = try Self.outcomes(source)
    #expect(outcomes.mayBeTrue && !outcomes.isAlwaysTrue, "\(source)")
    #expect(outcomes.mayBeFalse, "\(source)")
  }

  @Test(arguments: [
    ("a.text == 'x'", ["p"]), ("b.text == 'x' || c.flag", ["p", "q", "r"]),
    ("b.text == 'x'", ["q", "r"]), ("s.place != 'p' && c.flag", ["q", "r"]),
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
  }

  /// The heart of it: conditions and facts at random, against evaluating them.
  @Test(arguments: [UInt64(71), 72, 73]) func `no claim is ever wrong`(_ seed: UInt64) throws {
    var generator = Seeded(seed: seed)
    var (never, always, taken, idle) = (0, 0, 0, 0)
    for _ in 0..<300 {
      var conditions = Conditions(Self.premises)
      let programs = try (0...generator.next(3)).map { _ in
        try Self.program(generator.condition(2))
      }
      let numbers = programs.map { conditions.add($0) }
      let outcomes = numbers.map { conditions.outcomes(of: $0) }
      var takers: [[Int]] = []
      for number in numbers {
        takers.append(conditions.takers(of: number))
        conditions.file(number)
      }
      let parts = zip(numbers, programs).map { conditions.idleParts(of: $0, $1) }
      never += outcomes.count { !$0.mayBeTrue }
      always += outcomes.count { !$0.mayBeFalse }
      taken += takers.count { !$0.isEmpty }
      idle += parts.joined().count
      for _ in 0..<60 {
        let facts = generator.facts()
        let traces = programs.map { $0.trace(facts) }
        for (at, program) in programs.enumerated() {
          let value = traces[at].0
          let source = "\(program.source)\n\(facts.map { $0?.description ?? "–" })"
          #expect(outcomes[at].mayBeTrue || value != .bool(true), "never true: \(source)")
          #expect(outcomes[at].mayBeFalse || value != .bool(false), "never false: \(source)")
          #expect(outcomes[at].mayFail || !value.isError, "never fails: \(source)")
          if value == .bool(true), !takers[at].isEmpty {
            #expect(
              takers[at].contains { traces[$0].0 == .bool(true) },
              "taken by \(takers[at].map { programs[$0].source }): \(source)")
          }
          for part in parts[at] {
            switch part {
            case .alwaysTrue(let node, let mayFail):
              guard let own = traces[at].1[node] else { continue }
              #expect(own == .bool(true) || mayFail && own.isError, "always \(node): \(source)")
            case .neverTrue(let node):
              guard value == .bool(true) else { continue }
              #expect(traces[at].1[node] != .bool(true), "never \(node): \(source)")
            }
          }
        }
      }
    }
    #expect(never > 10 && always > 10 && taken > 10 && idle > 10, "\((never, always, taken, idle))")
  }

  /// Made of every function that there is, over facts of which some are absent.
  @Test func `nor is one of any expression`() {
    var made = Signed(seed: 74)
    var seeded = Seeded(seed: 75)
    var claims = 0
    for round in 0..<2_000 {
      let parts = (0...seeded.next(2)).map { _ in
        round % 2 == 0 ? seeded.bool(3) : made.value(of: .bool, 2)
      }
      let source = parts.map { "(\($0))" }.joined(separator: round % 3 == 0 ? " || " : " && ")
      let environment = `Whatever the expression`.environment
      guard
        case .success(let program) = Expression.compile(source, environment, expecting: .bool)
      else { continue }
      var conditions = Conditions()
      let number = conditions.add(program)
      let outcomes = conditions.outcomes(of: number)
      let idle = conditions.idleParts(of: number, program)
      claims += idle.count + (outcomes.mayBeTrue && outcomes.mayBeFalse && outcomes.mayFail ? 0 : 1)
      for _ in 0..<10 {
        let slots = `Whatever the expression`.slots.map { seeded.next(4) == 0 ? nil : $0 }
        let (value, trace) = program.trace(slots)
        #expect(outcomes.mayBeTrue || value != .bool(true), "\(source)")
        #expect(outcomes.mayBeFalse || value != .bool(false), "\(source)")
        #expect(outcomes.mayFail || !value.isError, "\(source)")
        for part in idle {
          switch part {
          case .alwaysTrue(let node, let mayFail):
            guard let own = trace[node] else { continue }
            #expect(own == .bool(true) || mayFail && own.isError, "\(source)")
          case .neverTrue(let node):
            #expect(value != .bool(true) || trace[node] != .bool(true), "\(source)")
          }
        }
      }
    }
    #expect(claims > 100, "\(claims)")
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

extension Seeded {
  fileprivate mutating func condition(_ depth: Int) -> String {
    guard depth > 0, next(4) > 0 else { return atom() }
    switch next(8) {
    case 0, 1, 2:
      return (0...(next(2) + 1)).map { _ in "(\(condition(depth - 1)))" }.joined(separator: " && ")
    case 3, 4, 5:
      return (0...(next(2) + 1)).map { _ in "(\(condition(depth - 1)))" }.joined(separator: " || ")
    case 6: return "!(\(condition(depth - 1)))"
    default:
      return "(\(condition(depth - 1))) ? (\(condition(depth - 1))) : (\(condition(depth - 1)))"
    }
  }

  private mutating func atom() -> String {
    let sign = pick(["<", "<=", "==", "!=", ">", ">="])
    switch next(16) {
    case 0: return "s.place \(pick(["==", "!="])) \(pick(["'p'", "'q'", "'r'", "'z'"]))"
    case 1: return "s.place in \(pick(["['p', 'q']", "['p', 'q', 'r']", "['r', 'z']", "[]"]))"
    case 2: return "a.number \(sign) \(next(5))"
    case 3: return "\(next(3)) \(sign) a.number"
    case 4: return "c.count \(sign) \(pick(["-1", "0", "3", "4", "10", "11"]))"
    case 5: return "a.text \(sign) \(pick(["''", "'a'", "'b'"]))"
    case 6: return "b.text \(pick(["==", "!="])) \(pick(["'a'", "'b'"]))"
    case 7: return pick(["c.flag", "c.flag == false", "c.flag != true", "c.free.y == true"])
    case 8:
      return "has(\(pick(["a.text", "b.text", "c.free.x", "c.count", "c.free", "c.free.x.z"])))"
    case 9:
      return next(5) == 0
        ? "c.free.x == null" : "c.free.x \(sign) \(pick(["1", "2", "1.5", "'a'", "true"]))"
    case 10: return "size(\(pick(["a.text", "c.list"]))) \(sign) \(next(4))"
    case 11: return "c.free['x'] in [1, 'a', 2.0]"
    case 12:
      return
        "c.list.\(pick(["exists", "all", "exists_one"]))(e, e.kind \(pick(["==", "!="])) 'a' && e.n \(sign) \(next(3)) \(pick(["&&", "||"])) e.n > 1)"
    case 13: return "a.text.startsWith('a')"
    case 14: return "now.getDayOfWeek() \(sign) \(pick(["0", "3", "6", "7"]))"
    default: return "now \(sign) timestamp('2026-01-01T00:00:0\(next(2))Z')"
    }
  }

  /// Facts as the premises have them, near to what the conditions ask.
  fileprivate mutating func facts() -> [Value?] {
    let place = pick(["p", "q", "r"])
    func text(_ seed: inout Seeded) -> Value {
      .string(seed.pick(["", "a", "b", "aa", "a\0", "zz"]))
    }
    var facts = Array(repeating: Value?.none, count: 9)
    facts[0] = .string(place)
    if place == "p", next(4) > 0 { facts[1] = .int(Int64(next(7)) - 1) }
    if place == "p", next(4) > 0 { facts[2] = text(&self) }
    if place != "p", next(4) > 0 { facts[3] = text(&self) }
    facts[4] = .int(Int64(next(11)))
    if next(4) > 0 { facts[5] = .bool(next(2) == 0) }
    if next(4) > 0 {
      let held: [Value] = [
        .int(1), .int(2), .uint(1), .double(1.5), .double(.nan), .string("a"), .string("b"),
        .bool(true), .bool(false), .null, .list([.int(1)]), .map(MapValue([("z", .int(1))])),
        .double(2), .int(7),
      ]
      var pairs: [(String, Value)] = []
      if next(5) > 0 { pairs.append(("x", held[next(held.count)])) }
      if next(2) > 0 { pairs.append(("y", held[next(held.count)])) }
      facts[6] = .map(MapValue(pairs))
    }
    facts[7] = .list(
      (0..<next(4)).map { _ in
        var pairs: [(String, Value)] = [("kind", .string(pick(["a", "b"])))]
        if next(6) > 0 { pairs.append(("n", .int(Int64(next(4))))) }
        return .map(MapValue(pairs))
      })
    facts[8] = Timestamp(seconds: 1_767_225_599 + Int64(next(4)) + 86_400 * Int64(next(8)))
      .map(Value.timestamp)
    return facts
  }
}
