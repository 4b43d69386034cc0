/// Arithmetic with what somebody told: JSON writes 90 and 90.5 alike, and here they are numbers of two
/// kinds, which arithmetic does not mix.
public struct LooseArithmetic: Sendable {
  /// The sum, product and so on.
  public var node: Int
  /// The part whose kind nobody knows, as it is written.
  public var told: String
  /// How it is written so that it holds for both kinds.
  public var meant: String
}

extension Program {
  private static let signs: [String: String] = [
    "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%",
  ]
  private static let comparing: Set<String> = ["_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"]

  /// Every sum, difference and so on of a part that may be a number of any kind with a number.
  public func looseArithmetic() -> [LooseArithmetic] {
    guard syntax.nodes.contains(where: Self.isArithmetic) else { return [] }
    var above = Array(repeating: -1, count: syntax.nodes.count)
    for node in syntax.nodes.indices {
      for child in syntax.children(node) { above[child] = node }
    }
    let found = syntax.nodes.indices.filter { isLooseArithmetic($0, above[$0]) }
    var written: Set<Int> = []
    return found.compactMap { node in
      // Of several in one another the outermost is written anew, with all that is within it.
      var top = node
      while above[top] >= 0, Self.isArithmetic(syntax.nodes[above[top]]) { top = above[top] }
      guard case .call(let name, let sides) = syntax.nodes[top], sides.count == 2,
        written.insert(top).inserted, case .call(_, let own) = syntax.nodes[node],
        let told = own.first(where: isLoose)
      else { return nil }
      let isWhole = hasRest(top) || asksWhole(above[top])
      let meant = sides.map { converted($0, isWhole: isWhole) }
        .joined(separator: " \(Self.signs[name] ?? "") ")
      return LooseArithmetic(
        node: top, told: syntax.text(of: told),
        meant: equation(of: top, meant, above[top], isWhole: isWhole) ?? meant)
    }
  }

  /// Numbers of two kinds can be greater and less than one another, and not equal: then the other side
  /// is written anew, too.
  private func equation(of node: Int, _ meant: String, _ around: Int, isWhole: Bool) -> String? {
    guard around >= 0, case .call(let name, let sides) = syntax.nodes[around], sides.count == 2,
      let sign = ["_==_": "==", "_!=_": "!="][name]
    else { return nil }
    return sides.map { $0 == node ? meant : converted($0, isWhole: isWhole) }
      .joined(separator: " \(sign) ")
  }

  /// Whether a rest is taken, which only whole numbers have.
  private func hasRest(_ node: Int) -> Bool {
    guard case .call(let name, let sides) = syntax.nodes[node], Self.signs[name] != nil else {
      return false
    }
    return name == "_%_" || sides.contains(where: hasRest)
  }

  private static let wholeAsking: Set<String> = [
    "timestamp", "substring", "charAt", "indexOf", "lastIndexOf", "slice", "range",
  ]

  /// Whether what stands around a part takes whole numbers alone.
  private func asksWhole(_ around: Int) -> Bool {
    guard around >= 0 else { return false }
    return switch syntax.nodes[around] {
    case .index: true
    case .call(let name, _), .member(_, let name, _): Self.wholeAsking.contains(name)
    default: false
    }
  }

  private static func isArithmetic(_ node: Syntax.Node) -> Bool {
    if case .call(let name, _) = node { signs[name] != nil } else { false }
  }

  private func isLooseArithmetic(_ node: Int, _ around: Int) -> Bool {
    guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
      Self.signs[name] != nil, sides.contains(where: isLoose)
    else { return false }
    // `a + b` may join two texts, and `a - b` be of two moments.
    return sides.contains { types[$0].isNumber }
      || sides.allSatisfy(isLoose) && isNumber(around, beside: node)
  }

  /// Whether nothing is known of a part's type, though it rests on facts.
  private func isLoose(_ node: Int) -> Bool {
    guard types[node].isGradual, types[node] == .dyn || isVariable(types[node]) else {
      return false
    }
    // What is said to be anything is meant so.
    if case .call("dyn", _) = syntax.nodes[node] { return false }
    return true
  }

  private func isVariable(_ type: Type) -> Bool { if case .param = type { true } else { false } }

  /// Whether what stands around a part asks for a number there.
  private func isNumber(_ around: Int, beside node: Int) -> Bool {
    guard around >= 0, case .call(let name, let sides) = syntax.nodes[around], sides.count == 2,
      Self.comparing.contains(name)
    else { return false }
    return sides.contains { $0 != node && types[$0].isNumber }
  }

  private func converted(_ node: Int, isWhole: Bool) -> String {
    let text = syntax.text(of: node)
    switch syntax.nodes[node] {
    case .call(let name, let sides) where Self.signs[name] != nil && sides.count == 2:
      let inner = sides.map { converted($0, isWhole: isWhole) }
      return "(\(inner.joined(separator: " \(Self.signs[name] ?? "") ")))"
    case .literal(.int) where !isWhole: return text + ".0"
    case .literal(.uint): return text.dropLast() + (isWhole ? "" : ".0")
    case .literal: return text
    default:
      let type = types[node]
      if type == (isWhole ? .int : .double) { return text }
      return "\(isWhole ? "int" : "double")(\(text))"
    }
  }
}

extension Type {
  var isNumber: Bool { self == .int || self == .uint || self == .double }
}
