import Foundation
import Testing

/// Every command of docs/operations.md that is written with `$`, in the page's order.
@Suite(.inTurn) struct OperationsPageTests {
  private func commands() throws -> [String] {
    try String(contentsOfFile: Package.root + "/docs/operations.md", encoding: .utf8).split(
      separator: "\n"
    )
    .filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) }
  }

  @Test func `every command of the page works as it stands`() async throws {
    let commands = try commands()
    #expect(commands.count >= 9 && commands.allSatisfy { $0.hasPrefix("throughline ") })
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("a secret kettle")
      let binaries = (try Binary.path as NSString).deletingLastPathComponent
      var said: [String: [String]] = [:]
      for command in commands {
        let run = try await Peer.run(
          "/bin/sh",
          ["-c", "cd '\(server.folder.path)' && PATH='\(binaries)':\"$PATH\" && \(command)"])
        #expect(run.status == 0, "\(command): \(run.lines)")
        said[command] = run.lines
        // The page's order has the lost folder restored before its example of erasing, so erase
        // once before that.
        if command.contains("doctor --data restored") {
          #expect(
            try await server.administer("POST", "/admin/erase", ["identity": .text(chat.customer)])
              .status == 200)
          try await server.open(try await server.token("bot", "webshop"), email: "jo@home.example")
            .customer("me again")
        }
      }
      func output(_ part: String) -> String {
        said.first { $0.key.contains(part) }?.value.joined(separator: "\n") ?? ""
      }
      #expect(output("doctor --data backups/monday").contains("all is well"))
      #expect(output("doctor --data restored").contains("all is well"))
      #expect(
        output("--erasures erasures.json").contains(
          "1 erasures and 0 redactions were carried out again"))
      #expect(
        output("throughline export").contains("3 entries")
          || output("throughline export").contains("2 entries"))
      #expect(output("throughline erasures --data").split(separator: "\n").count == 2)
      #expect(output("throughline accesses").contains("administrator  export"))
      // The restored folder still has the words from before the erasure; the one with receipts has
      // not.
      func holds(_ folder: String) -> Bool {
        FileManager.default.contents(atPath: "\(server.folder.path)/\(folder)/throughline.sqlite")?
          .range(of: Data("secret kettle".utf8)) != nil
      }
      #expect(holds("restored") && !holds("restored-elsewhere") && !holds("data"))
    }
  }

  @Test func `every piece of a workspace's settings on the page is in order`() async throws {
    let page = try String(contentsOfFile: Package.root + "/docs/operations.md", encoding: .utf8)
    let pieces = page.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(pieces.count >= 2)
    for (piece, isInOrder) in pieces.map({ ($0, true) }) + [("redact: { x: '(' }\n", false)] {
      let folder = try SmallRules.folder(piece)
      let run = try await Peer.run(
        try Binary.path, ["rules", "check", folder.path + "/rules/small"])
      #expect((run.status == 0) == isInOrder, "\(piece): \(run.lines)")
    }
  }
}
