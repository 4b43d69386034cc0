import Expressions
import Rules
import Yams

/// A YAML node with its file: reads typed values, and reports everything that does not fit.
package struct Section {
  let node: Node
  let file: SourceText
  let findings: Findings

  package init(node: Node, file: SourceText, findings: Findings) {
    self.node = node
    self.file = file
    self.findings = findings
  }

  var line: Int { node.mark?.line ?? 1 }
  var column: Int { node.mark?.column ?? 1 }

  package func report(
    _ message: String, hint: String? = nil, severity: RuleDiagnostic.Severity = .error
  ) {
    findings.add(
      file, line: line, column: column, length: length, message, hint: hint, severity: severity)
  }

  private var length: Int {
    // Only what stands on its line as it is can be underlined.
    guard let text = node.scalar?.string, !text.contains("\n"), file.line(line).contains(text)
    else {
      return 1
    }
    let quoted = node.scalar?.style == .doubleQuoted || node.scalar?.style == .singleQuoted
    return max(1, text.unicodeScalars.count + (quoted ? 2 : 0))
  }

  func at(_ node: Node) -> Section { Section(node: node, file: file, findings: findings) }

  // MARK: - Shapes

  /// The mapping's members by key, after unknown and repeated keys have been reported. What stands
  /// under a key that is misspelt is read as what it is meant for, so that nothing is missing beside.
  ///
  /// - Parameters:
  ///   - meant: what others call a key, and the key; what stands there may have another form.
  ///   - same: what is read as the key, too.
  package func members(
    _ known: [String], what: String, meant: [String: String] = [:], same: [String: String] = [:]
  ) -> [String: Section]? {
    guard case .mapping(let mapping) = node else {
      report("\(what) is a mapping of keys and values, and this is \(shape)")
      return nil
    }
    var found: [String: Section] = [:]
    var misspelt: [String: Section] = [:]
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        at(key).report("a key here is a plain word")
        continue
      }
      guard known.contains(name) else {
        // What is meant for another form is read as nothing.
        let isKey = meant[name].map(known.contains) ?? true
        if isKey, let near = same[name] ?? Spelling.nearest(name, among: known) {
          misspelt[near] = at(value)
        }
        let near =
          (same[name] ?? meant[name]).map { "did you mean `\($0)`?" }
          ?? Spelling.hint(name, among: known)
        at(key).report(
          "\(what) has no key `\(name)`", hint: near ?? "it has \(known.joined(separator: ", "))")
        continue
      }
      found[name] = at(value)
    }
    return found.merging(misspelt) { own, _ in own }
  }

  /// Members under names of the author's own choosing, in order.
  func entries(what: String) -> [(name: String, key: Section, value: Section)] {
    guard !isNull else { return [] }
    guard case .mapping(let mapping) = node else {
      report("\(what) is a mapping of names, and this is \(shape)")
      return []
    }
    return mapping.compactMap { key, value in
      guard let name = key.scalar?.string else {
        at(key).report("a name here is a plain word")
        return nil
      }
      return (name, at(key), at(value))
    }
  }

  package func elements(what: String) -> [Section] {
    guard !isNull else { return [] }
    guard case .sequence(let sequence) = node else {
      report("\(what) is a list, and this is \(shape)", hint: "begin each line with `- `")
      return []
    }
    return sequence.map { at($0) }
  }

  /// A list, or one value standing for a list of one.
  package func oneOrMore(what: String) -> [Section] {
    if case .scalar = node, !isNull { return [self] }
    return elements(what: what)
  }

  var isNull: Bool {
    guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else {
      return false
    }
    return ["", "~", "null"].contains(scalar.string)
  }

  var isMapping: Bool { if case .mapping = node { true } else { false } }
  var isSequence: Bool { if case .sequence = node { true } else { false } }

  var shape: String {
    switch node {
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    case .scalar(let scalar): isNull ? "empty" : "`\(scalar.string.prefix(40))`"
    }
  }

  // MARK: - Values

  package func text(what: String) -> String? {
    guard let scalar = node.scalar, !isNull else {
      report(
        "\(what) is a text, and this is \(shape)",
        hint: isSequence ? "one of them: write it without the brackets" : nil)
      return nil
    }
    return scalar.string
  }

  /// A text that a customer reads or hears: an empty one would be sent as such.
  func words(what: String) -> String? {
    guard let text = text(what: what) else { return nil }
    guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
      report("\(what) is empty", hint: "say what the customer is to read or hear")
      return nil
    }
    return text
  }

  package func whole(_ range: ClosedRange<Int>, what: String) -> Int? {
    guard let text = node.scalar?.string, let number = Int(text), range.contains(number) else {
      report(
        "\(what) is a whole number from \(range.lowerBound) to \(range.upperBound), and this is \(shape)"
      )
      return nil
    }
    return number
  }

  /// A number with or without a fraction, such as `0.5` or `1/3`.
  package func decimal(_ range: ClosedRange<Double>, what: String) -> Double? {
    let parts = (node.scalar?.string ?? "").split(separator: "/", maxSplits: 1).map { part in
      Double(part.filter { $0 != " " })
    }
    let number: Double? =
      parts.count == 2 ? parts[0].flatMap { a in parts[1].map { a / $0 } } : parts.first ?? nil
    guard let number, range.contains(number) else {
      report(
        "\(what) is a number from \(range.lowerBound) to \(range.upperBound), and this is \(shape)")
      return nil
    }
    return number
  }

  func flag(what: String) -> Bool? {
    switch node.scalar?.string {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default:
      report("\(what) is true or false, and this is \(shape)")
      return nil
    }
  }

  /// - Returns: milliseconds.
  func duration(_ range: ClosedRange<Int64> = 0...Section.longest, what: String) -> Int64? {
    guard let text = node.scalar?.string, let span = Span(text) else {
      var meant = node.scalar.flatMap { Span.meant(by: $0.string) }
      if let number = node.scalar?.string, Int(number) != nil {
        meant = "\(number)s, or \(number)m"
      }
      report(
        "\(what) is a length of time, and this is \(shape)",
        hint: "write it as \(meant ?? "30s, 5m or 1h30m")")
      return nil
    }
    let milliseconds = span.seconds * 1_000 + Int64(span.nanoseconds / 1_000_000)
    guard range.contains(milliseconds) else {
      report("\(what) lies between \(range.lowerBound / 1_000) s and \(range.upperBound / 1_000) s")
      return nil
    }
    return milliseconds
  }
  /// A year.
  static let longest: Int64 = 366 * 86_400_000

  package func choice<T: RawRepresentable & CaseIterable>(_: T.Type, what: String) -> T?
  where T.RawValue == String {
    let known = T.allCases.map(\.rawValue)
    guard let text = text(what: what) else { return nil }
    if let found = T(rawValue: text) { return found }
    let near = Spelling.hint(text, among: known)
    report(
      "\(what) is not `\(text)`", hint: near ?? "it is one of \(known.joined(separator: ", "))")
    return nil
  }

  /// A name that must be among the known ones.
  ///
  /// - Parameter known: nil when the file that holds them could not be read: then any name is
  ///   taken.
  func reference(_ known: Set<String>?, what: String) -> String? {
    guard let name = text(what: "the \(what)'s name") else { return nil }
    guard let known else { return name }
    guard known.contains(name) else {
      if findings.isFull { return nil }
      let sorted = known.sorted()
      let near = Spelling.hint(name, among: sorted)
      let list =
        sorted.isEmpty ? "there are none" : "there are \(sorted.prefix(12).joined(separator: ", "))"
      report("there is no \(what) `\(name)`", hint: near ?? list)
      return nil
    }
    return name
  }
}

extension Node {
  var mark: Mark? {
    switch self {
    case .scalar(let scalar): scalar.mark
    case .mapping(let mapping): mapping.mark
    case .sequence(let sequence): sequence.mark
    case .alias(let alias): alias.mark
    }
  }
}
