import Foundation

/// The table of targets as Package.swift holds it, and the project's files.
struct Table {
  struct Row {
    var kind: String
    var name: String
    /// It stands under the comment `// Pure`.
    var isPure: Bool
    var uses: [String]
    /// The modules of other packages that it may import.
    var outside: Set<String>
  }

  enum Fault: Error { case noSuchPackage(String) }

  var rows: [Row] = []

  subscript(_ name: String) -> Row? { rows.first { $0.name == name } }

  /// - Parameter package: the text of Package.swift; a row is `Row(kind: .library, name: "X", uses:
  ///   ["Y"], …)`.
  init(package: String) throws {
    let row = /Row\(\s*kind: \.(?<kind>\w+), name: "(?<name>[\w-]+)"(?<rest>[^()]*)\)/
    let pure = package.firstRange(of: "// Pure").map(\.lowerBound) ?? package.endIndex
    let world = package.firstRange(of: "// The world").map(\.lowerBound) ?? package.startIndex
    for match in package.matches(of: row) {
      let rest = String(match.rest)
      rows.append(
        Row(
          kind: String(match.kind), name: String(match.name),
          isPure: match.kind == "library" && pure < match.range.lowerBound
            && match.range.lowerBound < world,
          uses: Self.list("uses", in: rest).map { $0.trimmingCharacters(in: ["\""]) },
          outside: try Self.list("outside", in: rest).reduce(into: []) {
            $0.formUnion(try Self.modules(of: $1))
          }))
    }
  }

  private static func list(_ name: String, in rest: String) -> [String] {
    guard let start = rest.firstRange(of: "\(name): [")?.upperBound,
      let end = rest[start...].firstIndex(of: "]")
    else { return [] }
    return rest[start..<end].split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  private static func modules(of package: String) throws -> Set<String> {
    switch package {
    case ".grdb": ["GRDB", "GRDBSQLite"]
    case ".yams": ["Yams", "CYaml"]
    case ".httpTypes": ["HTTPTypes"]
    case ".argumentParser": ["ArgumentParser"]
    case ".logging": ["Logging"]
    case ".deque": ["DequeModule"]
    case ".histogram": ["Histogram"]
    default: throw Fault.noSuchPackage(package)
    }
  }

  static let shims: Set<String> = ["shim", "systemLibrary"]
  /// What comes with Swift. Pure targets may import none of it: Foundation brings Dispatch and
  /// Glibc with it.
  static let toolchain: Set<String> = ["Foundation", "Dispatch", "Glibc", "Synchronization"]

  /// What the target may import of ours and of other packages: what it lists, and what those may. A
  /// shim is for the target alone that lists it.
  func allowed(_ name: String) -> Set<String> {
    guard let row = self[name] else { return [] }
    var found = row.outside
    for used in row.uses {
      found.insert(used)
      if let other = self[used], !Self.shims.contains(other.kind) {
        found.formUnion(
          allowed(used).filter { self[$0].map { !Self.shims.contains($0.kind) } ?? true })
      }
    }
    return found
  }

  /// What is wrong with a target's import; nil when nothing is.
  func fault(_ module: String, in target: String) -> String? {
    guard let row = self[target] else { return "\(target) has no row in Package.swift" }
    if Self.toolchain.contains(module) {
      return row.isPure ? "\(target) is pure and imports \(module)" : nil
    }
    return allowed(target).contains(module)
      ? nil : "\(target) imports \(module), which its row does not allow"
  }
}

/// The project's folder and what stands in it.
struct Project {
  let folder: URL

  init() {
    folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  func text(_ path: String) throws -> String {
    try String(contentsOf: folder.appending(path: path), encoding: .utf8)
  }

  /// The folders within a folder, by name.
  func folders(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: path), includingPropertiesForKeys: [.isDirectoryKey]
    ).filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
      .map(\.lastPathComponent).sorted()
  }

  /// Each module that a Swift file below the folder imports, with the file.
  func imports(below path: String) throws -> [(file: String, module: String)] {
    let root = folder.appending(path: path)
    let files =
      FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.compactMap {
        $0 as? URL
      } ?? []
    return try files.filter { $0.pathExtension == "swift" }.flatMap { file in
      Self.modules(try String(contentsOf: file, encoding: .utf8)).map {
        (file.lastPathComponent, $0)
      }
    }
  }

  /// The environment variables that Swift files below the folder ask for.
  func switches(below path: String) throws -> Set<String> {
    let root = folder.appending(path: path)
    let files =
      FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.compactMap {
        $0 as? URL
      } ?? []
    return try files.filter { $0.pathExtension == "swift" }.reduce(into: []) { found, file in
      let source = try String(contentsOf: file, encoding: .utf8)
      found.formUnion(source.matches(of: /environment\["(THROUGHLINE_\w+)"\]/).map { String($0.1) })
    }
  }

  /// The programs named `run…` in a folder, by their path.
  func scripts(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: path).path)
      .filter { $0.hasPrefix("run") && !$0.contains(".") }.map { "\(path)/\($0)" }.sorted()
  }

  static func modules(_ source: String) -> [String] {
    let line =
      /^\h*(?:@\w+(?:\([^)\n]*\))?\h+)*(?:\w+\h+)?import\h+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\h+)?(\w+)/
    return source.matches(of: line.anchorsMatchLineEndings()).map { String($0.1) }
  }
}
