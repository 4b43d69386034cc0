import Continuity
import Model
import Pipeline
import Routing

/// One customer reaching out once: a chat through a bot, a mail, a call.
struct Contact {
  var person: Int
  var channel: Channel
  var bot: BotID
  var session: SessionID?
  var isHandedOff = false
  var isOver = false
  /// Something was sent and not yet answered: people wait for it.
  var isWaiting = false
  /// For a call: its line is open.
  var holdsLine = false
  var actsLeft: Int
  let callKey: [UInt8]

  mutating func lineIsGone() { holdsLine = false }
}

extension World {
  func somebodyComes() {
    if isClosing { return }
    calendar.enter(.somebodyComes, at: now + 50 + Int64(random.below(isBusy ? 1_500 : 4_000)))
    guard contacts.count(where: { !$0.isOver }) < settings.contactsMax else { return }
    let index = contacts.count
    let person = random.below(settings.peopleMax)
    if random.oneIn(8) { return visitShop(person) }
    contacts.append(
      Contact(
        person: person,
        channel: random.oneIn(4) ? .phone : random.oneIn(isBusy ? 2 : 4) ? .email : .chat,
        bot: BotID(UInt32(random.below(2))), actsLeft: 2 + random.below(8),
        callKey: Array("call\(index)".utf8)))
    switch contacts[index].channel {
    case .chat: openChat(index)
    case .email: writeMail(index)
    case .phone: placeCall(index)
    }
  }

  // MARK: Beginning

  private func claims(_ person: Int, _ channel: Channel) -> [IdentityClaim] {
    func claim(_ kind: IdentityKind, _ value: String, _ assurance: Assurance) -> IdentityClaim {
      let hash = Array("\(kind.name):\(value)................".utf8.prefix(16))
      return IdentityClaim(
        identity: Identity(kind: kind, value: value), hash: hash, assurance: assurance,
        source: "bot:robin",
        means: "assertion")
    }
    let mail = claim(.email, "p\(person)@a.example", random.oneIn(4) ? .claimed : .asserted)
    switch channel {
    case .chat:
      return random.oneIn(3)
        ? [mail, claim(.chat, "c\(person)", .asserted)] : [claim(.chat, "c\(person)", .asserted)]
    case .email: return [mail]
    case .phone:
      return random.oneIn(3)
        ? [claim(.phone, "+4930\(person)", .asserted), mail]
        : [claim(.phone, "+4930\(person)", .asserted)]
    }
  }

  private func openChat(_ index: Int) {
    let contact = contacts[index]
    contacts[index].isWaiting = true
    send(
      .openSession(
        OpenSession(
          session: newID(), conversation: newID(), customer: newID(), channel: .chat,
          bot: contact.bot,
          claims: claims(contact.person, .chat), attributes: [], members: [])),
      .open(contact: index))
  }

  private func draft(
    _ author: Author, _ channel: Channel, _ marker: UInt64, _ kind: EntryKind = .message
  ) -> EntryDraft {
    EntryDraft(
      kind: kind, author: author, visibility: .customer, channel: channel,
      members: Ledger.members(marker))
  }

  func newMarker() -> UInt64 {
    drawn += 1
    return drawn
  }

  private func writeMail(_ index: Int) {
    let contact = contacts[index]
    let marker = newMarker()
    contacts[index].isWaiting = true
    let from = claims(contact.person, .email)[0]
    send(
      .mail(
        MailArrival(
          customer: newID(), conversation: newID(), session: newID(), case: newID(), from: from,
          attributes: [], seenKey: Array("seen\(marker)".utf8),
          messageKey: Array("message\(contact.person).\(random.below(3))".utf8),
          threadKeys: random.oneIn(2)
            ? [Array("message\(contact.person).\(random.below(3))".utf8)] : [],
          replyAddress: nil, entry: draft(.customer, .email, marker),
          thread: MailLine(
            ours: "help@shop.example", theirs: from.identity.value, theirName: "P",
            subject: "s\(marker % 9)",
            lastMessageID: nil, references: []), subjectKey: "s\(marker % 9)",
          automatic: random.oneIn(9) ? "a machine" : nil,
          facts: MailFacts(
            from: from.identity.value, to: ["help@shop.example"], subject: "s\(marker % 9)",
            text: "")
        )),
      // The Message-ID makes it idempotent, and nothing else does.
      .mail(contact: index, marker: marker), isIdempotent: false)
  }

  private func placeCall(_ index: Int) {
    let contact = contacts[index]
    contacts[index].isWaiting = true
    contacts[index].holdsLine = true
    send(
      .call(
        CallArrival(
          customer: newID(), conversation: newID(), session: newID(), case: newID(),
          callKey: contact.callKey,
          claims: claims(contact.person, .phone), from: "+4930\(contact.person)", to: "+49301",
          members: [],
          facts: HandoffFacts())),
      .call(contact: index), isIdempotent: false)
  }

  private func visitShop(_ person: Int) {
    let marker = newMarker()
    send(
      .journey(
        JourneyArrival(
          customer: newID(), claims: [claims(person, .chat)[0]], name: "ordered",
          members: Ledger.members(marker),
          at: nil)),
      .journey(marker: marker))
  }

  // MARK: Going on

  func contactHears(_ index: Int, _ answer: Answer) {
    contacts[index].isWaiting = false
    switch answer {
    case .sessionOpened(let session, let place, let customer, _, _, _, _, _, _):
      contacts[index].session = session
      if has(.moves) { remember(place, customer) }
    case .callTaken(let session, _, _, _, _): contacts[index].session = session
    case .handedOff: contacts[index].isHandedOff = true
    case .rejected(.sessionEnded, _, _), .rejected(.unknownSession, _, _):
      contacts[index].isOver = true
    case .mailTaken: contacts[index].isOver = true
    case .ruleAnswered where contacts[index].channel == .phone: contacts[index].isOver = true
    default: break
    }
    if !contacts[index].isOver {
      calendar.enter(.contact(index), at: now + 100 + Int64(random.below(9_000)))
    }
  }

  func contactActs(_ index: Int) {
    let contact = contacts[index]
    guard !contact.isOver, !contact.isWaiting, let session = contact.session else { return }
    contacts[index].isWaiting = true
    contacts[index].actsLeft -= 1
    if contact.channel == .phone { return callGoesOn(index, session) }
    if contact.actsLeft <= 0 || isClosing {
      contacts[index].isOver = true
      return send(.endSession(session, .customerLeft, by: contact.bot), .end(contact: index))
    }
    if !contact.isHandedOff, random.oneIn(3) { return handOff(index, session) }
    let marker = newMarker()
    let author: Author = random.oneIn(3) ? .bot(contact.bot) : .customer
    send(
      .say(
        Say(session: session, bot: contact.bot, entry: draft(author, .chat, marker), epoch: nil)),
      .say(contact: index, marker: marker))
  }

  private func handOff(_ index: Int, _ session: SessionID) {
    let marker = newMarker()
    send(
      .handoff(
        Handoff(
          session: session, bot: contacts[index].bot, epoch: nil, case: newID(),
          imported: random.oneIn(4) ? [draft(.customer, .chat, newMarker())] : [],
          members: Ledger.members(marker),
          facts: HandoffFacts(reason: "r\(random.below(30))"))),
      .handoff(contact: index))
  }

  private func callGoesOn(_ index: Int, _ session: SessionID) {
    if !contacts[index].holdsLine, isUp, !isClosing, random.oneIn(2) { return placeCall(index) }
    if contacts[index].actsLeft <= 0 || isClosing || !contacts[index].holdsLine {
      contacts[index].isOver = true
      contacts[index].holdsLine = false
      return send(.endSession(session, .hungUp, by: nil), .end(contact: index), isIdempotent: false)
    }
    send(.callFact(session, draft(.customer, .phone, newMarker(), .digits)), .end(contact: index))
  }
}
