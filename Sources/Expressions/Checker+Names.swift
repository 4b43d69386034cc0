/// Names, fields and indices.
extension Checker {
  /// The dotted name that a node spells, if it is nothing but names and dots.
  func qualified(_ node: Int) -> (name: String, absolute: Bool, root: String)? {
    switch syntax.nodes[node] {
    case .name(let name, let absolute): return (name, absolute, name)
    case .select(let operand, let field, false):
      guard let inner = qualified(operand) else { return nil }
      return (inner.name + "." + field, inner.absolute, inner.root)
    default: return nil
    }
  }

  func local(_ name: String) -> Int? { locals.lastIndex { $0.name == name } }

  /// The slot of a qualified name, or the name of a type, looked for from the innermost container
  /// outwards.
  func lookup(_ name: String, absolute: Bool) -> Reference? {
    for candidate in environment.candidates(name, absolute: absolute) {
      if let slot = environment.slot(candidate) { return .slot(slot) }
      if let type = Environment.typeNames[candidate] { return .typeName(type) }
    }
    return nil
  }

  mutating func inferName(_ node: Int, _ name: String, absolute: Bool) -> Type {
    if !absolute, let index = local(name) {
      references[node] = .local(index)
      return locals[index].type
    }
    if let found = lookup(name, absolute: absolute) { return use(node, found) }
    if environment.groups.contains(name) {
      let example = environment.variables.first { $0.name.hasPrefix(name + ".") }?.name ?? name
      report(node, "`\(name)` is a group of facts", hint: "name one of them, such as `\(example)`")
      return .dyn
    }
    guard !isFull else { return .dyn }
    let hyphenated = hyphenated(node)
    // A name in several pieces is told of once.
    if let hyphenated, diagnostics.contains(where: { $0.hint == hyphenated }) { return .dyn }
    let container = environment.container
    let place = container.isEmpty ? "" : " (in container '\(container)')"
    let isPlain = container.isEmpty && !name.hasPrefix("@")
    report(
      node, "there is no `\(name)`\(place)",
      hint: hyphenated ?? elementsField(name) ?? otherValue(name, node) ?? nearest(name)
        ?? (isPlain ? nameHint(name, node) : nil))
    return .dyn
  }

  /// For a name that is near to nothing: a text without its quotes, or something that was told.
  private func nameHint(_ name: String, _ node: Int) -> String? {
    if isOperandOfSelect(node) {
      return
        "a name for each element stands in the brackets of `exists(\(name), …)` and its like alone"
    }
    if let other = syntax.nodes.lazy.compactMap({ beside(node, in: $0) }).first, !isLiteral(other) {
      if let hint = dayHint(name, comparedWith: other) { return hint }
      switch unifier.resolve(types[other], final: true) {
      case .string, .dyn: return quoted(name)
      case .bool:
        let text = syntax.text(of: other)
        return "it is true or false: write `\(text)` or `!\(text)` by itself"
      default: return nil
      }
    }
    return isAskedFor(node) ? toldName(name) : quoted(name)
  }

  /// The other side of an operator.
  private func beside(_ node: Int, in other: Syntax.Node) -> Int? {
    guard case .call(let name, let sides) = other, sides.count == 2, Self.sign(name) != nil,
      name != "@in", sides.contains(node)
    else { return nil }
    return sides[0] == node ? sides[1] : sides[0]
  }

  private func quoted(_ name: String) -> String { "text stands in quotes: \"\(name)\"" }

  private func isLiteral(_ node: Int) -> Bool {
    if case .literal = syntax.nodes[node] { true } else { false }
  }

  /// Whether something is asked of what stands there, as of no text that is known.
  private func isAskedFor(_ node: Int) -> Bool {
    if node == syntax.root { return true }
    return syntax.nodes.contains { other in
      switch other {
      case .and(let parts), .or(let parts): parts.contains(node)
      case .call("@in", let sides): sides.first == node
      case .call(let name, let sides): Self.sign(name) != nil && sides.contains(node)
      case .member(let target, _, _): target == node
      case .conditional(let condition, _, _): condition == node
      default: false
      }
    }
  }

  /// Where whatever somebody told may have this name.
  private func toldName(_ name: String) -> String? {
    let free = environment.variables.filter { $0.type == .map(.string, .dyn) }.map(\.name)
    let all = free.map { "`\($0).\(name)`" }
    guard let last = all.last else { return nil }
    let others = all.dropLast().joined(separator: ", ")
    return
      "did you mean \(others.isEmpty ? "" : others + " or ")\(last)? There stands what has been told"
  }

  /// For the name of a field of what a macro goes over, without the element before it.
  private func elementsField(_ name: String) -> String? {
    let holder = locals.last { local in
      guard case .object(let type) = unifier.resolve(local.type, final: true) else { return false }
      return environment.objects[type]?.contains { $0.name == name } ?? false
    }
    return holder.map { "did you mean `\($0.name).\(name)`?" }
  }

  private func isOperandOfSelect(_ node: Int) -> Bool {
    syntax.nodes.contains {
      if case .select(node, _, _) = $0 { true } else { false }
    }
  }

  private mutating func use(_ node: Int, _ found: Reference) -> Type {
    references[node] = found
    switch found {
    case .slot(let slot): return environment.variables[slot].type
    case .typeName: return .type
    case .none, .local, .function, .method: return .dyn
    }
  }

  func nearest(_ name: String) -> String? {
    let known = environment.variables.map(\.name) + locals.map(\.name)
    if let held = heldName(name) { return held }
    if name.contains(".") { return member(name, known) ?? Spelling.hint(name, among: known) }
    // `channel`, where `session.channel` is meant.
    let same = known.filter { $0.hasSuffix("." + name) }
    return same.isEmpty
      ? Spelling.hint(name, among: known)
      : "did you mean \(same.map { "`\($0)`" }.joined(separator: " or "))?"
  }

  /// For `office` where `hours.office` is meant, and `support.waiting` for `queues.support.waiting`.
  private func heldName(_ name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, let root = parts.first, !environment.groups.contains(root),
      !environment.variables.contains(where: { $0.name.hasSuffix("." + name) })
    else { return nil }
    let forms = environment.members.compactMap { held -> String? in
      guard held.names.contains(root), let slot = environment.slot(held.map),
        case .map(_, let value) = environment.variables[slot].type
      else { return nil }
      // What has fields is asked for one, and what has none is not.
      guard case .object(let object) = value else {
        return parts.count == 1 ? "\(held.map).\(root)" : nil
      }
      let fields = (environment.objects[object] ?? []).map(\.name)
      guard parts.count == 2 else { return nil }
      return Spelling.nearest(parts[1], among: fields).map { "\(held.map).\(root).\($0)" }
    }
    return forms.isEmpty
      ? nil : "did you mean \(forms.map { "`\($0)`" }.joined(separator: " or "))?"
  }

  /// For `group.field`: a field of the group that is written nearly so, the same field of another
  /// group, or the fact of the group that holds whatever somebody put there.
  private func member(_ name: String, _ known: [String]) -> String? {
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, environment.groups.contains(parts[0]) else { return nil }
    let own = known.filter { $0.hasPrefix(parts[0] + ".") }
    let fields = own.map { String($0.dropFirst(parts[0].utf8.count + 1)) }
    if let field = Spelling.nearest(parts[1], among: fields) {
      return "did you mean `\(parts[0]).\(field)`?"
    }
    let same = known.filter { $0.hasSuffix("." + parts[1]) }
    if same.count == 1 { return "did you mean `\(same[0])`?" }
    let free = environment.variables.filter {
      own.contains($0.name) && $0.type == .map(.string, .dyn)
    }
    guard free.count == 1, !parts[1].contains(".") else { return nil }
    return "what has been told is in `\(free[0].name)`: did you mean `\(free[0].name).\(parts[1])`?"
  }

  /// A reference for a whole dotted name. A comprehension's variable hides variables that begin
  /// with its name.
  func qualifiedReference(_ node: Int) -> (Reference, String)? {
    guard let (name, absolute, root) = qualified(node), absolute || local(root) == nil else {
      return nil
    }
    return lookup(name, absolute: absolute).map { ($0, name) }
  }

  mutating func inferSelect(_ node: Int, _ operand: Int, _ field: String, optional: Bool) -> Type {
    if !optional, let (found, _) = qualifiedReference(node) { return use(node, found) }
    if let (name, absolute, root) = qualified(operand), absolute || local(root) == nil,
      lookup(name, absolute: absolute) == nil, environment.groups.contains(name)
    {
      // `a.?b` on a group asks for the fact `a.b`.
      if optional, let slot = environment.slot(name + "." + field) {
        references[node] = .slot(slot)
        return .optional(environment.variables[slot].type)
      }
      if environment.groups.contains(name + "." + field) { return .dyn }
      report(
        node, "there is no fact `\(name).\(field)`", hint: nearest(name + "." + field),
        isCertain: true)
      return .dyn
    }
    if let unknown = unknownFact(node) {
      report(node, "there is no fact `\(unknown)`", hint: nearest(unknown), isCertain: true)
      return .dyn
    }
    let type = visitKnown(operand)
    let result = fieldType(node, type, field)
    return optional && !Self.isOptional(type) ? .optional(result) : result
  }

  /// A dotted name that begins with no variable at all, and is near to one: told as a whole.
  private func unknownFact(_ node: Int) -> String? {
    guard let (name, absolute, root) = qualified(node), local(root) == nil else { return nil }
    guard lookup(root, absolute: absolute) == nil, !environment.groups.contains(root),
      nearest(name) != nil
    else { return nil }
    return name
  }

  static func isOptional(_ type: Type) -> Bool {
    if case .abstract("optional_type", _) = type { true } else { false }
  }

  private mutating func fieldType(_ node: Int, _ type: Type, _ field: String) -> Type {
    switch type {
    case .dyn: return .dyn
    case .param:
      // Nothing is known of it yet, as of the elements of an empty map.
      return .dyn
    case .map(let key, let value):
      _ = unifier.assignable(key, .string)
      return value
    case .object(let name):
      let fields = environment.objects[name] ?? []
      if let found = fields.first(where: { $0.name == field }) { return found.type }
      let near = Spelling.hint(field, among: fields.map(\.name))
      report(
        node, "`\(name)` has no field `\(field)`",
        hint: near ?? "it has \(fields.map(\.name).joined(separator: ", "))", isCertain: true)
      return .dyn
    case .abstract("optional_type", let parameters):
      let inner = unifier.resolve(parameters.first ?? .dyn, final: false)
      return .optional(fieldType(node, inner, field))
    case .nullable:
      report(
        node, "this may be null, and null has no field `\(field)`",
        hint: "dyn(…) around it leaves that to the moment of evaluating")
      return .dyn
    default:
      var hint: String?
      if type == .timestamp, case .select(let moment, _, _) = syntax.nodes[node] {
        hint = Self.otherMethod(field, on: syntax.text(of: moment)).map { "write it as `\($0)`" }
      }
      if case .list(let element) = type, case .select(let list, _, _) = syntax.nodes[node] {
        hint = elementHint(field, syntax.text(of: list), element)
      }
      report(node, "\(shown(type)) has no fields, so `.\(field)` means nothing", hint: hint)
      return .dyn
    }
  }

  private func elementHint(_ field: String, _ list: String, _ element: Type) -> String {
    if ["count", "length", "len", "size", "empty", "isempty"].contains(field.lowercased()) {
      return "write it as `\(Self.otherMethod(field, on: list) ?? "size(\(list))")`"
    }
    if ["first", "last"].contains(field.lowercased()) {
      return "the first is `\(list)[0]`, the last `\(list)[size(\(list)) - 1]`"
    }
    if element == .string { return "whether it is among them asks `\"\(field)\" in \(list)`" }
    var asked = field
    if case .object(let name) = element, case let fields = environment.objects[name] ?? [],
      !fields.contains(where: { $0.name == field })
    {
      let known = fields.map(\.name)
      guard let near = Spelling.nearest(field, among: known) else {
        return
          "ask each of its elements, as in `\(list).exists(e, …)`: it has \(known.joined(separator: ", "))"
      }
      asked = near
    }
    return "ask each of its elements: `\(list).exists(e, e.\(asked) == …)`"
  }

  mutating func inferHas(_ node: Int, _ operand: Int, _ field: String) -> Type {
    if let (name, absolute, root) = qualified(operand), absolute || local(root) == nil {
      for candidate in environment.candidates(name + "." + field, absolute: absolute) {
        if let slot = environment.slot(candidate) {
          references[node] = .slot(slot)
          return .bool
        }
      }
      if lookup(name, absolute: absolute) == nil, environment.groups.contains(name) {
        report(
          node, "there is no fact `\(name).\(field)`", hint: nearest(name + "." + field),
          isCertain: true)
        return .bool
      }
    }
    let type = visitKnown(operand)
    _ = fieldType(node, type, field)
    return .bool
  }

  mutating func inferIndex(
    _ node: Int, _ target: Type, _ index: Type, _ indexNode: Int, optional: Bool
  ) -> Type {
    let target = unifier.resolve(target, final: false)
    if case .abstract("optional_type", let parameters) = target {
      let inner = indexed(node, unifier.resolve(parameters.first ?? .dyn, final: false), index)
      return .optional(inner)
    }
    let result = indexed(node, target, index)
    return optional ? .optional(result) : result
  }

  private mutating func indexed(_ node: Int, _ target: Type, _ index: Type) -> Type {
    switch target {
    case .dyn, .param: return .dyn
    case .list(let element):
      if !unifier.assignable(index, .int) {
        report(node, "a list is indexed by int, not by \(shown(index))")
      }
      return element
    case .map(let key, let value):
      if !unifier.assignable(index, key),
        !(Self.isNumber(index) && Self.isNumber(unifier.resolve(key, final: true)))
      {
        report(node, "this map's keys are \(shown(key)), not \(shown(index))")
      }
      return value
    case .object: return .dyn
    default:
      report(node, "\(shown(target)) has no parts to index")
      return .dyn
    }
  }

  static func isNumber(_ type: Type) -> Bool { type == .int || type == .uint || type == .double }
}

/// Finds the word that somebody probably meant.
public enum Spelling {
  /// What somebody may have meant, for behind a mistake: `did you mean …?`
  public static func hint(_ word: String, among known: [String]) -> String? {
    nearest(word, among: known).map { "did you mean `\($0)`?" }
  }

  /// For a text that a fact never is: what somebody may have meant, or what there is.
  public static func hint(text: String, among known: [String]) -> String {
    nearest(text, among: known).map { "did you mean \"\($0)\"?" }
      ?? "it is one of \(known.prefix(12).joined(separator: ", "))"
  }

  /// The nearest by edit distance, if it is near at all.
  ///
  /// - Parameter most: how far it may be at most; by itself a third of the word.
  public static func nearest(_ word: String, among known: [String], most: Int? = nil) -> String? {
    guard word.utf8.count <= 100 else { return nil }
    let limit = most ?? max(1, word.utf8.count / 3)
    var best: (distance: Int, word: String)?
    for candidate in known where abs(candidate.utf8.count - word.utf8.count) <= limit {
      let distance = distance(Array(word.utf8), Array(candidate.utf8))
      if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.word
  }

  /// A time zone by a name that is written nearly so, or by its city alone; what stands for several
  /// zones, such as `CST`, is near to none.
  public static func zone(_ text: String, among known: [String]) -> String? {
    let places = known.filter { $0.utf8.contains(UInt8(ascii: "/")) }
    if text.utf8.contains(UInt8(ascii: "/")) {
      // Many places are called nearly as others far away: of two letters it may be another.
      return nearest(text, among: places, most: 1)
    }
    let city = text.lowercased().split(separator: " ").joined(separator: "_")
    let found = places.filter { $0.lowercased().hasSuffix("/" + city) }
    return found.count == 1 ? found[0] : nil
  }

  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before = Array(0...b.count)
    var older = before
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        let change = before[j] + (a[i] | 0x20 == b[j] | 0x20 ? 0 : 1)
        var least = min(change, before[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, older[j - 1] + 1) }
        row.append(least)
      }
      older = before
      before = row
    }
    return before[b.count]
  }
}
