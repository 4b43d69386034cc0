import Continuity
import Model
import Pipeline
import Routing

/// One request that a client sends until it has an answer, each time with the same
/// `Idempotency-Key`.
struct Errand {
  enum Purpose {
    case open(contact: Int)
    case say(contact: Int, marker: UInt64)
    case handoff(contact: Int)
    case end(contact: Int)
    case mail(contact: Int, marker: UInt64)
    case call(contact: Int)
    case journey(marker: UInt64)
    case accept(desk: Int, OfferID)
    case reply(desk: Int, CaseID, marker: UInt64)
    /// The case leaves this agent: closed, transferred, handed back.
    case letGo(desk: Int, CaseID)
    case next(desk: Int, WaiterID)
    case other
  }
  var purpose: Purpose
  var intake: Intake
  var isIdempotent: Bool
  var tries = 0
}

extension World {
  /// Sends a request; what comes of it is told to whoever its purpose names.
  func send(_ intake: Intake, _ purpose: Errand.Purpose = .other, isIdempotent: Bool = true) {
    errandsSent += 1
    errands[errandsSent] = Errand(purpose: purpose, intake: intake, isIdempotent: isIdempotent)
    travel(errandsSent)
  }

  private func travel(_ number: UInt64) {
    let isLate = has(.late) && random.oneIn(30)
    let takes = isLate ? 200 + random.below(4_000) : 1 + random.below(20)
    calendar.enter(.arrive(errand: number), at: now + Int64(takes))
    if has(.duplicate), errands[number]?.isIdempotent == true, random.oneIn(20) {
      calendar.enter(.arrive(errand: number), at: now + Int64(takes + random.below(6_000)))
    }
    // Whoever hears nothing asks again.
    let patience = 70_000 + random.below(4_000)
    calendar.enter(.again(errand: number, life: 0), at: now + Int64(patience))
  }

  func arrive(_ number: UInt64) {
    guard isUp else { return refused(number) }
    // A duplicate may come when its sender has long had the answer.
    guard let errand = errands[number] ?? ledger.duplicates[number] else { return }
    if has(.duplicate), errand.isIdempotent { ledger.remember(number, errand) }
    let key: Idempotency? =
      errand.isIdempotent
      ? Idempotency(key: Array("\(number)".utf8), bodyHash: Digest(number, 0, 0, 0)) : nil
    submit(
      Request(withFreshIDs(errand.intake), ticket: Ticket(a: life + 1, b: number), idempotency: key)
    )
  }

  /// The server's edge draws the ids of what is new, each time that something arrives.
  private func withFreshIDs(_ intake: Intake) -> Intake {
    switch intake {
    case .call(var call):
      (call.customer, call.conversation, call.session, call.case) = (
        newID(), newID(), newID(), newID()
      )
      return .call(call)
    case .mail(var mail):
      (mail.customer, mail.conversation, mail.session, mail.case) = (
        newID(), newID(), newID(), newID()
      )
      return .mail(mail)
    default: return intake
    }
  }

  /// The connection was refused, or broke: whoever sent it knows, and tries again before long.
  func refused(_ number: UInt64) {
    guard errands[number] != nil else { return }
    calendar.enter(.again(errand: number, life: 1), at: now + 1_000 + Int64(random.below(1_000)))
  }

  func again(_ number: UInt64) {
    guard var errand = errands[number] else { return }
    errand.tries += 1
    errands[number] = errand
    if case .next(let desk, let waiter) = errand.purpose {
      // Its connection is gone; a desk asks anew with another.
      errands[number] = nil
      if desks[desk].next == waiter { desks[desk].next = nil }
      return
    }
    travel(number)
  }

  func unavailable(_ tickets: [Ticket]) {
    for ticket in tickets where ticket != .nobody {
      calendar.enter(.answer(errand: ticket.b, nil), at: now + Int64(1 + random.below(20)))
    }
  }

  func answered(_ number: UInt64, _ answer: Answer?) {
    guard let errand = errands[number] else { return }
    guard let answer else { return refused(number) }
    errands[number] = nil
    switch errand.purpose {
    case .open(let contact), .handoff(let contact), .end(let contact), .call(let contact):
      contactHears(contact, answer)
    case .say(let contact, _), .mail(let contact, _): contactHears(contact, answer)
    case .accept(let desk, let offer): deskHears(desk, offer, answer)
    case .letGo(let desk, let id): desks[desk].holding.removeAll { $0 == id }
    case .next(let desk, let waiter): nextIsAnswered(desk, waiter, answer)
    case .reply(let desk, let id, _):
      if case .rejected = answer { desks[desk].holding.removeAll { $0 == id } }
    case .journey, .other: break
    }
  }
}
