import Foundation
import Testing

@testable import Expressions

struct `Reading expressions` {
  static let suite: [String] = {
    let folder = `Conformance`.folder
    return `Conformance`.files.flatMap { file -> [String] in
      let text =
        (try? String(contentsOf: folder.appending(path: file + ".jsonl"), encoding: .utf8)) ?? ""
      return text.split(separator: "\n").compactMap { line in
        let json = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return json?["expr"] as? String
      }
    }
  }()

  @Test func `what is printed reads as the same tree`() {
    #expect(Self.suite.count == 2_256)
    for source in Self.suite {
      let first = Expression.parse(source)
      guard first.diagnostics.isEmpty else { continue }
      let second = Expression.parse(first.syntax.text)
      #expect(second.diagnostics.isEmpty, "\(source)\n\(first.syntax.text)")
      #expect(second.syntax == first.syntax, "\(source)\n\(first.syntax.text)")
      #expect(second.syntax.text == first.syntax.text)
    }
  }

  @Test(arguments: [
    ("a.b(1)[2].c", "a.b(1)[2].c"), ("(a || b) && !(c && d)", "(a || b) && !(c && d)"),
    ("1 - (2 - 3) - 4", "1 - (2 - 3) - 4"), ("((1))", "1"), ("-(-5)", "--5"),
    ("a?b:c?d:e", "a ? b : c ? d : e"),
    ("(a?b:c)?d:e", "(a ? b : c) ? d : e"), ("x.exists_one(i, i>0)", "x.exists_one(i, i > 0)"),
    ("{'a':1,?'b':c}", "{\"a\": 1, ?\"b\": c}"), ("a.`b-c`", "a.`b-c`"), ("!!a", "!!a"),
    ("--a", "--a"),
    ("-(0.a)", "-(0.a)"), ("-1.a", "(-1).a"),
    // Functions that are named as operators are inside.
    ("_s_('a')", "_s_(\"a\")"), ("_s_()", "_s_()"), ("_s_(1, 2).x", "_s_(1, 2).x"),
  ])
  func `brackets are kept where they mean something`(_ source: String, _ printed: String) {
    let parsed = Expression.parse(source)
    #expect(parsed.diagnostics.isEmpty)
    #expect(parsed.syntax.text == printed)
  }

  /// What is shown of a part is its source: a sign before it, or less than the whole of it, would
  /// say something else.
  @Test func `the source of every part reads as that part`() {
    let more = [
      "!a", "!a.b", "-a.b[1]", "!!a.b(c)", "-1.foo", "- 1.foo", "!-1.foo(2)",
      "a && !b.c || -d.e > 1",
      "!(a || b).c", "[-a.b, !c.d]", "-(1).a",
    ]
    var looked = 0
    for source in Self.suite + more {
      let whole = Expression.parse(source)
      guard whole.diagnostics.isEmpty else { continue }
      let bytes = Array(source.utf8)
      for node in whole.syntax.nodes.indices where !Self.isMadeByMacro(whole.syntax, node) {
        let extent = whole.syntax.extents[node]
        let text = String(decoding: bytes[extent.start..<extent.end], as: UTF8.self)
        let part = Expression.parse(text)
        #expect(
          part.diagnostics.isEmpty
            && part.syntax.text(of: part.syntax.root) == whole.syntax.text(of: node),
          "\(source): \(text)")
        looked += 1
      }
    }
    #expect(looked > 5_000)
  }

  /// The parts of a macro that its author did not write.
  private static func isMadeByMacro(_ syntax: Syntax, _ node: Int) -> Bool {
    switch syntax.nodes[node] {
    case .block, .message, .invalid: true
    default: false
    }
  }

  @Test func `all mistakes are told at once`() {
    let source = "a == && b(1, ) + [1, 2 && c..d || 'open"
    let found = Expression.parse(source).diagnostics
    #expect(found.count >= 3, "\(found.map { $0.rendered(in: source) }.joined(separator: "\n"))")
    #expect(found == found.sorted { $0.start < $1.start })
  }

  @Test func `a mistake shows its line, its column and a caret`() {
    let source = "a == 1 &&\n  bé == = 2"
    let told = Expression.parse(source).diagnostics.map { $0.rendered(in: source) }
    #expect(
      told.contains(
        "2:9: error: `=` is not an operator\n    bé == = 2\n          ^\n  hint: to compare, write `==`"
      )
        || told.first?.hasPrefix("2:4") == true, "\(told)")
  }

  @Test(arguments: [
    "(", "[", "{1:", "!", "-", "f(", "a[", "a.b(", "x ? y : ", "1 + ", "a && (b || ",
  ])
  func `an expression nested ten thousand deep is refused, not read to the end of the stack`(
    _ part: String
  ) {
    let source = String(repeating: part, count: 10_000)
    #expect(!Expression.parse(source).diagnostics.isEmpty)
    let whole = String(repeating: "(", count: 10_000) + "1" + String(repeating: ")", count: 10_000)
    #expect(Expression.parse(whole).diagnostics.contains { $0.message.contains("nested") })
  }

  @Test func `long chains that need no stack are read`() {
    let chain = (0..<5_000).map { "x == \($0)" }.joined(separator: " || ")
    #expect(Expression.parse(chain).diagnostics.isEmpty)
    let ladder = (0..<150).map { "x == \($0) ? \($0) : " }.joined() + "0"
    #expect(Expression.parse(ladder).diagnostics.isEmpty)
    let sum = (0..<10_000).map(String.init).joined(separator: " + ")
    #expect(
      Expression.parse(sum).diagnostics.contains { $0.message.contains("nested more than 200") })
  }

  @Test(arguments: ["\u{1}", "§", "'", "\"", "`", "0x", "1a ", "&", "'\\q", "//", "\u{0}"])
  func `a hundred thousand bytes of nothing sensible end in diagnostics`(_ part: String) {
    let source = String(repeating: part, count: 99_000 / part.utf8.count)
    let found = Expression.parse(source).diagnostics
    #expect(!found.isEmpty && found.count <= 20)
  }

  @Test func `what is as deep as allowed is checked, printed, evaluated and explained`() throws {
    let sum = (0..<198).map(String.init).joined(separator: " + ")
    let brackets = String(repeating: "[", count: 79) + String(repeating: "]", count: 79)
    let folds =
      String(repeating: "[1].map(x, ", count: 78) + "x" + String(repeating: ")", count: 78)
    let fields = "{}" + String(repeating: ".?a", count: 197)
    let signs = String(repeating: "!", count: 150) + "true"
    let minuses = String(repeating: "-", count: 150) + "(1)"
    for source in [
      sum, brackets, folds, fields, signs, minuses, "\(brackets) == \(brackets)",
      "'%s'.format([\(brackets.dropFirst(4).dropLast(4))])",
    ] {
      let program = try Expression.compile(source, Environment(variables: [])).get()
      let trace = program.trace([])
      #expect(!trace.0.isError, "\(source)")
      _ = program.failures(trace)
      #expect(Expression.parse(program.syntax.text).syntax == program.syntax)
    }
  }

  @Test func `source of a megabyte is refused at once`() {
    let found = Expression.parse(String(repeating: "a", count: 1_000_000)).diagnostics
    #expect(found.first?.message.contains("bytes") == true)
  }

  @Test(arguments: [
    "1e999", "9223372036854775808", "18446744073709551616u", "'\\q'", "'\\xZ1'", "'\\ud800'",
    "\"a\nb\"",
    "as", "1a",
    "a.`b", "`a`", "has(a)", "[1].map(1, 2)", "[1].all(x, x, true)", "\u{1}", "a in", "{1}", "a.in",
    "size('a',)", "[,1]", "[1,,]", "{,,}", "f(,)",
  ])
  func `what is no expression is refused`(_ source: String) {
    #expect(!Expression.parse(source).diagnostics.isEmpty)
  }
}
