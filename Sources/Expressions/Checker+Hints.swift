/// What other languages call something that has another name here.
extension Checker {
  /// The form for a method that there is not; nil where nobody is known to call it so.
  ///
  /// - Parameter target: what it is called on, as it is written.
  static func otherMethod(_ name: String, on target: String) -> String? {
    switch name.lowercased() {
    case "lower", "tolower", "lowercase", "tolowercase", "downcase": "\(target).lowerAscii()"
    case "upper", "toupper", "uppercase", "touppercase", "upcase": "\(target).upperAscii()"
    case "len", "length", "count": "size(\(target))"
    case "empty", "isempty", "isblank": "size(\(target)) == 0"
    case "strip": "\(target).trim()"
    case "match", "search", "test", "regex": "\(target).matches(…)"
    case "tostring", "str": "string(\(target))"
    case "toint", "tonumber", "parseint": "int(\(target))"
    case "hour", "gethour", "hours": "\(target).getHours(\"Europe/Berlin\")"
    case "weekday", "dayofweek", "getday": "\(target).getDayOfWeek(\"Europe/Berlin\")"
    case "exist", "isset", "defined": "has(\(target))"
    default: nil
    }
  }

  /// The form for a method that goes over a list, and is another macro here: what stands in its
  /// brackets speaks of an element that has no name yet.
  static func otherFold(_ name: String, _ count: Int, on target: String) -> String? {
    switch name.lowercased() {
    case "count" where count > 0, "countwhere", "count_if": "size(\(target).filter(e, …))"
    case "any", "some", "anysatisfy", "find": "\(target).exists(e, …)"
    case "every", "each", "allsatisfy": "\(target).all(e, …)"
    case "none": "!\(target).exists(e, …)"
    case "select", "where": "\(target).filter(e, …)"
    case "collect": "\(target).map(e, …)"
    default: nil
    }
  }

  /// The form for a macro that is written as a function, with the list, or the map, first.
  ///
  /// - Parameter arguments: as they are written; an element's name among them where it has one.
  static func foldFirst(_ name: String, _ arguments: [String], isNamed: Bool) -> String? {
    guard arguments.count > 1 else { return nil }
    let rest = isNamed ? arguments.dropFirst().joined(separator: ", ") : "e, …"
    let macros = Syntax.Fold.Kind.allCases.map(\.rawValue)
    let form =
      macros.contains(name)
      ? "\(arguments[0]).\(name)(e, …)" : otherFold(name, arguments.count, on: arguments[0])
    return form?.replacing("e, …", with: rest)
  }

  /// The form for a function that there is not.
  static func otherFunction(_ name: String, _ arguments: [String]) -> String? {
    let all = arguments.joined(separator: ", ")
    switch name.lowercased() {
    case "not": return "!(\(all))"
    case "exists", "isset", "defined": return "has(\(all))"
    case "float", "number", "decimal": return "double(\(all))"
    case "date", "datetime", "time": return "timestamp(\(all))"
    case "any", "every", "some", "all": return nil
    default:
      guard let first = arguments.first else { return nil }
      return otherMethod(name, on: first)
    }
  }
}

/// What people mean who write what has no meaning here.
extension Checker {
  /// Nothing, as other languages call it.
  static let nothings: Set<String> = ["null", "none", "nil", "undefined", "nothing"]

  /// Asks whether something is there, or is not; nil where nothing asks that.
  static func presence(of node: Int, _ syntax: Syntax, isThere: Bool) -> String? {
    switch syntax.nodes[node] {
    case .select(_, _, optional: false):
      return (isThere ? "" : "!") + "has(\(syntax.text(of: node)))"
    case .index(let map, let key, optional: false):
      guard case .literal(.string) = syntax.nodes[key] else { return nil }
      let asked = "\(syntax.text(of: key)) in \(syntax.text(of: map))"
      return isThere ? asked : "!(\(asked))"
    default: return nil
    }
  }

  /// For a name that there is not right behind a field and a hyphen: `fields.order-no` is a
  /// difference.
  func hyphenated(_ node: Int) -> String? {
    let own = syntax.extents[node]
    var whole: (map: Int, name: String)?
    for other in syntax.nodes.indices
    where syntax.extents[other].start < own.start && syntax.extents[other].end >= own.end {
      guard let (map, name, hasNode) = pieces(other, node), hasNode,
        name.utf8.count > whole?.name.utf8.count ?? 0
      else { continue }
      whole = (map, name)
    }
    return whole.map {
      "a name with a hyphen stands in brackets: `\(syntax.text(of: $0.map))[\"\($0.name)\"]`"
    }
  }

  /// A field and the names that follow it with nothing but a hyphen between, as one name.
  ///
  /// - Returns: the map, the name, and whether `wanted` is among what follows; nil for what is another
  ///   difference.
  private func pieces(_ node: Int, _ wanted: Int) -> (map: Int, name: String, hasWanted: Bool)? {
    if case .select(let map, let field, _) = syntax.nodes[node] { return (map, field, false) }
    guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2 else { return nil }
    guard name == "_-_", case .name(let word, absolute: false) = syntax.nodes[sides[1]],
      syntax.extents[sides[0]].end + 1 == syntax.extents[sides[1]].start,
      let before = pieces(sides[0], wanted)
    else {
      // What stands before the field is another part of the sum.
      if case .select = syntax.nodes[sides[1]] { return pieces(sides[1], wanted) }
      return nil
    }
    return (before.map, "\(before.name)-\(word)", before.hasWanted || sides[1] == wanted)
  }

  /// For a name that there is not: a value, as other languages call it.
  func otherValue(_ name: String, _ node: Int) -> String? {
    switch name.lowercased() {
    case "true", "false": return "write `\(name.lowercased())`"
    case "yes", "on": return "write `true`, or the text in quotes: \"\(name)\""
    case "no", "off": return "write `false`, or the text in quotes: \"\(name)\""
    case "today", "date", "time":
      return
        "`now` is the moment: ask for a part of it, as in `now.getDayOfWeek(\"Europe/Berlin\")`"
    case let word where Self.nothings.contains(word):
      guard let (sign, other) = compared(with: node),
        let form = Self.presence(of: other, syntax, isThere: sign == "_!=_")
      else { return "write `null`" }
      return "write `\(form)`"
    default: return nil
    }
  }

  /// What a part is compared with by `==` or `!=`.
  func compared(with node: Int) -> (sign: String, other: Int)? {
    for case .call(let name, let sides) in syntax.nodes
    where sides.count == 2 && (name == "_==_" || name == "_!=_") {
      if sides[0] == node { return (name, sides[1]) }
      if sides[1] == node { return (name, sides[0]) }
    }
    return nil
  }

  /// For an operator between, or before, what it does not go between.
  func operandHint(_ node: Int, _ name: String, _ types: [Type]) -> String? {
    guard case .call(_, let sides) = syntax.nodes[node], sides.count == types.count else {
      return nil
    }
    let types = types.map { unifier.resolve($0, final: true) }
    let hint =
      calendarHint(name, sides) ?? timeHint(name, sides, types) ?? optionalHint(sides, types)
    if let hint { return hint }
    switch name {
    case "_==_", "_!=_":
      return equalityHint(name, sides, types)
        ?? equalityHint(name, sides.reversed(), types.reversed())
    case "@in": return membershipHint(sides, types)
    case "_<_", "_<=_", "_>_", "_>=_":
      guard case .call(let first, let inner) = syntax.nodes[sides[0]], inner.count == 2,
        ["_<_", "_<=_", "_>_", "_>=_"].contains(first), let sign = Self.sign(name)
      else { return nil }
      let texts = [sides[0], inner[1], sides[1]].map { syntax.text(of: $0) }
      return "write `\(texts[0]) && \(texts[1]) \(sign) \(texts[2])`"
    case "!_": return conditionHint(sides[0], types[0], isNegated: true)
    default: return nil
    }
  }

  /// What may be missing, used as if it were there.
  private func optionalHint(_ sides: [Int], _ types: [Type]) -> String? {
    guard types.contains(where: Self.isOptional), !types.allSatisfy(Self.isOptional) else {
      return nil
    }
    return
      "it may be missing: write `.value()` behind it, or `.orValue(…)` for something else then"
  }

  /// A number as long as those of telephones with their country.
  private static let telephoneLeast: Int64 = 10_000_000

  /// - Parameter sides: tried in both orders.
  private func equalityHint(_ name: String, _ sides: [Int], _ types: [Type]) -> String? {
    let isEqual = name == "_==_"
    let texts = sides.map { syntax.text(of: $0) }
    if types[1] == .null {
      return Self.presence(of: sides[0], syntax, isThere: !isEqual).map {
        "`\($0)` asks whether it is \(isEqual ? "missing" : "there")"
      }
    }
    if types[0] == .string, case .literal(.int(let number)) = syntax.nodes[sides[1]],
      number >= Self.telephoneLeast
    {
      return "a text stands in quotes: \"\(number)\", or \"+\(number)\" for a telephone"
    }
    if case .list(let element) = types[0], element == types[1] || element == .dyn {
      let asked = "\(texts[1]) in \(texts[0])"
      return "write `\(isEqual ? asked : "!(\(asked))")`"
    }
    if types[0] == .bool, case .literal(.string(let text)) = syntax.nodes[sides[1]],
      ["true", "false"].contains(text.lowercased())
    {
      return "write `\(text.lowercased())` without quotes"
    }
    if types[0] == .bool, case .literal(.string) = syntax.nodes[sides[1]] {
      return "it is true or false: write `\(texts[0])` or `!\(texts[0])` by itself"
    }
    if case .or(let parts) = syntax.nodes[sides[1]], types[0] != .bool {
      return "write `\(texts[0]) in [\(parts.map { syntax.text(of: $0) }.joined(separator: ", "))]`"
    }
    return nil
  }

  /// `list.contains(x)`, and `text.contains(x, y)`.
  func elementHint(_ node: Int, _ types: [Type]) -> String? {
    if case .member(let text, let name, let given) = syntax.nodes[node], given.count > 1,
      ["contains", "startsWith", "endsWith", "matches"].contains(name)
    {
      return "for one or the other write "
        + given.map { "\(syntax.text(of: text)).\(name)(\(syntax.text(of: $0)))" }
        .joined(separator: " || ")
    }
    guard case .member(_, "contains", _) = syntax.nodes[node] else { return nil }
    return containing(node, types).map { "write `\($0)`" }
  }

  /// The form for `whole.contains(part)`, or the like, by what the whole is; nil for what holds no
  /// such part.
  ///
  /// - Parameter types: of the whole and the part.
  func containing(_ node: Int, _ types: [Type]) -> String? {
    guard case .member(let whole, _, let given) = syntax.nodes[node], given.count == 1,
      types.count == 2
    else { return nil }
    let (text, part) = (syntax.text(of: whole), syntax.text(of: given[0]))
    let type = unifier.resolve(types[1], final: true)
    switch unifier.resolve(types[0], final: true) {
    case .string where type == .string, .dyn where type == .string:
      return "\(text).contains(\(part))"
    case .string: return among(text, part, type)
    case .list(.object(let name)):
      let field = (environment.objects[name] ?? []).first { $0.type == type }
      let e = freeName
      return field.map { "\(text).exists(\(e), \(e).\($0.name) == \(part))" }
    case .list(let element) where element == type || element == .dyn: return "\(part) in \(text)"
    case .dyn: return "\(part) in \(text)"
    case .map(let key, _) where key == type || key == .dyn: return "\(part) in \(text)"
    default: return nil
    }
  }

  /// The form for a text whose whole stands where its part should.
  private func among(_ text: String, _ whole: String, _ type: Type) -> String? {
    switch type {
    case .list(.string), .list(.dyn), .map(.string, _), .map(.dyn, _): return "\(text) in \(whole)"
    case .list(.object(let name)):
      let field = (environment.objects[name] ?? []).first { $0.type == .string }
      let e = freeName
      return field.map { "\(whole).exists(\(e), \(e).\($0.name) == \(text))" }
    default: return nil
    }
  }

  /// The form for a macro without the name of its element: `list.exists(e.kind == "x")`, where nothing
  /// else has that name, or its element has fields of those names.
  func foldForm(_ name: String, _ target: Int, _ arguments: [Int], _ range: Type) -> String? {
    guard arguments.count == 1, ["exists", "all", "filter", "exists_one"].contains(name) else {
      return nil
    }
    var fields: [String] = []
    if case .list(.object(let object)) = unifier.resolve(range, final: true) {
      fields = (environment.objects[object] ?? []).map(\.name)
    }
    var open = [arguments[0]]
    var unknown: [(node: Int, name: String)] = []
    let given = syntax.given(within: arguments[0])
    while let node = open.popLast() {
      open += syntax.children(node)
      guard case .name(let word, absolute: false) = syntax.nodes[node], local(word) == nil,
        !given.contains(word),
        lookup(word, absolute: false) == nil, !environment.groups.contains(word)
      else { continue }
      unknown.append((node, word))
    }
    guard let first = unknown.first else { return nil }
    var named = syntax
    var element = first.name
    if unknown.allSatisfy({ fields.contains($0.name) }) {
      element = freeName
      for (node, word) in unknown {
        named.nodes[node] = .name("\(element).\(word)", absolute: false)
      }
    } else if unknown.contains(where: { $0.name != element }) {
      return nil
    }
    let form =
      "\(syntax.text(of: target)).\(name)(\(element), \(named.text(of: arguments[0])))"
    // In brackets of another macro nobody can say beforehand.
    guard locals.isEmpty else { return form }
    return Expression.isTyped(name == "filter" ? "size(\(form)) > 0" : form, environment, as: .bool)
      ? form : nil
  }

  /// A name for an element that means nothing else anywhere in the condition.
  private var freeName: String {
    var taken = syntax.given(within: nil)
    for case .name(let word, _) in syntax.nodes { taken.insert(word) }
    return ["e", "f", "g", "h"].first { !taken.contains($0) }
      ?? (1...).lazy.map { "e\($0)" }.first { !taken.contains($0) } ?? "e"
  }

  /// For what may be a text or a list, behind the form for a text: that for a list.
  func orAmong(_ form: String, _ node: Int, _ whole: Type) -> String {
    guard case .member(let target, _, let given) = syntax.nodes[node], given.count == 1,
      unifier.resolve(whole, final: true) == .dyn, form.hasSuffix(")")
    else { return "" }
    let (text, part) = (syntax.text(of: target), syntax.text(of: given[0]))
    return " where it is a text, and `\(part) in \(text)` where it is a list"
  }

  /// What the parser told, which knows no types: `list contains x` asks whether it is among them.
  func forms(_ told: [ExpressionDiagnostic]) -> [ExpressionDiagnostic] {
    var hints: [String: String] = [:]
    var unfit: Set<String> = []
    for (node, kind) in syntax.nodes.enumerated() {
      unfit.formUnion(unfitForms(node))
      guard case .member(let whole, "contains", let given) = kind, given.count == 1,
        let form = containing(node, [types[whole], types[given[0]]])
      else { continue }
      let text = syntax.text(of: node)
      guard form != text else { continue }
      hints["write `\(text)`"] = "write `\(form)`"
      let isOne = form.hasSuffix(")")
      hints["write `!\(text)`"] = isOne ? "write `!\(form)`" : "write `!(\(form))`"
      hints["write `!(\(text))`"] = "write `!(\(form))`"
    }
    return told.map { diagnostic in
      var diagnostic = diagnostic
      diagnostic.hint = diagnostic.hint.flatMap { unfit.contains($0) ? nil : hints[$0] ?? $0 }
      return diagnostic
    }
  }

  /// What the parser says of `x is empty` and `x is set` where `x` is nothing of which that can be asked.
  private func unfitForms(_ node: Int) -> [String] {
    func written(_ form: String?) -> [String] { form.map { ["write `\($0)`"] } ?? [] }
    switch syntax.nodes[node] {
    case .call("size", let given) where given.count == 1:
      switch unifier.resolve(types[given[0]], final: true) {
      case .string, .bytes, .list, .map, .dyn: return []
      default: break
      }
      let text = syntax.text(of: node)
      return written("\(text) == 0") + written("\(text) > 0")
    case .select(let whole, _, optional: false), .index(let whole, _, optional: false):
      guard !mayMiss(node, of: whole) else { return [] }
      return written(Self.presence(of: node, syntax, isThere: true))
        + written(Self.presence(of: node, syntax, isThere: false))
    default: return []
    }
  }

  /// Whether it can be asked of a part whether it is there.
  private func mayMiss(_ node: Int, of whole: Int) -> Bool {
    if case .slot = references[node] { return true }
    guard case .select(_, let field, _) = syntax.nodes[node] else {
      switch unifier.resolve(types[whole], final: true) {
      case .map(.string, _), .map(.dyn, _), .dyn: return true
      default: return false
      }
    }
    // What the workspace names is always there.
    if let (name, _, _) = qualified(whole),
      environment.members.contains(where: { $0.map == name && $0.names.contains(field) })
    {
      return false
    }
    switch unifier.resolve(types[whole], final: true) {
    case .map, .dyn, .abstract("optional_type", _): return true
    case .object(let name):
      return environment.objects[name]?.contains { $0.name == field } ?? false
    default: return false
    }
  }

  private func membershipHint(_ sides: [Int], _ types: [Type]) -> String? {
    let texts = sides.map { syntax.text(of: $0) }
    switch (types[0], types[1]) {
    case (.string, .string), (.dyn, .string):
      if case .literal(.string(let list)) = syntax.nodes[sides[1]] {
        let pieces = list.split(omittingEmptySubsequences: false) { ",;|".contains($0) }
        let parts = pieces.map { Evaluation.trimmed(String($0)) }.filter { !$0.isEmpty }
        if pieces.count > 1, !parts.isEmpty {
          let written = parts.map { Value.string($0).text(limit: .max) }
          return "write `\(texts[0]) in [\(written.joined(separator: ", "))]`"
        }
        return
          "a list stands in square brackets: `\(texts[0]) in [\(texts[1])]`; for a part of a text write `\(texts[0]).contains(\(texts[1]))`"
      }
      return "write `\(texts[1]).contains(\(texts[0]))`"
    case (.string, .list(.object(let name))):
      let field = (environment.objects[name] ?? []).first { $0.type == .string }
      let e = freeName
      return field.map { "write `\(texts[1]).exists(\(e), \(e).\($0.name) == \(texts[0]))`" }
    case (.list, .list):
      let e = freeName
      return "write `\(texts[0]).exists(\(e), \(e) in \(texts[1]))`"
    case (_, .list), (_, .map): return nil
    default: return "a list stands in square brackets: `\(texts[0]) in [\(texts[1])]`"
    }
  }

  /// For what stands where a condition is needed.
  func conditionHint(_ node: Int, _ type: Type, isNegated: Bool = false) -> String? {
    let text = syntax.text(of: node)
    if case .literal(.string) = syntax.nodes[node] {
      return otherAlternatives(node) ?? "did you mean to compare with it, as in `x == …`?"
    }
    switch unifier.resolve(type, final: true) {
    case .string:
      guard let presence = Self.presence(of: node, syntax, isThere: !isNegated) else {
        return "compare it, as in `\(text) == \"…\"`"
      }
      return
        "`\(presence)` asks whether it is \(isNegated ? "missing" : "there"), `\(text) == \"…\"` what it is"
    case .int, .uint, .double: return "compare it, as in `\(text) \(isNegated ? "==" : ">") 0`"
    case .list, .map:
      return "compare its size, as in `size(\(text)) \(isNegated ? "==" : ">") 0`"
    default: return nil
    }
  }

  /// `x == "a" || "b"`: the text stands beside a comparison of something with another.
  private func otherAlternatives(_ node: Int) -> String? {
    for case .or(let parts) in syntax.nodes where parts.contains(node) {
      for part in parts {
        guard case .call("_==_", let sides) = syntax.nodes[part], sides.count == 2,
          case .literal(.string) = syntax.nodes[sides[1]]
        else { continue }
        let texts = parts.compactMap { part -> String? in
          if case .literal(.string) = syntax.nodes[part] { return syntax.text(of: part) }
          guard case .call("_==_", let own) = syntax.nodes[part], own.count == 2,
            syntax.text(of: own[0]) == syntax.text(of: sides[0])
          else { return nil }
          return syntax.text(of: own[1])
        }
        return
          "write `\(syntax.text(of: sides[0])) in [\(texts.joined(separator: ", "))]`"
      }
    }
    return nil
  }
}

extension Syntax {
  /// The names that macros give to values, within a part or anywhere.
  func given(within top: NodeID?) -> Set<String> {
    var found: Set<String> = []
    var open = top.map { [$0] } ?? Array(nodes.indices)
    while let node = open.popLast() {
      if top != nil { open += children(node) }
      switch nodes[node] {
      case .fold(let fold):
        found.insert(fold.variable)
        if let second = fold.second { found.insert(second) }
      case .bind(let name, _, _), .optionalMap(_, let name, _, _): found.insert(name)
      default: continue
      }
    }
    return found
  }
}
