import Testing

@testable import Expressions

/// What the checker lets through outside `dyn` is no type error when it is evaluated.
struct `The checker's word` {
  @Test(arguments: [
    "[[2], [1]].sort()", "[{'a': 1}].sort()", "[null].sort()", "[type(1)].sort()",
    "[1, 2].sortBy(x, {'a': x})", "[[1], [2]].sortBy(x, x)", "{'b': 1, 'a': 2}.sortBy(k, k)",
    "-(null)", "null < duration('1s')", "(true ? null : timestamp(0)).getHours()",
    "[null, duration('1s')][0].getSeconds()", "null.optMap(x, x)", "'%d'.format(['a'])",
    "[timestamp(0), null].sort()", "optional.of(timestamp(0)).orValue(null).getHours()",
    "[optional.of(1), null][1].hasValue()", "{'a': null, 'b': timestamp(0)}.a.getHours()",
    "[[null], [timestamp(0)]][0][0].getHours()",
    "[{'a': null}, {'a': timestamp(0)}][0].a < timestamp(0)",
    "optional.unwrap([null])", "[?null]", "'%d %d'.format([1])", "'%q'.format([1])",
    "'%x'.format([1.5])", "'%b'.format(['a'])", "'%o'.format([true])",
  ])
  func `is no to what would fail by its types`(_ source: String) throws {
    guard case .failure = Expression.compile(source, Environment(variables: [])) else {
      Issue.record("it was accepted: \(source)")
      return
    }
  }

  @Test(arguments: [
    ("[timestamp(0), null].size()", "2"), ("null == timestamp(0)", "false"),
    ("[timestamp(0), null].exists(x, x == null)", "true"), ("null in [duration('1s')]", "false"),
    ("'%d %s %x %b %.2f'.format([1, [1], 'a', true, 2])", "\"1 [1] 61 1 2.00\""),
    ("'%%d'.format([])", "\"%d\""), ("[2, 1].sortBy(x, -x)", "[2, 1]"), ("[].sort()", "[]"),
    ("dyn([2, 1]).sort()", "[1, 2]"), ("optional.of(null).orValue(null)", "null"),
    ("(true ? optional.of(1) : optional.none()).value()", "1"),
  ])
  func `is yes to what has a value`(_ source: String, _ expected: String) throws {
    let program = try Expression.compile(source, Environment(variables: [])).get()
    #expect(program.evaluate([]).description == expected, "\(source)")
  }

  @Test(arguments: [
    "math.greatest([1].filter(x, x > 1))", "math.least([1].filter(x, x > 1))",
  ])
  func `leaves to evaluating what only evaluating can know`(_ source: String) throws {
    guard
      case .error(let error) = try Expression.compile(source, Environment(variables: [])).get()
        .evaluate([])
    else {
      Issue.record("it has a value")
      return
    }
    #expect(error.kind == .invalidArgument)
  }

  @Test func `holds for whatever is put together of lists, maps, nulls, optionals and macros`()
    throws
  {
    var typed = Typed(seed: 2_026)
    var accepted = 0
    let environment = `Whatever the expression`.environment
    for _ in 0..<40_000 {
      let source = typed.expression(3)
      guard case .success(let program) = Expression.compile(source, environment) else { continue }
      let types = Checker.check(program.syntax, environment).types
      guard !types.contains(where: \.isGradual) else { continue }
      accepted += 1
      guard case .error(let error) = program.evaluate(`Whatever the expression`.slots) else {
        continue
      }
      let isTypeError =
        [.noSuchOverload, .unboundFunction, .unknownVariable, .unsupportedKey].contains(error.kind)
        || error.message.hasPrefix("error during formatting")
      #expect(!isTypeError, "\(source): \(error.message)")
    }
    #expect(accepted > 4_000, "only \(accepted) were accepted: the generator is broken")
  }
}

/// Makes expressions of every type out of parts that mostly fit, and now and then do not.
struct Typed {
  private var seed: Seeded
  private var variables: [String] = []
  private var named = 0
  init(seed: UInt64) { self.seed = Seeded(seed: seed) }

  mutating func expression(_ depth: Int) -> String {
    variables = []
    return any(depth)
  }

  private mutating func any(_ depth: Int) -> String {
    if !variables.isEmpty, seed.next(4) == 0 { return variables[seed.next(variables.count)] }
    switch seed.next(9) {
    case 0, 1: return scalar(depth)
    case 2, 3: return list(depth)
    case 4: return map(depth)
    case 5: return optional(depth)
    case 6: return bool(depth)
    case 7: return part(depth)
    default: return scoped(depth)
    }
  }

  private mutating func scalar(_ depth: Int) -> String {
    let leaf = seed.pick([
      "1", "-7", "2u", "1.5", "'a'", "''", "true", "null", "null", "timestamp(0)", "duration('1s')",
      "b'x'", "int", "a.number", "a.text", "a.time",
    ])
    guard depth > 0, seed.next(2) == 0 else { return leaf }
    let d = depth - 1
    switch seed.next(8) {
    case 0: return "(\(scalar(d)) + \(scalar(d)))"
    case 1: return "-(\(scalar(d)))"
    case 2: return "size(\(list(d)))"
    case 3: return "math.greatest(\(list(d)))"
    case 4: return "(\(any(d))).\(seed.pick(["getHours", "getSeconds"]))()"
    case 5: return "'\(seed.pick(["%d", "%s", "%x", "%f"]))'.format(\(list(d)))"
    case 6: return "(\(bool(d)) ? \(any(d)) : \(any(d)))"
    default: return "string(\(scalar(d)))"
    }
  }

  private mutating func list(_ depth: Int) -> String {
    guard depth > 0 else { return seed.pick(["[]", "[1, 2]", "['b', 'a']", "a.list", "[null]"]) }
    let d = depth - 1
    switch seed.next(12) {
    case 0, 1: return "[\(any(d)), \(any(d))]"
    case 2:
      let one = any(d)
      return "[\(one), \(one), null]"
    case 3: return "\(list(d)).sort()"
    case 4: return "\(list(d)).\(seed.pick(["distinct", "reverse"]))()"
    case 5: return "\(list(d)).sortBy(\(bound { $0.any(d) }))"
    case 6: return "\(list(d)).map(\(bound { $0.any(d) }))"
    case 7: return "\(seed.next(2) == 0 ? list(d) : map(d)).filter(\(bound { $0.bool(d) }))"
    case 8: return "(\(list(d)) + \(list(d)))"
    case 9: return "\(list(d)).slice(0, 1)"
    case 10: return "optional.unwrap([\(optional(d)), \(optional(d))])"
    default: return "\(list(d)).transformList(\(bound(2) { $0.any(d) }))"
    }
  }

  private mutating func map(_ depth: Int) -> String {
    guard depth > 0 else { return seed.pick(["{}", "{'a': 1}", "{1: 'x'}", "a.map"]) }
    let d = depth - 1
    switch seed.next(4) {
    case 0: return "{'a': \(any(d)), 'b': \(any(d))}"
    case 1: return "{\(scalar(0)): \(any(d))}"
    case 2: return "\(list(d)).transformMap(\(bound(2) { $0.any(d) }))"
    default: return "{'a': \(any(d)), ?'b': \(optional(d))}"
    }
  }

  private mutating func optional(_ depth: Int) -> String {
    guard depth > 0 else {
      return seed.pick(["optional.none()", "optional.of(1)", "optional.of('a')", "null"])
    }
    let d = depth - 1
    switch seed.next(6) {
    case 0, 1: return "optional.of(\(any(d)))"
    case 2: return "\(list(d)).\(seed.pick(["first", "last"]))()"
    case 3: return "\(map(d)).?a"
    case 4: return "(\(optional(d))).or(\(optional(d)))"
    default: return "(\(optional(d))).optMap(\(bound { $0.any(d) }))"
    }
  }

  private mutating func bool(_ depth: Int) -> String {
    guard depth > 0 else { return seed.pick(["true", "false", "a.flag"]) }
    let d = depth - 1
    switch seed.next(7) {
    case 0: return "(\(any(d)) == \(any(d)))"
    case 1: return "(\(scalar(d)) < \(scalar(d)))"
    case 2: return "(\(any(d)) in \(seed.next(2) == 0 ? list(d) : map(d)))"
    case 3:
      return "\(list(d)).\(seed.pick(["all", "exists", "exists_one"]))(\(bound { $0.bool(d) }))"
    case 4: return "(\(bool(d)) && !\(bool(d)))"
    case 5: return "(\(optional(d))).hasValue()"
    default: return "sets.contains(\(list(d)), \(list(d)))"
    }
  }

  /// A part of something.
  private mutating func part(_ depth: Int) -> String {
    guard depth > 0 else { return "a.list[0]" }
    let d = depth - 1
    switch seed.next(5) {
    case 0: return "\(list(d))[\(seed.next(3))]"
    case 1: return "\(map(d)).a"
    case 2: return "(\(optional(d))).orValue(\(any(d)))"
    case 3: return "(\(optional(d))).value()"
    default: return "\(map(d))['a']"
    }
  }

  private mutating func scoped(_ depth: Int) -> String {
    guard depth > 0 else { return "1" }
    let d = depth - 1
    if seed.next(2) == 0 {
      let value = any(d)
      return "cel.bind(\(bound(value: value) { $0.any(d) }))"
    }
    let value = any(d)
    variables.append("cel.index(0)")
    defer { variables.removeAll { $0 == "cel.index(0)" } }
    return "cel.block([\(value)], \(any(d)))"
  }

  private mutating func bound(
    _ count: Int = 1, value: String? = nil, _ body: (inout Typed) -> String
  ) -> String {
    let names = (0..<count).map { "v\(named + $0)" }
    named += count
    variables += names
    defer { variables.removeLast(count) }
    return (names + [value].compactMap(\.self) + [body(&self)]).joined(separator: ", ")
  }
}
