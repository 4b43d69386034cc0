import Foundation
import HTTPTypes
import Sockets
import System

/// Asks a server that has started again for everything that its dead forebears said, and sends
/// again what was never answered.
struct CrashVerifier {
  private let lane: Lane
  private var ledger: CrashLedger
  private let supervisor: Int
  private(set) var checks = 0
  private(set) var repeats = 0

  init(_ lane: Lane, _ ledger: CrashLedger, supervisor: Int) {
    (self.lane, self.ledger, self.supervisor) = (lane, ledger, supervisor)
  }

  /// What was heard in this cycle is looked at, and of what is older every so-manieth customer.
  mutating func run(olderEvery: Int) async -> CrashLedger {
    var customers: Set<String> = []
    let recent = ledger.sends.indices.filter { ledger.sends[$0].cycle == ledger.cycle }
    for index in recent {
      if let talk = ledger.sends[index].talk { customers.insert(ledger.talks[talk].customer) }
    }
    let known = Set(ledger.talks.map(\.customer)).union(ledger.shown.keys).sorted()
    for (index, customer) in known.enumerated() where (index + ledger.cycle) % olderEvery == 0 {
      customers.insert(customer)
    }
    for customer in customers.sorted() { await check(customer) }
    await checkPairs()
    await checkCases(recent)
    await sendAgain(recent)
    return ledger
  }

  // MARK: - Timelines

  private mutating func check(_ customer: String) async {
    guard let entries = await timeline(of: customer) else {
      return ledger.violated("the timeline of \(customer), who was answered, cannot be read")
    }
    checks += 1
    for (before, after) in zip(entries, entries.dropFirst()) where before.id >= after.id {
      ledger.violated("\(customer): entry \(after.id) comes after \(before.id)")
    }
    let byID = Dictionary(entries.map { ($0.id, $0) }) { first, _ in first }
    for (id, hash) in ledger.shown[customer] ?? [:] {
      guard let entry = byID[id] else {
        ledger.violated("\(customer): entry \(id) was shown and is gone")
        continue
      }
      if entry.hash != hash {
        ledger.violated("\(customer): entry \(id) was shown with another content")
      }
    }
    checkMessages(customer, entries, byID)
    checkEpochs(customer, entries)
    checkPushes(customer, entries)
    // What is served now is an answer, too.
    ledger.saw(entries, of: customer)
  }

  private mutating func checkMessages(
    _ customer: String, _ entries: [CrashEntry], _ byID: [Int64: CrashEntry]
  ) {
    var standing: [String: Int] = [:]
    for entry in entries { if let text = entry.text { standing[text, default: 0] += 1 } }
    var last: [String: Int64] = [:]
    for send in ledger.sends {
      guard let talk = send.talk, ledger.talks[talk].customer == customer, let text = send.text
      else { continue }
      let count = standing[text] ?? 0
      if send.isAcknowledged {
        let id = JSONPick.number("entry", in: send.answer) ?? 0
        if count != 1 {
          ledger.violated(
            "\(customer): the acknowledged \"\(text)\" (entry \(id)) stands \(count) times")
        }
        if byID[id]?.text != text {
          ledger.violated("\(customer): entry \(id) does not hold \"\(text)\", as was answered")
        }
        if ledger.talks[talk].conversation != byID[id]?.conversation {
          ledger.violated("\(customer): entry \(id) stands in another conversation")
        }
        // One holder says one thing after the other in a session, or as the agent of a case.
        let order =
          "\(send.target.prefix(upTo: send.target.lastIndex(of: "/") ?? send.target.endIndex)) \(send.holder)"
        if let before = last[order], before >= id, send.repeatedIn == nil {
          ledger.violated("\(customer): entry \(id) was said after \(before)")
        }
        if send.repeatedIn == nil { last[order] = id }
      } else if count > (send.status == nil ? 1 : 0) {
        ledger.violated(
          "\(customer): \"\(text)\", answered \(send.status.map(String.init) ?? "never"), stands \(count) times"
        )
      }
    }
  }

  /// Between two entries that an agent's stream brought, while the agent had the case, the customer
  /// said nothing else.
  private mutating func checkPushes(_ customer: String, _ entries: [CrashEntry]) {
    for list in ledger.pushed where list.customer == customer {
      let here = entries.filter { $0.conversation == list.conversation }
      for (before, after) in zip(list.entries, list.entries.dropFirst()) {
        if before >= after {
          ledger.violated("\(list.conversation): entry \(after) was pushed after \(before)")
        }
        let between = here.filter { $0.id > before && $0.id < after }
        guard
          !between.contains(where: { JSONPick.position(after: "\"owner\":", in: $0.bytes) != nil })
        else { continue }
        for entry in between where entry.isCustomers {
          ledger.violated(
            "\(list.conversation): entry \(entry.id) was left out between \(before) and \(after)")
        }
      }
      for id in list.entries where !here.contains(where: { $0.id == id }) {
        ledger.violated("\(list.conversation): entry \(id) was pushed and is gone")
      }
    }
  }

  private mutating func checkEpochs(_ customer: String, _ entries: [CrashEntry]) {
    var highest: [String: Int64] = [:]
    for entry in entries {
      guard let conversation = entry.conversation,
        let at = JSONPick.position(after: "\"owner\":", in: entry.bytes),
        let epoch = JSONPick.number("epoch", in: Array(entry.bytes[at...]))
      else { continue }
      if epoch < highest[conversation] ?? 0 {
        ledger.violated("\(conversation): the epoch fell to \(epoch) in entry \(entry.id)")
      }
      highest[conversation] = epoch
    }
    for (conversation, epoch) in highest {
      let told = ledger.owners[conversation]?.keys.max() ?? 0
      if told > epoch {
        ledger.violated(
          "\(conversation): epoch \(told) was told, and its entries end with \(epoch)")
      }
    }
  }

  private mutating func timeline(of customer: String) async -> [CrashEntry]? {
    let target = "/v1/customers/\(customer)/timeline?limit=1000"
    guard let reply = await ask(supervisor, .get, target), reply.status == 200,
      var all = CrashTimeline(reply.body)
    else {
      return nil
    }
    while let older = all.older {
      guard let reply = await ask(supervisor, .get, "\(target)&before=\(older)"),
        reply.status == 200
      else { return nil }
      all.take(olderPage: reply.body)
    }
    if let fault = all.fault { ledger.violated("the timeline of \(customer): \(fault)") }
    return all.entries
  }

  // MARK: - Who is one

  private mutating func checkPairs() async {
    for index in ledger.pairs.indices {
      let pair = ledger.pairs[index]
      guard let a = pair.records[0], let b = pair.records[1] else { continue }
      guard let one = await timeline(of: a), let other = await timeline(of: b) else {
        ledger.violated("the timelines of \(a) and \(b) cannot be read")
        continue
      }
      checks += 2
      let isOne = one.map(\.id) == other.map(\.id)
      if let told = pair.isOne, told != isOne {
        ledger.violated(
          "\(a) and \(b), who are \(told ? "one" : "two"), are \(isOne ? "one" : "two")")
      }
      ledger.pairs[index].isOne = isOne
      check(pair.told[0], of: a, in: one, apart: isOne ? [] : other)
      check(pair.told[1], of: b, in: other, apart: isOne ? [] : one)
    }
  }

  /// Each event stands once on its own side, and on the other only while they are one.
  private mutating func check(
    _ told: [CrashLedger.Pair.Told], of customer: String, in own: [CrashEntry],
    apart other: [CrashEntry]
  ) {
    func count(_ entries: [CrashEntry], _ event: String) -> Int {
      entries.count { JSONPick.find("event", in: $0.bytes) == event }
    }
    for one in told {
      let standing = count(own, one.event)
      if one.isAcknowledged ? standing != 1 : standing > 1 {
        ledger.violated("\(customer): event \(one.event) stands \(standing) times")
      }
      if count(other, one.event) > 0 {
        ledger.violated("\(customer): event \(one.event) stands with whom they were parted from")
      }
    }
  }

  // MARK: - Cases

  private mutating func checkCases(_ recent: [Int]) async {
    var takers: [String: Int] = [:]
    for send in ledger.sends where send.what == .accept && send.isAcknowledged {
      guard let aCase = send.aCase else { continue }
      if let other = takers[aCase], other != send.holder {
        ledger.violated("\(aCase) was accepted by two agents")
      }
      takers[aCase] = send.holder
    }
    let closed = Set(
      ledger.sends.filter { [.close, .transfer, .handBack].contains($0.what) && $0.isAcknowledged }
        .compactMap(\.aCase))
    for aCase in Set(recent.compactMap { ledger.sends[$0].aCase }).sorted() {
      guard let reply = await ask(supervisor, .get, "/v1/cases/\(aCase)"), reply.status == 200,
        let state = JSONPick.find("state", in: reply.body)
      else {
        ledger.violated("\(aCase), which was told of, is not there")
        continue
      }
      checks += 1
      if closed.contains(aCase), state != "closed" {
        ledger.violated("\(aCase) was closed and is \(state) again")
      }
      guard let taker = takers[aCase] else { continue }
      if state == "waiting" || state == "offered" {
        ledger.violated("\(aCase) was accepted and is \(state) again")
      }
      let agent = JSONPick.find("agent", in: Array(reply.body.prefix(600)))
      let name = await name(of: taker)
      if agent != name {
        ledger.violated("\(aCase) was accepted by \(name) and is \(agent ?? "nobody")'s")
      }
    }
  }

  // MARK: - Sending again

  /// As a client does that heard no answer: the same request under the same key. It must not be
  /// recorded twice, and what had been acknowledged must be answered as before.
  private mutating func sendAgain(_ recent: [Int]) async {
    var customers: Set<String> = []
    for index in recent {
      let send = ledger.sends[index]
      guard send.key != nil, send.status == nil || index % 16 == 0 else { continue }
      guard let reply = await ask(send.holder, .post, send.target, send.body, send.key) else {
        ledger.violated("\(send.target), sent again, was not answered")
        continue
      }
      repeats += 1
      if let status = send.status {
        let field = send.what == .open ? "session" : "entry"
        let same =
          send.what == .open
          ? JSONPick.find(field, in: send.answer) == JSONPick.find(field, in: reply.body)
          : JSONPick.number(field, in: send.answer) == JSONPick.number(field, in: reply.body)
        if status != reply.status || !same {
          ledger.violated(
            "\(send.target), sent again, was answered otherwise: \(reply.status) after \(status)")
        }
        continue
      }
      ledger.sends[index].repeatedIn = ledger.cycle
      ledger.answered(index, reply.status, reply.body)
      if send.what == .open { opened(index, reply) }
      if send.what == .handoff { ledger.sends[index].aCase = JSONPick.find("case", in: reply.body) }
      if let talk = ledger.sends[index].talk { customers.insert(ledger.talks[talk].customer) }
    }
    for customer in customers.sorted() { await check(customer) }
  }

  private mutating func opened(_ index: Int, _ reply: HTTPPeer.Reply) {
    guard let conversation = JSONPick.find("conversation", in: reply.body),
      let customer = JSONPick.find("customer", in: reply.body)
    else { return ledger.violated("a session, opened again, was answered \(reply.status)") }
    ledger.sends[index].talk = ledger.talk(
      conversation, customer: customer, session: JSONPick.find("session", in: reply.body))
  }

  // MARK: - The lane

  private func ask(
    _ holder: Int, _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil,
    _ key: String? = nil
  ) async -> HTTPPeer.Reply? {
    await withCheckedContinuation { waiting in
      lane.perform { loop in
        guard let world = loop.context as? CrashWorld else { return waiting.resume(returning: nil) }
        world.ask(holder, method, target, body, key) { waiting.resume(returning: $0) }
      }
    }
  }

  private func name(of holder: Int) async -> String {
    await withCheckedContinuation { waiting in
      lane.perform {
        waiting.resume(returning: ($0.context as? CrashWorld)?.holders[holder].name ?? "")
      }
    }
  }
}
