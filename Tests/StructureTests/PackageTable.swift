import Foundation

/// The rows of the table in Package.swift, read as text: a test cannot import a manifest.
struct PackageTable {
  struct Row {
    var kind: String
    var name: String
    var uses: [String]
    var outside: [String]
  }

  var rows: [Row] = []

  /// The project's folder.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Targets that think and never touch the world: neither Foundation nor Dispatch nor Glibc.
  static let pure: Set<String> = [
    "Model", "Wire", "Expressions", "Rules", "Routing", "Records", "Continuity", "Pipeline", "WebCodec", "MailCodec",
    "PhoneCodec",
  ]

  /// What comes with the compiler; pure targets have none of it.
  static let world: Set<String> = ["Foundation", "Dispatch", "Glibc", "Synchronization"]

  /// The modules that a package from outside brings.
  static func modules(_ outside: String) -> [String] {
    switch outside {
    case "grdb": ["GRDB", "GRDBSQLite"]
    case "yams": ["Yams"]
    case "httpTypes": ["HTTPTypes"]
    case "argumentParser": ["ArgumentParser"]
    case "logging": ["Logging"]
    case "deque": ["DequeModule"]
    case "histogram": ["Histogram"]
    default: []
    }
  }

  init(_ manifest: String) {
    let text = manifest.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//") }.joined(separator: "\n")
    for piece in text.components(separatedBy: "Row(").dropFirst() {
      guard let kind = Self.first(#"^\s*kind:\s*\.(\w+)"#, piece), let name = Self.first(#"name:\s*"([^"]+)""#, piece)
      else { continue }
      rows.append(Row(kind: kind, name: name, uses: Self.list("uses", piece), outside: Self.list("outside", piece)))
    }
  }

  static func project() throws -> PackageTable {
    PackageTable(try String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8))
  }

  subscript(name: String) -> Row? { rows.first { $0.name == name } }

  /// What a target may import of ours: what it lists, and what those may. A shim is for whoever lists it.
  func ours(_ name: String) -> Set<String> {
    var found: Set<String> = []
    var open = self[name]?.uses ?? []
    while let next = open.popLast() {
      guard found.insert(next).inserted, let row = self[next] else { continue }
      open += row.uses.filter { self[$0]?.kind == "library" }
    }
    return found
  }

  func allowed(_ name: String) -> Set<String> {
    let ours = ours(name)
    var allowed = ours
    for row in [name] + ours.sorted() { for item in self[row]?.outside ?? [] { allowed.formUnion(Self.modules(item)) } }
    return Self.pure.contains(name) ? allowed : allowed.union(Self.world)
  }

  static func imports(_ source: String) -> [String] {
    source.split(separator: "\n").compactMap {
      first(#"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|typealias|func|var|let)\s+)?(\w+)"#, String($0))
    }
  }

  // MARK: - Text

  private static func list(_ name: String, _ row: String) -> [String] {
    guard let inside = first(name + #":\s*\[([^\]]*)\]"#, row) else { return [] }
    return inside.split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \n\t\".")) }
      .filter { !$0.isEmpty }
  }

  static func first(_ pattern: String, _ text: String) -> String? {
    guard let regex = try? NSRegularExpression(pattern: pattern),
      let match = regex.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)),
      let range = Range(match.range(at: 1), in: text)
    else { return nil }
    return String(text[range])
  }
}
