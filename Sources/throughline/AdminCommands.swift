import ArgumentParser
import Foundation
import Server

struct Timeline: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print everything that a customer, or whoever claims to be them, has said and done.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "An email address, phone number, kind:value, or customer id.") var identity:
    String
  @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
  @Flag(name: .long, help: "JSON as the API gives it.") var json = false

  func run() async throws {
    let answer = try AdminClient.send(
      "GET",
      "/admin/timeline?" + AdminClient.query([("identity", identity), ("workspace", workspace)]),
      nil,
      try options.settings())
    if json { return print(String(decoding: answer, as: UTF8.self)) }
    print(try TimelineText.render(answer, of: identity))
  }
}

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say why a case went where it went, or why it waits; or why an agent is idle.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "A case id, or an agent's name.") var id: String
  @Option(
    name: .long, help: "How it stood then, such as 2026-11-26T09:30:00Z, by replaying the log.")
  var at: String?
  @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
  @Flag(name: .long, help: "JSON as the API gives it.") var json = false

  func run() async throws {
    let answer = try AdminClient.send(
      "GET",
      "/admin/explain?"
        + AdminClient.query([
          (id.hasPrefix("case_") ? "case" : "agent", id), ("workspace", workspace), ("at", at),
        ]),
      nil,
      try options.settings())
    if json { return print(String(decoding: answer, as: UTF8.self)) }
    print(try ExplanationText.render(answer))
  }
}

struct Reload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Read all rules again, all of them or none: with a fault anywhere, the running ones stay.")
  @OptionGroup var options: SettingsOptions
  @Flag(name: .long, help: "JSON: each workspace and what happened to it.") var json = false

  func run() async throws {
    let answer = try AdminClient.send("POST", "/admin/reload", Data(), try options.settings())
    if json { return print(String(decoding: answer, as: UTF8.self)) }
    struct Answer: Decodable {
      struct Workspace: Decodable {
        var name: String
        var change: String
        var version: UInt32
        var rules: Int
        var queues: Int
        var agents: Int
        var warnings: String?
      }
      var workspaces: [Workspace]
    }
    for workspace in try JSONDecoder().decode(Answer.self, from: answer).workspaces {
      let change = Workspaces.Change(
        name: workspace.name, what: .init(rawValue: workspace.change) ?? .unchanged,
        version: workspace.version,
        rules: workspace.rules, agents: workspace.agents, queues: workspace.queues,
        warnings: workspace.warnings ?? "")
      print(change.sentence)
      if !change.warnings.isEmpty { print(change.warnings) }
    }
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
