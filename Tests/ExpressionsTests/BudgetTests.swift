import Testing

@testable import Expressions

/// What evaluating takes, in the steps that a budget counts.
struct `What an expression costs` {
  static func program(_ source: String, _ environment: Environment = Environment(variables: []))
    throws -> Program
  {
    try Expression.compileUnchecked(source, environment).get()
  }

  static func steps(_ program: Program, _ slots: [Value?] = [], budget: Int = 10_000_000) -> Int {
    slots.withUnsafeBufferPointer { slots in
      var evaluation = Evaluation(program, slots: slots, budget: budget, tracing: false)
      _ = evaluation.run()
      return budget - evaluation.meter.left
    }
  }

  static func steps(_ source: String) throws -> Int { steps(try program(source)) }

  static let made =
    "lists.range(COUNT).all(i, !'aaaaaaaaab'.matches('(\\\\pL|\\\\pN){1,200}' + string(i)))"

  @Test func `patterns that it makes are paid for one by one, and few are had for a budget`() throws
  {
    let many = try Self.program(Self.made.split(separator: "COUNT").joined(separator: "9000"))
    #expect(many.estimatedCost > Expression.budgetDefault)
    for count in ["9000", "20"] {
      let source = Self.made.split(separator: "COUNT").joined(separator: count)
      guard case .error(let error) = try evaluate(source) else {
        Issue.record("it went through")
        continue
      }
      #expect(error.kind == .budget, "\(error.message)")
    }
    let extracted =
      "lists.range(1000).all(i, !regex.extract('aaab', '\\\\pL{1,9}' + string(i)).hasValue())"
    guard case .error(let error) = try evaluate(extracted) else {
      Issue.record("it went through")
      return
    }
    #expect(error.kind == .budget)
  }

  @Test func `one pattern asked of many texts is compiled once`() throws {
    let one = try Self.steps("lists.range(1).all(i, 'a1'.matches('[a-z]' + string(1)))")
    let many = try Self.steps("lists.range(200).all(i, 'a1'.matches('[a-z]' + string(1)))")
    #expect(many < one + 200 * 30)
    // A macro's variable in it makes it another each time.
    let others = try Self.steps("lists.range(40).all(i, !'a'.matches('[a-z]' + string(i)))")
    #expect(others > 40 * 1_000)
    // One that stands there is compiled when the rules are loaded.
    #expect(try Self.steps("regex.extractAll('a1b22', '[0-9]+')") < 100)
  }

  @Test func `looking for a large pattern costs more than for a small one`() throws {
    let text = String(repeating: "ab", count: 500)
    let small = try Self.steps("'\(text)'.matches('b$')")
    let large = try Self.steps("'\(text)'.matches('(a|b)*a(a|b){300}$')")
    #expect(large > 20 * small)
  }

  @Test func `a pattern of too many classes is refused before it is read`() throws {
    let classes = String(repeating: "\\\\pL", count: 100)
    guard
      case .failure(let failure) = Expression.compile(
        "'x'.matches('\(classes)')", Environment(variables: []))
    else {
      Issue.record("it was compiled")
      return
    }
    #expect(failure.diagnostics.first?.message.contains("classes of Unicode") == true)
  }

  @Test(arguments: [
    ("''.contains(TEXT)", 200), ("''.replace('a', TEXT)", 200), ("''.indexOf(TEXT)", 200),
    ("'a'.split(TEXT)", 200), ("[TEXT, TEXT].sort()", 400), ("TEXT in {'a': 1}", 200),
    ("{TEXT: 1}", 200), ("lists.range(500).slice(0, 500)", 1_000), ("[b'x' + bytes(TEXT)]", 400),
    ("math.greatest(lists.range(500))", 1_000), ("isIP(TEXT)", 200), ("bool(TEXT)", 200),
  ])
  func `whatever goes through a long value is charged for its length`(_ form: String, _ least: Int)
    throws
  {
    let text = "'" + String(repeating: "a", count: 16 * 200) + "'"
    #expect(
      try Self.steps(
        form.split(separator: "TEXT", omittingEmptySubsequences: false).joined(separator: text))
        >= least, "\(form)")
  }

  @Test func `finding a part in a whole finds what looking at every place finds`() {
    var seeded = Seeded(seed: 41)
    func naive(_ part: [Int], _ text: [Int], at places: some Sequence<Int>) -> Int? {
      places.first { $0 + part.count <= text.count && Array(text[$0..<($0 + part.count)]) == part }
    }
    for _ in 0..<3_000 {
      let text = (0..<seeded.next(14)).map { _ in seeded.next(2) }
      let part = (0..<seeded.next(5)).map { _ in seeded.next(2) }
      let from = seeded.next(16)
      let first = from > text.count ? nil : naive(part, text, at: from..<(text.count + 1))
      #expect(TextSearch.first(part, in: text, from: from) == first, "\(part) in \(text), \(from)")
      let last = naive(part, text, at: (0...min(from, text.count)).reversed())
      #expect(TextSearch.last(part, in: text, from: from) == last, "\(part) in \(text), \(from)")
      var all: [Int] = []
      var at = 0
      while !part.isEmpty, let next = naive(part, text, at: at..<(text.count + 1)) {
        all.append(next)
        at = next + part.count
      }
      #expect(TextSearch.all(part, in: text) == all, "\(part) in \(text)")
    }
  }

  /// Else *explain* denies the rule that took a case.
  @Test func `a trace spends what evaluating spends, also where the budget ends`() throws {
    var seeded = Seeded(seed: 42)
    var made = Signed(seed: 43)
    var spent = 0
    for round in 0..<800 {
      let source =
        round == 0
        ? "a.map.k + a.map.k + a.map.k == -3 || true"
        : round % 2 == 0 ? seeded.expression(3) : made.value(of: .bool, 3)
      guard
        let program = try? Expression.compileUnchecked(
          source, `Whatever the expression`.environment
        ).get()
      else { continue }
      let slots = `Whatever the expression`.slots
      let cost = Self.steps(program, slots)
      for budget in [cost, cost - 1, cost - 2, cost / 2, 1] where budget > 0 {
        let plain = program.evaluate(slots, budget: budget)
        let (traced, trace) = program.trace(slots, budget: budget)
        #expect(traced.description == plain.description, "\(source) for \(budget)")
        if case .error(let error) = plain, error.kind == .budget {
          spent += 1
        } else {
          #expect(trace[program.syntax.root]?.description == plain.description, "\(source)")
        }
      }
    }
    #expect(spent > 1_000)
  }
}

/// What is estimated before anything runs.
struct `The estimated cost` {
  static let events = Environment(variables: [
    .init("c.events", .list(.map(.string, .string)), elementsMax: 20),
    .init("c.skills", .list(.string)), .init("c.text", .string), .init("c.free", .dyn),
  ])

  static func cost(_ source: String) throws -> Int {
    try Expression.compile(source, events).get().estimatedCost
  }

  @Test(arguments: [
    "c.events.exists(e, c.skills.exists(s, e.kind == s))",
    "c.events.exists(e, c.events.exists(f, e.kind != f.kind && e.at == f.at))",
    "c.skills.exists(s, s.matches('^ger') && c.events.exists(e, e.kind == s))",
    "c.events.filter(e, e.kind in c.skills).size() > 3",
    "c.skills.exists(s, s.matches(c.text))",
    "sets.intersects(c.free.tags, c.free.wanted)", "c.free.tags.distinct().size() > 1",
    "c.free.tags.exists(t, t in c.free.wanted)", "c.free.tags.all(t, c.free.wanted == t)",
    "c.free.items.exists(i, i.parts.exists(p, p.kind == 'x' && p.count > 3))",
    "c.free.items.exists(i, c.free.others.exists(o, i.id == o.id))",
  ])
  func `lets one list inside another be`(_ source: String) throws {
    #expect(try Self.cost(source) < Expression.budgetDefault, "\(source)")
  }

  @Test(arguments: [
    "c.skills.exists(a, c.skills.exists(b, c.skills.exists(d, a == b && b == d)))",
    "c.free.a.exists(x, c.free.b.exists(y, c.free.d.exists(z, x == y && y == z)))",
    "c.free.a.exists(x, x.exists(y, y.exists(z, z == 1)))",
    "lists.range(100000).exists(a, a == 1)",
    "c.skills.exists(s, c.text.matches('x' + s))",
    "c.free.a.exists(i, c.free.b.exists(o, i.id == o.id && i.n > o.n && i.m > o.m))",
    "cel.bind(l, lists.range(400), l.all(a, l.all(b, a == b)))",
  ])
  func `stops what could run long`(_ source: String) throws {
    #expect(try Self.cost(source) > Expression.budgetDefault, "\(source)")
  }

  @Test func `is never less than what short texts and lists as declared then cost`() throws {
    let environment = Environment(
      variables: `Whatever the expression`.environment.variables.map {
        .init($0.name, $0.type, elementsMax: 2)
      })
    var seeded = Seeded(seed: 51)
    var typed = Typed(seed: 52)
    var looked = 0
    for round in 0..<6_000 {
      let source = round % 2 == 0 ? seeded.expression(4) : typed.expression(3)
      guard case .success(let program) = Expression.compile(source, environment) else { continue }
      looked += 1
      let steps = `What an expression costs`.steps(program, `Whatever the expression`.slots)
      #expect(steps <= program.estimatedCost, "\(source)")
    }
    #expect(looked > 2_000, "only \(looked)")
  }
}
