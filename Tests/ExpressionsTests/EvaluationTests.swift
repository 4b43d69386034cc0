import Expressions
import RuleFiles
import Testing

/// Evaluates without variables; unchecked, so that run-time errors can be seen.
func evaluate(_ source: String, budget: Int = Expression.budgetDefault) throws -> Value {
  try Expression.compileUnchecked(source, Environment(variables: [], zone: SystemZones.table)).get()
    .evaluate([], budget: budget)
}

struct `Evaluating` {
  @Test(arguments: [
    ("[3, 1, 2].sort()", "[1, 2, 3]"), ("['b', 'a'].sortBy(x, x)", "[\"a\", \"b\"]"),
    ("[1, 1u, 2].distinct()", "[1, 2]"), ("[[1], [2, [3]]].flatten()", "[1, 2, [3]]"),
    ("[[1], [2, [3]]].flatten(2)", "[1, 2, 3]"), ("[1, 2, 3, 4].slice(1, 3)", "[2, 3]"),
    ("lists.range(3)", "[0, 1, 2]"), ("[1, 2].first()", "optional.of(1)"),
    ("[].last()", "optional.none()"),
    ("sets.contains([1, 2], [2])", "true"), ("sets.equivalent([1, 2], [2, 1, 1])", "true"),
    ("sets.intersects([1], [2])", "false"), ("'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"),
    ("'abc'.split('')", "[\"a\", \"b\", \"c\"]"), ("'abab'.replace('b', 'x', 1)", "\"axab\""),
    ("'ab'.replace('', '-')", "\"-a-b-\""),
    ("regex.replace('a1b22', '[0-9]+', '<\\\\0>')", "\"a<1>b<22>\""),
    ("regex.extract('order 42', '([0-9]+)')", "optional.of(\"42\")"),
    ("regex.extractAll('a1b22', '[0-9]+')", "[\"1\", \"22\"]"),
    ("regex.extractAll('val=a, val=, val=c', 'val=([^,]*)')", "[\"a\", \"c\"]"),
    ("regex.extractAll('ab', 'x*')", "[\"\", \"\", \"\"]"),
    ("regex.extract('val=', 'val=(.*)')", "optional.none()"),
    ("cidr('192.168.1.0/24').isMask()", "true"), ("cidr('192.168.1.5/24').isMask()", "false"),
    ("isIP('64:ff9b::192.0.2.33')", "true"), ("string(ip('::1.2.3.4'))", "\"::102:304\""),
    ("isIP('::ffff:192.0.2.33')", "false"), ("isIP('1.2.3.4::')", "false"),
    ("isIP('1:2:3:4:5:6:7:1.2.3.4')", "false"), ("isIP('1:2:3:4:5:6:1.2.3.4')", "true"),
    ("'\\u001b[31m\\u0085\\u202e\\ufeff\\u0007é'", "\"\\u001b[31m\\u0085\\u202e\\ufeff\\aé\""),
    ("math.sqrt(4)", "2.0"), ("duration('0.123456789h')", "duration(\"444.4444404s\")"),
    ("duration('1.5h30s')", "duration(\"5430s\")"), ("duration('-1ms')", "duration(\"-0.001s\")"),
    ("string(1000000.0)", "\"1e+06\""), ("string(1e21)", "\"1e+21\""),
    ("string(123456789.0)", "\"1.23456789e+08\""), ("string(999999.5)", "\"999999.5\""),
    ("string(0.0001)", "\"0.0001\""), ("string(0.00001)", "\"1e-05\""),
    ("double('inf') == double('+Infinity') && double('-INF') < 0.0", "true"),
    ("math.isNaN(double('nan'))", "true"), ("uint('-0')", "error: "), ("uint('+1')", "error: "),
    ("double('infinite')", "error: "), ("int('-0')", "0"),
    ("string(-0.0)", "\"-0\""), ("string(duration('-0.5s'))", "\"-0.5s\""),
    ("duration('1h30m') - duration('45m')", "duration(\"2700s\")"),
    ("string(timestamp('2024-02-29T23:59:59.5Z') + duration('1s'))", "\"2024-03-01T00:00:00.5Z\""),
    ("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')", "14"),
    ("timestamp('2026-01-01T12:00:00Z').getHours('Europe/Berlin')", "13"),
    ("timestamp('1969-12-31T23:59:59Z').getDayOfWeek()", "3"),
    ("{'a': {'b': 1}}.a.b", "1"), ("{'a': 1}.?b.orValue(7)", "7"), ("has({'a': null}.a)", "true"),
    ("1 == 1.0 && 1u == 1 && [1] == [1.0]", "true"), ("'é' == 'e\\u0301'", "false"),
    ("false && error_here", "false"), ("error_here || true", "true"),
    ("[1, 2].exists(x, x / 0 == 1 || x == 2)", "true"),
    ("[10, 20].map(x, cel.block([1], cel.index(0) + x))", "[11, 21]"),
    ("cel.bind(a, 5, cel.block([1], cel.index(0) + a))", "6"),
    ("cel.block([1, 2], [10].map(x, cel.index(1) + x + cel.block([100], cel.index(0))))", "[112]"),
    ("optional.of(1).orValue(1 / 0)", "1"), ("optional.of(1).or(1 / 0).value()", "1"),
    ("optional.none().or(optional.of(2)).value()", "2"),
    ("optional.none().orValue(1 / 0)", "error: "), ("[,]", "[]"), ("{,}", "{}"),
    // What cel-go does where the specification says nothing.
    ("int('+1')", "1"), ("int(duration('1s'))", "1000000000"),
    ("int(duration('-1.5s'))", "-1500000000"),
    ("timestamp('1968-07-01T12:00:00Z').getHours('America/New_York')", "8"),
    ("timestamp('2101-07-01T12:00:00Z').getHours('Europe/Berlin')", "14"),
    ("timestamp('2101-01-01T12:00:00Z').getHours('Europe/Berlin')", "13"),
    ("timestamp('9999-07-01T12:00:00Z').getHours('Europe/Berlin')", "14"),
    ("timestamp('2026-07-01T12:00:00Z').getHours('PST')", "error: "),
    ("timestamp('2026-07-01T12:00:00Z').getHours('GMT+2')", "error: "),
    ("timestamp('2026-07-01T12:00:00Z').getHours('US/Pacific')", "5"),
    ("timestamp('2026-07-01T12:00:00Z').getHours('EST')", "7"),
    ("'aXbXc'.replace('X', '', 1)", "\"abXc\""), ("'aaa'.lastIndexOf('aa', 1)", "1"),
    ("[{'k': 2}, {'k': 1}].sortBy(e, e.k)[0].k", "1"), ("ip('::ffff:10.0.0.1')", "error: "),
  ])
  func `gives what the language says`(_ source: String, _ expected: String) throws {
    let got = try evaluate(source).description
    #expect(expected == "error: " ? got.hasPrefix("error: ") : got == expected, "\(source)")
  }

  @Test(arguments: [
    "9223372036854775807 + 1", "-9223372036854775808 / -1", "-9223372036854775808 % -1",
    "-(-9223372036854775808)",
    "0u - 1u", "1 / 0", "1 % 0", "int(9.3e18)", "uint(-1)", "uint('-1')", "uint('+1')", "int('1 ')",
    "int(duration('9223372037s'))", "[1][1]",
    "[1][-1]",
    "timestamp('2023-02-29T00:00:00Z')", "timestamp('0000-01-01T00:00:00Z')", "duration('1')",
    "duration('')",
    "double('1e999')", "duration('9999999999h')", "{1: 1, 1u: 2}", "optional.none().value()",
    "'a'.matches('(')", "math.bitShiftLeft(1, -1)", "'x'.charAt(9)",
    "math.abs(-9223372036854775808)",
    "timestamp('2026-01-01T00:00:00Z').getHours('Nowhere/Land')", "'%s'.format([])",
    "'%'.format([1])",
    "base64.decode('***')", "cidr('10.0.0.0/33')", "'%.999999f'.format([1.0])",
  ])
  func `what has no value is an error, never a trap`(_ source: String) throws {
    #expect(try evaluate(source).isError, "\(source)")
  }

  @Test(arguments: [
    "lists.range(100000).map(a, lists.range(100000).map(b, a * b))",
    "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, true)))",
    "cel.bind(a, 'xxxxxxxxxxxxxxxx', cel.bind(b, a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b, cel.bind(d, c+c+c+c+c+c+c+c, cel.bind(e, d+d+d+d+d+d+d+d, cel.bind(f, e+e+e+e+e+e+e+e, cel.bind(g, f+f+f+f+f+f+f+f, g+g+g+g+g+g+g+g)))))))",
    "cel.bind(a, [1,1,1,1,1,1,1,1], cel.bind(b, [a,a,a,a,a,a,a,a], cel.bind(c, [b,b,b,b,b,b,b,b], cel.bind(d, [c,c,c,c,c,c,c,c], cel.bind(e, [d,d,d,d,d,d,d,d], cel.bind(f, [e,e,e,e,e,e,e,e], cel.bind(g, [f,f,f,f,f,f,f,f], g == g)))))))",
    "cel.bind(a, [1,1,1,1,1,1,1,1], cel.bind(b, [a,a,a,a,a,a,a,a], cel.bind(c, [b,b,b,b,b,b,b,b], cel.bind(d, [c,c,c,c,c,c,c,c], cel.bind(e, [d,d,d,d,d,d,d,d], cel.bind(f, [e,e,e,e,e,e,e,e], '%s'.format([[f,f,f,f,f,f]])))))))",
  ])
  func `work beyond the budget stops`(_ source: String) throws {
    guard case .error(let error) = try evaluate(source) else {
      Issue.record("it went through")
      return
    }
    #expect(error.kind == .budget)
  }

  @Test func `a spent budget is not outweighed by a true beside it`() throws {
    let source = "lists.range(1000).all(a, lists.range(1000).all(b, true)) || true"
    guard case .error(let error) = try evaluate(source, budget: 5_000) else {
      Issue.record("it went through")
      return
    }
    #expect(error.kind == .budget)
  }

  @Test func `a pattern made to explode is refused or runs in linear time`() throws {
    let text = String(repeating: "a", count: 50_000)
    #expect(try evaluate("'\(text)!'.matches('^(a+)+$')") == .bool(false))
    let failure = Expression.compile(
      "'x'.matches('((a{1,1000}){1,1000}){1,1000}')", Environment(variables: []))
    guard case .failure = failure else {
      Issue.record("the pattern was compiled")
      return
    }
  }

  @Test func `a trace ends in the value, and holds it at the root`() throws {
    for source in `Reading expressions`.suite {
      guard let program = try? Expression.compileUnchecked(source, Environment(variables: [])).get()
      else {
        continue
      }
      let (value, trace) = program.trace([])
      #expect(value == program.evaluate([]), "\(source)")
      #expect(trace[program.syntax.root] == value, "\(source)")
    }
  }
}

struct `Checking` {
  static let environment = Environment(variables: [
    .init("a.text", .string), .init("a.number", .int), .init("a.flag", .bool),
    .init("a.list", .list(.string)),
    .init("a.map", .map(.string, .int)), .init("a.time", .timestamp), .init("a.free", .dyn),
  ])

  @Test(arguments: [
    "a.text + 1", "a.number && a.flag", "a.flag ? 1 : 'x'", "a.list[0] == 1", "a.map[1]",
    "!a.number",
    "a.text.foo",
    "a.list.exists(x, x)", "a.list.all(x, x == 1)", "size(a.number)", "a.txt == 'x'", "b", "f(1)",
    "a.text.f()",
    "a.time < 5", "a.text in a.map && 1 in a.list", "[1, 2].map(x, x + 'a')", "{1.5: 2}", "a",
    "a.text{b: 1}",
    "duration(a.flag)", "optional.of(1).orValue('x')", "a.map.transformMap(k, v, k + v)",
  ])
  func `types that do not fit are told before anything runs`(_ source: String) {
    guard case .failure(let failure) = Expression.compile(source, Self.environment) else {
      Issue.record("it was accepted: \(source)")
      return
    }
    #expect(!failure.diagnostics.isEmpty)
  }

  @Test func `what the checker accepts never fails by its types`() throws {
    var generator = Seeded(seed: 20_261_125)
    let slots: [Value?] = [
      .string("héllo"), .int(-3), .bool(true), .list([.string("a"), .string("")]),
      .map(MapValue([("k", .int(5))])), .timestamp(Timestamp(milliseconds: 1_795_641_953_120)),
      .int(4),
    ]
    var accepted = 0
    for _ in 0..<20_000 {
      let source = generator.expression(3)
      guard case .success(let program) = Expression.compile(source, Self.environment) else {
        continue
      }
      accepted += 1
      guard case .error(let error) = program.evaluate(slots) else { continue }
      let isTypeError = [.noSuchOverload, .unboundFunction, .unknownVariable].contains(error.kind)
      #expect(!isTypeError, "\(source): \(error.message)")
    }
    #expect(accepted > 1_000)
  }
}

/// Makes expressions, most of them well typed, from a seed.
struct Seeded {
  var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % count
  }

  mutating func pick(_ options: [String]) -> String { options[next(options.count)] }

  mutating func expression(_ depth: Int) -> String {
    next(2) == 0 ? bool(depth) : pick([number(depth), text(depth), list(depth)])
  }

  mutating func bool(_ depth: Int) -> String {
    guard depth > 0 else { return pick(["true", "false", "a.flag", "has(a.text)"]) }
    let d = depth - 1
    switch next(10) {
    case 0: return "(\(bool(d)) && \(bool(d)))"
    case 1: return "(\(bool(d)) || \(bool(d)))"
    case 2: return "!(\(bool(d)))"
    case 3: return "\(number(d)) \(pick(["<", "<=", "==", "!=", ">", ">="])) \(number(d))"
    case 4: return "\(text(d)) \(pick(["<", "==", "!="])) \(text(d))"
    case 5: return "\(text(d)).\(pick(["contains", "startsWith", "endsWith"]))(\(text(d)))"
    case 6: return "\(text(d)) in \(list(d))"
    case 7: return "\(list(d)).\(pick(["all", "exists", "exists_one"]))(x, x == \(text(d)))"
    case 8: return "\(list(d)).exists(i, v, i < \(number(d)) && v != \(text(d)))"
    default: return "(\(bool(d)) ? \(bool(d)) : \(bool(d)))"
    }
  }

  mutating func number(_ depth: Int) -> String {
    guard depth > 0 else {
      return pick(["0", "1", "-7", "9223372036854775807", "a.number", "a.map['k']", "a.map.k"])
    }
    let d = depth - 1
    switch next(7) {
    case 0, 1: return "(\(number(d)) \(pick(["+", "-", "*", "/", "%"])) \(number(d)))"
    case 2: return "size(\(next(2) == 0 ? text(d) : list(d)))"
    case 3: return "\(text(d)).indexOf(\(text(d)))"
    case 4: return "(\(bool(d)) ? \(number(d)) : \(number(d)))"
    case 5: return "a.time.\(pick(["getHours", "getMonth", "getDayOfWeek"]))()"
    default: return "a.map.?z.orValue(\(number(d)))"
    }
  }

  mutating func text(_ depth: Int) -> String {
    guard depth > 0 else {
      return pick(["''", "'a'", "\"h\u{e9}\"", "a.text", "a.list[0]", "r'\\d'"])
    }
    let d = depth - 1
    switch next(6) {
    case 0: return "(\(text(d)) + \(text(d)))"
    case 1: return "\(text(d)).\(pick(["lowerAscii", "upperAscii", "trim", "reverse"]))()"
    case 2: return "string(\(number(d)))"
    case 3: return "\(list(d)).join(\(text(d)))"
    case 4: return "'%s-%d'.format([\(text(d)), \(number(d))])"
    default: return "(\(bool(d)) ? \(text(d)) : \(text(d)))"
    }
  }

  mutating func list(_ depth: Int) -> String {
    guard depth > 0 else { return pick(["['a', 'b']", "a.list", "['x']"]) }
    let d = depth - 1
    switch next(6) {
    case 0: return "(\(list(d)) + \(list(d)))"
    case 1: return "\(list(d)).filter(x, \(bool(d)))"
    case 2: return "\(list(d)).map(x, \(text(d)) + x)"
    case 3: return "\(text(d)).split(\(text(d)))"
    case 4: return "a.map.map(k, k)"
    default: return "[\(text(d)), \(text(d))]"
    }
  }
}
