/// An expression made ready: checked, every name turned into a slot, every constant pattern
/// compiled.
///
/// Operations are plain numbers in one array, one for each node of the syntax tree under the node's
/// own id, so that a trace needs no map from one to the other. There are no closures, and nothing
/// is looked up by name.
public final class Program: Sendable {
  public let source: String
  public let syntax: Syntax
  public let type: Type
  /// Never changed after `init`: arrays would be retained and released at every step of an
  /// evaluation.
  nonisolated(unsafe) let operations: UnsafeMutableBufferPointer<Operation>
  /// Lists of node ids that operations point into. An optional element stands as its bitwise
  /// complement.
  nonisolated(unsafe) let operands: UnsafeMutableBufferPointer<Int32>
  nonisolated(unsafe) let constants: UnsafeMutableBufferPointer<Value>
  let folds: [FoldPlan]
  let patterns: [Pattern?]
  /// Those of functions which take a text and a pattern, by their text.
  let constantPatterns: [CodePoints: Pattern]
  /// The most steps that evaluating could take, were every list among the facts as large as it is
  /// declared to be. Saturates.
  ///
  /// - Units: those of `Meter`.
  public let estimatedCost: Int
  let localsCount: Int
  let slotsCount: Int
  let slotNames: [String]
  let slotTypes: [Type]
  /// Of every node; all `dyn` where an expression was not checked.
  let types: [Type]
  let zone: @Sendable (String) -> ZoneTable?

  init(_ source: String, _ checker: Checker) {
    var compiler = Compiler(checker)
    compiler.compile()
    self.source = source
    syntax = checker.syntax
    type =
      checker.types.indices.contains(checker.syntax.root)
      ? checker.types[checker.syntax.root].withoutNull : .dyn
    operations = Self.fixed(compiler.operations)
    operands = Self.fixed(compiler.operands)
    constants = Self.fixed(compiler.constants)
    folds = compiler.folds
    patterns = compiler.patterns
    constantPatterns = compiler.constantPatterns
    estimatedCost = CostEstimate.of(checker)
    localsCount = checker.localsMost
    slotNames = checker.environment.variables.map(\.name)
    slotTypes = checker.environment.variables.map(\.type)
    types =
      checker.diagnostics.isEmpty
      ? checker.types : Array(repeating: .dyn, count: checker.types.count)
    slotsCount = slotNames.count
    zone = checker.environment.zone
  }

  deinit {
    operations.deinitialize().deallocate()
    operands.deinitialize().deallocate()
    constants.deinitialize().deallocate()
  }

  /// How large its patterns are together.
  ///
  /// - Units: instructions of RE2's programs.
  public var patternsSize: Int {
    let own = patterns.reduce(0) { $0 + ($1?.size ?? 0) }
    return constantPatterns.values.reduce(own) { $0 + $1.size }
  }

  private static func fixed<Element>(_ elements: [Element]) -> UnsafeMutableBufferPointer<Element> {
    let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
    _ = memory.initialize(from: elements)
    return memory
  }
}

struct FoldPlan: Sendable {
  var kind: Syntax.Fold.Kind
  var range: Int
  var local: Int
  var hasSecond: Bool
  var filter: Int
  var body: Int
}

enum Operation: Sendable {
  case constant(Int32)
  case slot(Int32)
  case local(Int32)
  case failing(Int32)
  /// Fields below a fact, in one go: `customer.attributes.tier`. The operands name the fields'
  /// constants.
  case path(Int32, first: Int32, count: Int32)
  case select(Int32, field: Int32)
  case selectOptional(Int32, field: Int32)
  case has(Int32, field: Int32)
  case hasSlot(Int32)
  case optionalSlot(Int32)
  case index(Int32, Int32)
  case indexOptional(Int32, Int32)
  case and(first: Int32, count: Int32)
  case or(first: Int32, count: Int32)
  case not(Int32)
  case equal(Int32, Int32)
  case notEqual(Int32, Int32)
  case equalConstant(Int32, Int32, negated: Bool)
  case order(Function, Int32, Int32)
  case conditional(Int32, Int32, Int32)
  case unary(Function, Int32)
  case binary(Function, Int32, Int32)
  case matches(Int32, pattern: Int32)
  case call(Function, first: Int32, count: Int32)
  case list(first: Int32, count: Int32)
  case map(first: Int32, count: Int32)
  case fold(Int32)
  case bind(local: Int32, value: Int32, body: Int32)
  case optionalMap(local: Int32, target: Int32, body: Int32, flat: Bool)
  case block(first: Int32, count: Int32, local: Int32, body: Int32)
  /// `a.orValue(b)`, which unwraps, or `a.or(b)`.
  case otherwise(Int32, Int32, unwraps: Bool)
}

struct Compiler {
  let checker: Checker
  var operations: [Operation] = []
  var operands: [Int32] = []
  var constants: [Value] = []
  var folds: [FoldPlan] = []
  var patterns: [Pattern?] = []
  var constantPatterns: [CodePoints: Pattern] = [:]

  init(_ checker: Checker) { self.checker = checker }

  mutating func compile() {
    operations.reserveCapacity(checker.syntax.nodes.count)
    // Node ids and operations coincide.
    for node in checker.syntax.nodes.indices { operations.append(operation(node)) }
  }

  private mutating func constant(_ value: Value) -> Int32 {
    constants.append(value)
    return Int32(constants.count - 1)
  }

  private mutating func store(_ nodes: [Int]) -> Int32 {
    let first = Int32(operands.count)
    operands += nodes.map(Int32.init)
    return first
  }

  private mutating func failing(_ kind: EvaluationError.Kind, _ message: String) -> Operation {
    .failing(constant(.fault(kind, message)))
  }

  private mutating func reference(_ node: Int, _ name: String) -> Operation? {
    switch checker.references[node] {
    case .slot(let slot): .slot(Int32(slot))
    case .local(let index): .local(Int32(index))
    case .typeName(let name): .constant(constant(.type(name)))
    case .none, .function, .method: nil
    }
  }

  private mutating func operation(_ node: Int) -> Operation {
    switch checker.syntax.nodes[node] {
    case .invalid: return failing(.invalidArgument, "the expression is not whole")
    case .literal(let value): return .constant(constant(value))
    case .name(let name, _):
      return reference(node, name) ?? failing(.unknownVariable, "there is no `\(name)`")
    case .select(let operand, let field, let optional):
      if optional, case .slot(let slot) = checker.references[node] {
        return .optionalSlot(Int32(slot))
      }
      if let found = reference(node, field) { return found }
      if !optional, let path = path(node) { return path }
      let field = constant(.string(field))
      return optional
        ? .selectOptional(Int32(operand), field: field) : .select(Int32(operand), field: field)
    case .has(let operand, let field):
      if case .slot(let slot) = checker.references[node] { return .hasSlot(Int32(slot)) }
      return .has(Int32(operand), field: constant(.string(field)))
    case .index(let target, let index, let optional):
      return optional
        ? .indexOptional(Int32(target), Int32(index)) : .index(Int32(target), Int32(index))
    case .call(let name, let arguments): return call(node, name, arguments)
    case .member(let target, let name, let arguments):
      if case .function = checker.references[node] { return call(node, name, arguments) }
      return call(node, name, [target] + arguments)
    case .list(let elements, let optional):
      let marked = elements.enumerated().map { optional.contains($0) ? ~$1 : $1 }
      return .list(first: store(marked), count: Int32(elements.count))
    case .map(let entries, let optional):
      let marked = entries.enumerated().flatMap {
        [optional.contains($0) ? ~$1.key : $1.key, $1.value]
      }
      return .map(first: store(marked), count: Int32(entries.count))
    case .message(let name, _):
      return failing(.unboundFunction, "there is no message type `\(name)`")
    case .and(let parts): return .and(first: store(parts), count: Int32(parts.count))
    case .or(let parts): return .or(first: store(parts), count: Int32(parts.count))
    case .conditional(let condition, let then, let otherwise):
      return .conditional(Int32(condition), Int32(then), Int32(otherwise))
    case .fold(let fold): return self.fold(node, fold)
    case .bind(_, let value, let body):
      return .bind(local: local(node), value: Int32(value), body: Int32(body))
    case .optionalMap(let target, _, let body, let flat):
      return .optionalMap(local: local(node), target: Int32(target), body: Int32(body), flat: flat)
    case .block(let values, let body):
      return .block(
        first: store(values), count: Int32(values.count), local: local(node), body: Int32(body))
    }
  }

  /// What was checked is made already.
  private func pattern(_ text: String) -> Pattern? {
    checker.patterns[CodePoints(text)] ?? (try? Pattern.make(text).get())
  }

  private static func isSmall(_ value: Value) -> Bool {
    switch value {
    case .string(let text): text.utf8.count <= 64
    case .int, .bool: true
    default: false
    }
  }

  /// The fields from a fact down to this node, when there is nothing else between.
  private mutating func path(_ node: Int) -> Operation? {
    var fields: [Value] = []
    var at = node
    while case .select(let operand, let field, false) = checker.syntax.nodes[at] {
      if case .slot(let slot) = checker.references[at] {
        let first = Int32(operands.count)
        for field in fields.reversed() { operands.append(constant(field)) }
        return .path(Int32(slot), first: first, count: Int32(fields.count))
      }
      guard checker.references[at] == .none else { return nil }
      fields.append(.string(field))
      at = operand
    }
    guard case .slot(let slot) = checker.references[at] else { return nil }
    let first = Int32(operands.count)
    for field in fields.reversed() { operands.append(constant(field)) }
    return .path(Int32(slot), first: first, count: Int32(fields.count))
  }

  private func local(_ node: Int) -> Int32 {
    if case .local(let index) = checker.references[node] { Int32(index) } else { 0 }
  }

  private mutating func fold(_ node: Int, _ fold: Syntax.Fold) -> Operation {
    folds.append(
      FoldPlan(
        kind: fold.kind, range: fold.range, local: Int(local(node)), hasSecond: fold.second != nil,
        filter: fold.filter ?? -1, body: fold.body))
    return .fold(Int32(folds.count - 1))
  }

  private mutating func call(_ node: Int, _ name: String, _ arguments: [Int]) -> Operation {
    let function: Function?
    switch checker.references[node] {
    case .function(let found), .method(let found): function = found
    case .none, .slot, .local, .typeName: function = nil
    }
    guard let function else { return failing(.unboundFunction, "there is no function `\(name)`") }
    let ids = arguments.map(Int32.init)
    switch (function, ids.count) {
    case (.not, 1): return .not(ids[0])
    case (.equal, 2), (.notEqual, 2):
      // Text, numbers and truth values: where comparing costs no budget worth counting.
      if case .literal(let value) = checker.syntax.nodes[arguments[1]], Self.isSmall(value) {
        return .equalConstant(ids[0], constant(value), negated: function == .notEqual)
      }
      return function == .equal ? .equal(ids[0], ids[1]) : .notEqual(ids[0], ids[1])
    case (.less, 2), (.lessOrEqual, 2), (.greater, 2), (.greaterOrEqual, 2):
      return .order(function, ids[0], ids[1])
    case (.orValue, 2), (.or, 2):
      return .otherwise(ids[0], ids[1], unwraps: function == .orValue)
    case (.matches, 2):
      if case .literal(.string(let text)) = checker.syntax.nodes[arguments[1]] {
        patterns.append(pattern(text))
        return .matches(ids[0], pattern: Int32(patterns.count - 1))
      }
      return .binary(function, ids[0], ids[1])
    case (.regexExtract, 2), (.regexExtractAll, 2), (.regexReplace, 3...4):
      if case .literal(.string(let text)) = checker.syntax.nodes[arguments[1]],
        let made = pattern(text)
      {
        constantPatterns[CodePoints(text)] = made
      }
      return ids.count == 2
        ? .binary(function, ids[0], ids[1])
        : .call(function, first: store(arguments), count: Int32(ids.count))
    case (_, 1): return .unary(function, ids[0])
    case (_, 2): return .binary(function, ids[0], ids[1])
    default: return .call(function, first: store(arguments), count: Int32(ids.count))
    }
  }
}
