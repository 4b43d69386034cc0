import Model
import Pipeline
import Records
import Routing
import Service
import System
import WebCodec
import Wire

/// What the other commands ask of a running server, over its local administration socket: whoever
/// may open that file is the administrator.
enum Administration {
  static func answer(
    _ method: String, _ path: [String], _ query: QueryParameters, _ body: [UInt8], _ edge: Edge,
    _ ticket: Ticket, by who: String, for errand: Errand
  ) {
    @Sendable func reply(_ response: APIResponse) {
      edge.hub.post(ticket.ref, .rendered(ticket.exchange, response))
    }
    do throws(APIProblem) {
      switch (method, path.first ?? "", path.count) {
      case ("POST", "tokens", 1): try createToken(body, edge, reply)
      case ("GET", "tokens", 1): reply(try tokens(query["workspace"], edge))
      case ("POST", "tokens", 2) where path[1] == "revoke": try revokeTokens(body, edge, reply)
      case ("GET", "timeline", 1): try timeline(query, edge, reply)
      case ("GET", "explain", 1): try explain(query, edge, errand, reply)
      case ("POST", "reload", 1):
        edge.reload(by: who) { reply($0.response) }
      case (_, "rules", 1...2): try rules(method, path, query, body, edge, by: who, reply)
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
      default: if try !answerData(method, path, query, body, edge, reply) { throw .noPage }
      }
    } catch {
      reply(APIResponse(error))
    }
  }

  static func workspace(_ name: String?, _ edge: Edge) throws(APIProblem) -> Writer {
    if let name {
      guard let writer = edge.workspace(named: name) else {
        if let unserved = edge.unserved(named: name) { throw .workspaceDamaged(unserved.why) }
        throw APIProblem(
          404, "not-found", "Not found",
          "there is no workspace \"\(name)\"; there are \(Listing.of(edge.names))")
      }
      return writer
    }
    guard let only = edge.writers.first, edge.names.count == 1 else {
      throw APIProblem(
        422, "missing-field", "Which workspace?",
        "name one with --workspace: there are \(Listing.of(edge.names))",
        field: "workspace")
    }
    return only
  }

  // MARK: - Looking

  private static func explain(
    _ query: QueryParameters, _ edge: Edge, _ errand: Errand,
    _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    let writer = try workspace(query["workspace"], edge)
    guard let api = edge.api(writer.workspace) else { throw .unavailable }
    let asked = try ExplainRequest(api.directory, by: "administrator") { query[$0] }
    Explainer.answer(asked, writer, api, edge, for: errand, reply)
  }

  private static func state(_ edge: Edge) -> APIResponse {
    var json = JSONWriter()
    json.object {
      $0.field(
        "workspaces",
        array: { array in
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

extension Workspaces.Reloaded {
  /// `{"workspaces":[{"name","change","version","rules","queues","agents","warnings"?}]}`, or what
  /// kept it from that.
  var response: APIResponse {
    switch self {
    case .done(let changes):
      var json = JSONWriter()
      json.object {
        $0.field(
          "workspaces",
          array: { array in
            for change in changes {
              array.object {
                $0.field("name", change.name)
                $0.field("change", change.what.rawValue)
                $0.field("version", Int64(change.version))
                $0.field("rules", change.rules)
                $0.field("queues", change.queues)
                $0.field("agents", change.agents)
                if !change.warnings.isEmpty { $0.field("warnings", change.warnings) }
              }
            }
          })
      }
      return APIResponse(200, json: json.bytes)
    case .refused(let faults):
      return APIResponse(
        APIProblem(
          422, "rules-refused", "Rules refused; the running ones stay",
          "nothing was loaded, and the running rules stay:\n\(faults)"))
    case .cutShort(let done, let why):
      let changed = done.filter { $0.what != .unchanged }.map(\.sentence)
      return APIResponse(
        APIProblem(
          503, "unavailable", "Rules loaded in part",
          "\(why); "
            + (changed.isEmpty
              ? "nothing was loaded" : "loaded before that: " + changed.joined(separator: "; "))))
    }
  }
}
