/// The macros: calls whose arguments are not evaluated as they stand.
extension Parser {
  private func plainName(_ node: Syntax.NodeID) -> String? {
    if case .name(let name, false) = syntax.nodes[node] { return name }
    // `cel.iterVar(depth, n)` and `cel.index(n)` name generated variables.
    return nil
  }

  private mutating func variable(_ node: Syntax.NodeID, _ macro: String) -> String {
    if let name = plainName(node) { return name }
    report(syntax.extents[node], "`\(macro)` needs a plain name for its variable here")
    return "_"
  }

  mutating func globalCall(_ name: String, _ arguments: [Syntax.NodeID], from start: Int)
    -> Syntax.NodeID
  {
    if name == "has" || name == ".has" {
      guard arguments.count == 1,
        case .select(let operand, let field, false) = syntax.nodes[arguments[0]]
      else {
        report(
          .init(start: start, end: tokens[max(position - 1, 0)].end),
          "`has` needs a field, as in has(customer.name)",
          hint: arguments.count == 1
            ? Checker.presence(of: arguments[0], syntax, isThere: true).map { "write `\($0)`" }
            : nil)
        return add(.invalid, from: start)
      }
      return add(.has(operand, field: field), from: start, children: [operand])
    }
    return add(.call(name, arguments), from: start, children: arguments)
  }

  mutating func memberCall(
    _ target: Syntax.NodeID, _ name: String, _ arguments: [Syntax.NodeID], from start: Int
  ) -> Syntax.NodeID {
    if case .name("cel", _) = syntax.nodes[target],
      let node = celMacro(name, arguments, from: start)
    {
      return node
    }
    if let fold = fold(target, name, arguments) {
      let children = [target, fold.body] + (fold.filter.map { [$0] } ?? [])
      return add(.fold(fold), from: start, children: children)
    }
    if name == "optMap" || name == "optFlatMap", arguments.count == 2 {
      let name = (variable(arguments[0], name), name)
      return add(
        .optionalMap(target, name.0, arguments[1], flat: name.1 == "optFlatMap"), from: start,
        children: [target, arguments[1]])
    }
    return add(.member(target, name, arguments), from: start, children: [target] + arguments)
  }

  private mutating func celMacro(_ name: String, _ arguments: [Syntax.NodeID], from start: Int)
    -> Syntax
    .NodeID?
  {
    switch (name, arguments.count) {
    case ("bind", 3):
      let variable = variable(arguments[0], "cel.bind")
      return add(
        .bind(variable, arguments[1], arguments[2]), from: start,
        children: [arguments[1], arguments[2]])
    case ("block", 2):
      guard case .list(let values, let optional) = syntax.nodes[arguments[0]], optional.isEmpty
      else {
        return nil
      }
      return add(.block(values, arguments[1]), from: start, children: values + [arguments[1]])
    case ("index", 1):
      guard case .literal(.int(let index)) = syntax.nodes[arguments[0]] else { return nil }
      return add(.name("@index\(index)", absolute: false), from: start)
    case ("iterVar", 2), ("accuVar", 2):
      guard case .literal(.int(let depth)) = syntax.nodes[arguments[0]],
        case .literal(.int(let unique)) = syntax.nodes[arguments[1]]
      else { return nil }
      return add(.name("@\(name):\(depth):\(unique)", absolute: false), from: start)
    default: return nil
    }
  }

  private mutating func fold(
    _ range: Syntax.NodeID, _ name: String, _ arguments: [Syntax.NodeID]
  ) -> Syntax.Fold? {
    guard let shape = Self.shape(name, arguments.count) else { return nil }
    let first = variable(arguments[0], name)
    let second = shape.variables == 2 ? variable(arguments[1], name) : nil
    if let second, second == first {
      report(syntax.extents[arguments[1]], "the two variables of `\(name)` need different names")
    }
    return Syntax.Fold(
      kind: shape.kind, range: range, variable: first, second: second,
      filter: shape.filtered ? arguments[shape.variables] : nil,
      body: arguments[arguments.count - 1])
  }

  /// How a macro is written, for whoever called it with other arguments; nil for what is none.
  static func form(_ name: String) -> String? {
    switch name {
    case "all", "exists", "exists_one", "existsOne", "filter": "\(name)(e, e == …)"
    case "map", "sortBy": "\(name)(e, e.…)"
    case "transformList", "transformMap", "transformMapEntry": "\(name)(key, value, …)"
    case "optMap", "optFlatMap": "\(name)(v, v.…)"
    default: nil
    }
  }

  private static func shape(
    _ name: String, _ count: Int
  ) -> (kind: Syntax.Fold.Kind, variables: Int, filtered: Bool)? {
    switch (name, count) {
    case ("all", 2): (.all, 1, false)
    case ("all", 3): (.all, 2, false)
    case ("exists", 2): (.exists, 1, false)
    case ("exists", 3): (.exists, 2, false)
    case ("exists_one", 2): (.existsOneOld, 1, false)
    case ("existsOne", 2): (.existsOne, 1, false)
    case ("exists_one", 3): (.existsOneOld, 2, false)
    case ("existsOne", 3): (.existsOne, 2, false)
    case ("map", 2): (.map, 1, false)
    case ("map", 3): (.map, 1, true)
    case ("filter", 2): (.filter, 1, false)
    case ("transformList", 3): (.transformList, 2, false)
    case ("transformList", 4): (.transformList, 2, true)
    case ("transformMap", 3): (.transformMap, 2, false)
    case ("transformMap", 4): (.transformMap, 2, true)
    case ("transformMapEntry", 3): (.transformMapEntry, 2, false)
    case ("transformMapEntry", 4): (.transformMapEntry, 2, true)
    case ("sortBy", 2): (.sortBy, 1, false)
    default: nil
    }
  }
}
