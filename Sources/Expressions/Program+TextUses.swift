/// A text that stands in a condition, and what it is held against.
public struct TextUse: Sendable {
  public enum Subject: Sendable, Hashable {
    case fact(slot: Int)
    /// Each element of a fact that is a list.
    case elements(slot: Int)
    /// A field of a fact that is a map, such as `handoff.fields.language`.
    case field(slot: Int, name: String)
    /// What `lowerAscii()` and `upperAscii()` made.
    case lowered, raised
  }
  public enum Relation: String, Sendable {
    case equals, startsWith, endsWith, contains
  }
  public var subject: Subject
  public var relation: Relation
  public var text: String
  /// Where the text stands.
  public var node: Int
  /// What it is held against, as it is written.
  public var written: String
}

extension Program {
  /// Every text that a fact, or each element of one, is compared with, wherever that stands:
  /// `fact == "a"`, `fact in ["a", "b"]`, `fact.startsWith("a")`, `"a" in fact`, `fact == ["a"]`.
  public func textUses() -> [TextUse] {
    var found: [TextUse] = []
    collectUses(syntax.root, [:], &found)
    return found
  }

  /// - Parameter elements: variables of macros that stand for the elements of a fact, by name.
  private func collectUses(_ node: Int, _ elements: [String: Int], _ found: inout [TextUse]) {
    var inner = elements
    switch syntax.nodes[node] {
    case .call("_==_", let sides) where sides.count == 2,
      .call("_!=_", let sides) where sides.count == 2:
      note(sides[0], .equals, [sides[1]], elements, &found)
      note(sides[1], .equals, [sides[0]], elements, &found)
      noteElements(sides[0], sides[1], &found)
      noteElements(sides[1], sides[0], &found)
    case .call("@in", let sides) where sides.count == 2:
      if case .list(let held, _) = syntax.nodes[sides[1]] {
        note(sides[0], .equals, held, elements, &found)
      } else if case .slot(let slot) = operations[sides[1]],
        case .literal(.string(let text)) = syntax.nodes[sides[0]]
      {
        found.append(
          .init(
            subject: .elements(slot: Int(slot)), relation: .equals, text: text, node: sides[0],
            written: syntax.text(of: sides[1])))
      }
    case .member(_, "contains", let given) where given.count == 2,
      .member(_, "intersects", let given) where given.count == 2,
      .member(_, "equivalent", let given) where given.count == 2:
      noteElements(given[0], given[1], &found)
      noteElements(given[1], given[0], &found)
    case .member(let target, let name, let given) where given.count == 1:
      if let relation = TextUse.Relation(rawValue: name), relation != .equals {
        note(target, relation, given, elements, &found)
      } else if name == "matches" {
        notePattern(target, given[0], elements, &found)
      }
    case .fold(let fold):
      collectUses(fold.range, elements, &found)
      inner[fold.variable] = nil
      if let second = fold.second { inner[second] = nil }
      if fold.second == nil, case .slot(let slot) = operations[fold.range],
        case .list = types[fold.range]
      {
        inner[fold.variable] = Int(slot)
      }
      for part in [fold.filter, fold.body].compactMap({ $0 }) { collectUses(part, inner, &found) }
      return
    case .bind(let name, _, _), .optionalMap(_, let name, _, _): inner[name] = nil
    default: break
    }
    for child in syntax.children(node) { collectUses(child, inner, &found) }
  }

  /// A fact that is a list, held against a list of texts.
  private func noteElements(_ fact: Int, _ list: Int, _ found: inout [TextUse]) {
    guard case .slot(let slot) = operations[fact], case .list(let held, _) = syntax.nodes[list]
    else { return }
    for node in held {
      guard case .literal(.string(let text)) = syntax.nodes[node] else { continue }
      found.append(
        .init(
          subject: .elements(slot: Int(slot)), relation: .equals, text: text, node: node,
          written: syntax.text(of: fact)))
    }
  }

  private func note(
    _ subject: Int, _ relation: TextUse.Relation, _ texts: [Int], _ elements: [String: Int],
    _ found: inout [TextUse]
  ) {
    guard let what = textSubject(subject, elements) else { return }
    for node in texts {
      guard case .literal(.string(let text)) = syntax.nodes[node] else { continue }
      found.append(
        .init(
          subject: what, relation: relation, text: text, node: node,
          written: syntax.text(of: subject)))
    }
  }

  /// A pattern that is nothing but a text asks what `contains` and its like do.
  private func notePattern(
    _ subject: Int, _ pattern: Int, _ elements: [String: Int], _ found: inout [TextUse]
  ) {
    guard let what = textSubject(subject, elements),
      case .literal(.string(let written)) = syntax.nodes[pattern]
    else { return }
    let (isStart, isEnd) = (written.hasPrefix("^"), written.hasSuffix("$"))
    let text = String(written.dropFirst(isStart ? 1 : 0).dropLast(isEnd ? 1 : 0))
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || " -_@".unicodeScalars.contains($0)
    }
    guard !text.isEmpty, isPlain else { return }
    let relation: TextUse.Relation =
      switch (isStart, isEnd) {
      case (true, true): .equals
      case (true, false): .startsWith
      case (false, true): .endsWith
      case (false, false): .contains
      }
    found.append(
      .init(
        subject: what, relation: relation, text: text, node: pattern,
        written: syntax.text(of: subject)))
  }

  private func textSubject(_ node: Int, _ elements: [String: Int]) -> TextUse.Subject? {
    if case .slot(let slot) = operations[node] { return .fact(slot: Int(slot)) }
    if let (operand, name) = field(node), case .slot(let slot) = operations[operand] {
      return .field(slot: Int(slot), name: name)
    }
    switch syntax.nodes[node] {
    case .name(let name, absolute: false): return elements[name].map { .elements(slot: $0) }
    case .member(let target, "orValue", let given) where given.count == 1:
      guard case .select(let operand, let name, true) = syntax.nodes[target],
        case .slot(let slot) = operations[operand]
      else { return nil }
      return .field(slot: Int(slot), name: name)
    case .index(let list, _, optional: false):
      guard case .slot(let slot) = operations[list], case .list = types[list] else { return nil }
      return .elements(slot: Int(slot))
    case .member(_, "lowerAscii", let given) where given.isEmpty: return .lowered
    case .member(_, "upperAscii", let given) where given.isEmpty: return .raised
    default: return nil
    }
  }
}
