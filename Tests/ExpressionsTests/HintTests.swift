import Expressions
import Testing

/// Conditions as people write them who come from elsewhere: each is told what is written here.
struct `A condition written as elsewhere` {
  static let environment = Environment(variables: [
    .init("a.text", .string), .init("a.list", .list(.string)), .init("now", .timestamp),
  ])

  private func told(_ source: String) -> [(message: String, hint: String?)] {
    guard
      case .failure(let failure) = Expression.compile(source, Self.environment, expecting: .bool)
    else { return [] }
    return failure.diagnostics.map { ($0.message, $0.hint) }
  }

  @Test(arguments: [
    ("a.text.lower() == 'x'", "write it as `a.text.lowerAscii()`"),
    ("a.text.toUpperCase() == 'X'", "write it as `a.text.upperAscii()`"),
    ("a.text.length() > 3", "write it as `size(a.text)`"),
    ("len(a.text) > 3", "write it as `size(a.text)`"),
    ("a.list.isEmpty()", "write it as `size(a.list) == 0`"),
    ("a.text.includes('x')", "write it as `a.text.contains(…)`"),
    ("a.list.any(e, e == 'x')", "write it as `a.list.exists(e, …)`"),
    ("a.list.some(x, x == 'x')", "write it as `a.list.exists(e, …)`"),
    ("a.list.every(e, e == 'x')", "write it as `a.list.all(e, …)`"),
    ("not(a.text == 'x')", "write it as `!(a.text == \"x\")`"),
    ("exists(a.text)", "write it as `has(a.text)`"),
    ("now() > timestamp('2026-01-01T00:00:00Z')", "`now` is a fact: write it without brackets"),
    ("now.hour() > 3", "write it as `now.getHours(\"Europe/Berlin\")`"),
    ("a.text == “x”", "write \"x\""), ("a.text == ‘x y’ && a.text == 'z'", "write \"x y\""),
    ("a.text == „x“", "write \"x\""), ("size(a.text) ≥ 3", "write `>=`"),
    ("size(a.text) ≠ 3", "write `!=`"), ("a.text = 'x'", "to compare, write `==`"),
    ("a.text == 'x' and a.text == 'y'", "write `&&`"), ("not a.text == 'x'", "write `!`"),
    ("a.text\u{A0}== 'x'", "write a plain space"),
  ])
  func `is told what is written here, and nothing beside`(_ source: String, _ hint: String) {
    let told = told(source)
    #expect(told.count == 1 && told.first?.hint == hint, "\(source): \(told)")
  }

  @Test func `a curly quote without its end is told once`() {
    #expect(told("a.text == “x").count == 1)
    #expect(told("a.text == “x\n&& a.text == 'y'").count == 1)
  }

  @Test(arguments: [
    ("ip('10.0.0') == ip('10.0.0.1')", "this is not an address"),
    ("cidr('10.0.0.0').containsIP('10.0.0.1')", "this is not a network"),
    ("cidr('10.0.0.0/8').containsIP('10.0.0')", "this is not an address"),
    ("cidr('10.0.0.0/8').containsCIDR('10.0.0.0')", "this is not a network"),
    ("math.least([]) == 1", "this needs at least one number"),
    ("math.greatest() == 1", "this needs at least one number"),
  ])
  func `what can only fail is told before it runs`(_ source: String, _ message: String) {
    #expect(told(source).first?.message == message, "\(source): \(told(source))")
  }
}
