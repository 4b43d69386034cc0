import ArgumentParser
import Foundation
import Server

struct Token: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a token for a bot, an agent, a phone system …", subcommands: [Create.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a token bound to its holder; it is shown once.")
    @OptionGroup var options: SettingsOptions
    @Option(name: .long, help: "A bot of workspace.yaml.") var bot: String?
    @Option(name: .long, help: "An agent of agents.yaml.") var agent: String?
    @Option(name: .long, help: "A phone system that calls over HTTP.") var telephony: String?
    @Option(name: .long, help: "A shop, a site, a till.") var integration: String?
    @Option(name: .long, help: "Somebody who watches queues and metrics.") var supervisor: String?
    @Option(name: .long, help: "Somebody who may do everything.") var admin: String?
    @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
    @Option(name: .long, help: "Days until it ends; without it, never.") var days: Int?

    func run() async throws {
      let given = [
        ("bot", bot), ("agent", agent), ("telephony", telephony), ("integration", integration),
        ("supervisor", supervisor), ("admin", admin),
      ].compactMap { scope, holder in holder.map { (scope, $0) } }
      guard given.count == 1, let (scope, holder) = given.first else {
        throw ValidationError("name one holder, such as --bot robin or --agent ann")
      }
      var body: [String: Any] = ["scope": scope, "holder": holder]
      if let workspace { body["workspace"] = workspace }
      if let days { body["expires_seconds"] = days * 86_400 }
      let answer = try AdminClient.send(
        "POST", "/admin/tokens", try JSONSerialization.data(withJSONObject: body), try options.settings())
      guard let object = try JSONSerialization.jsonObject(with: answer) as? [String: Any],
        let token = object["token"] as? String
      else { throw AdminClient.Fault("the server gave no token") }
      print(token)
    }
  }
}

struct Timeline: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print everything a customer has said and done.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "An email address, phone number, kind:value, or customer id.") var identity: String
  @Option(name: .long) var workspace: String?
  @Flag(name: .long, help: "JSON as the API gives it.") var json = false

  func run() async throws {
    let answer = try AdminClient.send(
      "GET", "/admin/timeline?" + AdminClient.query([("identity", identity), ("workspace", workspace)]), nil,
      try options.settings())
    if json { return print(String(decoding: answer, as: UTF8.self)) }
    print(try TimelineText.render(answer))
  }
}

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Say why a case went where it went, or why it waits.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "A case id.") var id: String
  @Option(name: .long) var workspace: String?
  @Flag(name: .long, help: "JSON as the API gives it.") var json = false

  func run() async throws {
    let answer = try AdminClient.send(
      "GET", "/admin/explain?" + AdminClient.query([("case", id), ("workspace", workspace)]), nil,
      try options.settings())
    if json { return print(String(decoding: answer, as: UTF8.self)) }
    print(try ExplanationText.render(answer))
  }
}

struct Reload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Read the rules again; with faults, the running ones stay.")
  @OptionGroup var options: SettingsOptions
  func run() async throws {
    _ = try AdminClient.send("POST", "/admin/reload", Data(), try options.settings())
    print("the rules apply")
  }
}

struct Phone: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print each phone system with the secret that its dialplan passes first.")
  @OptionGroup var options: SettingsOptions
  func run() async throws {
    let answer = try AdminClient.send("GET", "/admin/phone", nil, try options.settings())
    guard let systems = try JSONSerialization.jsonObject(with: answer) as? [[String: String]] else {
      throw AdminClient.Fault("the server's answer cannot be read")
    }
    for system in systems { print("\(system["system"] ?? "")  \(system["secret"] ?? "")") }
  }
}
