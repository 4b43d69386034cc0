import Model
import Pipeline
import Records
import Routing
import Service
import System
import WebCodec
import Wire

/// What the other commands ask of a running server, over its local administration socket: whoever may open that
/// file is the administrator.
enum Administration {
  static func answer(
    _ method: String, _ path: [String], _ query: QueryParameters, _ body: [UInt8], _ edge: Edge, _ ticket: Ticket
  ) {
    @Sendable func reply(_ response: APIResponse) { edge.hub.post(ticket.ref, .rendered(ticket.exchange, response)) }
    do throws(APIProblem) {
      switch (method, path.first ?? "", path.count) {
      case ("POST", "tokens", 1): try createToken(body, edge, reply)
      case ("GET", "timeline", 1): try timeline(query, edge, reply)
      case ("GET", "explain", 1): try explain(query, edge, reply)
      case ("POST", "reload", 1):
        edge.heavy.run { _ in reply(edge.reload()) }
      case ("GET", "state", 1): reply(state(edge))
      case ("GET", "phone", 1):
        var json = JSONWriter()
        json.array { array in
          for (system, secret) in edge.fastAGISecrets {
            array.object {
              $0.field("system", system)
              $0.field("secret", secret)
            }
          }
        }
        reply(APIResponse(200, json: json.bytes))
      default: throw .notFound("page")
      }
    } catch {
      reply(APIResponse(error))
    }
  }

  private static func workspace(_ name: String?, _ edge: Edge) throws(APIProblem) -> Writer {
    if let name {
      guard let writer = edge.workspace(named: name) else {
        let known = edge.writers.map(\.name).joined(separator: ", ")
        throw APIProblem(404, "not-found", "Not found", "there is no workspace \"\(name)\"; there are \(known)")
      }
      return writer
    }
    guard let only = edge.writers.first, edge.writers.count == 1 else {
      throw APIProblem(422, "missing-field", "Which workspace?", "name one with --workspace", field: "workspace")
    }
    return only
  }

  // MARK: - Tokens

  private static func createToken(
    _ body: [UInt8], _ edge: Edge, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    var fields = try Fields(body)
    let writer = try workspace(try fields.optional("workspace"), edge)
    let scope = try fields.required("scope")
    let holder = try fields.required("holder")
    let seconds = try fields.optionalInteger("expires_seconds", 60...315_360_000)
    try fields.finish()
    guard let scope = Caller.Scope(rawValue: scope) else {
      throw fields.wrong("scope", "scope must be one of \(Caller.Scope.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    try known(holder, scope, writer, edge, fields)
    let (row, secret) = Tokens.make(
      writer.workspace, scope, holder, now: Instant(milliseconds: WallClock.nowMilliseconds),
      expires: seconds.map { .seconds($0) })
    edge.reads.run { _ in
      do throws(StoreFault) {
        try edge.store.save(row)
        edge.use([row])
        var json = JSONWriter()
        json.object {
          $0.field("token", secret)
          $0.field("id", row.id.description)
          $0.field("workspace", writer.name)
          $0.field("scope", scope.rawValue)
          $0.field("holder", holder)
        }
        reply(APIResponse(201, json: json.bytes))
      } catch {
        Log.fault("saving a token", error.sentence)
        reply(APIResponse(APIProblem.unavailable))
      }
    }
  }

  private static func known(
    _ holder: String, _ scope: Caller.Scope, _ writer: Writer, _ edge: Edge, _ fields: Fields
  ) throws(APIProblem) {
    guard let directory = edge.api(writer.workspace)?.directory else { return }
    switch scope {
    case .bot where directory.bots[holder] == nil:
      throw fields.wrong("holder", "workspace.yaml has no bot \"\(holder)\"; it has \(directory.bots.keys.sorted().joined(separator: ", "))")
    case .agent where directory.agents[holder] == nil:
      throw fields.wrong("holder", "agents.yaml has no agent \"\(holder)\"; it has \(directory.agents.keys.sorted().joined(separator: ", "))")
    default: break
    }
  }

  // MARK: - Looking

  private static func timeline(
    _ query: QueryParameters, _ edge: Edge, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    let writer = try workspace(query["workspace"], edge)
    guard let text = query["identity"], let api = edge.api(writer.workspace) else {
      throw APIProblem(422, "missing-field", "Whose timeline?", "identity is required", field: "identity")
    }
    let wanted = IdentityText.candidates(text, api)
    guard !wanted.isEmpty else {
      throw APIProblem(
        422, "wrong-value", "Not an identity",
        "\"\(text)\" is no email address, phone number, or kind:value such as chat:u-17", field: "identity")
    }
    let workspace = writer.workspace
    edge.reads.run { reads in
      do throws(StoreFault) {
        var found: CustomerID? = CustomerID(text)
        for identity in wanted where found == nil {
          found = try reads.identity(workspace, hash: api.hash(identity))?.customer
        }
        guard let found, try reads.customer(workspace, found) != nil else {
          return reply(
            APIResponse(
              APIProblem(
                404, "not-found", "Not found",
                "no customer is proven to be \"\(text)\"; what was only claimed is found by the customer's id")))
        }
        let page = try TimelinePage.read(
          workspace, of: found, before: EntryID(.max), limit: 10_000, visible: .internal, reads)
        var out: [UInt8] = []
        page.append(to: &out)
        reply(APIResponse(200, json: out))
      } catch {
        Log.fault("reading a timeline", error.sentence)
        reply(APIResponse(APIProblem.unavailable))
      }
    }
  }

  private static func explain(
    _ query: QueryParameters, _ edge: Edge, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    let writer = try workspace(query["workspace"], edge)
    guard let text = query["case"], let id = CaseID(text), let api = edge.api(writer.workspace) else {
      throw APIProblem(422, "malformed-id", "Which case?", "case must be an id such as case_…", field: "case")
    }
    let live = writer.peek { LiveExplanation(id, $0.router) }
    let directory = api.directory
    edge.reads.run { reads in
      do throws(StoreFault) {
        guard let json = try ExplainPage.read(id, directory, live: live, reads) else {
          return reply(APIResponse(.notFound("case")))
        }
        reply(APIResponse(200, json: json))
      } catch {
        Log.fault("explaining a case", error.sentence)
        reply(APIResponse(APIProblem.unavailable))
      }
    }
  }

  private static func state(_ edge: Edge) -> APIResponse {
    var json = JSONWriter()
    json.object {
      $0.field("workspaces", array: { array in
        for writer in edge.writers {
          let (position, durable, hash) = writer.peek {
            ($0.head.position, $0.durable, $0.router.stateHash)
          }
          array.object {
            $0.field("name", writer.name)
            $0.field("position", position)
            $0.field("durable", durable)
            $0.field("state_hash", String(hash, radix: 16))
          }
        }
      })
    }
    return APIResponse(200, json: json.bytes)
  }
}

/// Tokens: 256 random bits, shown once and stored hashed.
enum Tokens {
  static func make(
    _ workspace: WorkspaceID, _ scope: Caller.Scope, _ holder: String, now: Instant, expires: Duration64?
  ) -> (row: TokenRow, secret: String) {
    let secret = "tl_" + Base64.encode(Entropy.bytes(32), .url)
    let row = TokenRow(
      id: TokenID(high: Entropy.word, low: Entropy.word), hash: Digest(SHA256.hash(Array(secret.utf8))),
      workspace: workspace, scope: scope.rawValue, holder: holder, created: now, expires: expires.map { now + $0 },
      revoked: false)
    return (row, secret)
  }
}

/// An identity as a person types it: `ann@home.example`, `+1 415 555 0100`, `chat:u-17`.
enum IdentityText {
  static func candidates(_ text: String, _ api: API) -> [Identity] {
    if let colon = text.firstIndex(of: ":"), let kind = IdentityKind(name: String(text[..<colon])) {
      return [api.normalised(kind, String(text[text.index(after: colon)...]))].compactMap { $0 }
    }
    return IdentityKind.allCases.compactMap { api.normalised($0, text) }
  }
}
