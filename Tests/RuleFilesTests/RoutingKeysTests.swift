import Foundation
import RuleFiles
import Rules
import Testing

struct `What a workspace says of routing` {
  @Test func `silence, first replies, offers at once, and who is required or excluded`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "workspace.yaml", "bots: { web: }\nbot_silence: { after: 2m, queue: support }\n")
    try folder.write(
      "queues.yaml",
      """
      support: { offers_at_once: 3, first_reply: 90s, missed: { back_off: 2m } }
      mail: { first_reply: { email: 1h } }
      """)
    try folder.write(
      "agents.yaml",
      "ann: { queues: [support], teams: [gold] }\nbob: { queues: [support], teams: [gold, silver] }\n"
    )
    try folder.write(
      "rules/90.yaml",
      "- name: all\n  route: { queue: support, agents: [ann, bob], teams: gold, exclude: bob, exclude_teams: silver }\n"
    )
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: false)
    try folder.write(
      "tests/all.yaml",
      """
      - name: all
        given: { session: { channel: chat } }
        expect: { agents: [ann, bob], teams: gold, exclude: bob, exclude_teams: silver }
      """)
    let loaded = folder.load()
    let read = try #require(loaded.workspace, "\(loaded.rendered)")
    #expect(read.workspace.botSilence == BotSilence(afterMilliseconds: 120_000, queue: "support"))
    let (support, mail) = (read.queues[0], read.queues[1])
    #expect(support.offersAtOnce == 3)
    #expect(support.firstReplyMilliseconds == ByChannel(chat: 90_000, email: 90_000, phone: 0))
    #expect(support.missPolicy == .backOff && support.missBackOffMilliseconds == 120_000)
    #expect(mail.firstReplyMilliseconds == ByChannel(chat: 0, email: 3_600_000, phone: 0))
    guard case .route(let plan) = try #require(read.rules.rules.first).outcome else {
      throw NoPlan()
    }
    #expect(plan.requiredAgents == ["ann", "bob"] && plan.requiredTeams == ["gold"])
    #expect(plan.excludedAgents == ["bob"] && plan.excludedTeams == ["silver"])
    #expect(
      plan.lines.contains("only of the teams gold")
        && plan.lines.contains("never of the teams silver"))
    #expect(WorkspaceFolder.run(loaded.tests, against: read.rules).map(\.passed) == [true])
  }

  @Test func `statuses of the workspace's own`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "workspace.yaml",
      """
      statuses:
        coaching: { title: Coaching, as: busy, reason: required }
        lunch: { as: break }
        mail_only: { as: available, channels: [email, chat] }
      """)
    let loaded = folder.load()
    let read = try #require(loaded.workspace, "\(loaded.rendered)").workspace.statuses
    #expect(read.map(\.name) == ["coaching", "lunch", "mail_only"])
    #expect(read.map(\.title) == ["Coaching", "lunch", "mail_only"])
    #expect(read.map(\.counts) == [.busy, .onBreak, .available])
    #expect(read.map(\.needsReason) == [true, false, false])
    #expect(read.map(\.channels) == [[], [], [.email, .chat]])
    let many = (0...100).map { "  s\($0): { as: busy }\n" }.joined()
    try folder.write("workspace.yaml", "statuses:\n\(many)")
    #expect(folder.load().rendered.contains("101 statuses; 100 are allowed"))
  }

  @Test func `a route that names more than the router takes is refused where it stands`() throws {
    let folder = try ScratchFolder()
    let names = (1...65).map { "a\($0)" }
    try folder.write("agents.yaml", names.map { "\($0): { queues: support }\n" }.joined())
    try folder.write(
      "rules/90.yaml",
      "- name: all\n  route: { queue: support, agents: [\(names.joined(separator: ", "))] }\n")
    #expect(folder.load().rendered.contains("this route names 65 agents and teams; 64 are allowed"))
  }

  private struct NoPlan: Error {}
}
