import RuleFiles
import System
import Testing

/// A chat that a bot has opened.
struct Chat: Sendable {
  let server: TestServer
  let bot: String
  let opened: Reply

  var session: String { opened["session"].text }
  var conversation: String { opened["conversation"].text }
  var customer: String { opened["customer"].text }
  var epoch: Int { opened["epoch"].int ?? -1 }
  var after: Int { opened["after"].int ?? -1 }

  @discardableResult
  func customer(_ text: String, key: String? = nil) async throws -> Reply {
    try await server.call(
      "POST", "/v1/sessions/\(session)/messages", ["author": "customer", "text": .text(text)],
      by: bot, key: key)
  }

  @discardableResult
  func bot(_ text: String, epoch: Int? = nil) async throws -> Reply {
    var body: [(String, Body)] = [("author", "bot"), ("text", .text(text))]
    if let epoch { body.append(("epoch", .number(epoch))) }
    return try await server.call("POST", "/v1/sessions/\(session)/messages", .object(body), by: bot)
  }

  @discardableResult
  func handoff(_ body: Body = ["reason": "wants a human"]) async throws -> Reply {
    try await server.call("POST", "/v1/sessions/\(session)/handoff", body, by: bot)
  }

  func events(after: Int? = nil, wait: Int = 10) async throws -> Reply {
    try await server.call(
      "GET", "/v1/sessions/\(session)/events?after=\(after ?? self.after)&wait=\(wait)", by: bot)
  }

  @discardableResult
  func end() async throws -> Reply {
    try await server.call("POST", "/v1/sessions/\(session)/end", by: bot)
  }
}

extension TestServer {
  /// Opens a chat whose customer has proven an address, or none.
  func open(_ bot: String, email: String? = nil, assurance: String = "asserted") async throws
    -> Chat
  {
    var identities: [Body] = []
    if let email {
      identities.append(["kind": "email", "value": .text(email), "assurance": .text(assurance)])
    }
    let reply = try await call(
      "POST", "/v1/sessions", ["customer": ["identities": .list(identities)]], by: bot)
    guard reply.status == 201 else { throw Socket.Fault(description: "no session: \(reply)") }
    return Chat(server: self, bot: bot, opened: reply)
  }

  /// An agent's token; the agent is available from here on.
  func agent(_ name: String, workspace: String? = nil) async throws -> String {
    let token = try await token("agent", name, workspace: workspace)
    let reply = try await call(
      "PUT", "/v1/agents/me/status", ["status": "available", "lease_seconds": 3600], by: token)
    guard reply.status == 200 else {
      throw Socket.Fault(description: "\(name) is not available: \(reply)")
    }
    return token
  }

  func next(_ agent: String, wait: Int = 20) async throws -> Reply {
    try await call("POST", "/v1/agents/me/next?wait=\(wait)", by: agent)
  }

  /// Asks for the next case and takes it.
  func take(_ agent: String) async throws -> Reply {
    let offer = try await next(agent)
    guard offer.status == 200 else { throw Socket.Fault(description: "no case: \(offer)") }
    let accepted = try await call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: agent)
    guard accepted.status == 200 else {
      throw Socket.Fault(description: "not accepted: \(accepted)")
    }
    return offer
  }

  @discardableResult
  func reply(_ text: String, to aCase: String, by agent: String) async throws -> Reply {
    try await call("POST", "/v1/cases/\(aCase)/reply", ["text": .text(text)], by: agent)
  }

  @discardableResult
  func close(_ aCase: String, by agent: String) async throws -> Reply {
    try await call("POST", "/v1/cases/\(aCase)/close", by: agent)
  }

  /// The story of a case, step by step.
  func story(_ aCase: String) async throws -> [String] {
    try await administer("GET", "/admin/explain?case=\(aCase)")["why"]["story"].elements.map {
      step in
      step["what"].text + (step["agent"].string.map { " \($0)" } ?? "")
    }
  }
}

/// A queue and any number of agents who all serve it.
enum SmallRules {
  /// The files of the folder's workspace `small`, to be published, with another set of rules.
  static func files(_ folder: TemporaryFolder, rules: String, tests: String? = nil) -> Body {
    var texts = RuleSource.texts(in: folder.path + "/rules/small")
    texts["rules/10-all.yaml"] = rules
    texts["tests/10.yaml"] = tests
    return .object(texts.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
  }

  /// The workspace `small` with one agent, a mail address and a bot that may assert addresses.
  /// - Parameter more: further lines of its `workspace.yaml`.
  static func folder(_ more: String = "") throws -> TemporaryFolder {
    let rules = try TemporaryFolder()
    try write(rules, workspace: "small", agents: 1)
    try rules.write(
      "rules/small/workspace.yaml",
      """
      title: small
      mail_addresses: [help@small.example]
      bots: { robin: { asserts: [email, chat] } }
      \(more)

      """)
    return rules
  }

  static func write(_ folder: TemporaryFolder, workspace: String, agents: Int, mail: String? = nil)
    throws
  {
    let named = "rules/\(workspace)/"
    try folder.write(
      named + "workspace.yaml",
      """
      title: \(workspace)
      mail_addresses: [\(mail ?? "help@\(workspace).example")]
      default_region: US
      bots:
        robin:
          asserts: [email, chat, phone]
        rival:
          asserts: [email]

      """)
    try folder.write(
      named + "queues.yaml", "support:\n  title: Support\nquiet:\n  title: Nobody works here\n")
    try folder.write(named + "skills.yaml", "english: { title: English, language: en }\n")
    let names = (1...agents).map {
      "a\($0):\n  skills: { english: 5 }\n  queues: [support]\n  capacity: 50\n"
    }
    try folder.write(named + "agents.yaml", names.joined())
    try folder.write(
      named + "rules/10-all.yaml", "- name: everyone\n  route:\n    queue: support\n")
  }
}

/// Counts and adds up again what the server says of a timeline, from the bytes that came over the
/// wire.
func expectComplete(_ timeline: JSON, sourceLocation: SourceLocation = #_sourceLocation) {
  var sum = [UInt8](repeating: 0, count: 32)
  for entry in timeline["entries"].elements {
    let hash = SHA256.hash(Array(entry["entry"].bytes)).bytes
    #expect(hexadecimal(hash) == entry["hash"].text, sourceLocation: sourceLocation)
    var carry = 0
    for at in sum.indices.reversed() {
      let next = Int(sum[at]) + Int(hash[at]) + carry
      sum[at] = UInt8(next & 0xFF)
      carry = next >> 8
    }
  }
  #expect(timeline["older"].isNull, "the page is the whole", sourceLocation: sourceLocation)
  #expect(
    timeline["count"].int == timeline["entries"].elements.count, sourceLocation: sourceLocation)
  #expect(timeline["hash"].text == hexadecimal(sum), sourceLocation: sourceLocation)
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
