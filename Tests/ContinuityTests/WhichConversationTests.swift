import Continuity
import Model
import Testing

struct WhichConversationTests {
  typealias Candidate = WhichConversation.Candidate

  static let now = Instant(milliseconds: 1_790_000_000_000)
  static func id(_ n: UInt64) -> ConversationID { ConversationID(high: 0, low: n) }

  static func candidate(
    _ n: UInt64, _ holder: WhichConversation.Holder, hoursAgo: Int64 = 1, subject: String? = nil
  ) -> Candidate {
    let at = now + .seconds(-hoursAgo * 3_600)
    return Candidate(id: id(n), holder: holder, opened: at, changed: at, subject: subject)
  }

  static func choose(
    _ candidates: [Candidate], _ channel: Channel, subject: String? = nil,
    _ rules: ContinuityRules = ContinuityRules()
  ) -> WhichConversation.Choice {
    WhichConversation.choose(
      among: candidates, for: .init(channel: channel, subject: subject, at: now), rules)
  }

  /// The table of `WhichConversation`, line by line: whether chat, mail and call go on.
  static let table: [(WhichConversation.Holder, chat: Bool, mail: Bool, call: Bool)] = [
    (.agent(AgentID(3)), true, true, false), (.queue(.chat), true, true, true),
    (.queue(.email), false, true, true),
    (.queue(.phone), false, true, false), (.bot, true, true, true), (.unrouted, true, true, true),
    (.nobody(isSettled: false), true, true, true), (.nobody(isSettled: true), false, false, false),
  ]

  @Test("whether it goes on depends on who holds it and on the channel", arguments: 0..<table.count)
  func line(_ index: Int) {
    let (holder, chat, mail, call) = Self.table[index]
    for (channel, goesOn) in [(Channel.chat, chat), (.email, mail), (.phone, call)] {
      switch Self.choose(
        [Self.candidate(1, holder)], channel, subject: channel == .email ? "lamp" : nil)
      {
      case .continues(let found): #expect(goesOn && found == Self.id(1))
      case .new(let earlier, let agent):
        #expect(!goesOn)
        #expect(earlier == Self.id(1))
        #expect((agent != nil) == (channel == .phone && holder == .agent(AgentID(3))))
      }
    }
  }

  @Test("what lies outside the window does not go on; to the millisecond it does")
  func window() {
    var old = Self.candidate(1, .agent(AgentID(1)), hoursAgo: 72)
    #expect(Self.choose([old], .chat) == .continues(Self.id(1)))
    old.changed = Instant(milliseconds: old.changed.milliseconds - 1)
    #expect(Self.choose([old], .chat) == .new(earlier: Self.id(1), agent: nil))
  }

  @Test(
    "mail goes on where the subject is the same or there is none, unless the workspace says otherwise"
  )
  func subject() {
    let lamp = Self.candidate(1, .queue(.email), subject: "lamp")
    #expect(Self.choose([lamp], .email, subject: "lamp") == .continues(Self.id(1)))
    #expect(
      Self.choose([lamp], .email, subject: "invoice") == .new(earlier: Self.id(1), agent: nil))
    #expect(
      Self.choose([Self.candidate(1, .bot)], .email, subject: "invoice") == .continues(Self.id(1)))
    var rules = ContinuityRules()
    rules.subject = .any
    #expect(Self.choose([lamp], .email, subject: "invoice", rules) == .continues(Self.id(1)))
    rules.subject = .never
    #expect(
      Self.choose([lamp], .email, subject: "lamp", rules) == .new(earlier: Self.id(1), agent: nil))
    // A chat has no subject to ask about.
    #expect(
      Self.choose([Self.candidate(1, .bot, subject: "lamp")], .chat, rules)
        == .continues(Self.id(1)))
  }

  @Test("of several, an open one goes first, then the one in which something happened last")
  func order() {
    let open = Self.candidate(1, .bot, hoursAgo: 30)
    let left = Self.candidate(2, .nobody(isSettled: false), hoursAgo: 1)
    #expect(Self.choose([left, open], .chat) == .continues(Self.id(1)))
    #expect(
      Self.choose([open, Self.candidate(3, .bot, hoursAgo: 29)], .chat) == .continues(Self.id(3)))
  }
}
