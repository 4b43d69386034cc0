import Expressions
import Rules
import Yams

/// Facts written in YAML, as tests and `explain` take them.
extension Section {
  func facts() -> Facts {
    var facts = Facts()
    gather(under: "", &facts)
    return facts
  }

  /// Facts, and beside them the names of those that are not known: `FactsFile.kept`.
  func keptFacts() -> (Facts, [FactsFile.Gap: [Fact]]) {
    var facts = Facts()
    var gaps: [FactsFile.Gap: [Fact]] = [:]
    let (key, all) = (FactsFile.gapsKey, FactsFile.Gap.allCases)
    gather(under: "", besides: key, &facts)
    guard let held = node.mapping?.first(where: { $0.key.scalar?.string == key })?.value,
      let members = at(held).members(all.map(\.rawValue), what: key)
    else { return (facts, gaps) }
    for gap in all {
      for part in members[gap.rawValue]?.elements(what: "\(key).\(gap.rawValue)") ?? [] {
        guard let name = part.reference(Set(Fact.allCases.map(\.name)), what: "fact"),
          let fact = Fact.allCases.first(where: { $0.name == name })
        else { continue }
        facts.setUnknown(fact)
        gaps[gap, default: []].append(fact)
      }
    }
    return (facts, gaps)
  }

  /// What stands under a fact, or a part of one, whether it is written `session: { channel: … }` or
  /// `session.channel: …`.
  func member(_ path: String) -> Section? {
    guard isMapping else { return nil }
    for entry in entries(what: "given") {
      if entry.name == path { return entry.value }
      if path.hasPrefix(entry.name + "."),
        let found = entry.value.member(String(path.dropFirst(entry.name.count + 1)))
      {
        return found
      }
    }
    return nil
  }

  private func gather(under prefix: String, besides other: String? = nil, _ facts: inout Facts) {
    let names = Fact.allCases.map(\.name)
    for entry in entries(what: prefix.isEmpty ? "given" : prefix) where entry.name != other {
      let name = prefix.isEmpty ? entry.name : "\(prefix).\(entry.name)"
      if let fact = Fact.allCases.first(where: { $0.name == name }) {
        if facts[fact] != nil {
          entry.key.report(
            "`\(name)` is given twice, and this one counts",
            hint: "leave out the one that is wrong",
            severity: .warning)
        }
        facts[fact] = Self.value(entry.value, fact.declaration.type, what: name)
      } else if names.contains(where: { $0.hasPrefix(name + ".") }) {
        entry.value.gather(under: name, &facts)
      } else {
        let groups = Set(names.compactMap { $0.split(separator: ".").first.map(String.init) })
        let known = prefix.isEmpty ? names + groups.sorted() : names
        let near = Spelling.hint(name, among: known)
        entry.key.report("there is no fact `\(name)`", hint: near)
      }
    }
  }

  private static func value(_ section: Section, _ type: Type, what: String) -> Value? {
    switch type {
    case .string: return section.text(what: what).map(Value.string)
    case .int where section.isQuoted:
      section.report(
        "\(what) is a whole number, and this is a text", hint: "write it without quotes")
      return nil
    case .bool where section.isQuoted:
      section.report(
        "\(what) is true or false, and this is a text", hint: "write it without quotes")
      return nil
    case .int: return section.whole(Int.min...Int.max, what: what).map { .int(Int64($0)) }
    case .bool: return section.flag(what: what).map(Value.bool)
    case .timestamp:
      let text = section.node.scalar?.string
      guard let text, let time = Timestamp(text) else {
        let meant = text.flatMap(Timestamp.meant(by:)) ?? "2026-11-25T21:25:00Z"
        section.report(
          "\(what) is a moment",
          hint: "write it as \(meant), or with its zone as 2026-11-25T22:25:00+01:00")
        return nil
      }
      return .timestamp(time)
    case .list(let element):
      return .list(
        section.oneOrMore(what: what).compactMap { value($0, element, what: "a part of \(what)") })
    case .map(.string, let held):
      return .map(
        MapValue(
          section.entries(what: what).compactMap { entry in
            value(entry.value, held, what: "\(what).\(entry.name)").map { (entry.name, $0) }
          }))
    case .object(let name): return object(section, name, what: what)
    default: return free(section)
    }
  }

  /// A text, whatever stands in it: so also in JSON.
  private var isQuoted: Bool {
    node.scalar.map { $0.style == .doubleQuoted || $0.style == .singleQuoted } ?? false
  }

  private static func object(_ section: Section, _ name: String, what: String) -> Value? {
    let fields = Fact.environment(zone: { _ in nil }).objects[name] ?? []
    guard let members = section.members(fields.map(\.name), what: what) else { return nil }
    return .map(
      MapValue(
        fields.compactMap { field in
          members[field.name].flatMap { value($0, field.type, what: "\(what).\(field.name)") }.map {
            (field.name, $0)
          }
        }))
  }

  /// A value of no declared type, as YAML writes it.
  private static func free(_ section: Section) -> Value? {
    if section.isNull { return .null }
    if section.isMapping {
      return .map(
        MapValue(
          section.entries(what: "a value").compactMap { entry in
            free(entry.value).map { (entry.name, $0) }
          }))
    }
    if section.isSequence { return .list(section.elements(what: "a value").compactMap(free)) }
    guard let scalar = section.node.scalar else { return nil }
    guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
    switch scalar.string {
    case "true": return .bool(true)
    case "false": return .bool(false)
    default:
      if let int = Int64(scalar.string) { return .int(int) }
      if let uint = UInt64(scalar.string) { return .uint(uint) }
      if scalar.string.utf8.first.map({ (0x30...0x39).contains($0) || $0 == 0x2D }) == true,
        let double = Double(scalar.string)
      {
        return .double(double)
      }
      return .string(scalar.string)
    }
  }
}
