/// A part of a fact: a slot, and the fields below it.
public struct Demand: Hashable, Sendable {
  public var slot: Int
  public var path: [String]

  public init(slot: Int, path: [String]) {
    self.slot = slot
    self.path = path
  }

  /// Its value among the facts; nil when absent.
  public func value(_ slots: [Value?]) -> Value? {
    guard slots.indices.contains(slot), var value = slots[slot] else { return nil }
    for field in path {
      guard case .map(let map) = value, let next = map.find(text: field) else { return nil }
      value = next
    }
    return value
  }
}

extension Program {
  /// Every `fact == "text"` that must hold for this condition to be true.
  public func textDemands() -> [(demand: Demand, text: String)] {
    var found: [(Demand, String)] = []
    collectDemands(syntax.root, into: &found)
    return found
  }

  private func collectDemands(_ node: Int, into found: inout [(Demand, String)]) {
    switch syntax.nodes[node] {
    case .and(let parts):
      for part in parts { collectDemands(part, into: &found) }
    case .call("_==_", let sides) where sides.count == 2:
      if let (demand, texts) = equality(sides) { found += texts.map { (demand, $0) } }
    default: break
    }
  }

  /// Every fact that must be one of some texts for this condition to be true: `fact == "a"`,
  /// `fact in ["a", "b"]`, `fact == "a" || fact == "b"`.
  public func textChoices() -> [(demand: Demand, texts: [String])] {
    var found: [(Demand, [String])] = []
    collectChoices(syntax.root, into: &found)
    return found
  }

  private func collectChoices(_ node: Int, into found: inout [(Demand, [String])]) {
    if case .and(let parts) = syntax.nodes[node] {
      for part in parts { collectChoices(part, into: &found) }
    } else if let choice = choice(node) {
      found.append(choice)
    }
  }

  /// Every text that a fact must not be for this condition to be true, clause by clause:
  /// `fact != "a"`, `!(fact in ["a", "b"])`.
  public func textExclusions() -> [(demand: Demand, texts: [String], node: Int)] {
    clauses.compactMap { part in
      let excluded: (Demand, [String])?
      switch syntax.nodes[part] {
      case .call("!_", let inner) where inner.count == 1: excluded = choice(inner[0])
      case .call("_!=_", let sides) where sides.count == 2: excluded = equality(sides)
      default: excluded = nil
      }
      return excluded.map { ($0.0, $0.1, part) }
    }
  }

  /// What must all be true for this condition to be true.
  var clauses: [Int] {
    if case .and(let all) = syntax.nodes[syntax.root] { all } else { [syntax.root] }
  }

  private func equality(_ sides: [Int]) -> (Demand, [String])? {
    for (fact, text) in [(sides[0], sides[1]), (sides[1], sides[0])] {
      if let demand = demand(fact), case .literal(.string(let text)) = syntax.nodes[text] {
        return (demand, [text])
      }
    }
    return nil
  }

  /// Every text that is looked for in a list: `"a" in fact`, `fact.exists(x, x == "a")`.
  public func textsSought(in slot: Int) -> [(text: String, node: Int)] {
    syntax.nodes.indices.compactMap { node in
      switch syntax.nodes[node] {
      case .call("@in", let sides) where sides.count == 2:
        guard case .literal(.string(let text)) = syntax.nodes[sides[0]],
          demand(sides[1]) == Demand(slot: slot, path: [])
        else { return nil }
        return (text, sides[0])
      case .fold(let fold) where fold.kind == .exists && fold.second == nil:
        guard demand(fold.range) == Demand(slot: slot, path: []),
          case .call("_==_", let sides) = syntax.nodes[fold.body], sides.count == 2
        else { return nil }
        for (name, text) in [(sides[0], sides[1]), (sides[1], sides[0])] {
          if case .name(fold.variable, _) = syntax.nodes[name],
            case .literal(.string(let found)) = syntax.nodes[text]
          {
            return (found, text)
          }
        }
        return nil
      default: return nil
      }
    }
  }

  /// Patterns that stand there as text, and hold a backspace: `"\b"` where `"\\b"` was meant.
  public func patternsWithBackspace() -> [Int] {
    syntax.nodes.indices.compactMap { node in
      let pattern: Int
      switch syntax.nodes[node] {
      case .member(_, "matches", let given) where given.count == 1: pattern = given[0]
      case .call("matches", let given) where given.count == 2: pattern = given[1]
      default: return nil
      }
      guard case .literal(.string(let text)) = syntax.nodes[pattern] else { return nil }
      return text.utf8.contains(0x08) ? pattern : nil
    }
  }

  /// Clauses that must all be true and name no fact: what they come to is known beforehand.
  public func clausesWithoutFacts() -> [Int] {
    clauses.filter { !namesAnything($0) }
  }

  func namesAnything(_ node: Int) -> Bool {
    switch syntax.nodes[node] {
    case .name: true
    default: syntax.children(node).contains(where: namesAnything)
    }
  }

  private func choice(_ node: Int) -> (Demand, [String])? {
    switch syntax.nodes[node] {
    case .call("_==_", let sides) where sides.count == 2: return equality(sides)
    case .call("@in", let sides) where sides.count == 2:
      guard let demand = demand(sides[0]), let elements = literals(sides[1]) else { return nil }
      return (
        demand,
        elements.compactMap {
          if case .literal(.string(let text)) = syntax.nodes[$0] { text } else { nil }
        }
      )
    case .or(let parts):
      let choices = parts.compactMap(choice)
      guard choices.count == parts.count, let first = choices.first,
        choices.allSatisfy({ $0.0 == first.0 })
      else { return nil }
      return (first.0, choices.flatMap(\.1))
    default: return nil
    }
  }

  /// The literals of a list that holds nothing else.
  func literals(_ node: Int) -> [Int]? {
    guard case .list(let elements, let optional) = syntax.nodes[node], optional.isEmpty,
      !elements.isEmpty,
      elements.allSatisfy({ if case .literal = syntax.nodes[$0] { true } else { false } })
    else { return nil }
    return elements
  }

  private func demand(_ node: Int) -> Demand? {
    if case .slot(let slot) = operations[node] { return Demand(slot: Int(slot), path: []) }
    if case .select(let operand, field: let field, optional: false) = syntax.nodes[node],
      var inner = demand(operand)
    {
      inner.path.append(field)
      return inner
    }
    return nil
  }
}
