import Expressions
import Testing

/// What is claimed of conditions at random, against evaluating them.
extension `What conditions say of one another` {
  /// The heart of it: conditions and facts at random, against evaluating them.
  @Test(arguments: [UInt64(71), 72, 73]) func `no claim is ever wrong`(_ seed: UInt64) throws {
    var generator = Seeded(seed: seed)
    var (never, always, taken, idle, whole, among) = (0, 0, 0, 0, 0, 0)
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
      var withouts: [String: Program] = [:]
      for (at, program) in programs.enumerated() {
        for case .neverAmong(let node, _) in parts[at] {
          withouts["\(at) \(node)"] = try Self.without(node, program)
        }
      }
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
          if outcomes[at].saysNothing, Self.isWhole(program, facts) {
            whole += 1
            #expect(value == .bool(true), "says nothing: \(source)")
          }
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
              let isWhole = Self.isWhole(program, facts)
              whole += isWhole ? 1 : 0
              #expect(
                own == .bool(true) || !isWhole, "if there \(node): \(source)")
            case .neverTrue(let node):
              guard value == .bool(true) else { continue }
              #expect(traces[at].1[node] != .bool(true), "never \(node): \(source)")
            case .neverAmong(let node, _):
              among += 1
              // Something else in its place, that nothing is, changes nothing.
              let other = try #require(withouts["\(at) \(node)"]).evaluate(facts)
              #expect((value == .bool(true)) == (other == .bool(true)), "among \(node): \(source)")
            }
          }
        }
      }
    }
    #expect(
      never > 10 && always > 10 && taken > 10 && idle > 10 && whole > 10 && among > 10,
      "\((never, always, taken, idle, whole, among))")
  }

  /// A condition with something in the place of a part that nothing ever is.
  static func without(
    _ node: Int, _ program: Program, _ environment: Environment = environment
  ) throws -> Program {
    let extent = program.syntax.extents[node]
    let bytes = Array(program.source.utf8)
    let source = bytes[..<extent.start] + Array("'nothing is this'".utf8) + bytes[extent.end...]
    return try Expression.compileUnchecked(String(decoding: source, as: UTF8.self), environment)
      .get()
  }

  /// Whether every fact that a condition asks is there, and so is each field of them.
  static func isWhole(_ program: Program, _ facts: [Value?]) -> Bool {
    program.slotsRead.allSatisfy { slot in
      if case .map(let map)? = facts[slot] { return map.count == Seeded.fields.count }
      if case .list(let list)? = facts[slot] {
        return list.allSatisfy { if case .map(let map) = $0 { map.count == 2 } else { false } }
      }
      return facts[slot] != nil
    }
  }

  /// Made of every function that there is, over facts of which some are absent.
  @Test func `nor is one of any expression`() throws {
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
          case .neverAmong(let node, _):
            let other = try Self.without(node, program, environment)
            #expect(
              (value == .bool(true)) == (other.evaluate(slots) == .bool(true)), "\(source)")
          }
        }
      }
    }
    #expect(claims > 100, "\(claims)")
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

  /// Of `c.free`; the last two look alike.
  fileprivate static let fields = ["x", "y", "\u{e9}", "e\u{301}"]

  private mutating func atom() -> String {
    let sign = pick(["<", "<=", "==", "!=", ">", ">="])
    switch next(26) {
    case 20:
      let lists = ["[1, 2, 30]", "[2, 3] + [11]", "[0]", "[1, 2u, 3.0]", "[0, 10, -1]"]
      return "\(pick(["c.count", "a.number", "size(c.list)"])) in \(pick(lists))"
    case 21:
      let lists = ["['', 'a']", "['a', 'b']", "['b'] + ['a\\u0000']", "{'a': 1, 'b': 2}", "['zz']"]
      return "\(pick(["a.text", "b.text"])) in \(pick(lists))"
    case 22:
      return
        "\(pick(["['a', 'b']", "['b', '']", "(['a'] + ['zz'])"])).\(pick(["exists", "exists", "all", "exists_one"]))(x, \(pick(["x == a.text", "b.text == x", "a.text != x"])))"
    case 23: return "a.text in ['a', \(pick(["b.text", "s.place", "'b'"]))]"
    case 24:
      return
        "c.free.\(pick(["x", "y"])) in \(pick(["[1, 'a', null]", "[true, 2.0]", "{'a': 1}", "['a'] + ['b']"]))"
    case 25:
      return
        "c.list.exists(e, e.kind in \(pick(["['a']", "['b', 'c']"])) && e.n in \(pick(["[1, 2]", "[3] + [4]"])) && e.n != \(next(4)))"
    case 15:
      let held = pick(["1", "1.5", "'a'", "''", "'b'", "true", "null", "timestamp(0)"])
      return "c.free.\(pick(["x", "y"])) \(held == "null" ? "!=" : sign) \(held)"
    case 16: return "c.free['\(pick(Self.fields))'] \(pick(["==", "!="])) \(pick(["1", "'a'"]))"
    case 17:
      return
        "a.text \(pick(["==", "!="])) '\(pick(Self.fields))' \(pick(["&&", "||"])) a.text.contains('\(pick(Self.fields))')"
    case 18:
      let zone = pick(["s.place", "a.text", "'UTC'", "'+02:00'", "s.place + 'x'"])
      return "now.\(pick(["getHours", "getDayOfWeek"]))(\(zone)) \(sign) \(pick(["0", "6", "24"]))"
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
      .string(seed.pick(["", "a", "b", "aa", "a\0", "zz", "\u{e9}", "e\u{301}"]))
    }
    var facts = Array(repeating: Value?.none, count: 9)
    facts[0] = .string(place)
    if place == "p", next(4) > 0 { facts[1] = .int(Int64(next(7)) - 1) }
    if place == "p", next(4) > 0 { facts[2] = text(&self) }
    if place != "p", next(4) > 0 { facts[3] = text(&self) }
    facts[4] = .int(Int64(next(11)))
    if next(4) > 0 { facts[5] = .bool(next(2) == 0 || place == "p") }
    if next(4) > 0 {
      let held: [Value] = [
        .int(1), .int(2), .uint(1), .double(1.5), .double(.nan), .string("a"), .string("b"),
        .bool(true), .bool(false), .null, .list([.int(1)]), .map(MapValue([("z", .int(1))])),
        .double(2), .int(7),
      ]
      var pairs: [(String, Value)] = []
      let isWhole = next(3) == 0
      for (at, field) in Self.fields.enumerated() where isWhole || next(at == 0 ? 5 : 2) > 0 {
        pairs.append((field, held[next(held.count)]))
      }
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
