/// What a condition, or a part of one, comes to.
enum Truth: UInt8, Sendable, CaseIterable {
  case yes, no
  /// An error: a fact is absent, or not what is asked of it.
  case fault
}

/// Of which truths something may be.
struct Truths: OptionSet, Sendable {
  let rawValue: UInt8
  static let yes = Truths(rawValue: 1)
  static let no = Truths(rawValue: 2)
  static let fault = Truths(rawValue: 4)
  static let all: Truths = [.yes, .no, .fault]

  init(rawValue: UInt8) { self.rawValue = rawValue }
  init(_ truth: Truth) { self.init(rawValue: 1 << truth.rawValue) }

  var negated: Truths {
    var out = intersection(.fault)
    if contains(.yes) { out.insert(.no) }
    if contains(.no) { out.insert(.yes) }
    return out
  }

  /// Of `&&` over these: one that is false decides; else an error.
  static func and(_ parts: [Truths]) -> Truths {
    var out: Truths = []
    if parts.allSatisfy({ $0.contains(.yes) }) { out.insert(.yes) }
    if parts.contains(where: { $0.contains(.no) }) { out.insert(.no) }
    if parts.contains(where: { $0.contains(.fault) }), parts.allSatisfy({ $0 != .no }) {
      out.insert(.fault)
    }
    return out
  }
}

/// What is asked of one term: whether it is true, is there, or compares so with constants.
struct TermTest: Sendable {
  enum Relation: Sendable { case isTrue, present, among, before, notAfter, after, notBefore }
  var relation: Relation
  /// One, but for `among`.
  var constants: [Value] = []

  func truth(_ state: TermState) -> Truth {
    switch state {
    case .fault: return .fault
    case .missing: return relation == .present ? .no : .fault
    case .value(let value): return truth(of: value)
    }
  }

  private func truth(of value: Value) -> Truth {
    switch relation {
    case .present: return .yes
    case .isTrue:
      if case .bool(let bool) = value { return bool ? .yes : .no }
      return .fault
    case .among:
      var meter = Meter(Program.lookingBudget)
      return constants.contains { value.equals($0, &meter) ?? false } ? .yes : .no
    case .before, .notAfter, .after, .notBefore:
      guard let constant = constants.first, let order = Value.order(value, constant) else {
        return .fault
      }
      let holds =
        switch relation {
        case .before: order == .before
        case .notAfter: order == .before || order == .same
        case .after: order == .after
        default: order == .after || order == .same
        }
      return holds ? .yes : .no
    }
  }
}

/// What a term may come to.
enum TermState: Sendable {
  case value(Value)
  /// A fact that is absent, or a field that its map does not have.
  case missing
  case fault

  var isValue: Bool { if case .value = self { true } else { false } }
}

/// A condition as what it asks of its terms: the largest parts that are not `&&`, `||`, `!` or a
/// comparison with a constant.
indirect enum Formula: Sendable {
  case constant(Truth)
  /// The term's number, and the number of a test of it.
  case atom(term: Int, test: Int)
  case not(Formula)
  case and([Formula])
  case or([Formula])
  case choice(Formula, Formula, Formula)

  /// Which truths it may still have.
  ///
  /// - Parameter known: what is left of the outcomes of a term's test.
  func truths(_ known: (_ term: Int, _ test: Int) -> Truths) -> Truths {
    switch self {
    case .constant(let truth): return Truths(truth)
    case .atom(let term, let test): return known(term, test)
    case .not(let inner): return inner.truths(known).negated
    case .and(let parts): return .and(parts.map { $0.truths(known) })
    case .or(let parts): return Truths.and(parts.map { $0.truths(known).negated }).negated
    case .choice(let condition, let then, let otherwise):
      let asked = condition.truths(known)
      var out = asked.intersection(.fault)
      if asked.contains(.yes) { out.formUnion(then.truths(known)) }
      if asked.contains(.no) { out.formUnion(otherwise.truths(known)) }
      return out
    }
  }

  /// Every atom in it, from left to right.
  func eachAtom(_ body: (_ term: Int, _ test: Int) -> Void) {
    switch self {
    case .constant: return
    case .atom(let term, let test): body(term, test)
    case .not(let inner): inner.eachAtom(body)
    case .and(let parts), .or(let parts): for part in parts { part.eachAtom(body) }
    case .choice(let a, let b, let c): for part in [a, b, c] { part.eachAtom(body) }
    }
  }
}
