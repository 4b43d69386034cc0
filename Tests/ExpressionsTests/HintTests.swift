import Expressions
import Testing

/// Conditions as people write them who come from elsewhere: each is told what is written here.
struct `A condition written as elsewhere` {
  static let environment: Environment = {
    var environment = Environment(variables: [
      .init("a.text", .string), .init("a.list", .list(.string)), .init("now", .timestamp),
      .init("a.flag", .bool), .init("a.map", .map(.string, .dyn)), .init("a.number", .int),
      .init("a.events", .list(.object("event"))), .init("hours", .map(.string, .bool)),
      .init("queues", .map(.string, .object("queue"))),
    ])
    environment.objects = [
      "event": [.init("kind", .string), .init("at", .timestamp)],
      "queue": [.init("waiting", .int)],
    ]
    environment.members = [("hours", ["office"]), ("queues", ["support", "office", "a"])]
    environment.zoneNames = { ["Europe/Berlin", "America/New_York", "Etc/GMT"] }
    return environment
  }()

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
    ("a.text.includes('x')", "write it as `a.text.contains(\"x\")`"),
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
    ("a.text == 'x' and a.text == 'y'", "write `&&`"),
    ("a.text == 'x' OR a.text == 'y'", "write `||`"),
    ("not a.text == 'x'", "write `!(a.text == \"x\")`"), ("not a.flag", "write `!`"),
    ("a.flag && not a.flag", "write `!`"), ("a.flag == True", "write `true`"),
    ("a.flag == FALSE", "write `false`"), ("a.text == None", "write `!has(a.text)`"),
    ("Null != a.text", "write `has(a.text)`"),
    ("a.map['b c'] == nil", "write `!(\"b c\" in a.map)`"),
    ("a.flag == yes", "write `true`, or the text in quotes: \"yes\""),
    ("a.text <> 'x'", "to compare, write `!=`"), ("a.text === 'x'", "to compare, write `==`"),
    ("a.text !== 'x'", "to compare, write `!=`"), ("a.text := 'x'", "to compare, write `==`"),
    ("a.text =~ 'x'", "for a pattern write `x.matches(\"…\")`"),
    ("a.text ~ 'x'", "for a pattern write `x.matches(\"…\")`"),
    ("a.text == null", "`!has(a.text)` asks whether it is missing"),
    ("null != a.text", "`has(a.text)` asks whether it is there"),
    ("a.text is null", "write `!has(a.text)`"), ("a.text is not None", "write `has(a.text)`"),
    ("a.text is 'x'", "write `==`"), ("a.text eq 'x'", "write `==`"),
    ("'x' in a.text", "write `a.text.contains(\"x\")`"),
    ("'x' not in a.list", "write `!(\"x\" in a.list)`"),
    ("'x' !in a.list", "write `!(\"x\" in a.list)`"),
    ("a.text contains 'x'", "write `a.text.contains(\"x\")`"),
    ("a.text starts with 'x'", "write `a.text.startsWith(\"x\")`"),
    ("a.text not contains 'x'", "write `!a.text.contains(\"x\")`"),
    ("a.text like 'x%'", "write `a.text.startsWith(\"x\")`"),
    ("a.text like '%x%'", "write `a.text.contains(\"x\")`"),
    ("size(a.text) between 3 and 5", "write `size(a.text) >= 3 && size(a.text) <= 5`"),
    ("3 < size(a.text) < 5", "write `3 < size(a.text) && size(a.text) < 5`"),
    ("size(a.text) > 3 && < 5", "a comparison has two sides, as in `x > 3 && x < 5`"),
    ("a.text == 'x' || 'y'", "write `a.text in [\"x\", \"y\"]`"),
    ("a.flag == 'true'", "write `true` without quotes"),
    ("a.list == 'x'", "write `\"x\" in a.list`"), ("a.list != 'x'", "write `!(\"x\" in a.list)`"),
    ("a.list.contains('x')", "write `\"x\" in a.list`"),
    ("a.list in ['x']", "write `a.list.exists(e, e in [\"x\"])`"),
    ("a.list.kind == 'x'", "whether it is among them asks `\"kind\" in a.list`"),
    ("a.events.kind == 'x'", "ask each of its elements: `a.events.exists(e, e.kind == …)`"),
    ("a.list.count > 3", "write it as `size(a.list)`"),
    ("a.events.length == 3", "write it as `size(a.events)`"),
    ("a.map.total > 48h", "a length of time is written `duration(\"48h\")`"),
    ("now - now < 14d", "a length of time is written `duration(\"336h\")`"),
    ("a.map.total > 1.5k", nil),
    ("a.number > 5 minutes", "a length of time is written `duration(\"5m\")`"),
    ("now - now < 3600", "for seconds write `duration(\"3600s\")`"),
    ("now > now - 3600", "for seconds write `duration(\"3600s\")`"),
    ("now > 1795641953", "for seconds since 1970 write `timestamp(1795641953)`"),
    ("a.number > duration('5m')", "in seconds that is 300"),
    ("now - now < a.number", "for seconds write `(now - now).getSeconds()`"),
    ("now > 2026-12-01", "write `timestamp(\"2026-12-01T00:00:00Z\")`"),
    ("now > 20261201", "write `timestamp(\"2026-12-01T00:00:00Z\")`"),
    ("now > 20261301", "for seconds since 1970 write `timestamp(20261301)`"),
    ("now > 2026-02-30", nil),
    ("now > 1795641953120", "for milliseconds since 1970 write `timestamp(1795641953)`"),
    ("now > 'tomorrow'", "a moment is written `timestamp(\"2026-11-25T21:25:00Z\")`"),
    ("a.map.order-no == 5", "a name with a hyphen stands in brackets: `a.map[\"order-no\"]`"),
    (
      "a.map.order-no-old == 5",
      "a name with a hyphen stands in brackets: `a.map[\"order-no-old\"]`"
    ),
    (
      "a.map.total - a.map.order-no == 5",
      "a name with a hyphen stands in brackets: `a.map[\"order-no\"]`"
    ),
    (
      "a.text == +33144556688",
      "a number has no plus; that of a telephone is a text: \"+33144556688\""
    ),
    (
      "a.text == 33144556688",
      "a text stands in quotes: \"33144556688\", or \"+33144556688\" for a telephone"
    ),
    (
      "a.events.exists(e => e.kind == 'x')",
      "a comma stands behind the element's name, as in `exists(e, …)`"
    ),
    ("a.number => 70", "to compare, write `>=`"), ("(a.number => 70)", "to compare, write `>=`"),
    (
      "a.text ?: 'x' == 'x'",
      "for a field, or something else where it is missing, write `a.?b.orValue(c)`"
    ),
    (
      "if a.flag then true", "a condition stands by itself; for one of two values write `a ? b : c`"
    ),
    (
      "a.text == 'it''s'",
      "a quote inside a text is written as \\', or the text stands in the other quotes"
    ),
    ("a.text", "`has(a.text)` asks whether it is there, `a.text == \"…\"` what it is"),
    ("!a.text", "`!has(a.text)` asks whether it is missing, `a.text == \"…\"` what it is"),
    ("a.flag == 'open'", "it is true or false: write `a.flag` or `!a.flag` by itself"),
    ("now > '2026-12-24'", "write `timestamp(\"2026-12-24T00:00:00Z\")`"),
    ("now - now < '2 days'", "write `duration(\"48h\")`"),
    ("now.hour >= 18", "write it as `now.getHours(\"Europe/Berlin\")`"),
    ("size(a.text) > 1,000", "a number has no comma: write 1000, or with a point"),
    (
      "a.text.contains('x', 'y')",
      "for one or the other write a.text.contains(\"x\") || a.text.contains(\"y\")"
    ),
    (
      "e.kind == 'x'",
      "a name for each element stands in the brackets of `exists(e, …)` and its like alone"
    ),
    (
      "today == 'Monday'",
      "`now` is the moment: ask for a part of it, as in `now.getDayOfWeek(\"Europe/Berlin\")`"
    ),
    (
      "a.list.first() + 'x' == 'y'",
      "it may be missing: write `.value()` behind it, or `.orValue(…)` for something else then"
    ),
    ("has(a.map['b c'])", "write `\"b c\" in a.map`"),
    ("now - now < duration('14d')", "write it as 336h"),
    ("now - now < duration('1 hour 30 min')", "write it as 1h30m"),
    ("now - now < duration('soon')", "write it as 90s, 15m or 1h30m"),
    ("now > timestamp('24.12.2026')", "write it as 2026-12-24T00:00:00Z"),
    ("now > timestamp('12/24/2026 10:00')", "write it as 2026-12-24T10:00:00Z"),
    ("now > timestamp('3/4/2026')", "write it as 2026-11-25T21:25:00Z"),
    ("now.getHours('UTC+2') < 9", "write it as +02:00"),
    ("now.getHours('-5:30') < 9", "write it as -05:30"),
    ("now.getHours('CEST') < 9", "zones are named as in Europe/Berlin, or +02:00"),
    ("now.getHours('Europe/Berln') < 9", "did you mean `Europe/Berlin`?"),
    ("now.getHours('new york') < 9", "did you mean `America/New_York`?"),
    ("now.getHours() > 'noon'", "hours are whole numbers from 0 to 23"),
    ("now.getHours() == '25:00'", "hours are whole numbers from 0 to 23"),
    ("now == '2026-12-24T10:00:00Z'", "write `timestamp(\"2026-12-24T10:00:00Z\")`"),
    ("now == '12:00'", "a moment is written `timestamp(\"2026-11-25T21:25:00Z\")`"),
    ("a.events[0].at in '48h'", "a moment is written `timestamp(\"2026-11-25T21:25:00Z\")`"),
    ("now > '48h'", "a moment is written `timestamp(\"2026-11-25T21:25:00Z\")`"),
    ("now > '24.12.2026'", "write `timestamp(\"2026-12-24T00:00:00Z\")`"),
    ("now - now < 3600000000000", "for nanoseconds write `duration(\"3600s\")`"),
    ("now - now < 1500000000", "for nanoseconds write `duration(\"1.5s\")`"),
    (
      "now - now < 9223372036854775807",
      "for nanoseconds write `duration(\"9223372036.854775807s\")`"
    ),
    ("now > now - 86400000000000", "for nanoseconds write `duration(\"86400s\")`"),
    ("a.text == gold", "text stands in quotes: \"gold\""),
    ("a.text in [gold]", "text stands in quotes: \"gold\""),
    ("a.text.contains(gold)", "text stands in quotes: \"gold\""),
    ("a.map.tier == gold", "text stands in quotes: \"gold\""),
    ("a.flag == open", "it is true or false: write `a.flag` or `!a.flag` by itself"),
    ("a.number > ten", nil),
    ("now.getDayOfWeek() == 'payday'", "days are counted from 0, which is Sunday, to 6"),
    (
      "now.getDayOfWeek() == Monday", "write `1`: days are counted from 0, which is Sunday, to 6"
    ),
    ("size(a.text)", "compare it, as in `size(a.text) > 0`"), ("exists a.text", "write `has(…)`"),
    ("a.text\u{A0}== 'x'", "write a plain space"),
  ])
  func `is told what is written here, and nothing beside`(_ source: String, _ hint: String?) {
    let told = told(source)
    #expect(told.count == 1 && told.first?.hint == hint, "\(source): \(told)")
  }

  /// What stands first in a hint between backticks is a condition, or goes where the mistake is.
  @Test(arguments: [
    ("a.events.contains('x')", "a.events.exists(e, e.kind == \"x\")"),
    (
      "now == '2026-12-24'",
      "now >= timestamp(\"2026-12-24T00:00:00Z\") && now < timestamp(\"2026-12-25T00:00:00Z\")"
    ),
    (
      "now != '31.12.2026'",
      "(now < timestamp(\"2026-12-31T00:00:00Z\") || now >= timestamp(\"2027-01-01T00:00:00Z\"))"
    ),
    (
      "now == 2026-12-24",
      "now >= timestamp(\"2026-12-24T00:00:00Z\") && now < timestamp(\"2026-12-25T00:00:00Z\")"
    ),
    (
      "20261224 == now",
      "now >= timestamp(\"2026-12-24T00:00:00Z\") && now < timestamp(\"2026-12-25T00:00:00Z\")"
    ),
    ("now.getHours() > '18:00'", "now.getHours() >= 18"),
    ("now.getHours() <= '18:00'", "now.getHours() < 18"),
    ("'9:00' <= now.getHours('+02:00')", "now.getHours(\"+02:00\") >= 9"),
    ("now.getHours() >= '6pm'", "now.getHours() >= 18"),
    ("now.getHours() > '18'", "now.getHours() > 18"),
    (
      "now.getHours('UTC') >= '18:30'",
      "now.getHours(\"UTC\") * 60 + now.getMinutes(\"UTC\") >= 1110"
    ),
    ("now.getHours() == '09:00'", "now.getHours() * 60 + now.getMinutes() == 540"),
    ("a.text is empty", "size(a.text) == 0"), ("a.list is not empty", "size(a.list) > 0"),
    ("!a.text is empty", "size(a.text) > 0"), ("!a.list is not empty", "size(a.list) == 0"),
    ("!a.text is set", "!has(a.text)"),
    (
      "a.list.exists(e, a.events.exists(kind == e))",
      "a.events.exists(f, f.kind == e)"
    ),
    (
      "a.events.exists(a.list.exists(e, kind == e))",
      "a.events.exists(f, a.list.exists(e, f.kind == e))"
    ),
    ("a.list.exists(e, e in a.events)", "a.events.exists(f, f.kind == e)"),
    ("a.text is missing", "!has(a.text)"), ("a.text is not set", "!has(a.text)"),
    ("a.text is present && a.flag", "has(a.text)"), ("a.map.b is not defined", "!has(a.map.b)"),
    ("office", "hours.office"), ("!office && a.flag", "hours.office"),
    ("office == true", "hours.office"), ("office.waiting > 3", "queues.office.waiting"),
    ("support.waiting > 3", "queues.support.waiting"),
    ("support.wating > 3", "queues.support.waiting"),
    ("a.txt == 'x'", "a.text"),
    (
      "a.events.exists(e, now - e.at < duration('1h')) && support.waiting == 0",
      "queues.support.waiting"
    ),
    ("now - '48h' > now", "now - duration(\"48h\")"),
    ("a.events.exists(e, e.at > now - '2 days')", "now - duration(\"48h\")"),
    ("now + '90m' > now", "now + duration(\"90m\")"),
    ("a.events[0].at > '48h'", "now - a.events[0].at > duration(\"48h\")"),
    ("a.events.exists(e.kind == 'x')", "a.events.exists(e, e.kind == \"x\")"),
    ("a.events.exists(event.kind == 'x')", "a.events.exists(event, event.kind == \"x\")"),
    ("a.events.exists(kind == 'x')", "a.events.exists(e, e.kind == \"x\")"),
    ("a.list.all(x == 'x' || x == a.text)", "a.list.all(x, x == \"x\" || x == a.text)"),
    ("size(a.events.filter(e.kind == 'x')) > 1", "a.events.filter(e, e.kind == \"x\")"),
    ("'x' contains a.list", "\"x\" in a.list"), ("'x'.contains(a.list)", "\"x\" in a.list"),
    ("a.text contains a.list", "a.text in a.list"), ("'x' contains a.map", "\"x\" in a.map"),
    ("!('x' contains a.events)", "a.events.exists(e, e.kind == \"x\")"),
    ("a.events.includes('x')", "a.events.exists(e, e.kind == \"x\")"),
    ("a.map.contains('x')", "\"x\" in a.map"), ("a.map.includes('x')", "\"x\" in a.map"),
    ("a.list.includes('x')", "\"x\" in a.list"), ("a.list.has('x')", "\"x\" in a.list"),
    ("a.list contains 'x'", "\"x\" in a.list"),
    ("a.list not contains 'x'", "!(\"x\" in a.list)"),
    ("a.events contains 'x'", "a.events.exists(e, e.kind == \"x\")"),
    ("a.map includes 'x'", "\"x\" in a.map"), ("a.text includes 'x'", "a.text.contains(\"x\")"),
    ("a.map.b.includes('x')", "a.map.b.contains(\"x\")"),
    ("a.events.last.kind == 'x'", "a.events[0]"), ("a.list.first == 'x'", "a.list[0]"),
    ("a.events.knd == 'x'", "a.events.exists(e, e.kind == …)"),
    ("a.events.total > 3", "a.events.exists(e, …)"),
    ("now.getHours(Europe/Berlin) < 9", "now.getHours(\"Europe/Berlin\")"),
    (
      "now.getDayOfWeek(America/Argentina/Ushuaia) < 2",
      "now.getDayOfWeek(\"America/Argentina/Ushuaia\")"
    ),
    ("a.events.exists(e, kind == 'x')", "e.kind"),
    ("a.events.count(e, e.kind == 'x') > 3", "size(a.events.filter(e, …))"),
    ("a.text in 'gold, silver'", "a.text in [\"gold\", \"silver\"]"),
    ("a.text in 'gold'", "a.text in [\"gold\"]"),
    ("a.map.b in 'gold,silver'", "a.map.b in [\"gold\", \"silver\"]"),
    ("a.text in 'de;en|fr'", "a.text in [\"de\", \"en\", \"fr\"]"),
    ("a.text in 'de,'", "a.text in [\"de\"]"),
    ("now > date('2026-12-24')", "timestamp(\"2026-12-24T00:00:00Z\")"),
    ("now > date('tomorrow')", "timestamp(\"2026-11-25T21:25:00Z\")"),
    ("now > date('24.12.2026')", "timestamp(\"2026-12-24T00:00:00Z\")"),
    ("now.getDayOfWeek() == 'Monday'", "now.getDayOfWeek() == 1"),
    ("'sun' != now.getDayOfWeek()", "now.getDayOfWeek() != 0"),
    ("now.getDayOfWeek() in ['sat', 'Sunday']", "now.getDayOfWeek() in [6, 0]"),
    ("now.getDayOfWeek() == '3'", "now.getDayOfWeek() == 3"),
    ("now.getMonth() >= 'December'", "now.getMonth() >= 11"),
    ("!a.list contains 'x'", "!(\"x\" in a.list)"),
    ("!a.text contains 'x'", "!a.text.contains(\"x\")"),
    ("a.text does not contain 'x'", "!a.text.contains(\"x\")"),
    ("a.list does not contain 'x'", "!(\"x\" in a.list)"),
    ("a.text does not start with 'x'", "!a.text.startsWith(\"x\")"),
    ("'x' in a.events", "a.events.exists(e, e.kind == \"x\")"),
    ("exists(a.events, e, e.kind == 'x')", "a.events.exists(e, e.kind == \"x\")"),
    ("any(a.events, e, e.kind == 'x')", "a.events.exists(e, e.kind == \"x\")"),
    ("all(a.list, 'x')", "a.list.all(e, …)"),
    ("count(a.events, e, e.kind == 'x') > 1", "size(a.events.filter(e, e.kind == \"x\"))"),
    ("a.events.contains(e, e.kind == 'x')", "a.events.exists(e, e.kind == \"x\")"),
    ("a.events.includes(e, e.kind == 'x')", "a.events.exists(e, e.kind == \"x\")"),
    ("a.map.tags.include(3)", "3 in a.map.tags"),
    ("tier == 'gold'", "a.map.tier"), ("'gold' == tier", "a.map.tier"),
    ("tier in ['gold', 'silver']", "a.map.tier"), ("tier.startsWith('g')", "a.map.tier"),
    ("a.flag && !vip", "a.map.vip"), ("a.number == 3 && order > 5", "a.map.order"),
    ("now.getHours(UTC+2) < 9", "now.getHours(\"+02:00\")"),
    ("now.getHours(GMT-5) < 9", "now.getHours(\"-05:00\")"),
    ("now.getHours(Etc/GMT+5) < 9", "now.getHours(\"Etc/GMT+5\")"),
    (
      "now.getHours(America/Port-au-Prince) < 9", "now.getHours(\"America/Port-au-Prince\")"
    ),
  ])
  func `is told what can be taken as it is`(_ source: String, _ form: String) throws {
    guard
      case .failure(let failure) = Expression.compile(source, Self.environment, expecting: .bool)
    else {
      Issue.record("\(source) is no mistake")
      return
    }
    #expect(failure.diagnostics.count == 1, "\(source): \(failure.diagnostics)")
    let told = try #require(failure.diagnostics.first)
    let parts = (told.hint ?? "").split(separator: "`", omittingEmptySubsequences: false)
    #expect(parts.count > 1 && parts[1] == form, "\(source): \(told.hint ?? "")")
    let whole = Array(source.utf8)
    let put = Array(form.utf8)
    let inPlace = Array(whole[..<told.start]) + put + Array(whole[told.end...])
    let taken = [put, inPlace].map {
      String(decoding: $0, as: UTF8.self)
        .replacing("== …", with: "== \"x\"").replacing("…", with: "true")
    }
    #expect(taken.contains { Expression.isTyped($0, Self.environment, as: .bool) }, "\(taken)")
  }

  @Test(arguments: [
    "a.flag is empty", "a.number is not empty", "a.events[0] is missing", "office is set",
    "hours.office is set", "!hours.office is set", "a.map.?order is missing",
    "a.events['x'] is set",
  ])
  func `of what cannot be asked whether it is there or empty no form is told`(_ source: String) {
    let told = told(source)
    #expect(told.first?.message == "`is` is not an operator", "\(told)")
    #expect(told.first?.hint == nil, "\(told)")
  }

  @Test func `not before another word is told as the whole`() {
    #expect(
      told("not a.list contains 'x'").map(\.hint)
        == ["write `!(\"x\" in a.list)`", "write `\"x\" in a.list`"])
  }

  @Test func `what may be a text or a list is told both ways`() {
    #expect(
      told("a.map.tags.includes('x')").map(\.hint) == [
        "write it as `a.map.tags.contains(\"x\")` where it is a text, and `\"x\" in a.map.tags` where it is a list"
      ])
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
