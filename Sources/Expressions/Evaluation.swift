/// One run of a program over facts. Recursion is bounded by the tree's depth, work by the meter.
///
/// Errors are values: every function passes on the first error among its arguments; `&&`, `||` and
/// the conditional decide themselves what an error means.
struct Evaluation {
  unowned(unsafe) let program: Program
  private let operations: UnsafeMutableBufferPointer<Operation>
  let slots: UnsafeBufferPointer<Value?>
  var meter: Meter
  var locals: [Value]
  /// The last value of every node, by id, when somebody wants to know.
  var trace: [Value?]
  private let isTracing: Bool
  /// Patterns that this evaluation has made of texts, the newest last.
  var computedPatterns: [(text: String, pattern: Pattern)] = []
  static let computedPatternsMax = 4

  /// - Precondition: program and slots outlive the evaluation.
  init(_ program: Program, slots: UnsafeBufferPointer<Value?>, budget: Int, tracing: Bool) {
    self.program = program
    operations = program.operations
    isTracing = tracing
    self.slots = slots
    meter = Meter(budget)
    locals = program.localsCount == 0 ? [] : Array(repeating: .null, count: program.localsCount)
    trace = tracing ? Array(repeating: nil, count: program.operations.count) : []
  }

  static let spent = Value.fault(.budget, "the expression costs more than its budget")

  mutating func run() -> Value {
    let result = value(Int32(truncatingIfNeeded: program.syntax.root))
    return meter.isSpent ? Self.spent : result
  }

  mutating func value(_ node: Int32) -> Value {
    guard meter.spend() else { return Self.spent }
    if isTracing { return traced(node) }
    return compute(operations[Int(node)])
  }

  @inline(never)
  private mutating func traced(_ node: Int32) -> Value {
    let operation = operations[Int(node)]
    if case .path(let slot, let first, let count) = operation {
      return tracedPath(node, slot, first, count)
    }
    let result = compute(operation)
    trace[Int(node)] = result
    return result
  }

  /// A path, with a value to show for each of its steps. It costs what it costs untraced: else
  /// explaining could deny what was decided.
  private mutating func tracedPath(_ node: Int32, _ slot: Int32, _ first: Int32, _ count: Int32)
    -> Value
  {
    var steps = [Int(node)]
    while steps.count <= Int(count),
      case .select(let operand, _, _) = program.syntax.nodes[steps[steps.count - 1]]
    {
      steps.append(operand)
    }
    var result = fact(slot)
    for (at, step) in steps.reversed().enumerated() {
      if at > 0 { result = select(result, program.operands[Int(first) + at - 1]) }
      trace[step] = result
    }
    return result
  }

  @inline(__always)
  private mutating func compute(_ operation: Operation) -> Value {
    switch operation {
    case .constant(let index), .failing(let index): return program.constants[Int(index)]
    case .slot(let slot): return fact(slot)
    case .local(let index): return locals[Int(index)]
    case .path(let slot, let first, let count): return path(slot, first, count)
    case .select(let operand, let field): return select(value(operand), field)
    case .equalConstant(let operand, let constant, let negated):
      return equalConstant(value(operand), program.constants[Int(constant)], negated)
    case .equal(let a, let b): return equal(a, b, negated: false)
    case .notEqual(let a, let b): return equal(a, b, negated: true)
    case .order(let function, let a, let b): return order(function, value(a), value(b))
    case .and(let first, let count): return logical(first, count, deciding: false)
    case .or(let first, let count): return logical(first, count, deciding: true)
    case .not(let operand):
      let operand = value(operand)
      if case .bool(let bool) = operand { return .bool(!bool) }
      return operand.isError ? operand : noOverload("!_", [operand])
    case .conditional(let condition, let then, let otherwise):
      let condition = value(condition)
      if case .bool(let bool) = condition { return value(bool ? then : otherwise) }
      return condition.isError ? condition : noOverload("_?_:_", [condition])
    case .hasSlot(let slot): return hasSlot(slot)
    case .optionalSlot(let slot): return optionalSlot(slot)
    case .binary(let function, let a, let b):
      let (a, b) = (value(a), value(b))
      return a.isError ? .strict(a, b) : b.isError ? b : binary(function, a, b)
    case .unary(let function, let a):
      let a = value(a)
      return a.isError ? a : unary(function, a)
    default: return computeRare(operation)
    }
  }

  /// Kept apart so that the common operations' stack frame stays small.
  @inline(never)
  private mutating func computeRare(_ operation: Operation) -> Value {
    switch operation {
    case .selectOptional(let operand, let field):
      let operand = value(operand)
      return operand.isError
        ? operand : optionalPart(operand, program.constants[Int(field)], isField: true)
    case .has(let operand, let field): return has(value(operand), program.constants[Int(field)])
    case .index(let target, let index): return indexed(value(target), value(index))
    case .indexOptional(let target, let index):
      let (target, index) = (value(target), value(index))
      return target.isError
        ? .strict(target, index)
        : index.isError
          ? index : spend(key: index) ? optionalPart(target, index, isField: false) : Self.spent
    case .matches(let text, let pattern):
      return matches(value(text), program.patterns[Int(pattern)])
    case .call(let function, let first, let count): return call(function, first, count)
    case .list(let first, let count): return list(first, count)
    case .map(let first, let count): return map(first, count)
    case .fold(let index): return fold(program.folds[Int(index)])
    case .bind(let local, let bound, let body):
      locals[Int(local)] = value(bound)
      return value(body)
    case .optionalMap(let local, let target, let body, let flat):
      return optionalMap(local, target, body, flat)
    case .otherwise(let optional, let other, let unwraps):
      return otherwise(value(optional), other, unwraps)
    case .block(let first, let count, let local, let body):
      for index in 0..<Int(count) {
        locals[Int(local) + index] = value(program.operands[Int(first) + index])
      }
      return value(body)
    default: return .fault(.invalidArgument, "an operation that is handled elsewhere")
    }
  }

  // MARK: - Facts and fields

  @inline(__always)
  private func present(_ slot: Int32) -> Value? {
    Int(slot) < slots.count ? slots[Int(slot)] : nil
  }

  private func hasSlot(_ slot: Int32) -> Value {
    Self.presence(present(slot))
  }

  private func optionalSlot(_ slot: Int32) -> Value {
    let value = present(slot)
    if let value, value.isUnknown { return value }
    return .optional(OptionalValue(value))
  }

  /// Maps on the way are borrowed, since the facts outlive the evaluation: counting references to
  /// each would cost more than finding the field.
  private func path(_ slot: Int32, _ first: Int32, _ count: Int32) -> Value {
    guard case .map(let root)? = present(slot) else {
      return walk(fact(slot), first, count, from: 0)
    }
    var map = Unmanaged.passUnretained(root)
    for step in 0..<Int(count) {
      let field = program.operands[Int(first) + step]
      guard case .string(let name) = program.constants[Int(field)] else { return .null }
      guard let at = map._withUnsafeGuaranteedRef({ $0.position(text: name) }) else {
        return .fault(.noSuchKey, "no such key: '\(name)'")
      }
      if step == Int(count) - 1 { return map._withUnsafeGuaranteedRef { $0.values[at] } }
      guard let next = map._withUnsafeGuaranteedRef({ $0.borrowedMap(at) }) else {
        return walk(map._withUnsafeGuaranteedRef { $0.values[at] }, first, count, from: step + 1)
      }
      map = next
    }
    return .map(root)
  }

  /// The rest of a path through something that is no map: an optional, or an error.
  @inline(never)
  private func walk(_ start: Value, _ first: Int32, _ count: Int32, from step: Int) -> Value {
    var value = start
    for at in step..<Int(count) { value = select(value, program.operands[Int(first) + at]) }
    return value
  }

  @inline(__always)
  private mutating func equalConstant(_ a: Value, _ constant: Value, _ negated: Bool) -> Value {
    switch (a, constant) {
    case (.string(let a), .string(let b)): return .bool(sameText(a, b) != negated)
    case (.int(let a), .int(let b)): return .bool((a == b) != negated)
    case (.bool(let a), .bool(let b)): return .bool((a == b) != negated)
    case (.error, _): return a
    default:
      guard let same = a.equals(constant, &meter) else { return Self.spent }
      return .bool(same != negated)
    }
  }

  @inline(__always)
  private func fact(_ slot: Int32) -> Value {
    if let value = present(slot) { return value }
    return .fault(.unknownVariable, "\(program.slotNames[Int(slot)]) is absent")
  }

  private func select(_ operand: Value, _ field: Int32) -> Value {
    guard case .string(let name) = program.constants[Int(field)] else { return .null }
    switch operand {
    case .map(let map): return map.find(text: name) ?? .fault(.noSuchKey, "no such key: '\(name)'")
    case .error: return operand
    case .optional(let optional):
      guard let inner = optional.value else { return operand }
      return optionalPart(inner, .string(name), isField: true)
    default:
      return .fault(
        .noSuchOverload, "\(operand.typeName) does not support field selection ('\(name)')")
    }
  }

  private func has(_ operand: Value, _ field: Value) -> Value {
    switch operand {
    case .map(let map): return Self.presence(map.find(field))
    case .error: return operand
    case .optional(let optional):
      guard let inner = optional.value else { return .bool(false) }
      return has(inner, field)
    default: return .fault(.noSuchOverload, "\(operand.typeName) does not support field selection")
    }
  }

  /// Of a part of which nothing is known nobody can say whether it is there.
  static func presence(_ part: Value?) -> Value {
    if let part, part.isUnknown { part } else { .bool(part != nil) }
  }

  /// `a[?b]` and `a.?b`: none where the part is missing.
  func optionalPart(_ target: Value, _ key: Value, isField: Bool) -> Value {
    switch target {
    case .optional(let optional):
      guard let inner = optional.value else { return target }
      return optionalPart(inner, key, isField: isField)
    case .map(let map):
      guard MapKey(key) != nil || !isField else { return noOverload("_[?_]", [target, key]) }
      let part = map.find(key)
      if let part, part.isUnknown { return part }
      return .optional(OptionalValue(part))
    case .list(let list) where !isField:
      guard let at = Self.position(key) else { return noOverload("_[?_]", [target, key]) }
      return .optional(OptionalValue(list.indices.contains(at) ? list[at] : nil))
    default: return noOverload("_[?_]", [target, key])
    }
  }

  mutating func indexed(_ target: Value, _ index: Value) -> Value {
    if target.isError { return .strict(target, index) }
    if index.isError { return index }
    guard spend(key: index) else { return Self.spent }
    switch target {
    case .list(let list):
      guard let at = Self.position(index) else {
        return .fault(.invalidArgument, "invalid_argument: a list has no part \(index)")
      }
      guard list.indices.contains(at) else {
        return .fault(
          .invalidArgument, "invalid_argument: index \(at) out of range, the list has \(list.count)"
        )
      }
      return list[at]
    case .map(let map): return map.find(index) ?? .fault(.noSuchKey, "no such key: \(index)")
    case .optional(let optional):
      guard let inner = optional.value else { return target }
      return optionalPart(inner, index, isField: false)
    default: return noOverload("_[_]", [target, index])
    }
  }

  private static func position(_ value: Value) -> Int? {
    switch value {
    case .int(let int): Int(exactly: int)
    case .uint(let uint): Int(exactly: uint)
    case .double(let double): Int(exactly: double)
    default: nil
    }
  }

  func noOverload(_ name: String, _ arguments: [Value]) -> Value {
    let types = arguments.map(\.typeName)
    let said =
      if let sign = Checker.sign(name) {
        types.count == 2
          ? "`\(sign)` does not go between \(types[0]) and \(types[1])"
          : "`\(sign)` does not go before \(types.joined(separator: ", "))"
      } else {
        "no such overload: \(name)(\(types.joined(separator: ", ")))"
      }
    return .fault(.noSuchOverload, said)
  }

  // MARK: - Logic

  /// `&&` and `||`: the deciding value wins, wherever it stands; else what is unknown; else the
  /// first error.
  private mutating func logical(_ first: Int32, _ count: Int32, deciding: Bool) -> Value {
    var failure: Value?
    for at in Int(first)..<Int(first + count) {
      let part = value(program.operands[at])
      if case .bool(let bool) = part {
        if bool == deciding { return part }
      } else {
        failure = .undecided(
          failure, part.isError ? part : noOverload(deciding ? "_||_" : "_&&_", [part]))
      }
    }
    return failure ?? .bool(!deciding)
  }

  @inline(__always)
  private mutating func equal(_ a: Int32, _ b: Int32, negated: Bool) -> Value {
    let (a, b) = (value(a), value(b))
    if a.isError { return .strict(a, b) }
    if b.isError { return b }
    guard let same = a.equals(b, &meter) else { return Self.spent }
    return .bool(same != negated)
  }

  private mutating func order(_ function: Function, _ a: Value, _ b: Value) -> Value {
    if a.isError { return .strict(a, b) }
    if b.isError { return b }
    guard meter.spend(comparing: a) else { return Self.spent }
    guard let order = Value.order(a, b) else { return noOverload(function.rawValue, [a, b]) }
    switch function {
    case .less: return .bool(order == .before)
    case .lessOrEqual: return .bool(order == .before || order == .same)
    case .greater: return .bool(order == .after)
    default: return .bool(order == .after || order == .same)
    }
  }

  private mutating func call(_ function: Function, _ first: Int32, _ count: Int32) -> Value {
    var arguments: [Value] = []
    arguments.reserveCapacity(Int(count))
    var failure: Value?
    for at in Int(first)..<Int(first + count) {
      let argument = value(program.operands[at])
      if argument.isError { failure = failure.map { .strict($0, argument) } ?? argument }
      arguments.append(argument)
    }
    return failure ?? several(function, arguments)
  }
}
