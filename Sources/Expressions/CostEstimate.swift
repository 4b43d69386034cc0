/// The most steps that evaluating an expression could take, were every list among its facts as large
/// as it is declared to be, and every text short. Saturates.
///
/// Follows `Meter` node by node: whatever spends there counts here. What it cannot know (how long a
/// text is, how many parts a value of no declared type has) the budget catches when the expression
/// is evaluated.
struct CostEstimate {
  let checker: Checker
  /// What the variables of the macros around a node hold, the innermost last.
  private var locals: [Shape] = []
  /// Patterns made of texts that no macro changes: each is compiled once, however often it is asked.
  private var once = 0

  /// How large a value may be.
  indirect enum Shape {
    case scalar
    /// A list, or a map, whose elements have this shape.
    case many(Int, Shape)
    /// Of no declared type: a scalar, or a list.
    case free
    /// What stands in one of those, and what lies in it. It may be gone over as a list, too, of
    /// which no more is taken than what holds both can have; to compare it is taken for a scalar, or
    /// every list of a customer's would count as one of lists.
    case held

    var count: Int {
      switch self {
      case .scalar: 1
      case .many(let count, _): count
      case .free: Environment.elementsAssumed
      case .held: Environment.elementsAssumedHeld
      }
    }
    var element: Shape {
      switch self {
      case .scalar: .scalar
      case .many(_, let element): element
      case .free, .held: .held
      }
    }
    /// What comparing two of which one has this shape costs.
    var comparison: Int {
      switch self {
      case .scalar, .held: 1
      case .many(let count, let element): add(1, multiply(count, element.comparison))
      case .free: Environment.elementsAssumed
      }
    }
    func larger(_ other: Shape) -> Shape {
      switch (self, other) {
      case (.scalar, _): other
      case (_, .scalar): self
      case (.many(let a, let x), .many(let b, let y)): .many(max(a, b), x.larger(y))
      case (.many(let a, _), .free), (.free, .many(let a, _)), (.many(let a, _), .held),
        (.held, .many(let a, _)):
        .many(max(a, Environment.elementsAssumed), .free)
      case (.held, .held): .held
      case (.free, .free), (.free, .held), (.held, .free): .free
      }
    }
  }

  typealias Estimate = (cost: Int, shape: Shape)

  /// - Units: those of `Meter`.
  static func of(_ checker: Checker) -> Int {
    var estimate = CostEstimate(checker: checker)
    let cost = estimate.visit(checker.syntax.root).cost
    return add(cost, estimate.once)
  }

  private init(checker: Checker) { self.checker = checker }

  /// What a value of this type holds, where nothing else is known of it.
  private static func shape(_ type: Type, _ count: Int = Environment.elementsAssumed) -> Shape {
    switch type {
    case .list(let element): .many(count, shape(element))
    case .map(_, let value): .many(count, shape(value))
    case .abstract("optional_type", let parameters): shape(parameters.first ?? .dyn)
    case .nullable(let inner): shape(inner)
    case .dyn, .param: .free
    default: .scalar
    }
  }

  private mutating func visit(_ node: Int) -> Estimate {
    switch checker.references[node] {
    case .slot(let slot):
      let variable = checker.environment.variables[slot]
      return (1, Self.shape(checker.types[node], variable.elementsMax))
    case .local(let index):
      if case .name = checker.syntax.nodes[node] {
        return (1, locals.indices.contains(index) ? locals[index] : .free)
      }
    case .none, .typeName, .function, .method: break
    }
    return compound(node)
  }

  private mutating func compound(_ node: Int) -> Estimate {
    let own = Self.shape(checker.types[node])
    switch checker.syntax.nodes[node] {
    case .invalid, .literal, .name: return (1, own)
    case .select(let operand, _, _), .has(let operand, _):
      let held = visit(operand)
      if case .held = held.shape, case .free = own { return (add(1, held.cost), .held) }
      return (add(1, held.cost), own)
    case .index(let target, let index, _):
      let target = visit(target)
      return (add(add(1, target.cost), visit(index).cost), target.shape.element)
    case .list(let elements, _):
      let parts = elements.map { visit($0) }
      return (sum(parts), .many(parts.count, largest(parts)))
    case .map(let entries, _):
      let keys = entries.map { visit($0.key) }
      let values = entries.map { visit($0.value) }
      return (add(sum(keys), sum(values)), .many(values.count, largest(values)))
    case .message(_, let fields): return (sum(fields.map { visit($0.value) }), own)
    case .and(let parts), .or(let parts): return (sum(parts.map { visit($0) }), .scalar)
    case .conditional(let condition, let then, let otherwise):
      let (asked, a, b) = (visit(condition), visit(then), visit(otherwise))
      return (add(add(1, asked.cost), max(a.cost, b.cost)), a.shape.larger(b.shape))
    case .fold(let fold): return self.fold(fold, node)
    case .bind(_, let value, let body):
      let bound = visit(value)
      let result = within([bound.shape], node) { $0.visit(body) }
      return (add(add(1, bound.cost), result.cost), result.shape)
    case .optionalMap(let target, _, let body, _):
      let target = visit(target)
      let result = within([target.shape], node) { $0.visit(body) }
      return (add(add(1, target.cost), result.cost), result.shape)
    case .block(let values, let body):
      let height = locals.count
      var cost = 1
      for value in values {
        let part = visit(value)
        cost = add(cost, part.cost)
        locals.append(part.shape)
      }
      defer { locals.removeSubrange(height...) }
      let result = visit(body)
      return (add(cost, result.cost), result.shape)
    case .call(let name, let arguments):
      return call(name, arguments.map { visit($0) }, arguments, own)
    case .member(let target, let name, let arguments):
      if case .function(let function) = checker.references[node] {
        let qualified = function?.rawValue ?? name
        return call(qualified, arguments.map { visit($0) }, arguments, own)
      }
      let all = [target] + arguments
      return call(name, all.map { visit($0) }, all, own)
    }
  }

  private mutating func within(
    _ shapes: [Shape], _ node: Int, _ body: (inout CostEstimate) -> Estimate
  ) -> Estimate {
    let height = locals.count
    locals += shapes
    defer { locals.removeSubrange(height...) }
    return body(&self)
  }

  private mutating func fold(_ fold: Syntax.Fold, _ node: Int) -> Estimate {
    let range = visit(fold.range)
    let isMap = if case .map = checker.types[fold.range] { true } else { false }
    let element = range.shape.element
    let shapes: [Shape] =
      fold.second != nil ? [.scalar, element] : [isMap ? .scalar : element]
    let once = within(shapes, node) { estimate in
      let filter = fold.filter.map { estimate.visit($0).cost } ?? 0
      let body = estimate.visit(fold.body)
      return (add(1, add(filter, body.cost)), body.shape)
    }
    let count = range.shape.count
    var cost = add(add(1, range.cost), multiply(count, once.cost))
    let shape: Shape
    switch fold.kind {
    case .all, .exists, .existsOne, .existsOneOld: shape = .scalar
    case .filter: shape = .many(count, isMap ? .scalar : element)
    case .sortBy:
      cost = add(cost, sorting(count))
      shape = range.shape
    case .map, .transformList, .transformMap: shape = .many(count, once.shape)
    case .transformMapEntry: shape = .many(count, once.shape.element)
    }
    return (cost, shape)
  }

  // MARK: - Calls

  private mutating func call(
    _ name: String, _ parts: [Estimate], _ nodes: [Int], _ own: Shape
  ) -> Estimate {
    let below = sum(parts)
    guard let function = Function.named[name], let first = parts.first else { return (below, own) }
    let count = first.shape.count
    let other = parts.count > 1 ? parts[1].shape : .scalar
    switch function {
    case .equal, .notEqual:
      let least = min(first.shape.comparison, other.comparison)
      return (add(below, least), .scalar)
    case .contained:
      // Of a map the key is looked up.
      if case .map = checker.types[nodes[nodes.count - 1]] { return (below, .scalar) }
      let each = min(first.shape.comparison, other.element.comparison)
      return (add(below, multiply(other.count, each)), .scalar)
    case .add:
      guard case .many(let more, let held) = other else { return (add(below, 1), own) }
      let total = add(count, more)
      return (add(below, total), .many(total, first.shape.element.larger(held)))
    case .range:
      var length = Environment.elementsAssumed
      if case .literal(.int(let given)) = checker.syntax.nodes[nodes[0]] {
        length = Int(clamping: max(given, 0))
      }
      return (add(below, length), .many(length, .scalar))
    case .sort: return (add(below, sorting(count)), first.shape)
    case .slice, .reverse: return (add(below, count), first.shape)
    case .distinct:
      let each = multiply(count, first.shape.element.comparison)
      return (add(below, multiply(count, each)), first.shape)
    case .setsContains, .setsIntersects, .setsEquivalent:
      let each = min(first.shape.element.comparison, other.element.comparison)
      let once = multiply(multiply(count, other.count), each)
      return (add(below, function == .setsEquivalent ? multiply(once, 2) : once), .scalar)
    case .flatten:
      let total = multiply(count, first.shape.element.count)
      return (add(below, add(count, total)), .many(total, .free))
    case .join: return (add(below, add(8, multiply(count, 4))), own)
    case .format: return (add(below, add(16, multiply(other.comparison, 4))), own)
    case .greatest, .least, .optionalUnwrap, .unwrapOpt: return (add(below, count), own)
    case .first, .last: return (below, first.shape.element)
    case .optionalOf, .optionalOfNonZero, .value, .dyn: return (below, first.shape)
    case .or, .orValue: return (below, first.shape.larger(other))
    case .matches, .regexExtract, .regexExtractAll, .regexReplace:
      return (add(below, pattern(nodes.count > 1 ? nodes[1] : nodes[0])), own)
    default: return (add(below, textCost(function, parts.count)), own)
    }
  }

  /// Short texts: a few steps for each that is looked at.
  private func textCost(_ function: Function, _ count: Int) -> Int {
    switch function {
    case .charAt, .indexOf, .lastIndexOf, .lowerAscii, .upperAscii, .replace, .split, .substring,
      .trim, .quote, .startsWith, .endsWith, .contains, .size, .base64Encode,
      .base64Decode, .ip, .cidr, .isIP, .isCIDR, .isCanonical, .containsIP, .containsCIDR, .string,
      .bytes:
      4 * count + 16
    case .less, .lessOrEqual, .greater, .greaterOrEqual: 2
    default: 0
    }
  }

  /// A pattern that stands there costs what it takes to look for it; one that is made costs being
  /// compiled, each time anew where a macro's variable goes into it.
  private mutating func pattern(_ node: Int) -> Int {
    if case .literal(.string(let text)) = checker.syntax.nodes[node] {
      return multiply(4, Pattern.matchCost(bytes: 64, size: Pattern.sizeGuessed(text)))
    }
    let compiling = 2 * Pattern.compileCost("")
    guard mentionsLocal(node) else {
      once = add(once, compiling)
      return 8
    }
    return compiling
  }

  private func mentionsLocal(_ node: Int) -> Bool {
    if case .local = checker.references[node] { return true }
    return checker.syntax.children(node).contains(where: mentionsLocal)
  }

  private func sorting(_ count: Int) -> Int {
    var work = 1
    while 1 << work < count, work < 62 { work += 1 }
    return multiply(count, 2 * work)
  }

  private func sum(_ parts: [Estimate]) -> Int { parts.reduce(1) { add($0, $1.cost) } }
  private func largest(_ parts: [Estimate]) -> Shape {
    parts.reduce(.scalar) { $0.larger($1.shape) }
  }
}

/// Sums and products that end at the greatest number.
private func add(_ a: Int, _ b: Int) -> Int {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
private func multiply(_ a: Int, _ b: Int) -> Int {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? .max : product
}
