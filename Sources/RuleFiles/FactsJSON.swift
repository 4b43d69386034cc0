import Expressions
import Rules
import WebCodec

/// Facts as `FactsFile.kept` and programs write them, read at once: nodes, which know their places,
/// take some kilobytes for each value.
enum FactsJSON {
  /// - Returns: nil for what is not JSON, or not facts: whoever reads it otherwise is told where.
  static func read(_ text: String) -> (facts: Facts, gaps: [FactsFile.Gap: [Fact]])? {
    guard text.utf8.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") else {
      return nil
    }
    var limits = JSONReader.Limits()
    limits.depthMax = YamlFile.depthMax
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue(parsing: Array(text.utf8), limits: limits) } catch {
      return nil
    }
    guard case .object(let object) = json else { return nil }
    var facts = Facts()
    var gaps: [FactsFile.Gap: [Fact]] = [:]
    guard gather(object, under: "", &facts, &gaps) else { return nil }
    for fact in gaps.values.joined() { facts.setUnknown(fact) }
    return (facts, gaps)
  }

  private static let named = Dictionary(
    Fact.allCases.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  private static let groups = Set(
    named.keys.compactMap { name in
      name.utf8.contains(UInt8(ascii: "."))
        ? name.split(separator: ".").first.map(String.init) : nil
    })

  private static func gather(
    _ object: JSONObject, under prefix: String, _ facts: inout Facts,
    _ gaps: inout [FactsFile.Gap: [Fact]]
  ) -> Bool {
    for member in object.members {
      if prefix.isEmpty, member.name == FactsFile.gapsKey {
        guard let found = self.gaps(member.value) else { return false }
        gaps = found
        continue
      }
      let name = prefix.isEmpty ? member.name : "\(prefix).\(member.name)"
      if let fact = named[name] {
        // What is given twice is told of where it stands.
        guard facts[fact] == nil, let value = value(member.value, fact.declaration.type) else {
          return false
        }
        facts[fact] = value
      } else if prefix.isEmpty, groups.contains(name), case .object(let inner) = member.value {
        guard gather(inner, under: name, &facts, &gaps) else { return false }
      } else {
        return false
      }
    }
    return true
  }

  private static func gaps(_ json: JSONValue) -> [FactsFile.Gap: [Fact]]? {
    guard case .object(let object) = json else { return nil }
    var found: [FactsFile.Gap: [Fact]] = [:]
    for member in object.members {
      guard let gap = FactsFile.Gap(rawValue: member.name), case .array(let names) = member.value
      else { return nil }
      let facts = names.compactMap { $0.string.flatMap { named[$0] } }
      guard facts.count == names.count else { return nil }
      found[gap, default: []] += facts
    }
    return found
  }

  private static func value(_ json: JSONValue, _ type: Type) -> Value? {
    switch (type, json) {
    case (.string, .string(let text)): return .string(text)
    case (.int, .int(let int)): return .int(int)
    case (.bool, .bool(let bool)): return .bool(bool)
    case (.timestamp, .string(let text)): return Timestamp(text).map(Value.timestamp)
    case (.list(let element), .array(let elements)):
      let values = elements.compactMap { value($0, element) }
      return values.count == elements.count ? .list(values) : nil
    case (.map(.string, let held), .object(let object)):
      let pairs = object.members.compactMap { member in
        value(member.value, held).map { (member.name, $0) }
      }
      return pairs.count == object.members.count ? .map(MapValue(pairs)) : nil
    case (.object(let name), .object(let object)):
      return fields(object, Fact.objects[name] ?? [])
    case (.dyn, _): return Value(json)
    default: return nil
    }
  }

  /// In the order in which the object declares them.
  private static func fields(_ object: JSONObject, _ declared: [Environment.Variable]) -> Value? {
    guard object.members.allSatisfy({ member in declared.contains { $0.name == member.name } })
    else { return nil }
    var pairs: [(String, Value)] = []
    for field in declared {
      guard let given = object.members.last(where: { $0.name == field.name })?.value else {
        continue
      }
      guard let value = value(given, field.type) else { return nil }
      pairs.append((field.name, value))
    }
    return .map(MapValue(pairs))
  }
}

extension Value {
  /// Of no declared type: as it stands there. A number that is not whole, or larger, is a `double`.
  public init(_ json: JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let bool): self = .bool(bool)
    case .int(let int): self = .int(int)
    case .number(let text):
      self = UInt64(text).map(Value.uint) ?? Double(text).map(Value.double) ?? .string(text)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .list(elements.map { Value($0) })
    case .object(let object):
      self = .map(MapValue(object.members.map { ($0.name, Value($0.value)) }))
    }
  }
}
