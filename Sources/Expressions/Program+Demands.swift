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
      for (fact, text) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        if let demand = demand(fact), case .literal(.string(let text)) = syntax.nodes[text] {
          found.append((demand, text))
        }
      }
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

  private func choice(_ node: Int) -> (Demand, [String])? {
    switch syntax.nodes[node] {
    case .call("_==_", let sides) where sides.count == 2:
      for (fact, text) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        if let demand = demand(fact), case .literal(.string(let text)) = syntax.nodes[text] {
          return (demand, [text])
        }
      }
      return nil
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
