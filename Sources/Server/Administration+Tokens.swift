import Model
import Records
import Service
import System
import WebCodec
import Wire

/// Making, listing and revoking tokens. A secret is told once, when it is made; nothing here can
/// tell it again.
extension Administration {
  static func createToken(
    _ body: [UInt8], _ edge: Edge, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    var fields = try Fields(body)
    let writer = try workspace(try fields.optional("workspace"), edge)
    let scope = try fields.required("scope")
    let holder = try fields.required("holder")
    let seconds = try fields.optionalInteger("expires_seconds", 60...315_360_000)
    try fields.finish()
    guard let scope = Caller.Scope(rawValue: scope) else {
      let scopes = Caller.Scope.allCases.map(\.rawValue).joined(separator: ", ")
      throw fields.wrong("scope", "scope must be one of \(scopes)")
    }
    try known(holder, scope, writer, edge, fields)
    let (row, secret) = Tokens.make(
      writer.workspace, scope, holder, now: edge.health.clock.now,
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
        edge.health.tell("saving a token", error)
        reply(APIResponse(APIProblem(error)))
      }
    }
  }

  private static func known(
    _ holder: String, _ scope: Caller.Scope, _ writer: Writer, _ edge: Edge, _ fields: Fields
  ) throws(APIProblem) {
    guard let directory = edge.api(writer.workspace)?.directory else { return }
    switch scope {
    case .bot where directory.bots[holder] == nil:
      throw fields.wrong(
        "holder",
        "workspace.yaml has no bot \"\(holder)\"; it has \(Listing.of(directory.bots.keys))")
    case .agent where directory.agents[holder] == nil:
      throw fields.wrong(
        "holder",
        "agents.yaml has no agent \"\(holder)\"; it has \(Listing.of(directory.agents.keys))")
    case .telephony where !directory.phoneSystems.contains(holder):
      throw fields.wrong(
        "holder",
        "workspace.yaml has no phone system \"\(holder)\" under phone_systems; it has \(Listing.of(directory.phoneSystems))"
      )
    case .integration where directory.integrationsSay[holder] == nil:
      throw fields.wrong(
        "holder",
        "workspace.yaml has no integration \"\(holder)\"; it has \(Listing.of(directory.integrationsSay.keys))"
      )
    case .bot, .agent, .telephony, .integration, .supervisor, .admin: break
    }
  }

  /// `[{"id","workspace","scope","holder","created","expires"?,"state":"valid"|"expired"|"revoked"}]`.
  static func tokens(_ name: String?, _ edge: Edge) throws(APIProblem) -> APIResponse {
    let only = try name.map { name throws(APIProblem) in try workspace(name, edge).workspace }
    return APIResponse(
      200, json: list(edge.tokens.filter { only == nil || $0.workspace == only }, edge))
  }

  private static func list(_ rows: [TokenRow], _ edge: Edge) -> [UInt8] {
    let now = edge.health.clock.now
    var json = JSONWriter()
    json.array { array in
      for row in rows {
        array.object {
          $0.field("id", row.id.description)
          $0.field("workspace", edge.name(of: row.workspace))
          $0.field("scope", row.scope)
          $0.field("holder", row.holder)
          $0.field("created", row.created.description)
          if let expires = row.expires { $0.field("expires", expires.description) }
          let isOver = row.expires.map { $0 <= now } ?? false
          $0.field("state", row.revoked ? "revoked" : isOver ? "expired" : "valid")
        }
      }
    }
    return json.bytes
  }

  /// `{"token": id, beginning of an id or a holder, or the secret itself, "all"?: true,
  /// "workspace"?}`. What
  /// several tokens answer to is refused with their list, unless `all` is asked for.
  static func revokeTokens(
    _ body: [UInt8], _ edge: Edge, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    var fields = try Fields(body)
    let text = try fields.required("token")
    let isForAll = try fields.optionalFlag("all") ?? false
    let name = try fields.optional("workspace")
    let only = try name.map { name throws(APIProblem) in try workspace(name, edge).workspace }
    try fields.finish()
    let all = edge.tokens.filter { only == nil || $0.workspace == only }
    let meant = Tokens.meant(by: text, among: all)
    guard !meant.isEmpty else {
      throw APIProblem(404, "not-found", "Not found", "no token answers to \"\(text)\"")
    }
    let valid = meant.filter { !$0.revoked }
    guard !valid.isEmpty else {
      throw APIProblem(
        409, "already-revoked", "Already revoked", "what answers to \"\(text)\" is revoked already")
    }
    guard valid.count == 1 || isForAll else {
      let listed = valid.map { "\($0.id) (\($0.scope) \($0.holder))" }.joined(separator: ", ")
      throw APIProblem(
        409, "ambiguous", "Which token?",
        "\(valid.count) tokens answer to \"\(text)\": \(listed); "
          + "name one by its id, or all of them with --all"
      )
    }
    edge.reads.run { _ in
      var done: [TokenRow] = []
      do throws(StoreFault) {
        for var row in valid {
          row.revoked = true
          try edge.store.save(row)
          // On disk first: a token that is told to be revoked stays so after a crash.
          edge.use([row])
          edge.hub.tellAll(.tokenEnded(row.id))
          done.append(row)
        }
        reply(APIResponse(200, json: list(done, edge)))
      } catch {
        edge.health.tell("revoking a token", error)
        reply(APIResponse(APIProblem(error)))
      }
    }
  }
}

/// Tokens: 256 random bits, shown once and stored hashed.
enum Tokens {
  static func make(
    _ workspace: WorkspaceID, _ scope: Caller.Scope, _ holder: String, now: Instant,
    expires: Duration64?
  ) -> (row: TokenRow, secret: String) {
    let secret = "tl_" + Base64.encode(Entropy.bytes(32), .url)
    let row = TokenRow(
      id: TokenID(high: Entropy.word, low: Entropy.word),
      hash: Digest(SHA256.hash(Array(secret.utf8))),
      workspace: workspace, scope: scope.rawValue, holder: holder, created: now,
      expires: expires.map { now + $0 },
      revoked: false)
    return (row, secret)
  }

  /// Which tokens somebody means who names one: by the secret itself, an id or its beginning (with
  /// or without `token_`), a holder, or a holder's beginning; in this order, and by the first that
  /// says anything.
  static func meant(by text: String, among rows: [TokenRow]) -> [TokenRow] {
    if text.hasPrefix("tl_") {
      let hash = Digest(SHA256.hash(Array(text.utf8)))
      return rows.filter { $0.hash == hash }
    }
    guard !text.isEmpty else { return [] }
    let prefix = text.hasPrefix(TokenKind.prefix + "_") ? text : TokenKind.prefix + "_" + text
    let ways: [(TokenRow) -> Bool] = [
      { $0.holder == text }, { $0.id.description.hasPrefix(prefix) }, { $0.holder.hasPrefix(text) },
    ]
    for way in ways {
      let found = rows.filter(way)
      if !found.isEmpty { return found }
    }
    return []
  }
}
