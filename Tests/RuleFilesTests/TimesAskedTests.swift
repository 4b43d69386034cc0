import Foundation
import RuleFiles
import Rules
import Testing

/// What is told of a test that gives no time, where its rules ask more of the time than which hours are
/// open.
struct `Of a test without a time` {
  /// 2026-11-25T21:25:53Z; what is said holds for two years from then on.
  private static let now = Date(timeIntervalSince1970: 1_795_641_953)

  private func warnings(
    _ condition: String, _ given: String = "", expect: String = "rule: rest",
    hours: String = "always: { zone: UTC, open: { mon-sun: \"00:00-24:00\" } }\n"
  ) throws -> [String] {
    let loaded = WorkspaceFolder.load(
      files: [
        "workspace.yaml": "title: x\n", "hours.yaml": hours, "queues.yaml": "support:\n",
        "agents.yaml": "ann: { queues: [support] }\n",
        "rules/10.yaml":
          "- name: asked\n  when: '\(condition)'\n  route: { queue: support }\n- name: rest\n  route: { queue: support }\n",
        "tests/10.yaml":
          "- name: t\n  given: { session: { channel: phone }\(given) }\n  expect: { \(expect) }\n",
      ], name: "x", now: Self.now)
    #expect(loaded.workspace != nil, "\(loaded.rendered)")
    return loaded.diagnostics.filter { $0.file == "tests/10.yaml" }.map(\.message)
  }

  private static let rests = "which rule takes this rests on the time"
  private static let always = "whenever that is, `asked` takes this"
  private static let perhaps =
    "whether `asked` takes this may rest on the time, of which it asks more than can be looked at"
  /// From 03:15 to 03:45 of UTC.
  private static let early =
    "early: { zone: Asia/Kolkata, open: { mon-sun: \"08:45-09:15\" } }\n"
  private static func event(_ at: String) -> String {
    ", customer: { events: [{ kind: returned, at: \(at) }] }"
  }

  @Test(arguments: [
    ("hours.early && now.getHours(\"Asia/Kolkata\") == 9", "", rests),
    ("now.getHours(\"Asia/Kolkata\") == 8", ", hours: { early: true }", rests),
    ("now.getHours(\"Asia/Kolkata\") in [8, 9]", ", hours: { early: true }", always),
    ("now.getHours(\"Asia/Kolkata\") == 10", ", hours: { early: true }", nil),
    // At a quarter past, 05:45 ahead of UTC, and half an hour later in summer.
    ("hours.early && now.getHours(\"Asia/Kathmandu\") == 8", "", nil),
    ("hours.early && now.getHours(\"Australia/Lord_Howe\") == 13", "", rests),
  ])
  func `hours that begin at half past are looked at`(
    _ condition: String, _ given: String, _ told: String?
  ) throws {
    let found = try warnings(condition, given, hours: Self.early)
    #expect(found.count == (told == nil ? 0 : 1), "\(found)")
    if let told { #expect(found.first?.hasPrefix(told) ?? false, "\(found)") }
  }

  @Test(arguments: [
    ("now > timestamp(\"2027-03-01T10:20:00Z\")", "", rests),
    ("now == timestamp(\"2027-03-01T10:20:00Z\")", "", rests),
    ("now < timestamp(\"2020-01-01T00:00:00Z\")", "", nil),
    ("now > timestamp(\"2020-01-01T00:00:00Z\")", "", always),
    ("now - timestamp(\"2027-03-01T10:20:00Z\") == duration(\"61s\")", "", rests),
    (
      "timestamp(\"2027-03-01T10:20:00.0005Z\") < now && now < timestamp(\"2027-03-01T10:20:00.0025Z\")",
      "", rests
    ),
    (
      "customer.events.exists(e, now - e.at < duration(\"48h\"))", event("2026-12-10T00:00:00Z"),
      rests
    ),
    (
      "customer.events.exists(e, now - e.at < duration(\"48h\"))", event("2026-10-01T00:00:00Z"),
      nil
    ),
    (
      "customer.events.exists(e, (now - e.at).getHours() == 48)", event("2026-12-10T00:00:30Z"),
      rests
    ),
    (
      "customer.events.exists(e, e.at + duration(\"1h\") == now)", event("2026-12-10T00:00:30Z"),
      rests
    ),
    (
      "now < timestamp(conversation.fields.due)",
      ", conversation: { fields: { due: \"2027-01-01T00:00:00Z\" } }", rests
    ),
    (
      "now < timestamp(conversation.fields.due)",
      ", conversation: { fields: { due: \"2020-01-01T00:00:00Z\" } }", nil
    ),
    ("now.getMinutes() >= 30", "", rests),
    ("now.getHours() == 17 && now.getMinutes(\"+00:45\") in [7, 8]", "", rests),
    ("now.getHours() * 60 + now.getMinutes() >= 1117", "", rests),
    ("now.getHours() > 23", "", nil),
    ("(now + duration(\"8h\")).getHours() == 0", "", rests),
    ("cel.bind(h, now.getHours(), h >= 9 && h < 17)", "", rests),
    ("string(now).startsWith(\"2027\")", "", rests),
    ("string(now).endsWith(\":17Z\")", "", perhaps),
    (
      "now.getHours(customer.attributes.zone) >= 9",
      ", customer: { attributes: { zone: Asia/Kolkata } }", perhaps
    ),
  ])
  func `what is asked of the moment is held against what it expects`(
    _ condition: String, _ given: String, _ told: String?
  ) throws {
    let found = try warnings(condition, given)
    #expect(found.count == (told == nil ? 0 : 1), "\(found)")
    if let told { #expect(found.first?.hasPrefix(told) ?? false, "\(found)") }
    // Both rules lead to the same queue.
    #expect(try warnings(condition, given, expect: "queue: support") == [])
  }

  private static let holidays = "[\"2026-12-24T00:00:00+01:00\", \"2027-01-01T00:00:07Z\"]"
  private static let within = "now >= timestamp(d) && now < timestamp(d) + duration(\"20s\")"

  /// Moments that the condition itself makes, of texts, of numbers and of sums with a name.
  @Test(arguments: [
    ("!\(holidays).exists(d, \(within))", "", rests),
    ("\(holidays).exists(d, \(within))", "", rests),
    (
      "[1798761420].map(s, timestamp(s)).exists(t, now >= t && now < t + duration(\"20s\"))", "",
      rests
    ),
    ("{\"2027-01-01T00:00:07Z\": 1}.exists(d, \(within))", "", rests),
    ("cel.bind(d, \"2027-01-01T00:00:07Z\", \(within))", "", rests),
    ("[\"2020-01-01T00:00:07Z\"].exists(d, \(within))", "", nil),
    ("[\"2027-01-01\"].map(d, d + \"T00:00:07Z\").exists(d, \(within))", "", perhaps),
    (
      "customer.events.map(e, e.at).exists(t, now >= t && now < t + duration(\"20s\"))",
      event("2026-12-10T00:00:07Z"), rests
    ),
    (
      "customer.events.filter(e, e.kind == \"returned\").exists(e, now >= e.at && now < e.at + duration(\"20s\"))",
      event("2026-12-10T00:00:07Z"), rests
    ),
    (
      "customer.events.map(e, e.at + duration(\"48h\")).exists(t, now >= t && now < t + duration(\"20s\"))",
      event("2026-12-10T00:00:07Z"), perhaps
    ),
    (
      "customer.events.map(e, e.at + duration(\"48h\")).exists(t, now < t || now > t + duration(\"20s\"))",
      event("2026-12-10T00:00:07Z"), perhaps
    ),
    (
      "customer.events.map(e, {\"t\": e.at + duration(\"48h\")}).exists(m, now >= m.t && now < m.t + duration(\"20s\"))",
      event("2026-12-10T00:00:07Z"), perhaps
    ),
    (
      "cel.bind(t, customer.events[0].at + duration(\"48h\"), now >= t && now < t + duration(\"20s\"))",
      event("2026-12-10T00:00:07Z"), perhaps
    ),
    // An error, and the number that it must not be taken for.
    (
      "-1 / now.getHours() == customer.conversations - 2", ", customer: { conversations: 1 }", rests
    ),
    // Within the day before, from which hours are spelt out.
    ("now < timestamp(\"2026-11-25T20:00:00Z\")", "", nil),
  ])
  func `moments that a condition makes itself are looked at, or said not to be`(
    _ condition: String, _ given: String, _ told: String?
  ) throws {
    let found = try warnings(condition, given)
    #expect(found.count == (told == nil ? 0 : 1), "\(found)")
    if let told { #expect(found.first?.hasPrefix(told) ?? false, "\(found)") }
  }

  /// - Parameter expect: of all but the last.
  private func warnings(
    ofTests count: Int, _ conditions: [String], expect: String = "rule: rest"
  ) throws -> [String] {
    let rules = conditions.enumerated().map {
      "- name: r\($0)\n  when: '\($1)'\n  route: { queue: support }\n"
    }
    let tests = (0..<count).map {
      "- { name: t\($0), given: { session: { channel: phone } }, expect: { \($0 == count - 1 ? "rule: rest" : expect) } }\n"
    }
    let loaded = WorkspaceFolder.load(
      files: [
        "workspace.yaml": "title: x\n", "queues.yaml": "support:\n",
        "agents.yaml": "ann: { queues: [support] }\n",
        "rules/10.yaml": rules.joined() + "- name: rest\n  route: { queue: support }\n",
        "tests/10.yaml": tests.joined(),
      ], name: "x", now: Self.now)
    #expect(loaded.workspace != nil, "\(loaded.rendered)")
    return loaded.diagnostics.filter { $0.file == "tests/10.yaml" }.map(\.message)
  }

  @Test func `as many as there are are looked at`() throws {
    let found = try warnings(
      ofTests: 180, ["now.getHours(\"Asia/Kolkata\") >= 18"], expect: "queue: support")
    #expect(found.count == 1 && found[0].hasPrefix(Self.rests), "\(found)")
  }

  @Test func `it is said where that would take too long`() throws {
    let conditions = (0..<24).flatMap { hour in
      (1...12).map {
        "now.getHours(\"-0\($0 % 10):\($0 < 10 ? 0 : 3)0\") == \(hour) && session.channel == \"phone\""
      }
    }
    let found = try warnings(ofTests: 3, conditions)
    #expect(
      found == [
        "whether anything rests on the time is not looked at for this test and 2 others, which would take too long"
      ])
  }

  private static let hours =
    "day: { zone: UTC, open: { mon-fri: \"09:00-17:00\" } }\nnight: { zone: UTC, open: { mon-sun: [\"00:00-06:00\", \"22:00-24:00\"] } }\nalways: { zone: UTC, open: { mon-sun: \"00:00-24:00\" } }\n"

  @Test(arguments: [
    ("day: true, night: true", "`hours.day` is never true while `hours.night` is true"),
    (
      "night: true, day: true, always: true",
      "`hours.day` is never true while `hours.night` is true"
    ),
    ("always: false, day: true", "`hours.always` is never false"),
    ("day: false, night: true", nil), ("day: true", nil),
  ])
  func `hours that are never so together are told`(_ given: String, _ told: String?) throws {
    for condition in ["hours.day", "customer.known"] {
      let found = try warnings(
        condition, ", hours: { \(given) }", expect: "queue: support", hours: Self.hours)
      #expect(found == (told.map { ["\($0): there is no case like this"] } ?? []), "\(condition)")
    }
  }

  @Test func `a fact that is given twice is told`() throws {
    let told = "`customer.known` is given twice, and this one counts"
    #expect(
      try warnings("customer.known", ", customer: { known: true }, customer.known: false") == [told]
    )
    let read = FactsFile.read(
      "{\"customer\": {\"known\": true}, \"customer.known\": false}", path: "facts.json")
    #expect(read.facts?[.customerKnown] == .bool(false))
    #expect(read.diagnostics.map(\.message) == [told])
  }

  @Test(arguments: [
    ("phone", 501, "`conversation.messages` is never 501"), ("phone", 500, nil),
    ("email", 501, nil),
    ("email", 0, "`conversation.messages` is never 0"), ("email", 1, nil),
  ])
  func `messages that no case has are told`(_ channel: String, _ count: Int, _ told: String?) throws
  {
    let loaded = WorkspaceFolder.load(
      files: [
        "workspace.yaml": "title: x\n", "queues.yaml": "support:\n",
        "agents.yaml": "ann: { queues: [support] }\n",
        "rules/10.yaml": "- name: rest\n  route: { queue: support }\n",
        "tests/10.yaml":
          "- name: t\n  given: { session: { channel: \(channel) }, conversation: { messages: \(count) } }\n  expect: { rule: rest }\n",
      ], name: "x", now: Self.now)
    #expect(
      loaded.diagnostics.map(\.message)
        == (told.map { ["\($0): there is no case like this"] } ?? []))
  }
}
