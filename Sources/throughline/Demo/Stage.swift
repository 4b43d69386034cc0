import Foundation
import Server
import Sockets

/// Where the story plays: a server in this process, its ports, and a token for each who takes part.
struct Stage: Sendable {
  var http: UInt16
  var smtp: UInt16
  var fastagi: UInt16
  var smarthost: Smarthost
  var bot: APIClient
  var shop: APIClient
  var ann: APIClient
  var cleo: APIClient
  var watcher: APIClient
  var asterisk: Asterisk

  static let workspace = "demo"

  init(_ server: ServerProcess, _ settings: Settings, _ smarthost: Smarthost) throws {
    func port(_ name: String) throws -> UInt16 {
      guard let port = server.addresses.first(where: { $0.name == name })?.address.port else {
        throw Peer.Fault("the story needs \(name); do not turn it off")
      }
      return port
    }
    let http = try port("http")
    func client(_ scope: String, _ holder: String) throws -> APIClient {
      APIClient(port: http, token: try Self.token(scope, holder, settings))
    }
    self.http = http
    smtp = try port("smtp")
    fastagi = try port("fastagi")
    self.smarthost = smarthost
    bot = try client("bot", "webshop")
    shop = try client("integration", "shop")
    ann = try client("agent", "ann")
    cleo = try client("agent", "cleo")
    watcher = try client("supervisor", "boss")
    guard
      let line = server.edge.fastAGISecrets.first(where: {
        $0.system.hasPrefix(Self.workspace + "/")
      })
    else {
      throw Peer.Fault("the rules know no phone system that speaks FastAGI")
    }
    asterisk = Asterisk(port: fastagi, secret: line.secret)
  }

  private static func token(_ scope: String, _ holder: String, _ settings: Settings) throws
    -> String
  {
    let body = try JSONSerialization.data(withJSONObject: [
      "scope": scope, "holder": holder, "workspace": workspace,
    ])
    let answer = try AdminClient.send("POST", "/admin/tokens", body, settings)
    let object = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
    guard let token = object?["token"] as? String else {
      throw Peer.Fault("the server gave no token for \(holder)")
    }
    return token
  }
}
