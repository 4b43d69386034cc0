/// Lists, maps, and the macros that visit them.
extension Evaluation {
  mutating func list(_ first: Int32, _ count: Int32) -> Value {
    var elements: [Value] = []
    elements.reserveCapacity(Int(count))
    var unknown: Value?
    for at in Int(first)..<Int(first + count) {
      let id = program.operands[at]
      let element = value(id < 0 ? ~id : id)
      if element.isError {
        guard element.isUnknown else { return element }
        unknown = .undecided(unknown, element)
        continue
      }
      guard id < 0 else {
        elements.append(element)
        continue
      }
      guard case .optional(let optional) = element else { return noOverload("[?_]", [element]) }
      if let inner = optional.value { elements.append(inner) }
    }
    return unknown ?? .list(elements)
  }

  mutating func map(_ first: Int32, _ count: Int32) -> Value {
    var builder = MapBuilder()
    var unknown: Value?
    for entry in 0..<Int(count) {
      let id = program.operands[Int(first) + 2 * entry]
      let key = value(id < 0 ? ~id : id)
      if key.isError, !key.isUnknown { return key }
      var held = value(program.operands[Int(first) + 2 * entry + 1])
      if held.isError, !held.isUnknown { return held }
      if key.isUnknown || held.isUnknown {
        unknown = .undecided(unknown, key.isUnknown ? key : held)
        continue
      }
      if id < 0 {
        guard case .optional(let optional) = held else { return noOverload("{?_:_}", [held]) }
        guard let inner = optional.value else { continue }
        held = inner
      }
      guard spend(key: key) else { return Self.spent }
      if let failure = builder.add(key, held) { return failure }
    }
    return unknown ?? .map(builder.map)
  }

  mutating func optionalMap(_ local: Int32, _ target: Int32, _ body: Int32, _ flat: Bool) -> Value {
    let target = value(target)
    guard case .optional(let optional) = target else {
      return target.isError ? target : noOverload("optMap", [target])
    }
    guard let inner = optional.value else { return target }
    locals[Int(local)] = inner
    let result = value(body)
    if result.isError { return result }
    if !flat { return .optional(OptionalValue(result)) }
    if case .optional = result { return result }
    return noOverload("optFlatMap", [result])
  }

  mutating func fold(_ plan: FoldPlan) -> Value {
    let range = value(Int32(plan.range))
    switch range {
    case .list(let list):
      if plan.kind == .sortBy { return sortBy(plan, list) }
      return fold(plan, count: list.count) { at, second in
        second ? (.int(Int64(at)), list[at]) : (list[at], .null)
      }
    case .map(let map) where plan.kind != .sortBy:
      return fold(plan, count: map.count) { at, _ in (map.keys[at], map.values[at]) }
    case .error: return range
    default: return noOverload(plan.kind.rawValue, [range])
    }
  }

  private mutating func fold(_ plan: FoldPlan, count: Int, _ item: (Int, Bool) -> (Value, Value))
    -> Value
  {
    var gathered = Gathered(plan.kind)
    for at in 0..<count {
      guard meter.spend() else { return Self.spent }
      let (first, second) = item(at, plan.hasSecond)
      locals[plan.local] = first
      if plan.hasSecond { locals[plan.local + 1] = second }
      if plan.filter >= 0 {
        switch value(Int32(plan.filter)) {
        case .bool(true): break
        case .bool(false): continue
        case let other where other.isUnknown:
          gathered.note(unknown: other)
          continue
        case let other: return other.isError ? other : noOverload(plan.kind.rawValue, [other])
        }
      }
      if let done = gathered.take(value(Int32(plan.body)), of: first, self) { return done }
    }
    return gathered.result
  }

  private mutating func sortBy(_ plan: FoldPlan, _ list: [Value]) -> Value {
    var keys: [Value] = []
    for element in list {
      guard meter.spend() else { return Self.spent }
      locals[plan.local] = element
      let key = value(Int32(plan.body))
      if key.isError { return key }
      keys.append(key)
    }
    return sorted(list, by: keys)
  }

  /// A stable sort; the keys must be of one type that has an order.
  mutating func sorted(_ list: [Value], by keys: [Value]) -> Value {
    guard let first = keys.first else { return .list(list) }
    for key in keys where Value.order(first, key) == nil || key.typeName != first.typeName {
      return noOverload("sort", [first, key])
    }
    var work = 1
    while 1 << work < keys.count { work += 1 }
    guard meter.spend(keys.count * work) else { return Self.spent }
    for key in keys {
      for _ in 0..<work where !meter.spend(comparing: key) { return Self.spent }
    }
    let order = keys.indices.sorted { a, b in
      switch Value.order(keys[a], keys[b]) {
      case .before: true
      case .same, .unordered, nil: a < b && Value.order(keys[b], keys[a]) != .before
      case .after: false
      }
    }
    return .list(order.map { list[$0] })
  }
}

struct MapBuilder {
  private var seen: Set<MapKey> = []
  private var keys: [Value] = []
  private var values: [Value] = []

  /// - Returns: an error when the key is none or stands already.
  mutating func add(_ key: Value, _ value: Value) -> Value? {
    switch key {
    case .bool, .int, .uint, .string: break
    default: return .fault(.unsupportedKey, "unsupported key type: \(key.typeName)")
    }
    guard let identity = MapKey(key), seen.insert(identity).inserted else {
      return .fault(.repeatedKey, "the key \(key) stands twice")
    }
    keys.append(key)
    values.append(value)
    return nil
  }

  var map: MapValue { MapValue(unique: keys, values) }
}

/// What a macro has gathered so far.
struct Gathered {
  let kind: Syntax.Fold.Kind
  private var failure: Value?
  private var found = 0
  private var elements: [Value] = []
  private var map = MapBuilder()
  /// Kept while the rest is looked at: an error there outweighs it.
  private var unknown: Value?

  init(_ kind: Syntax.Fold.Kind) { self.kind = kind }

  mutating func note(unknown value: Value) { unknown = .undecided(unknown, value) }

  /// Takes one outcome; a value when the result is known already.
  mutating func take(_ outcome: Value, of item: Value, _ evaluation: Evaluation) -> Value? {
    if outcome.isUnknown, kind != .all, kind != .exists {
      note(unknown: outcome)
      return nil
    }
    switch kind {
    case .all, .exists:
      // As `&&` and `||`: a deciding element outweighs an error in another.
      guard case .bool(let bool) = outcome else {
        failure = .undecided(
          failure, outcome.isError ? outcome : evaluation.noOverload(kind.rawValue, [outcome]))
        return nil
      }
      return bool == (kind == .exists) ? outcome : nil
    case .existsOne, .existsOneOld, .filter:
      guard case .bool(let bool) = outcome else {
        return outcome.isError ? outcome : evaluation.noOverload(kind.rawValue, [outcome])
      }
      if bool { found += 1 }
      if bool, kind == .filter { elements.append(item) }
      return nil
    case .map, .transformList, .sortBy:
      if outcome.isError { return outcome }
      elements.append(outcome)
      return nil
    case .transformMap:
      return outcome.isError ? outcome : map.add(item, outcome)
    case .transformMapEntry:
      if outcome.isError { return outcome }
      guard case .map(let entry) = outcome else {
        return evaluation.noOverload(kind.rawValue, [outcome])
      }
      for at in entry.keys.indices {
        if let failure = map.add(entry.keys[at], entry.values[at]) { return failure }
      }
      return nil
    }
  }

  var result: Value {
    if let unknown { return unknown }
    return switch kind {
    case .all: failure ?? .bool(true)
    case .exists: failure ?? .bool(false)
    case .existsOne, .existsOneOld: .bool(found == 1)
    case .map, .filter, .transformList, .sortBy: .list(elements)
    case .transformMap, .transformMapEntry: .map(map.map)
    }
  }
}
