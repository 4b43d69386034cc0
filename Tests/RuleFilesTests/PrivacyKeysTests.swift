import RuleFiles
import Rules
import Testing

struct `What a workspace says of privacy` {
  @Test func `retention and redaction are read`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "workspace.yaml",
      """
      retention:
        - { older_than_days: 400, channel: chat }
        - { older_than_days: 30, kind: journey }
        - { older_than_days: 90, tag: legal }
      redact:
        customer number: 'KD-\\d{6}'
      """)
    let workspace = try #require(folder.load().workspace?.workspace)
    #expect(
      workspace.retention == [
        .init(days: 400, channel: .chat), .init(days: 30, kind: "journey"),
        .init(days: 90, tag: "legal"),
      ])
    #expect(workspace.redactions.map(\.name) == ["customer number"])
    #expect(workspace.redactions[0].pattern.places(Array("x KD-123456".utf8)) == [2..<11])
  }

  @Test(arguments: [
    ("retention:\n  - { channel: chat }", "a retention rule needs `older_than_days`"),
    ("retention:\n  - { older_than_days: 3, channel: fax }", "`fax` is no channel"),
    ("retention:\n  - { older_than_days: 30, kind: journy }", "did you mean `journey`?"),
    ("retention:\n  - { older_than_days: 30, kind: email }", "`email` is no kind of entry"),
    ("retention:\n  - { older_than_days: 0 }", "older_than_days"),
    ("retention:\n  - { older_than_days: 3, tag: Legal Hold }", "a tag is lower-case letters"),
    ("redact:\n  name: '('", "`(` is not a regular expression"),
  ])
  func `what is wrong is said`(_ text: String, _ sentence: String) throws {
    let folder = try ScratchFolder()
    try folder.write("workspace.yaml", text + "\n")
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(loaded.rendered.contains(sentence), "\(loaded.rendered)")
  }
}
