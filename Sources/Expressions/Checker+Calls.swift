/// Calls, literals of lists and maps, and the macros.
extension Checker {
  mutating func inferCall(_ node: Int, _ name: String, _ arguments: [Int]) -> Type {
    let absolute = name.hasPrefix(".")
    let plain = absolute ? String(name.dropFirst()) : name
    let isKnown = environment.candidates(plain, absolute: absolute).contains {
      environment.overloads[$0] != nil || Signatures.all[$0] != nil
    }
    if !isKnown, arguments.count > 1,
      let form = Self.foldFirst(
        plain, arguments.map { syntax.text(of: $0) },
        isNamed: arguments.count > 2 && newName(arguments[1]) != nil)
    {
      // What follows speaks of an element that has no name yet.
      _ = visit(arguments[0])
      references[node] = .function(nil)
      report(
        node, "`\(plain)` stands behind what it goes over", hint: "write it as `\(form)`")
      return .dyn
    }
    let types = arguments.map { visit($0) }
    for candidate in environment.candidates(plain, absolute: absolute)
    where environment.overloads[candidate] != nil || Signatures.all[candidate] != nil {
      references[node] = .function(Function.named[candidate])
      return call(node, candidate, types, isMember: false)
    }
    references[node] = .function(nil)
    let known = Signatures.all.values.joined()
      .filter { !$0.isMember && Self.sign($0.name) == nil }.map(\.name)
    let near = Spelling.nearest(plain, among: Array(Set(known)).sorted())
    var hint = near.map { "did you mean `\($0)`?" }
    if arguments.isEmpty, environment.slot(plain) != nil {
      hint = "`\(plain)` is a fact: write it without brackets"
    } else if arguments.count == 1, case .literal(.string(let text)) = syntax.nodes[arguments[0]],
      let moment = Self.momentWritten(plain, text)
    {
      hint = moment
    } else if let other = Self.otherFunction(plain, arguments.map { syntax.text(of: $0) }) {
      hint = "write it as `\(other)`"
    }
    report(node, "there is no function `\(plain)`", hint: hint)
    return .dyn
  }

  mutating func inferMember(_ node: Int, _ target: Int, _ name: String, _ arguments: [Int]) -> Type
  {
    // `math.abs(x)`: the receiver is the first part of a function's name, unless a variable has
    // that name.
    if let (qualifier, absolute, root) = qualified(target), absolute || local(root) == nil,
      qualifiedReference(target) == nil
    {
      for candidate in environment.candidates(qualifier + "." + name, absolute: absolute) {
        let isVariadic = candidate == "math.greatest" || candidate == "math.least"
        guard
          isVariadic || environment.overloads[candidate] != nil || Signatures.all[candidate] != nil
        else { continue }
        references[node] = .function(Function.named[candidate])
        let types = arguments.map { visit($0) }
        return isVariadic
          ? extreme(node, arguments, types) : call(node, candidate, types, isMember: false)
      }
    }
    let hasFunction = environment.overloads[name] != nil || Signatures.all[name] != nil
    if !hasFunction,
      let form = Self.otherFold(name, arguments.count, on: syntax.text(of: target))
    {
      _ = visit(target)
      references[node] = .method(nil)
      report(node, "there is no function `\(name)`", hint: "write it as `\(form)`")
      return .dyn
    }
    if arguments.count == 2, let element = newName(arguments[0]),
      ["contains", "include", "includes", "has"].contains(name.lowercased())
    {
      _ = visit(target)
      references[node] = .method(nil)
      let texts = [target, arguments[1]].map { syntax.text(of: $0) }
      report(
        node, "`\(name)` asks for one element, not for a condition",
        hint: "write it as `\(texts[0]).exists(\(element), \(texts[1]))`")
      return .dyn
    }
    if !hasFunction, let form = Parser.form(name) {
      let range = visit(target)
      references[node] = .method(nil)
      let whole = isFull ? nil : foldForm(name, target, arguments, range)
      // What is in the brackets speaks of an element that has no name yet.
      report(
        node, "`\(name)` begins with a name for each element",
        hint: "write it as `\(whole ?? form)`")
      return .dyn
    }
    if !hasFunction, let (space, absolute, root) = qualified(target),
      absolute || local(root) == nil, lookup(space, absolute: absolute) == nil,
      case let known = Self.functions(of: space), !known.isEmpty
    {
      references[node] = .method(nil)
      report(
        node, "there is no function `\(space).\(name)`",
        hint: Spelling.hint("\(space).\(name)", among: known)
          ?? "there are \(known.joined(separator: ", "))")
      return .dyn
    }
    if name.hasPrefix("get"), hasFunction, arguments.count == 1,
      let zone = zoneWritten(arguments[0])
    {
      _ = visit(target)
      references[node] = .method(Function.named[name])
      report(
        node, "a time zone is a text",
        hint: "write `\(syntax.text(of: target)).\(name)(\"\(zone)\")`")
      return .int
    }
    let types = [visit(target)] + arguments.map { visit($0) }
    references[node] = .method(Function.named[name])
    if !hasFunction {
      references[node] = .method(nil)
      let known = Signatures.all.values.joined().filter(\.isMember).map(\.name)
      let macros = Syntax.Fold.Kind.allCases.map(\.rawValue)
      let near = Spelling.nearest(name, among: Array(Set(known)).sorted() + macros)
      let isMembership = ["include", "includes", "has"].contains(name.lowercased())
      let other =
        isMembership
        ? containing(node, types).map { "write it as `\($0)`" + orAmong($0, node, types[0]) }
        : Self.otherMethod(name, on: syntax.text(of: target)).map { "write it as `\($0)`" }
      report(
        node, "there is no function `\(name)`",
        hint: other ?? near.map { "did you mean `\($0)`?" })
      return .dyn
    }
    return call(node, name, types, isMember: true)
  }

  /// A name for an element, that means nothing else.
  private func newName(_ node: Int) -> String? {
    guard case .name(let name, absolute: false) = syntax.nodes[node], local(name) == nil,
      lookup(name, absolute: false) == nil
    else { return nil }
    return name
  }

  /// `math.abs` and the like, for `math`.
  private static func functions(of space: String) -> [String] {
    Signatures.all.keys.filter { $0.hasPrefix(space + ".") }.sorted()
  }

  /// A variable that stands for null as null itself: no function takes it for a moment or an
  /// optional value, as two elements of one list may be.
  private func nullShown(_ type: Type) -> Type {
    unifier.resolve(type, final: false) == .null ? .null : type
  }

  private mutating func call(_ node: Int, _ name: String, _ arguments: [Type], isMember: Bool)
    -> Type
  {
    var result: Type?
    let overloads = (environment.overloads[name] ?? []) + (Signatures.all[name] ?? [])
    for overload in overloads
    where overload.isMember == isMember && overload.parameters.count == arguments.count {
      var names: [String: Type] = [:]
      let parameters = overload.parameters.map { instantiate($0, &names) }
      let before = unifier
      var fits = true
      for (argument, parameter) in zip(arguments, parameters) where fits {
        fits = unifier.assignable(nullShown(argument), parameter, takesNull: false)
      }
      guard fits else {
        unifier = before
        continue
      }
      let outcome = instantiate(overload.result, &names)
      let own = unifier.resolve(outcome, final: false)
      if let known = result {
        if known != own { result = .dyn }
      } else {
        result = own
      }
    }
    if let result { return result }
    guard !isFull else { return .dyn }
    report(
      node, noOverload(name, arguments, isMember),
      hint: operandHint(node, name, arguments) ?? elementHint(node, arguments)
        ?? overloadHint(name, arguments, overloads))
    return .dyn
  }

  private func noOverload(_ name: String, _ arguments: [Type], _ isMember: Bool) -> String {
    let shown = arguments.map { self.shown($0) }
    if let sign = Self.sign(name) {
      return shown.count == 2
        ? "`\(sign)` does not go between \(shown[0]) and \(shown[1])"
        : "`\(sign)` does not go before \(shown[0])"
    }
    if isMember {
      return
        "`\(name)` cannot be called on \(shown[0]) with (\(shown.dropFirst().joined(separator: ", ")))"
    }
    return "`\(name)` cannot be called with (\(shown.joined(separator: ", ")))"
  }

  private func overloadHint(_ name: String, _ arguments: [Type], _ overloads: [Overload]) -> String?
  {
    if Self.sign(name) != nil {
      let shown = Set(arguments.map { unifier.resolve($0, final: true) })
      if name == "_+_", shown.contains(.string) {
        return "to join them, make a text of both: string(…)"
      }
      if shown == [.string, .int] {
        return "to compare text with a number, turn one into the other: int(…) or string(…)"
      }
      if shown == [.int, .double] {
        return "write the number with a point, as in 2.0, or convert with double(…)"
      }
      if shown == [.int, .uint] {
        return "write the number with u, as in 2u, or convert with uint(…)"
      }
      return nil
    }
    let forms = overloads.prefix(4).map { overload in
      let rest = overload.parameters.dropFirst(overload.isMember ? 1 : 0).map(\.description)
      let receiver = overload.isMember ? "\(overload.parameters.first ?? .dyn)." : ""
      return "\(receiver)\(name)(\(rest.joined(separator: ", ")))"
    }
    return forms.isEmpty ? nil : "it takes " + forms.joined(separator: " or ")
  }

  /// `==` for `_==_`; nil for what is no operator, such as a function that somebody calls `_s_`.
  static func sign(_ name: String) -> String? {
    if name == "@in" { return "in" }
    if name == "!_" || name == "-_" { return String(name.dropLast()) }
    guard name.hasPrefix("_"), name.hasSuffix("_"), name.utf8.count > 2 else { return nil }
    let sign = name.dropFirst().dropLast()
    return sign.utf8.contains { Lexer.isLetter($0) || Lexer.isDigit($0) } ? nil : String(sign)
  }

  private mutating func instantiate(_ type: Type, _ names: inout [String: Type]) -> Type {
    switch type {
    case .param(let name):
      if let known = names[name] { return known }
      let fresh = unifier.freshVariable()
      names[name] = fresh
      return fresh
    case .list(let element): return .list(instantiate(element, &names))
    case .map(let key, let value): return .map(instantiate(key, &names), instantiate(value, &names))
    case .abstract(let name, let parameters):
      return .abstract(name, parameters.map { instantiate($0, &names) })
    default: return type
    }
  }

  /// `math.greatest` and `math.least` take any number of numbers, or one list of them.
  private mutating func extreme(_ node: Int, _ nodes: [Int], _ types: [Type]) -> Type {
    var arguments = types.map { unifier.resolve($0, final: true) }
    var isEmpty = nodes.isEmpty
    if nodes.count == 1, case .list(let elements, _) = syntax.nodes[nodes[0]] {
      isEmpty = elements.isEmpty
    }
    if isEmpty { report(node, "this needs at least one number") }
    if arguments.count == 1, case .list(let element) = arguments[0] { arguments = [element] }
    for type in arguments where type != .dyn && !Self.isNumber(type) {
      report(node, "this takes numbers, not \(shown(type))")
      return .dyn
    }
    return arguments.dropFirst().allSatisfy { $0 == arguments[0] }
      ? (arguments.first ?? .dyn) : .dyn
  }

  mutating func inferList(_ elements: [Int], _ optional: Set<Int>) -> Type {
    var joined: Type?
    for (index, element) in elements.enumerated() {
      var type = visit(element)
      if optional.contains(index) { type = unwrapped(element, type) }
      joined = unifier.join(joined, type)
    }
    return .list(joined ?? unifier.freshVariable())
  }

  private mutating func unwrapped(_ node: Int, _ type: Type) -> Type {
    let inner = unifier.freshVariable()
    if !unifier.assignable(type, .optional(inner), takesNull: false) {
      report(node, "`?` needs an optional value here, not \(shown(type))")
      return .dyn
    }
    return unifier.resolve(type, final: false) == .dyn ? .dyn : inner
  }

  mutating func inferMap(_ entries: [(key: Int, value: Int)], _ optional: Set<Int>) -> Type {
    var keys: Type?
    var values: Type?
    for (index, entry) in entries.enumerated() {
      let key = visit(entry.key)
      switch unifier.resolve(key, final: true) {
      case .bool, .int, .uint, .string, .dyn: break
      default:
        report(entry.key, "a map's key is a text, a whole number, true or false, not \(shown(key))")
      }
      keys = unifier.join(keys, key)
      var value = visit(entry.value)
      if optional.contains(index) { value = unwrapped(entry.value, value) }
      values = unifier.join(values, value)
    }
    return .map(keys ?? unifier.freshVariable(), values ?? unifier.freshVariable())
  }

  mutating func inferFold(_ node: Int, _ fold: Syntax.Fold) -> Type {
    let range = visitKnown(fold.range)
    var names: [(String, Type)]
    switch range {
    case .list(let element):
      names =
        fold.second.map { [(fold.variable, .int), ($0, element)] } ?? [(fold.variable, element)]
    case .map(let key, let value):
      names = fold.second.map { [(fold.variable, key), ($0, value)] } ?? [(fold.variable, key)]
    default:
      if range != .dyn, !Self.isVariable(range) {
        report(
          fold.range, "`\(fold.kind.rawValue)` goes over a list or a map, not over \(shown(range))")
      }
      names = [(fold.variable, .dyn)] + (fold.second.map { [($0, .dyn)] } ?? [])
    }
    // The accumulator of a comprehension hides nothing here: folds are nodes of their own.
    return scoped(names, node) { $0.foldBody(fold, range) }
  }

  private static func isVariable(_ type: Type) -> Bool {
    if case .param = type { true } else { false }
  }

  private mutating func foldBody(_ fold: Syntax.Fold, _ range: Type) -> Type {
    if let filter = fold.filter { expectBool(filter, fold) }
    switch fold.kind {
    case .all, .exists, .existsOne, .existsOneOld:
      expectBool(fold.body, fold)
      return .bool
    case .filter:
      expectBool(fold.body, fold)
      if case .map(let key, _) = range { return .list(key) }
      return range == .dyn ? .dyn : range
    case .map, .transformList: return .list(visit(fold.body))
    case .sortBy:
      let key = visitKnown(fold.body)
      if !key.isOrdered {
        report(
          fold.body, "`sortBy` needs a key that has an order here, and this is \(shown(key))",
          hint: "numbers, texts, bytes, moments, lengths of time and truth values have one")
      }
      if case .map = range {
        report(fold.range, "`sortBy` goes over a list, not over \(shown(range))")
      }
      return range
    case .transformMap:
      let value = visit(fold.body)
      if case .map(let key, _) = range { return .map(key, value) }
      if case .list = range { return .map(.int, value) }
      return .map(.dyn, value)
    case .transformMapEntry:
      let type = visitKnown(fold.body)
      if case .map = type { return type }
      if type != .dyn { report(fold.body, "this needs a map of one entry, not \(shown(type))") }
      return .map(.dyn, .dyn)
    }
  }

  private mutating func expectBool(_ node: Int, _ fold: Syntax.Fold) {
    let type = visit(node)
    guard !unifier.assignable(type, .bool) else { return }
    report(node, "`\(fold.kind.rawValue)` needs a condition here, and this is \(shown(type))")
  }

  mutating func inferOptionalMap(
    _ node: Int, _ target: Int, _ name: String, _ body: Int, flat: Bool
  ) -> Type {
    let type = visitKnown(target)
    let inner = unifier.freshVariable()
    if !unifier.assignable(type, .optional(inner), takesNull: false) {
      report(target, "this needs an optional value, not \(shown(type))")
    }
    let bound: Type = type == .dyn ? .dyn : inner
    let result = scoped([(name, bound)], node) { $0.visit(body) }
    if !flat { return .optional(result) }
    let unwrapped = unifier.freshVariable()
    if !unifier.assignable(nullShown(result), .optional(unwrapped), takesNull: false) {
      report(body, "`optFlatMap` needs an optional value here, not \(shown(result))")
    }
    return result
  }
}
