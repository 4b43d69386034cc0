import Expressions
import Rules
import Yams

/// Facts as text: what `rules explain` reads, and what is kept of a past case so that it can be
/// explained again.
public enum FactsFile {
  /// Reads YAML, or JSON, in the shape of a test's `given`.
  public static func read(_ text: String, path: String) -> (
    facts: Facts?, diagnostics: [RuleDiagnostic]
  ) {
    let findings = Findings()
    let file = SourceText(path: path, text: text)
    guard text.utf8.count <= YamlFile.bytesMax else {
      findings.add(wholeFile: path, "this file is larger than 1 MB")
      return (nil, findings.all)
    }
    guard let node = YamlFile.compose(file, findings) else {
      return (findings.hasErrors ? nil : Facts(), findings.all)
    }
    let facts = Section(node: node, file: file, findings: findings).facts()
    return (findings.hasErrors ? nil : facts, findings.all)
  }

  /// Writes JSON on one line. `read` gives the same facts back.
  ///
  /// - Errors: nil when the facts nest deeper than `read` takes, or are larger than it takes.
  public static func write(_ facts: Facts) -> String? {
    var members: [(String, JsonText)] = []
    for fact in Fact.allCases {
      guard let value = facts[fact] else { continue }
      guard let json = JsonText(value, depth: 0) else { return nil }
      members.append((fact.name, json))
    }
    let text = JsonText.object(members).text
    return text.utf8.count <= YamlFile.bytesMax ? text : nil
  }
}

extension FactsFile {
  /// - Units: bytes of JSON of one fact that is kept.
  static let keptBytesMax = 65_536

  /// What is kept of a case's facts: all but those that are too large or nested too deep to be read
  /// again. Never
  /// more than `read` takes.
  public static func kept(_ facts: Facts) -> String {
    var out = "{"
    for fact in Fact.allCases {
      guard let value = facts[fact], let json = JsonText(value, depth: 0)?.text else { continue }
      guard json.utf8.count <= keptBytesMax,
        out.utf8.count + json.utf8.count <= YamlFile.bytesMax - 4_096
      else { continue }
      if out.utf8.count > 1 { out += "," }
      JsonText.write(fact.name, into: &out)
      out += ":"
      out += json
    }
    return out + "}"
  }
}

extension JsonText {
  /// A fact's value; nil for what no fact can be, or what is nested too deep.
  init?(_ value: Value, depth: Int) {
    guard depth < YamlFile.depthMax - 2 else { return nil }
    switch value {
    case .null: self = .null
    case .bool(let bool): self = .bool(bool)
    case .int(let int): self = .int(Int(int))
    case .uint(let uint): self = .number(String(uint))
    case .double(let double):
      guard double.isFinite else { return nil }
      self = .number("\(double)")
    case .string(let text): self = .string(text)
    case .timestamp(let time): self = .string(time.description)
    case .duration(let span): self = .string(span.description)
    case .list(let list):
      let elements = list.compactMap { JsonText($0, depth: depth + 1) }
      guard elements.count == list.count else { return nil }
      self = .array(elements)
    case .map(let map):
      var members: [(String, JsonText)] = []
      for (key, value) in zip(map.keys, map.values) {
        guard case .string(let name) = key, let json = JsonText(value, depth: depth + 1) else {
          return nil
        }
        members.append((name, json))
      }
      self = .object(members)
    case .bytes, .type, .optional, .ip, .cidr, .error: return nil
    }
  }
}
