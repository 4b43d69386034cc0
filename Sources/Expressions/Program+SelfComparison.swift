/// What a condition says to no purpose.
extension Program {
  /// Comparisons of an expression with itself.
  public var selfComparisons: [Int] {
    let comparing: Set = ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]
    return syntax.nodes.indices.filter { node in
      guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
        comparing.contains(name)
      else { return false }
      return sameText(syntax.text(of: sides[0]), syntax.text(of: sides[1]))
    }
  }
}
