import Foundation
import RuleFiles
import Testing

/// Each folder under `Golden` is a broken workspace; its `expected.txt` is everything that is said
/// about it. `THROUGHLINE_GOLDEN=1` writes them anew: read the difference before you commit it.
struct `Broken rules` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
  static let cases =
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? []

  @Test func `there are broken workspaces to look at`() { #expect(Self.cases.count >= 13) }

  @Test(arguments: cases) func `are told of whole, all at once`(_ name: String) throws {
    let folder = Self.folder.appending(path: name)
    let loaded = WorkspaceFolder.load(folder.path)
    let got = loaded.rendered + "\n"
    let expected = folder.appending(path: "expected.txt")
    if ProcessInfo.processInfo.environment["THROUGHLINE_GOLDEN"] != nil {
      try got.write(to: expected, atomically: true, encoding: .utf8)
    }
    #expect(got == (try String(contentsOf: expected, encoding: .utf8)))
    #expect((loaded.workspace == nil) == loaded.diagnostics.contains { $0.severity == .error })
  }

  private static let demo = folder.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "routing-rules/demo")
  private static var keys: Regex<(Substring, Substring)> { /(?m)(?:^|[ {,])([a-z_]{4,}):(?=\s)/ }

  /// One in so many of all keys of the demo; those of its own choosing are other names then.
  private static let step = 17

  @Test func `a misspelt key is told of once, and nothing beside`() throws {
    let sources = try FileManager.default.subpathsOfDirectory(atPath: Self.demo.path)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    var files: [String: String] = [:]
    for path in sources {
      files[path] = try String(contentsOf: Self.demo.appending(path: path), encoding: .utf8)
    }
    #expect(WorkspaceFolder.load(files: files, name: "demo").diagnostics == [])
    var (number, tried) = (0, 0)
    for (path, text) in files.sorted(by: { $0.key < $1.key }) {
      for key in text.matches(of: Self.keys) {
        number += 1
        guard number % Self.step == 0 else { continue }
        let range = key.output.1.startIndex..<key.output.1.endIndex
        let misspelt = key.output.1 + "e"
        var all = files
        all[path] = text.replacingCharacters(in: range, with: misspelt)
        let told = WorkspaceFolder.load(files: all, name: "demo").diagnostics
        // Of names that are chosen freely only those who name them tell.
        guard told.contains(where: { $0.message.contains("no key `\(misspelt)`") }) else {
          continue
        }
        tried += 1
        #expect(told.count == 1, "\(path), \(misspelt): \(told.map(\.message))")
      }
    }
    #expect(tried > 15, "\(tried)")
  }
}
