import Foundation
import Model
import Pipeline
import Routing
import Testing

@testable import Server

/// Many agents reach for the same few cases at once, over connections of their own of which many
/// break: nobody gets a case twice, nobody holds more than they may, and nothing is lost.
///
/// `THROUGHLINE_CLAIMS` says how many `next` and `accept` calls are made; 1,000 unless said.
@Suite(.inTurn) struct ClaimsTests {
  private static let calls =
    Int(ProcessInfo.processInfo.environment["THROUGHLINE_CLAIMS"] ?? "") ?? 1_000
  private static let capacity = 2
  private static let rounds = 4
  /// In all rounds each agent asks four times, and of each offer there are three `accept`s: two by
  /// themselves, one by another.
  private static let agents = max(10, calls / 8)
  private static let cases = agents * capacity * 3 / 4

  /// What one agent has under way.
  private struct Claim {
    var token: String
    var socket: Socket
    var breaks: Bool
  }

  private struct Taken: Sendable {
    var tokens: [String] = []
    /// Who was told that they have the case, by case.
    var owners: [String: Set<String>] = [:]
    var made = 0
    var broken = 0
    var luck = SystemRandomNumberGenerator()
  }

  private static func open(_ call: HTTPCall, by token: String, _ port: UInt16, _ taken: inout Taken)
    throws -> Claim
  {
    var call = call
    call.headers = [("Authorization", "Bearer \(token)")]
    let socket = try Socket.connect(port: port, seconds: 60)
    try socket.send(call.bytes)
    let breaks = Int.random(in: 0..<5, using: &taken.luck) == 0
    taken.made += 1
    if breaks, Bool.random(using: &taken.luck) { socket.abandon() }  // at once; the others without reading
    if breaks { taken.broken += 1 }
    return Claim(token: token, socket: socket, breaks: breaks)
  }

  /// All at once: every agent asks; whoever got an offer accepts it twice, and another tries to as
  /// well.
  private static func round(_ port: UInt16, _ taken: inout Taken) throws {
    let next = HTTPCall(method: "POST", target: "/v1/agents/me/next?wait=1")
    let asked = try taken.tokens.shuffled(using: &taken.luck).map {
      try open(next, by: $0, port, &taken)
    }
    var offers: [(offer: String, aCase: String, token: String)] = []
    for claim in asked {
      guard !claim.breaks else {
        claim.socket.close()
        continue
      }
      let reply = try HTTPCall.read(from: claim.socket)
      claim.socket.close()
      #expect([200, 204, 409].contains(reply.status), "\(reply)")  // 409: the broken one of the last round still waits
      if reply.status == 200 {
        offers.append((reply["offer"].text, reply["case"].text, claim.token))
      }
    }
    var accepts: [(claim: Claim, aCase: String, mayHave: Bool)] = []
    for (offer, aCase, token) in offers {
      let accept = HTTPCall(method: "POST", target: "/v1/offers/\(offer)/accept")
      let stranger = taken.tokens.filter { $0 != token }.randomElement(using: &taken.luck) ?? token
      for who in [token, stranger, token] {
        accepts.append((try open(accept, by: who, port, &taken), aCase, who == token))
      }
    }
    for (claim, aCase, mayHave) in accepts {
      guard !claim.breaks else {
        claim.socket.close()
        continue
      }
      let reply = try HTTPCall.read(from: claim.socket)
      claim.socket.close()
      #expect(reply.status == 200 ? mayHave : [403, 404, 409].contains(reply.status), "\(reply)")
      if reply.status == 200 { taken.owners[aCase, default: []].insert(claim.token) }
    }
  }

  @Test
  func
    `nobody gets a case twice or more than they may hold, and nothing is lost, however connections break`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: Self.agents)
    try rules.write(
      "rules/small/agents.yaml",
      (1...Self.agents).map { "a\($0): { queues: support, capacity: \(Self.capacity) }\n" }.joined()
    )
    // Whoever does not answer an offer in time is left alone for a second, and not until they say
    // that they are back.
    try rules.write(
      "rules/small/queues.yaml", "support: { offer_timeout: 2s, missed: { back_off: 1s } }\n")
    try await TestServer.run(rules: rules.path + "/rules") {
      $0.connectionsPerAddressMax = 20_000
    } _: { server in
      let bot = try await server.token("bot", "robin")
      var taken = Taken()
      for number in 1...Self.agents { taken.tokens.append(try await server.agent("a\(number)")) }
      var cases: [String] = []
      for number in 1...Self.cases {
        let chat = try await server.open(bot)
        try await chat.customer("help \(number)")
        cases.append(try await chat.handoff()["case"].text)
      }
      let port = server.port("http")
      for _ in 1...Self.rounds {
        let before = taken
        taken = try await blocking {
          var taken = before
          try Self.round(port, &taken)
          return taken
        }
        try Self.check(server)
      }
      // Then nobody's connection breaks, until everything has an owner.
      let tokens = taken.tokens
      try await eventually("every case has an owner", seconds: 120) {
        for token in tokens {
          let offer = try await server.next(token, wait: 0)
          guard offer.status == 200 else { continue }
          _ = try await server.call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: token)
        }
        return server.router { $0.statistics(QueueID(0))?.assigned } == Self.cases
      }
      try Self.check(server)
      #expect(Set(cases).count == Self.cases)
      for aCase in cases {
        let owners = taken.owners[aCase] ?? []
        #expect(owners.count <= 1, "\(aCase) was given to \(owners.count)")
        let accepted = try await server.story(aCase).filter { $0.hasPrefix("accepted") }
        #expect(accepted.count == 1, "\(aCase): \(accepted)")
      }
      print(
        "claims: \(taken.made) calls of \(Self.agents) agents, \(taken.broken) broke; \(Self.cases) cases"
      )
      await server.stop()
      let folder = try FolderCheck(server.settings.data)
      #expect(folder.findings == [])
    }
  }

  private static func check(_ server: TestServer) throws {
    let violations = server.router { Invariants.check($0) } ?? []
    #expect(violations.isEmpty, "\(violations.prefix(5))")
    let most = server.router { router in
      router.agentIDs.map { router.agent($0)?.capacityUsed ?? 0 }.max() ?? 0
    }
    #expect(most ?? 0 <= Self.capacity)
  }
}

extension TestServer {
  fileprivate func router<T: Sendable>(_ body: @Sendable (borrowing Router) -> T) -> T? {
    running?.edge.writers.first?.peek { body($0.router) }
  }
}
