/// What type variables stand for while an expression is checked. Follows the reference
/// implementation's rules
/// for assigning and joining, so that deduced types agree with the conformance suite.
struct Unifier {
  private(set) var bound: [String: Type] = [:]
  private var fresh = 0
  /// No type is deeper than the tree that it is the type of, nor than the variables between.
  private static let depthMax = 2 * Syntax.depthMax

  mutating func freshVariable() -> Type {
    fresh += 1
    return .param("%\(fresh)")
  }

  /// The type with every known variable replaced; unknown ones become `dyn` when `final`.
  func resolve(_ type: Type, final: Bool, depth: Int = 0) -> Type {
    guard depth < Self.depthMax else { return .dyn }
    let next = depth + 1
    switch type {
    case .param(let name):
      if let known = bound[name] { return resolve(known, final: final, depth: next) }
      return final ? .dyn : type
    case .list(let element): return .list(resolve(element, final: final, depth: next))
    case .map(let key, let value):
      return .map(
        resolve(key, final: final, depth: next), resolve(value, final: final, depth: next))
    case .abstract(let name, let parameters):
      return .abstract(name, parameters.map { resolve($0, final: final, depth: next) })
    case .nullable(let inner):
      return resolve(inner, final: final, depth: next).withNull ?? .dyn
    case .dyn, .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .type,
      .object,
      .wrapper:
      return type
    }
  }

  /// - Parameter takesNull: whether null stands for any timestamp, duration or optional, as it does
  ///   where values are compared or gathered; no function takes it for one.
  mutating func assignable(_ a: Type, _ b: Type, takesNull: Bool = true) -> Bool {
    let before = bound
    if assign(a, b, 0, takesNull) { return true }
    bound = before
    return false
  }

  private mutating func assign(_ a: Type, _ b: Type, _ depth: Int, _ takesNull: Bool) -> Bool {
    guard depth < Self.depthMax else { return true }
    if case .param(let name) = b {
      let (valid, known) = substitute(a, for: name, depth)
      if valid { return true }
      if known { return false }
    }
    if case .param(let name) = a { return substitute(b, for: name, depth).valid }
    if a == .dyn || b == .dyn { return true }
    if a == .null || b == .null {
      let other = a == .null ? b : a
      if case .wrapper = other { return true }
      return a == b || (takesNull && other.withNull != nil)
    }
    switch (a, b) {
    case (.nullable(let inner), .nullable(let other)):
      return assign(inner, other, depth + 1, takesNull)
    case (.nullable(let inner), _): return takesNull && assign(inner, b, depth + 1, takesNull)
    case (_, .nullable(let inner)): return takesNull && assign(a, inner, depth + 1, takesNull)
    case (.wrapper(let inner), .wrapper(let other)): return inner == other
    case (.wrapper(let inner), _): return inner == b
    case (_, .wrapper(let inner)): return inner == a
    case (.list(let x), .list(let y)): return assign(x, y, depth + 1, takesNull)
    case (.map(let k, let v), .map(let l, let w)):
      return assign(k, l, depth + 1, takesNull) && assign(v, w, depth + 1, takesNull)
    case (.abstract(let n, let x), .abstract(let m, let y)):
      guard n == m, x.count == y.count else { return false }
      for (x, y) in zip(x, y) where !assign(x, y, depth + 1, takesNull) { return false }
      return true
    default: return a == b
    }
  }

  private mutating func substitute(_ type: Type, for name: String, _ depth: Int) -> (
    valid: Bool, known: Bool
  ) {
    if type == .param(name) { return (true, true) }
    if let known = bound[name] {
      if type == known { return (true, true) }
      // What a variable stands for may be null: nothing is asked of it but to be the same.
      guard assign(type, known, depth + 1, true) else { return (false, true) }
      let general = Self.moreGeneral(type, known)
      if !mentions(general, name) { bound[name] = general }
      return (true, true)
    }
    if mentions(type, name) { return (false, false) }
    bound[name] = type
    return (true, false)
  }

  private func mentions(_ type: Type, _ name: String, depth: Int = 0) -> Bool {
    guard depth < Self.depthMax else { return true }
    switch type {
    case .param(let other):
      if other == name { return true }
      return bound[other].map { mentions($0, name, depth: depth + 1) } ?? false
    case .list(let element): return mentions(element, name, depth: depth + 1)
    case .map(let key, let value):
      return mentions(key, name, depth: depth + 1) || mentions(value, name, depth: depth + 1)
    case .abstract(_, let parameters):
      return parameters.contains { mentions($0, name, depth: depth + 1) }
    case .nullable(let inner): return mentions(inner, name, depth: depth + 1)
    default: return false
    }
  }

  /// The type of what may be either, of two that can be assigned to one another.
  static func moreGeneral(_ a: Type, _ b: Type) -> Type {
    if case .param = a { return a }
    if case .param = b { return b }
    if a == .dyn || b == .dyn { return .dyn }
    switch (a, b) {
    case (.null, _): return b.withNull ?? .dyn
    case (_, .null): return a.withNull ?? .dyn
    case (.nullable(let x), .nullable(let y)), (.nullable(let x), let y), (let x, .nullable(let y)):
      return moreGeneral(x, y).withNull ?? .dyn
    case (.list(let x), .list(let y)): return .list(moreGeneral(x, y))
    case (.map(let k, let v), .map(let l, let w)):
      return .map(moreGeneral(k, l), moreGeneral(v, w))
    case (.abstract(let n, let x), .abstract(_, let y)) where x.count == y.count:
      return .abstract(n, zip(x, y).map(moreGeneral))
    default: return isLessSpecific(a, b) ? a : b
    }
  }

  private static func isLessSpecific(_ a: Type, _ b: Type) -> Bool {
    if case .wrapper(let inner) = a, inner == b { return true }
    return a == b
  }

  /// The type of a list's elements so far and one more.
  mutating func join(_ previous: Type?, _ next: Type) -> Type {
    guard let previous else { return next }
    return assignable(previous, next) ? Self.moreGeneral(previous, next) : .dyn
  }
}
