import Foundation
import Testing

/// Package.swift's table is the design; these hold the sources and docs/ARCHITECTURE.md against it.
struct StructureTests {
  let project = Project()
  let table: Table

  init() throws { table = try Table(package: project.text("Package.swift")) }

  @Test func `every import is one that the table allows`() throws {
    var count = 0
    for target in try project.folders("Sources") where target != "Shims" {
      for (file, module) in try project.imports(below: "Sources/\(target)") {
        count += 1
        if let fault = table.fault(module, in: target) { Issue.record("\(file): \(fault)") }
      }
    }
    #expect(count > 300, "import lines were overlooked")
  }

  @Test func `pure targets use pure targets, shims, and packages without Foundation alone`() {
    let pure = table.rows.filter(\.isPure)
    #expect(pure.count >= 10)
    for row in pure {
      for used in row.uses {
        let other = table[used]
        #expect(other?.isPure == true || other?.kind == "shim", "\(row.name) uses \(used)")
      }
      #expect(
        row.outside.isSubset(of: ["DequeModule", "HTTPTypes"]), "\(row.name) uses \(row.outside)")
    }
  }

  @Test func `imports point downward only`() {
    for (index, row) in table.rows.enumerated() {
      let above = Set(table.rows[..<index].map(\.name))
      for used in row.uses {
        #expect(above.contains(used), "\(row.name) uses \(used), which stands below it")
      }
    }
  }

  @Test func `each C shim is imported by one target`() throws {
    for shim in table.rows where Table.shims.contains(shim.kind) {
      let users = table.rows.filter { $0.uses.contains(shim.name) }.map(\.name)
      #expect(users.count == 1, "\(shim.name) is used by \(users)")
    }
    let importing = try project.folders("Sources").flatMap { target in
      Set(try project.imports(below: "Sources/\(target)").map(\.module)).map { ($0, target) }
    }
    for shim in table.rows where shim.kind == "shim" {
      let users = importing.filter { $0.0 == shim.name }.map(\.1)
      #expect(users.count <= 1, "\(shim.name) is imported by \(users)")
    }
  }

  @Test func `each folder of sources has its row, and each row its folder`() throws {
    let folders = try project.folders("Sources").filter { $0 != "Shims" }
    let rows = table.rows.filter { ["library", "tool"].contains($0.kind) }.map(\.name)
    #expect(folders == rows.sorted())
    let shims = table.rows.filter { Table.shims.contains($0.kind) }.map(\.name)
    #expect(try project.folders("Sources/Shims") == shims.sorted())
    let tests = table.rows.filter { $0.kind == "test" }.map(\.name)
    #expect(try project.folders("Tests").filter { $0.hasSuffix("Tests") } == tests.sorted())
  }

  @Test func `docs, ARCHITECTURE, shows the same table`() throws {
    let text = try project.text("docs/ARCHITECTURE.md")
    let shown = text.matches(of: /(?m)^\| `([\w-]+)`( \(pure\))? \|[^|\n]*\| ([^|\n]*) \|$/)
    let rows = table.rows.filter { ["library", "tool"].contains($0.kind) }
    #expect(shown.map { String($0.1) } == rows.map(\.name))
    for (line, row) in zip(shown, rows) {
      #expect((line.2 != nil) == row.isPure, "\(row.name)")
      let uses = row.uses.filter { table[$0].map { !Table.shims.contains($0.kind) } ?? true }
      #expect(line.3 == (uses.isEmpty ? "–" : uses.joined(separator: ", ")), "\(row.name)")
    }
  }

  @Test func `each fuzz target has its folder, its seeds and its line in Tests, Fuzz, README`()
    throws
  {
    let targets = table.rows.filter { $0.kind == "fuzz" }.map(\.name)
    #expect(try project.folders("Tests/Fuzz") == targets.sorted())
    for target in targets {
      #expect(try project.folders("Tests/Fuzz/\(target)") == ["seeds"], "\(target)")
    }
    let shown = try project.text("Tests/Fuzz/README.md").matches(of: /(?m)^\| `(fuzz-[\w-]+)` \|/)
      .map { String($0.1) }
    #expect(shown.sorted() == targets.sorted())
  }

  @Test
  func `docs, testing, names every switch that makes a test longer, and every script of tests`()
    throws
  {
    let page = try project.text("docs/testing.md")
    for name in try project.switches(below: "Tests") { #expect(page.contains(name), "\(name)") }
    for folder in try project.folders("Tests") {
      for script in try project.scripts("Tests/\(folder)") {
        #expect(page.contains(script), "\(script)")
      }
    }
  }

  /// Every build writes `Package.resolved`, the one of this test too: what is there for us, and for
  /// what we use.
  @Test func `SwiftNIO is nowhere among the packages that a build resolves`() throws {
    let resolved = try project.text("Package.resolved").lowercased()
    let packages = resolved.matches(of: /"identity"\s*:\s*"([^"]+)"/).map { String($0.1) }
    #expect(packages.contains("grdb.swift"), "packages were overlooked: \(packages)")
    for package in packages {
      #expect(!package.contains("nio") && package != "async-http-client", "\(package)")
    }
    #expect(!resolved.contains("swift-nio"))
  }

  // MARK: - The tests' own eyes

  @Test func `import lines are read in every form that Swift has`() {
    let source = """
      import Model
        @testable import Routing
      internal import CRE2
      @preconcurrency public import struct Foundation.Data
      @_spi(Inside) import Wire
      // import Store
      let important = "import Yams"
      """
    #expect(Project.modules(source) == ["Model", "Routing", "CRE2", "Foundation", "Wire"])
  }

  @Test func `what the table does not allow is seen`() throws {
    let table = try Table(
      package: """
        // Pure
          Row(kind: .library, name: "A"),
          Row(kind: .shim, name: "CB", system: ["b"]),
          Row(kind: .library, name: "B", uses: ["A", "CB"], outside: [.deque]),
        // The world
          Row(
            kind: .library, name: "C",
            uses: ["B"]),
        """)
    #expect(table.rows.map(\.isPure) == [true, false, true, false])
    #expect(table.fault("A", in: "C") == nil)
    #expect(table.fault("DequeModule", in: "C") == nil)
    #expect(table.fault("Foundation", in: "C") == nil)
    #expect(table.fault("CB", in: "B") == nil)
    #expect(table.fault("CB", in: "C") == "C imports CB, which its row does not allow")
    #expect(table.fault("B", in: "A") == "A imports B, which its row does not allow")
    #expect(table.fault("Foundation", in: "A") == "A is pure and imports Foundation")
    #expect(table.fault("A", in: "D") == "D has no row in Package.swift")
  }
}
