import RuleFiles
import Rules
import Testing

struct `What a workspace says of continuity` {
  @Test func `window, subjects and mail providers are read`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "workspace.yaml",
      """
      conversation_window: 4h
      conversation_subject: never
      email_providers:
        - { domains: [GMail.com, googlemail.com], ignore_dots: true, tag: "+" }
        - { domains: shop.example }
      """)
    let workspace = try #require(folder.load().workspace?.workspace)
    #expect(workspace.conversationWindowMilliseconds == 4 * 3_600_000)
    #expect(workspace.conversationSubject == .never)
    #expect(
      workspace.emailProviders == [
        .init(domains: ["gmail.com", "googlemail.com"], ignoresDots: true, tag: "+"),
        .init(domains: ["shop.example"]),
      ])
  }

  @Test(arguments: [
    ("conversation_subject: sometimes", "conversation_subject is not `sometimes`"),
    ("email_providers:\n  - { ignore_dots: true }", "a mail provider needs `domains`"),
    ("email_providers:\n  - { domains: [jo@gmail.com] }", "a mail provider needs `domains`"),
    ("email_providers:\n  - { domains: [gmail.com], tag: \"++\" }", "a tag begins with one sign"),
  ])
  func `what is wrong is said`(_ text: String, _ sentence: String) throws {
    let folder = try ScratchFolder()
    try folder.write("workspace.yaml", text + "\n")
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(loaded.rendered.contains(sentence))
  }
}
