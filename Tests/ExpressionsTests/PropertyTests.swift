import Testing

@testable import Expressions

/// What holds for any expression: made from seeds, and from the table of every function's
/// signatures.
struct `Whatever the expression` {
  static let environment = Environment(
    variables: [
      .init("a.text", .string), .init("a.number", .int), .init("a.flag", .bool),
      .init("a.list", .list(.string)),
      .init("a.map", .map(.string, .int)), .init("a.time", .timestamp), .init("a.free", .dyn),
    ], zone: { _ in nil })
  static let slots: [Value?] = [
    .string("héllo"), .int(-3), .bool(true), .list([.string("a"), .string("")]),
    .map(MapValue([("k", .int(5))])),
    .timestamp(Timestamp(milliseconds: 1_795_641_953_120)),
    .map(MapValue([("x", .list([.double(1.5), .null]))])),
  ]

  @Test func `printed and read again it is the same tree`() {
    var seeded = Seeded(seed: 31)
    var made = Signed(seed: 32)
    for round in 0..<2_000 {
      let source = round % 2 == 0 ? seeded.expression(4) : made.value(of: made.type(), 3)
      let first = Expression.parse(source)
      #expect(first.diagnostics.isEmpty, "\(source)")
      let second = Expression.parse(first.syntax.text)
      #expect(
        second.diagnostics.isEmpty && second.syntax == first.syntax,
        "\(source)\n\(first.syntax.text)")
      #expect(second.syntax.text == first.syntax.text, "\(source)")
    }
  }

  /// Every function that there is, in every form that it has.
  @Test func `what the checker takes of any function does not fail by its types`() throws {
    var made = Signed(seed: 33)
    var accepted = 0
    for overload in Signatures.all.values.joined().sorted(by: { "\($0)" < "\($1)" }) {
      for _ in 0..<12 {
        let source = made.call(overload, 2)
        // What is `dyn` is checked when it is evaluated, and may well fail then.
        guard !source.contains("dyn"), !source.contains("a.free") else { continue }
        guard case .success(let program) = Expression.compile(source, Self.environment) else {
          continue
        }
        accepted += 1
        guard case .error(let error) = program.evaluate(Self.slots) else { continue }
        let isTypeError = [.noSuchOverload, .unboundFunction, .unknownVariable].contains(error.kind)
        #expect(!isTypeError, "\(source): \(error.message)")
      }
    }
    #expect(accepted > 1_500, "only \(accepted) were accepted: the generator is broken")
  }

  /// Values that come out of what is empty have a type that only their surroundings tell.
  @Test func `what comes out of an empty list beside something else has its type`() {
    let values = [
      "1", "1.5", "'a'", "true", "a.list", "a.map", "a.time", "[[1]]", "optional.of(1)",
      "optional.of('a')", "{'k': [1]}", "null",
    ]
    let operands: [(String) -> String] = [
      { "(a.flag ? [][0] : \($0))" }, { "(a.flag ? \($0) : [][0])" },
      { "(a.flag ? {}['k'] : \($0))" }, { "cel.bind(e, [], a.flag ? e[0] : \($0))" },
      { "[[], [\($0)]][1][0]" }, { "{'k': [], 'l': [\($0)]}['l'][0]" },
      { "(a.flag ? optional.none() : optional.of(\($0))).value()" },
      { "optional.of(\($0)).optFlatMap(r, optional.of(r))" },
      { "optional.of(optional.of(\($0))).optFlatMap(r, r)" },
      { "optional.none().or(optional.of(\($0)))" }, { "optional.none().orValue(\($0))" },
    ]
    let uses: [(String) -> String] = [
      { "\($0).exists(x, true)" }, { "\($0).all(c, c == 'x')" }, { "\($0).map(x, x)" },
      { "\($0).transformMap(k, v, v)" }, { "\($0).sortBy(x, x)" }, { "[1, 2].sortBy(x, \($0))" },
      { "[1, 2].transformMapEntry(i, v, \($0))" }, { "\($0).tier == 'gold'" },
      { "has(\($0).tier)" }, { "\($0).?tier" }, { "\($0)[0]" }, { "\($0)['k']" },
      { "\($0)[?0]" }, { "\($0).optMap(x, x)" }, { "\($0).optFlatMap(x, x)" }, { "\($0).size()" },
      { "\($0) + 1" }, { "!\($0)" }, { "\($0).startsWith('a')" },
      { "\($0).getHours()" }, { "optional.of(\($0)).optFlatMap(r, r)" },
      { "optional.of(\($0)).optMap(r, r.getHours())" },
    ]
    var (accepted, refused) = (0, 0)
    for (operand, use) in operands.flatMap({ operand in uses.map { (operand, $0) } }) {
      for value in values {
        let source = use(operand(value))
        guard case .success(let program) = Expression.compile(source, Self.environment) else {
          refused += 1
          continue
        }
        accepted += 1
        for flag in [true, false] {
          var slots = Self.slots
          slots[2] = .bool(flag)
          guard case .error(let error) = program.evaluate(slots) else { continue }
          let isTypeError = [.noSuchOverload, .unboundFunction].contains(error.kind)
          #expect(!isTypeError, "\(source): \(error.message)")
        }
      }
    }
    #expect(accepted > 300 && refused > 300, "\(accepted) accepted, \(refused) refused")
  }

  /// *Explain* shows the values of parts: each must be what that part gives by itself.
  @Test func `every value of a trace is what its part gives alone`() throws {
    var seeded = Seeded(seed: 34)
    var made = Signed(seed: 35)
    var replayed = 0
    for round in 0..<1_000 {
      let source = round % 2 == 0 ? seeded.expression(3) : made.value(of: .bool, 3)
      guard let program = try? Expression.compileUnchecked(source, Self.environment).get() else {
        continue
      }
      let (value, trace) = program.trace(Self.slots)
      #expect(value.description == program.evaluate(Self.slots).description, "\(source)")
      for node in Self.closed(program.syntax) {
        guard let known = trace[node],
          let alone = try? Expression.compileUnchecked(program.text(of: node), Self.environment)
            .get()
        else { continue }
        replayed += 1
        #expect(
          alone.evaluate(Self.slots).description == known.description,
          "\(source)\n\(program.text(of: node))")
      }
    }
    #expect(replayed > 3_000)
  }

  /// Nodes that name no variable of a macro, from the root down.
  private static func closed(_ syntax: Syntax) -> [Int] {
    var found: [Int] = []
    var open = [syntax.root]
    while let node = open.popLast() {
      found.append(node)
      switch syntax.nodes[node] {
      case .fold(let fold): open.append(fold.range)
      case .bind(_, let value, _): open.append(value)
      case .optionalMap(let target, _, _, _): open.append(target)
      case .block: break
      default: open += syntax.children(node)
      }
    }
    return found
  }

  @Test func `a failed condition's parts are the ones that made it fail`() throws {
    var seeded = Seeded(seed: 36)
    var looked = 0
    for _ in 0..<1_500 {
      let program = try Expression.compileUnchecked(seeded.bool(3), Self.environment).get()
      let trace = program.trace(Self.slots)
      guard trace.0 != .bool(true) else { continue }
      let failures = program.failures(trace)
      #expect(!failures.isEmpty, "\(program.source)")
      looked += 1
      for failure in failures {
        let alone = try Expression.compileUnchecked(failure.source, Self.environment).get()
        #expect(
          alone.evaluate(Self.slots).description == failure.value.description,
          "\(program.source)\n\(failure.source)")
      }
    }
    #expect(looked > 150)
  }
}

/// Makes well-typed expressions out of the functions' own signatures.
struct Signed {
  private var seed: Seeded
  init(seed: UInt64) { self.seed = Seeded(seed: seed) }

  private static let simple: [Type] = [
    .int, .uint, .double, .string, .bytes, .bool, .timestamp, .duration, .list(.int),
    .list(.string), .map(.string, .int),
  ]
  private static let makers: [(result: Type, overload: Overload)] = Signatures.all.values.joined()
    .map { ($0.result, $0) }
    .sorted { "\($0.1)" < "\($1.1)" }

  mutating func type() -> Type { Self.simple[seed.next(Self.simple.count)] }

  mutating func call(_ overload: Overload, _ depth: Int) -> String {
    var named: [String: Type] = [:]
    let arguments = overload.parameters.map { parameter in
      value(of: concrete(parameter, &named), depth - 1)
    }
    if let sign = Checker.sign(overload.name) {
      return arguments.count == 2
        ? "(\(arguments[0])) \(sign) (\(arguments[1]))" : "\(sign)(\(arguments[0]))"
    }
    guard overload.isMember else { return "\(overload.name)(\(arguments.joined(separator: ", ")))" }
    return "(\(arguments[0])).\(overload.name)(\(arguments.dropFirst().joined(separator: ", ")))"
  }

  private mutating func concrete(_ type: Type, _ named: inout [String: Type]) -> Type {
    switch type {
    case .param(let name):
      if let known = named[name] { return known }
      let new = self.type()
      named[name] = new
      return new
    case .list(let element): return .list(concrete(element, &named))
    case .map(let key, let value):
      return .map(.string, concrete(value, &named)) == type
        ? type : .map(concreteKey(key, &named), concrete(value, &named))
    case .abstract(let name, let parameters):
      return .abstract(name, parameters.map { concrete($0, &named) })
    default: return type
    }
  }

  private mutating func concreteKey(_ type: Type, _ named: inout [String: Type]) -> Type {
    guard case .param(let name) = type else { return type }
    if let known = named[name], [.int, .uint, .bool, .string].contains(known) { return known }
    let new: Type = [.int, .uint, .bool, .string][seed.next(4)]
    named[name] = new
    return new
  }

  mutating func value(of type: Type, _ depth: Int) -> String {
    if depth > 0, seed.next(3) > 0 {
      let fitting = Self.makers.filter { $0.result == type }
      if !fitting.isEmpty { return call(fitting[seed.next(fitting.count)].overload, depth) }
    }
    switch type {
    case .int: return seed.pick(["0", "1", "-7", "9223372036854775807", "a.number", "a.map.k"])
    case .uint: return seed.pick(["0u", "3u", "18446744073709551615u"])
    case .double: return seed.pick(["0.0", "-1.5", "1e300", "3.0"])
    case .string:
      return seed.pick([
        "''", "'a'", "a.text", "'2026-11-26T01:00:00Z'", "'1h'", "'10.0.0.1'", "'10.0.0.0/8'",
        "'+02:00'", "'42'", "'(x'", "'%s'",
        "\"é\\n\"",
      ])
    case .bytes: return seed.pick(["b''", "b'abc'", "b'\\xff'"])
    case .bool: return seed.pick(["true", "false", "a.flag"])
    case .timestamp:
      return seed.pick(["a.time", "timestamp('1969-12-31T23:59:59.5Z')", "timestamp(0)"])
    case .duration: return seed.pick(["duration('90s')", "duration('-1ms')"])
    case .list(let element):
      let count = seed.next(3)
      return "[" + (0..<count).map { _ in value(of: element, depth - 1) }.joined(separator: ", ")
        + "]"
    case .map(let key, let held):
      return seed.next(3) == 0 ? "{}" : "{\(value(of: key, 0)): \(value(of: held, depth - 1))}"
    case .null: return "null"
    case .type: return seed.pick(["int", "type('a')", "list"])
    case .dyn: return seed.pick(["a.free", "dyn(1)", "dyn('x')"])
    case .abstract("optional_type", let parameters):
      return seed.next(3) == 0
        ? "optional.none()" : "optional.of(\(value(of: parameters.first ?? .int, depth - 1)))"
    case .abstract("net.IP", _): return seed.pick(["ip('10.0.0.1')", "ip('::1')"])
    case .abstract("net.CIDR", _): return seed.pick(["cidr('10.0.0.0/8')", "cidr('fe80::/10')"])
    case .abstract, .object, .wrapper, .nullable, .param: return "a.free"
    }
  }
}
