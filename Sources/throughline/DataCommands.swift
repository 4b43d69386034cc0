import ArgumentParser
import Foundation
import Server

/// A folder as the server must be told it: from `/`.
private func whole(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

private func send(
  _ method: String, _ target: String, _ body: [String: String?], _ options: SettingsOptions
) throws -> Any {
  let given = body.compactMapValues { $0 }
  let data = given.isEmpty ? nil : try JSONSerialization.data(withJSONObject: given)
  return try JSONSerialization.jsonObject(
    with: try AdminClient.send(method, target, data, try options.settings()))
}

struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy the data folder, at one moment, into a new folder; a server goes on meanwhile.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "A new or empty folder.") var to: String

  func run() async throws {
    let target = whole(to)
    let facts: DataFolder.BackedUp
    if let offline = try DataFolder.backUpUnlessServed(try options.settings().data, to: target) {
      facts = offline
    } else {
      facts = try DataFolder.BackedUp(try send("POST", "/admin/backup", ["to": target], options))
    }
    for workspace in facts.workspaces { print("  workspace \(workspace)") }
    print("backed up into \(target), with \(facts.attachments) attachments")
    guard !facts.findings.isEmpty else { return }
    for finding in facts.findings { print("  damaged: \(finding)") }
    print(
      "\(facts.findings.count) findings: what was copied is damaged in the data folder itself; keep the "
        + "last backup that was whole")
    throw ExitCode(1)
  }
}

struct Restore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Put a backup in the data folder's place, and take out again what was erased or redacted since."
  )
  @OptionGroup var options: SettingsOptions
  @Argument(help: "The backup's folder.") var from: String
  @Option(
    name: .long, help: "A file of erasures that were kept elsewhere (throughline erasures --json).")
  var erasures: String?
  @Flag(
    name: .long,
    help: "Go on where the erasures of the folder that is replaced cannot all be read.")
  var acceptLostErasures = false
  @Flag(name: .long, help: "Restore a backup that is damaged itself.") var evenDamaged = false

  func run() async throws {
    let settings = try options.settings()
    let restored = try DataFolder.restore(
      whole(from), to: settings.data, erasures: erasures,
      consent: .init(lostErasures: acceptLostErasures, damage: evenDamaged))
    for warning in restored.warnings { print("mind: \(warning)") }
    if let replaced = restored.replaced {
      print("what was there lies in \(replaced); delete it when you no longer need it")
    }
    print(
      "restored into \(settings.data); \(restored.erasuresRepeated) erasures and "
        + "\(restored.redactionsRepeated) redactions were carried out again")
  }
}

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Write all that is kept of one customer: export.json, export.txt and the attachments.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "A proven address or number, kind:value, or a customer id.") var identity: String
  @Option(name: .long, help: "The folder to write into.") var to: String
  @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?

  func run() async throws {
    let answer = try send(
      "POST", "/admin/export", ["identity": identity, "workspace": workspace, "to": whole(to)],
      options)
    let facts = answer as? [String: Any] ?? [:]
    print(
      "\(facts["customer"] ?? ""): \(facts["entries"] ?? 0) entries and \(facts["attachments"] ?? 0) attachments, in \(whole(to))"
    )
    let damaged = facts["damaged"] as? [String] ?? []
    guard !damaged.isEmpty else { return }
    for name in damaged { print("  damaged, and not there: attachment \(name)") }
    throw ExitCode(1)
  }
}

struct Erase: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Erase one customer everywhere, for good. A backup from before still holds them.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "A proven address or number, kind:value, or a customer id.") var identity: String
  @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
  @Flag(name: .long, help: "Yes, for good.") var yes = false
  @Flag(name: .long, help: "The receipt as JSON.") var json = false

  func run() async throws {
    guard yes else { throw ValidationError("this cannot be undone: say --yes") }
    let answer = try send(
      "POST", "/admin/erase", ["identity": identity, "workspace": workspace], options)
    if json { return print(try text(answer)) }
    let receipt = answer as? [String: Any] ?? [:]
    print(ErasureText.line(receipt))
    for shared in receipt["still_shared"] as? [[String: Any]] ?? [] {
      print(
        "\(shared["identity"] ?? "") is of others, too, and stays with them; where it shall go: "
          + "throughline erase \(shared["customer"] ?? "") --yes")
    }
    for folder in receipt["still_in"] as? [String] ?? [] {
      print("still in \(folder), from before a restore: delete it when you no longer need it")
    }
  }
}

struct Erasures: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the receipts of all erasures; they hold nothing personal.")
  @OptionGroup var options: SettingsOptions
  @Flag(name: .long, help: "JSON, for restore --erasures.") var json = false

  func run() async throws {
    let answer = try send("GET", "/admin/erasures", [:], options)
    if json { return print(try text(answer)) }
    for receipt in answer as? [[String: Any]] ?? [] { print(ErasureText.line(receipt)) }
  }
}

struct Accesses: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List who read which customer's timeline, newest first.")
  @OptionGroup var options: SettingsOptions
  @Argument(help: "A customer id; without it, all.") var customer: String?
  @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?

  func run() async throws {
    var before: String?
    while true {
      let query = [("customer", customer), ("workspace", workspace), ("before", before)]
      let answer = try send("GET", "/admin/accesses?" + AdminClient.query(query), [:], options)
      let rows = answer as? [[String: Any]] ?? []
      for row in rows {
        print(
          "\(row["at"] ?? "")  \(row["who"] ?? "")  \(row["what"] ?? "")  \(row["customer"] ?? "")")
      }
      guard let last = rows.last?["number"] else { return }
      before = "\(last)"
    }
  }
}

enum ErasureText {
  static func line(_ receipt: [String: Any]) -> String {
    let customers = (receipt["customers"] as? [String] ?? []).joined(separator: " ")
    let state = receipt["done"] == nil ? "under way" : "done"
    let damaged = receipt["damaged"].map { ", \($0) damaged rows dropped" } ?? ""
    return
      "\(receipt["at"] ?? "")  \(receipt["workspace"] ?? "")  erasure \(receipt["erasure"] ?? "") of \(customers), "
      + "by \(receipt["by"] ?? ""): \(receipt["entries"] ?? 0) entries, \(receipt["identities"] ?? 0) identities, "
      + "\(receipt["attachments"] ?? 0) attachments\(damaged); \(state)"
  }
}

private func text(_ json: Any) throws -> String {
  String(
    decoding: try JSONSerialization.data(
      withJSONObject: json, options: [.prettyPrinted, .sortedKeys]), as: UTF8.self)
}
