import Foundation
import Testing

/// `throughline demo --once`: the whole story over real sockets, judged by what each agent
/// received.
@Suite(.inTurn) struct DemoStoryTests {
  private func demo(rules: String, _ more: [String] = ["--once"]) throws -> Peer {
    try Peer(
      try Binary.path,
      ["demo", "--rules", rules] + more + [
        "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--lmtp",
        "127.0.0.1:0",
        "--fastagi", "127.0.0.1:0",
      ])
  }

  @Test func `the story ends well: every step arrives, and every handoff carries everything`()
    async throws
  {
    let peer = try demo(rules: Package.demoRules)
    let status = try await peer.end(seconds: 120)
    let told = peer.lines.joined(separator: "\n")
    #expect(status == 0, "\(told)")
    #expect(told.contains("Every step arrived, and every handoff carried everything."))
    let handoffs = peer.lines.filter {
      $0.contains(" ms ") && $0.contains(" entries ") && $0.contains("complete:")
    }
    #expect(handoffs.count == 3, "a chat, a mail and a call: \(handoffs)")
    #expect(!told.contains("NOT COMPLETE"))
    #expect(!told.contains("the server noted"), "a story that goes well leaves nothing in the log")
  }

  @Test func `a folder that holds data is no stage for it, and it says so`() async throws {
    let folder = try TemporaryFolder()
    try folder.write("throughline.sqlite", "")
    let peer = try demo(rules: Package.demoRules, ["--once", "--data", folder.path])
    #expect(try await peer.end(seconds: 60) == 2)
    #expect(peer.lines.joined(separator: "\n").contains("wants a fresh folder"), "\(peer.lines)")
  }

  /// The lines that it prints go into a shell as they stand.
  @Test(arguments: [SIGINT, SIGTERM])
  func `afterwards it stays up, and what it says to try works`(_ signal: Int32) async throws {
    let peer = try demo(rules: Package.demoRules, [])
    try await peer.line("the last line to try", seconds: 120) {
      $0.contains(" timeline mani@music.example --data ")
    }
    let start = try #require(peer.lines.firstIndex { $0.hasPrefix("Try it") })
    let script = peer.lines[(start + 1)...].joined(separator: "\n")
    for word in ["U=http://127.0.0.1:", "BOT=tl_", "ANN=tl_", "CLEO=tl_", "SHOP=tl_", "BOSS=tl_"] {
      #expect(script.contains(word))
    }
    #expect(script.matches(of: /\bcurl -sw/).count == 9)
    let tried = try await Peer.run("/bin/bash", ["-c", script])
    let answers = tried.lines.joined(separator: "\n")
    #expect(tried.status == 0, "\(answers)")
    #expect(!answers.contains("urn:throughline:problem"), "\(answers)")
    let json = tried.lines.map { JSON($0) }
    #expect(
      json.contains { $0["session"].string != nil && $0["known"]["entries"].elements.count > 0 },
      "\(answers)")
    #expect(
      json.contains { $0["offer"].string != nil && $0["timeline"].texts.contains("hi again") })
    #expect(
      json.contains { $0["events"].elements.contains { $0["text"].string == "Hello again, Mani!" } }
    )
    #expect(json.contains { !$0["queues"].elements.isEmpty })
    for line in ["throughline_up 1", "QUIT", "thank you"] {
      #expect(answers.contains(line), "\(line)")
    }
    #expect(peer.status == nil, "it is still up")
    peer.signal(signal)
    #expect(try await peer.end() == 0)
    let data = try #require(script.split(separator: " ").last).trimmingCharacters(
      in: .whitespacesAndNewlines)
    #expect(!FileManager.default.fileExists(atPath: data), "a temporary folder goes with it")
  }

  /// Without a relay that is believed, a mail's sender proves nothing: what Ann gets then lacks the
  /// chat and the shop.
  @Test func `a handoff whose timeline is not complete fails the story`() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Package.demoRules, toPath: folder.path + "/rules")
    let file = folder.path + "/rules/demo/workspace.yaml"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let start = try #require(text.range(of: "trusted_relays:")).lowerBound
    let end = try #require(text.range(of: "# Phone systems")).lowerBound
    try (text[..<start] + text[end...]).write(toFile: file, atomically: true, encoding: .utf8)
    try folder.write(
      "rules/demo/rules/00-mail.yaml",
      "- name: mail to Ann\n  when: session.channel == \"email\"\n  route: { queue: returns, prefer_skills: [returns] }\n"
    )
    let peer = try demo(rules: folder.path + "/rules")
    let status = try await peer.end(seconds: 120)
    let told = peer.lines.joined(separator: "\n")
    #expect(status == 1, "\(told)")
    #expect(told.contains("NOT COMPLETE"), "\(told)")
    #expect(!told.contains("Every step arrived"))
  }
}
