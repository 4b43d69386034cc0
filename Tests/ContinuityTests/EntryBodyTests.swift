import Continuity
import Model
import Testing

@Suite struct EntryBodyTests {
  private func body(_ kind: EntryKind, id: Int64 = 7, members: String = "") -> [UInt8] {
    EntryBody.encode(
      EntryDraft(
        kind: kind, author: .customer, visibility: .customer, channel: .chat,
        members: Array(members.utf8)),
      id: EntryID(id), at: Instant(milliseconds: 1_795_000_000_123), conversation: nil,
      session: nil, authorName: nil, salt: 1)
  }

  @Test(arguments: EntryKind.allCases)
  func `the kind of an entry is read from its front`(_ kind: EntryKind) {
    #expect(EntryBody.kind(of: body(kind)) == kind)
    #expect(EntryBody.kind(of: body(kind, id: .max)) == kind)
  }

  @Test func `what a customer wrote is never taken for the kind`() {
    #expect(EntryBody.kind(of: body(.note, members: #","text":",\"kind\":\"handoff\"""#)) == .note)
  }

  @Test(arguments: ["", "{}", #"{"entry":1,"at":"x","kind":"no_such"}"#, #"{"entry":1,"kind":""#])
  func `a body without a known kind has none`(_ body: String) {
    #expect(EntryBody.kind(of: Array(body.utf8)) == nil)
  }
}
