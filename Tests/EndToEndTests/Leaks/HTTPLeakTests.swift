import Foundation
import PlainReference
import Testing

/// Over random identities, assurance levels and tokens, nobody ever sees an entry of a customer,
/// conversation or workspace that they have no right to: asked of the real server, over HTTP, its
/// streams, SMTP and the administration's socket. Every text carries a mark; every answer is searched
/// for all of them, whoever it was for. (`LeakTests` asks more worlds of the same without a socket.)
///
/// `THROUGHLINE_HTTP_LEAKS=100 swift test --filter HTTPLeakTests` tries more worlds, and
/// `THROUGHLINE_LEAK_SEED=7` the one that failed.
@Suite(.inTurn) struct HTTPLeakTests {
  static let seeds: [Int] = {
    let asked = ProcessInfo.processInfo.environment
    if let one = Int(asked["THROUGHLINE_LEAK_SEED"] ?? "") { return [one] }
    return Array(1...(Int(asked["THROUGHLINE_HTTP_LEAKS"] ?? "") ?? 3))
  }()

  @Test(arguments: seeds)
  func `no caller of the server sees what it has no right to`(_ seed: Int) async throws {
    let rules = try LeakPlace.rules()
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let world = try await HTTPLeakWorld(seed, server)
      try await blocking { try world.play(steps: 60) }
      // Whatever it remembered is read from disk again.
      try await server.restart()
      try await blocking { try world.play(steps: 60, revokes: true) }
      if let failure = world.failure {
        Issue.record("THROUGHLINE_LEAK_SEED=\(seed), step \(world.steps): \(failure)")
      } else {
        // Not every world has an export or an attachment that anybody asks for.
        let shown = HTTPLeakWorld.Kind.allCases.filter { world.seen[$0, default: 0] > 0 }
        #expect(shown.count > 7, "seed \(seed): nothing was shown but by \(shown)")
        #expect(world.seen.values.reduce(0, +) > 300, "seed \(seed): hardly anything was shown")
      }
    }
  }
}

/// Two shops in one server that have everybody's names in common, and customers too.
enum LeakPlace {
  static let names = ["east", "west"]
  static let emails = (0..<3).map { "p\($0)@home.example" }
  static let phones = (0..<2).map { "+1555123456\($0)" }
  static func dialled(_ at: Int) -> String { "+1800555121\(at)" }
  static func mailbox(_ at: Int) -> String { "help@\(names[at]).example" }

  static func rules() throws -> TemporaryFolder {
    let rules = try TemporaryFolder()
    for (at, name) in names.enumerated() {
      try SmallRules.write(rules, workspace: name, agents: 2)
      try rules.write(
        "rules/\(name)/workspace.yaml",
        """
        title: \(name)
        mail_addresses: [\(mailbox(at))]
        dialled_numbers: ["\(dialled(at))"]
        default_region: US
        trusted_relays: [{ network: 127.0.0.1, authserv_id: relay.shop.example }]
        phone_systems: { hook: { api: http, networks: [127.0.0.1] } }
        bots:
          robin: { asserts: [email, phone, chat] }
          rival: { asserts: [phone] }
        integrations: { till: { asserts: [email, phone, external] } }

        """)
      try rules.write(
        "rules/\(name)/agents.yaml",
        (1...2).map { "a\($0): { queues: [support], capacity: 1000 }\n" }.joined())
      // What no rule asks for is not gathered, and could not show itself.
      try rules.write(
        "rules/\(name)/rules/05-asks.yaml",
        """
        - name: asks who it is
          when: >-
            customer.name == "x" || customer.attributes.note == "x"
            || customer.events.exists(e, e.kind == "x")
          route: { queue: support }
        - name: asks what was said
          when: >-
            conversation.text == "x" || conversation.fields.secret == "x" || mail.subject == "x"
            || handoff.summary == "x" || handoff.reason == "x" || handoff.fields.secret == "x"
            || session.context.secret == "x"
          route: { queue: support }

        """)
    }
    return rules
  }
}
