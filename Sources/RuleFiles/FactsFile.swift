import Expressions
import Rules
import Yams

/// Facts as text: what `rules explain` reads, and what is kept of a past case so that it can be
/// explained again.
public enum FactsFile {
  /// Why a fact of a past case is not known any more, though the case may have had it.
  public enum Gap: String, CaseIterable, Sendable {
    /// No rule of that time asked for it, so that nobody looked.
    case notAsked = "not_asked"
    /// It was too large, or nested too deep.
    case notKept = "not_kept"
  }

  /// The member, beside the facts, that names by their gap those that are not known.
  public static let gapsKey = "unknown"

  /// With its place each value takes some kilobytes until it is read.
  static let valuesMax = 20_000

  public struct Reading: Sendable {
    /// Nil where there are errors. What is in `gaps` is unknown.
    public var facts: Facts?
    public var gaps: [Gap: [Fact]] = [:]
    public var diagnostics: [RuleDiagnostic]
  }

  /// Reads YAML, or JSON, in the shape of a test's `given`, and what `kept` writes.
  public static func read(_ text: String, path: String) -> Reading {
    let findings = Findings()
    let file = SourceText(path: path, text: text)
    guard text.utf8.count <= YamlFile.bytesMax else {
      findings.add(wholeFile: path, "this file is larger than 1 MB")
      return Reading(facts: nil, diagnostics: findings.all)
    }
    // YAML takes nearly all of JSON, but no long names, and no two that differ in their Unicode form
    // only. It tells places, so mistakes are left to it.
    if let (facts, gaps) = FactsJSON.read(text) {
      return Reading(facts: facts, gaps: gaps, diagnostics: [])
    }
    let marks = text.utf8.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: ",") }
    guard marks <= valuesMax else {
      findings.add(wholeFile: path, "this file holds more than \(valuesMax) values")
      return Reading(facts: nil, diagnostics: findings.all)
    }
    guard let node = YamlFile.compose(file, findings) else {
      return Reading(facts: findings.hasErrors ? nil : Facts(), diagnostics: findings.all)
    }
    let (facts, gaps) = Section(node: node, file: file, findings: findings).keptFacts()
    return Reading(
      facts: findings.hasErrors ? nil : facts, gaps: gaps, diagnostics: findings.all)
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

  /// What is kept of a case's facts, never more than `read` takes: what is unknown, too large or
  /// nested too deep to be read again is kept by its name.
  public static func kept(_ facts: Facts) -> String {
    var out = "{"
    var gaps: [Gap: [Fact]] = [:]
    for fact in Fact.allCases {
      guard let value = facts[fact] else { continue }
      guard !value.isUnknown else {
        gaps[.notAsked, default: []].append(fact)
        continue
      }
      guard let json = JsonText(value, depth: 0)?.text, json.utf8.count <= keptBytesMax,
        out.utf8.count + json.utf8.count <= YamlFile.bytesMax - 4_096
      else {
        gaps[.notKept, default: []].append(fact)
        continue
      }
      if out.utf8.count > 1 { out += "," }
      JsonText.write(fact.name, into: &out)
      out += ":"
      out += json
    }
    guard !gaps.isEmpty else { return out + "}" }
    if out.utf8.count > 1 { out += "," }
    return out + "\"\(gapsKey)\":\(json(gaps).text)}"
  }

  public static func json(_ gaps: [Gap: [Fact]]) -> JsonText {
    .object(
      Gap.allCases.compactMap { gap in
        gaps[gap].map { facts in
          (gap.rawValue, .array(facts.map { JsonText.string($0.name) }))
        }
      })
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
