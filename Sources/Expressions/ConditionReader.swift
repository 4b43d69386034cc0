/// A part of conditions that may come to anything by itself, as far as is known: a fact, a field of
/// one, a call.
struct Term: Sendable {
  /// Equal for parts that say the same.
  var key: CodePoints
  var type: Type
  var range: ClosedRange<Int64>?
  /// All that it can be; nil where that is not known.
  var values: [Value]?
  /// Whether it may be a fact or a field that is absent.
  var mayMiss = true
  var mayFail = true
  /// Whether it may fail though every fact and field that it names is there.
  var mayFailWhole = true
  /// Keys of terms that must be there for this one to have a value.
  var needs: Set<CodePoints> = []
  /// Where alone it can have a value; nil: everywhere.
  var places: Set<String>?
  /// The only value that it has in a place.
  var valuesAt: [String: Value] = [:]
  /// What is asked of it, in all conditions.
  var tests: [TermTest] = []
}

/// The terms of many conditions, each once.
struct Terms: Sendable {
  private(set) var all: [Term] = []
  private var numbers: [CodePoints: Int] = [:]

  subscript(_ number: Int) -> Term { all[number] }
  func number(_ key: CodePoints) -> Int? { numbers[key] }

  /// - Returns: its number; that of the one that has the key already, where there is one.
  mutating func add(_ term: Term, under key: CodePoints) -> Int {
    if let known = numbers[key] { return known }
    numbers[key] = all.count
    all.append(term)
    return all.count - 1
  }

  mutating func ask(_ number: Int, _ test: TermTest) -> Formula {
    all[number].tests.append(test)
    return .atom(term: number, test: all[number].tests.count - 1)
  }
}

/// Makes formulas of a program's condition and of its parts.
struct ConditionReader {
  let program: Program
  let premises: Premises
  private(set) var terms: Terms
  /// How many atoms a formula may still have.
  private var atomsLeft = Self.atomsMax
  static let atomsMax = 10_000
  /// Lists inside one another whose conditions are looked at.
  private let depthLeft: Int
  static let depthMax = 3
  /// - Units: those of `ConditionSearch`.
  private(set) var stepsLeft: Int

  init(
    _ program: Program, _ premises: Premises, _ terms: Terms, depth: Int = Self.depthMax, steps: Int
  ) {
    self.program = program
    self.premises = premises
    self.terms = terms
    depthLeft = depth
    stepsLeft = steps
    // Where a case is decides of many facts whether they are there, asked or not.
    if let slot = premises.place {
      let key = Program.key(slot: slot)
      let made = fact(slot, key)
      _ = self.terms.add(made, under: key)
    }
  }

  /// The formula of a part; nil where it is too large to be looked at.
  mutating func read(_ node: Int) -> Formula? {
    atomsLeft = Self.atomsMax
    let made = formula(node)
    return atomsLeft >= 0 ? made : nil
  }

  private mutating func formula(_ node: Int) -> Formula {
    guard atomsLeft >= 0 else { return .constant(.fault) }
    switch program.syntax.nodes[node] {
    case .literal(.bool(let bool)): return .constant(bool ? .yes : .no)
    case .and(let parts): return .and(parts.map { formula($0) })
    case .or(let parts): return alternatives(parts.map { formula($0) })
    case .conditional(let condition, let then, let otherwise):
      return .choice(formula(condition), formula(then), formula(otherwise))
    case .call("!_", let inner) where inner.count == 1: return .not(formula(inner[0]))
    case .call(let name, let sides) where sides.count == 2:
      return comparison(name, sides) ?? ask(node, .init(relation: .isTrue))
    case .has(let operand, let field): return presence(node, operand, field)
    case .fold(let fold): return existence(fold) ?? ask(node, .init(relation: .isTrue))
    default: return ask(node, .init(relation: .isTrue))
    }
  }

  /// `x == "a" || x == "b"` is `x in ["a", "b"]`.
  private mutating func alternatives(_ parts: [Formula]) -> Formula {
    var rest: [Formula] = []
    var merged: [(term: Int, constants: [Value])] = []
    for part in parts {
      guard case .atom(let term, let test) = part,
        case let asked = terms[term].tests[test], asked.relation == .among
      else {
        rest.append(part)
        continue
      }
      if let at = merged.firstIndex(where: { $0.term == term }) {
        merged[at].constants += asked.constants
      } else {
        merged.append((term, asked.constants))
      }
    }
    guard merged.count + rest.count < parts.count else { return .or(parts) }
    for one in merged {
      rest.append(terms.ask(one.term, .init(relation: .among, constants: one.constants)))
    }
    return rest.count == 1 ? rest[0] : .or(rest)
  }

  // MARK: - Atoms

  private mutating func ask(_ node: Int, _ test: TermTest) -> Formula {
    atomsLeft -= 1 + test.constants.count / 16
    if let value = program.fixed(node) {
      return .constant(test.truth(value.isError ? .fault : .value(value)))
    }
    let number = number(node)
    return terms.ask(number, test)
  }

  private mutating func number(_ node: Int) -> Int {
    let key = program.key(node)
    if let known = terms.number(key) { return known }
    let made = term(node, key)
    return terms.add(made, under: key)
  }

  /// A comparison with a constant, on either side.
  private mutating func comparison(_ name: String, _ sides: [Int]) -> Formula? {
    if name == "@in" {
      guard let constants = constants(in: sides[1], soughtAs: program.types[sides[0]]) else {
        return nil
      }
      return ask(sides[0], .init(relation: .among, constants: constants))
    }
    guard let relation = Self.relations[name], let turned = Self.turned[name] else { return nil }
    for (subject, other, relation) in [
      (sides[0], sides[1], relation), (sides[1], sides[0], turned),
    ] {
      guard let constant = program.constant(other) else { continue }
      let isNegated = name == "_!=_"
      // `a == true` is `a`; of what may be no truth value it is a comparison like any other.
      if case .bool(let bool) = constant, relation == .among, program.types[subject] == .bool {
        let inner = formula(subject)
        return bool == isNegated ? .not(inner) : inner
      }
      let atom = ask(subject, .init(relation: relation, constants: [constant]))
      return isNegated ? .not(atom) : atom
    }
    return nil
  }

  /// What a list, or a map's keys, that name no fact hold; nil where that is not known.
  private func constants(in node: Int, soughtAs type: Type) -> [Value]? {
    if case .list(let elements, let optional) = program.syntax.nodes[node], optional.isEmpty {
      let held = elements.compactMap { program.constant($0) }
      return held.count == elements.count ? held : nil
    }
    switch program.constant(node) {
    case .list(let held): return held
    case .map(let map):
      // Of what is no text a map may say that it can be no key of it.
      let keys = map.keys
      guard type == .string,
        keys.allSatisfy({ if case .string = $0 { true } else { false } })
      else { return nil }
      return Array(keys)
    default: return nil
    }
  }

  /// `["a", "b"].exists(x, x == fact)`, which is `fact in ["a", "b"]` written otherwise.
  private mutating func existence(_ fold: Syntax.Fold) -> Formula? {
    guard fold.kind == .exists, fold.second == nil,
      case .list(let held)? = program.constant(fold.range), !held.isEmpty,
      case .call("_==_", let sides) = program.syntax.nodes[fold.body], sides.count == 2
    else { return nil }
    for (element, subject) in [(sides[0], sides[1]), (sides[1], sides[0])] {
      guard case .name(fold.variable, absolute: false) = program.syntax.nodes[element],
        program.slot(above: subject) != nil
      else { continue }
      return ask(subject, .init(relation: .among, constants: held))
    }
    return nil
  }

  /// Whether a part is a constant, as one of those of `in`.
  mutating func read(_ subject: Int, isOneOf constant: Value) -> Formula {
    atomsLeft = Self.atomsMax
    return ask(subject, .init(relation: .among, constants: [constant]))
  }

  private static let relations: [String: TermTest.Relation] = [
    "_==_": .among, "_!=_": .among, "_<_": .before, "_<=_": .notAfter, "_>_": .after,
    "_>=_": .notBefore,
  ]
  /// With the constant on the left.
  private static let turned: [String: TermTest.Relation] = [
    "_==_": .among, "_!=_": .among, "_<_": .after, "_<=_": .notBefore, "_>_": .before,
    "_>=_": .notAfter,
  ]

  /// `has(a.b)`: of a fact, or of a field below one. Of what a macro's variable holds more may be
  /// asked than a map can tell.
  private mutating func presence(_ node: Int, _ operand: Int, _ field: String) -> Formula {
    if case .hasSlot(let slot) = program.operations[node] {
      atomsLeft -= 1
      let key = Program.key(slot: Int(slot))
      let made = fact(Int(slot), key)
      let number = terms.add(made, under: key)
      return terms.ask(number, .init(relation: .present))
    }
    guard let slot = program.slot(above: operand) else {
      return ask(node, .init(relation: .isTrue))
    }
    atomsLeft -= 1
    let key = program.key(operand, field)
    var made = Term(key: key, type: .dyn)
    part(of: operand, slot, &made)
    let number = terms.add(made, under: key)
    return terms.ask(number, .init(relation: .present))
  }

  // MARK: - Terms

  private mutating func term(_ node: Int, _ key: CodePoints) -> Term {
    if case .slot(let slot) = program.operations[node] { return fact(Int(slot), key) }
    var made = Term(key: key, type: program.types[node])
    if case .local = program.operations[node] {
      (made.mayMiss, made.mayFail, made.mayFailWhole) = (false, false, false)
      return made
    }
    if let (operand, field) = program.field(node) {
      if case .object(let object) = program.types[operand] {
        made.range = premises.fieldRanges["\(object).\(field)"]
      }
      if let slot = program.slot(above: operand) {
        part(of: operand, slot, &made)
        return made
      }
    }
    made.mayMiss = false
    made.mayFail = mayFail(node)
    made.mayFailWhole = made.mayFail && mayFail(node, isWhole: true)
    made.range = made.range ?? naturalRange(node)
    for (slot, _) in program.slotsNeeded(by: node) { need(slot, &made) }
    if case .fold(let fold) = program.syntax.nodes[node] { made.values = outcomes(of: fold) }
    return made
  }

  private func fact(_ slot: Int, _ key: CodePoints) -> Term {
    var made = Term(key: key, type: program.slotTypes[slot])
    made.mayMiss = !premises.always.contains(slot)
    (made.mayFail, made.mayFailWhole) = (false, false)
    made.range = premises.ranges[slot]
    made.values = premises.values[slot]
    made.places = premises.places[slot]
    made.valuesAt = premises.valuesAt[slot] ?? [:]
    return made
  }

  /// A field below a fact.
  private func part(of operand: Int, _ slot: Int, _ made: inout Term) {
    // What lies between may be there and hold no fields.
    made.mayFailWhole = program.field(operand) != nil
    if premises.whole.contains(slot) {
      (made.mayMiss, made.mayFail, made.mayFailWhole) = (false, false, false)
    }
    need(slot, &made)
    // What lies between must be there, too.
    var above = operand
    while let (next, _) = program.field(above) {
      made.needs.insert(program.key(above))
      above = next
    }
  }

  private func need(_ slot: Int, _ made: inout Term) {
    made.needs.insert(Program.key(slot: slot))
    guard let places = premises.places[slot] else { return }
    made.places = made.places.map { $0.intersection(places) } ?? places
  }

  /// Truth values that a macro can have: none of its elements may ever do what it asks, or each must.
  private mutating func outcomes(of fold: Syntax.Fold) -> [Value]? {
    guard depthLeft > 0 else { return nil }
    let wanted: Truth
    switch fold.kind {
    case .exists, .existsOne, .existsOneOld: wanted = .yes
    case .all: wanted = .no
    default: return nil
    }
    var inner = ConditionReader(
      program, premises, Terms(), depth: depthLeft - 1, steps: stepsLeft)
    guard let body = inner.read(fold.body) else { return nil }
    stepsLeft = inner.stepsLeft
    var search = ConditionSearch(inner.terms, premises, steps: stepsLeft)
    let isPossible = search.isPossible([(body, Truths(wanted))])
    stepsLeft = search.stepsLeft
    return isPossible ? nil : [.bool(wanted == .no)]
  }

  /// What a whole number is at least and at most, whatever the facts are.
  private func naturalRange(_ node: Int) -> ClosedRange<Int64>? {
    let name: String
    var given: [Int] = []
    var target: Int?
    switch program.syntax.nodes[node] {
    case .member(let operand, let method, let arguments):
      (name, given, target) = (method, arguments, operand)
    case .call("size", let arguments): (name, target) = ("size", arguments.first)
    default: return nil
    }
    // Of a length of time `getHours` and its like count all of it.
    let isMoment = target.map { program.types[$0] == .timestamp } ?? false
    switch name {
    case "size":
      guard given.isEmpty, let target else { return nil }
      if case .slot(let slot) = program.operations[target] {
        return 0...(premises.sizes[Int(slot)] ?? .max)
      }
      return 0...Int64.max
    case "getHours": return isMoment ? 0...23 : nil
    case "getMinutes", "getSeconds": return isMoment ? 0...59 : nil
    case "getMilliseconds": return isMoment ? 0...999 : nil
    case "getDayOfWeek": return isMoment ? 0...6 : nil
    case "getMonth": return isMoment ? 0...11 : nil
    case "getDate": return isMoment ? 1...31 : nil
    case "getDayOfMonth": return isMoment ? 0...30 : nil
    case "getDayOfYear": return isMoment ? 0...365 : nil
    case "getFullYear": return isMoment ? 0...10_000 : nil
    default: return nil
    }
  }

  /// Whether evaluating a part may end in an error.
  ///
  /// - Parameter isWhole: whether every fact and field that it names is there.
  private func mayFail(_ node: Int, isWhole: Bool = false) -> Bool {
    if program.constant(node) != nil { return false }
    switch program.operations[node] {
    case .slot(let slot): return !isWhole && !premises.always.contains(Int(slot))
    case .local, .hasSlot: return false
    default: break
    }
    if let (operand, _) = program.field(node), let slot = program.slot(above: operand) {
      return !isWhole && !premises.whole.contains(slot)
    }
    guard program.types[node] != .dyn else { return true }
    switch program.syntax.nodes[node] {
    case .call("size", let arguments): return mayFail(any: arguments, isWhole)
    case .member(let target, let name, let arguments) where Self.safe.contains(name):
      return mayFail(any: [target] + arguments, isWhole)
    case .member(let target, let name, let arguments) where Self.timeParts.contains(name):
      return !arguments.allSatisfy(isZone) || mayFail(any: [target], isWhole)
    default: return true
    }
  }

  private func mayFail(any parts: [Int], _ isWhole: Bool) -> Bool {
    parts.contains {
      program.types[$0].isGradual && !Self.isOneType(program.types[$0])
        || mayFail($0, isWhole: isWhole)
    }
  }

  /// Whether a part names a time zone that there is.
  private func isZone(_ node: Int) -> Bool {
    guard case .string(let name)? = program.constant(node) else { return false }
    return program.zoneTable(name) != nil
  }

  /// Lists and maps are what they are whatever they hold.
  private static func isOneType(_ type: Type) -> Bool {
    switch type {
    case .list, .map: true
    default: false
    }
  }

  private static let safe: Set<String> = [
    "size", "startsWith", "endsWith", "contains", "lowerAscii", "upperAscii", "trim",
  ]
  private static let timeParts: Set<String> = [
    "getHours", "getMinutes", "getSeconds", "getMilliseconds", "getDayOfWeek", "getMonth",
    "getDate", "getDayOfMonth", "getDayOfYear", "getFullYear",
  ]
}
