import ArgumentParser
import Foundation
import Server

struct Token: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, list and revoke the tokens of bots, agents, phone systems …",
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a token bound to its holder; it is shown once.")
    @OptionGroup var options: SettingsOptions
    @Option(name: .long, help: "A bot of workspace.yaml.") var bot: String?
    @Option(name: .long, help: "An agent of agents.yaml.") var agent: String?
    @Option(name: .long, help: "A phone system that calls over HTTP.") var telephony: String?
    @Option(name: .long, help: "A shop, a site, a till.") var integration: String?
    @Option(name: .long, help: "Somebody who watches queues and metrics.") var supervisor: String?
    @Option(name: .long, help: "Somebody who may do everything.") var admin: String?
    @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
    @Option(name: .long, help: "Days until it ends; without it, never.") var days: Int?

    private var given: [(scope: String, holder: String)] {
      [
        ("bot", bot), ("agent", agent), ("telephony", telephony), ("integration", integration),
        ("supervisor", supervisor), ("admin", admin),
      ].compactMap { scope, holder in holder.map { (scope, $0) } }
    }

    func validate() throws {
      guard given.count == 1 else {
        throw ValidationError("Name one holder, such as --bot robin or --agent ann.")
      }
      if let days, !(1...3_650).contains(days) {
        throw ValidationError("--days takes a number from 1 to 3650.")
      }
    }

    func run() async throws {
      guard let (scope, holder) = given.first else { return }
      var body: [String: Any] = ["scope": scope, "holder": holder]
      if let workspace { body["workspace"] = workspace }
      if let days { body["expires_seconds"] = days * 86_400 }
      let answer = try AdminClient.send(
        "POST", "/admin/tokens", try JSONSerialization.data(withJSONObject: body),
        try options.settings())
      guard let object = try JSONSerialization.jsonObject(with: answer) as? [String: Any],
        let token = object["token"] as? String
      else { throw AdminClient.Fault("the server gave no token") }
      print(token)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "List all tokens: whose, since when, and whether they are good. The secrets are not kept.")
    @OptionGroup var options: SettingsOptions
    @Option(name: .long, help: "Only those of one workspace.") var workspace: String?
    @Flag(name: .long, help: "JSON.") var json = false

    func run() async throws {
      let answer = try AdminClient.send(
        "GET", "/admin/tokens?" + AdminClient.query([("workspace", workspace)]), nil,
        try options.settings())
      if json { return print(String(decoding: answer, as: UTF8.self)) }
      let tokens = try JSONDecoder().decode([Known].self, from: answer)
      if tokens.isEmpty {
        return print("There are no tokens; `throughline token create --help` says how to make one.")
      }
      for token in tokens { print(token.line) }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a token worthless, at once and for good: streams that it opened end.")
    @OptionGroup var options: SettingsOptions
    @Argument(help: "The token's id or the beginning of it, its holder, or the token itself.")
    var token: String
    @Option(name: .long, help: "Only in this workspace.") var workspace: String?
    @Flag(name: .long, help: "All that are meant, where there are several.") var all = false

    func run() async throws {
      var body: [String: Any] = ["token": token, "all": all]
      if let workspace { body["workspace"] = workspace }
      let answer = try AdminClient.send(
        "POST", "/admin/tokens/revoke", try JSONSerialization.data(withJSONObject: body),
        try options.settings())
      for token in try JSONDecoder().decode([Known].self, from: answer) { print(token.line) }
    }
  }

  /// A token as the server lists it.
  struct Known: Decodable {
    var id: String
    var workspace: String
    var scope: String
    var holder: String
    var created: String
    var expires: String?
    var state: String

    var line: String {
      let until = expires.map { ", until \($0)" } ?? ""
      return "\(id)  \(state.padded(8)) \(scope.padded(12)) \(holder.padded(16)) "
        + "\(workspace), since \(created)\(until)"
    }
  }
}
