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
}
