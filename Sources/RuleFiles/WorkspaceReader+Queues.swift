import Rules

extension WorkspaceReader {
  func readQueues(_ section: Section) {
    let entries = section.entries(what: "queues.yaml")
    if entries.isEmpty { section.report("there must be at least one queue") }
    if entries.count > Most.queues {
      section.report("there are \(entries.count) queues; \(Most.queues) are allowed")
    }
    // Overflow may name a queue that stands further down.
    let names = Set(entries.map(\.name))
    for entry in entries {
      places["queue \(entry.name)"] = entry.key
      queues.append(record(.queue, entry.name) { queue(entry, names) })
    }
  }

  private func queue(
    _ entry: (name: String, key: Section, value: Section), _ names: Set<String>
  ) -> QueueConfiguration {
    checkName(entry)
    var made = QueueConfiguration(name: entry.name)
    let keys = [
      "title", "order", "point_is_worth", "service_level", "offer_timeout", "wrap_up", "who",
      "missed",
      "max_waiting", "max_wait", "hours", "closed", "weight", "ageing_slope", "offers_at_once",
      "first_reply",
    ]
    guard !entry.value.isNull, let members = entry.value.members(keys, what: "a queue") else {
      return made
    }
    if let title = members["title"]?.text(what: "title") { made.title = title }
    if let order = members["order"]?.choice(QueueConfiguration.Ordering.self, what: "order") {
      made.ordering = order
    }
    if let worth = members["point_is_worth"]?.duration(what: "point_is_worth") {
      made.ageingSeconds = Int(worth / 1_000)
    }
    if let level = members["service_level"] { readServiceLevel(level, &made) }
    if let timeout = members["offer_timeout"] { readTimeout(timeout, &made) }
    if let wrapUp = members["wrap_up"]?.duration(0...3_600_000, what: "wrap_up") {
      made.wrapUpMilliseconds = wrapUp
    }
    if let who = members["who"] {
      let chain = who.oneOrMore(what: "who").compactMap {
        $0.choice(QueueConfiguration.Strategy.self, what: "who")
      }
      if !chain.isEmpty { made.strategy = chain }
    }
    if let missed = members["missed"] { readMissed(missed, &made) }
    if let count = members["offers_at_once"]?.whole(1...100, what: "offers_at_once") {
      made.offersAtOnce = count
    }
    if let reply = members["first_reply"] { readFirstReply(reply, &made) }
    made.waitingMax = members["max_waiting"].flatMap { cap($0, names, isTime: false) }
    made.waitMax = members["max_wait"].flatMap { cap($0, names, isTime: true) }
    if let hours = members["hours"] {
      // Some that could not be read are some all the same: more need not be said.
      made.hours =
        hours.reference(hoursNames, what: "set of hours") ?? hours.node.scalar?.string ?? ""
      let times = self.hours.first { $0.name == made.hours }?.open.count ?? 0
      if times > Most.openings {
        hours.report(
          "`\(made.hours ?? "")` opens \(times) times within two years; \(Most.openings) are allowed of a queue's hours",
          hint: "give a day fewer times")
      }
    }
    made.closed = members["closed"].flatMap { overflow($0, names) }
    made.weight = members["weight"]?.whole(1...1_000, what: "weight")
    if let slope = members["ageing_slope"]?.decimal(0.001...1_000, what: "ageing_slope") {
      made.slopePermille = Int((slope * 1_000).rounded())
    }
    return made
  }

  private func readServiceLevel(_ section: Section, _ made: inout QueueConfiguration) {
    guard let members = section.members(["within", "percent"], what: "service_level") else {
      return
    }
    if let within = members["within"]?.duration(1_000...Section.longest, what: "within") {
      made.serviceLevel.targetSeconds = Int(within / 1_000)
    }
    if let percent = members["percent"]?.whole(1...100, what: "percent") {
      made.serviceLevel.percent = percent
    }
  }

  private func readTimeout(_ section: Section, _ made: inout QueueConfiguration) {
    let range: ClosedRange<Int64> = 1_000...86_400_000
    guard section.isMapping else {
      guard let all = section.duration(range, what: "offer_timeout") else { return }
      made.offerTimeoutMilliseconds = ByChannel(chat: all, email: all, phone: all)
      return
    }
    guard let members = section.members(["chat", "email", "phone"], what: "offer_timeout") else {
      return
    }
    if let chat = members["chat"]?.duration(range, what: "chat") {
      made.offerTimeoutMilliseconds.chat = chat
    }
    if let email = members["email"]?.duration(range, what: "email") {
      made.offerTimeoutMilliseconds.email = email
    }
    if let phone = members["phone"]?.duration(range, what: "phone") {
      made.offerTimeoutMilliseconds.phone = phone
    }
  }

  private func readMissed(_ section: Section, _ made: inout QueueConfiguration) {
    guard section.isMapping else {
      if let missed = section.choice(QueueConfiguration.MissPolicy.self, what: "missed") {
        made.missPolicy = missed
      }
      return
    }
    guard let time = section.members(["back_off"], what: "missed")?["back_off"],
      let milliseconds = time.duration(1_000...86_400_000, what: "back_off")
    else { return }
    made.missPolicy = .backOff
    made.missBackOffMilliseconds = milliseconds
  }

  private func readFirstReply(_ section: Section, _ made: inout QueueConfiguration) {
    let range: ClosedRange<Int64> = 1_000...Section.longest
    guard section.isMapping else {
      guard let both = section.duration(range, what: "first_reply") else { return }
      made.firstReplyMilliseconds = ByChannel(chat: both, email: both, phone: 0)
      return
    }
    guard let members = section.members(["chat", "email"], what: "first_reply") else { return }
    made.firstReplyMilliseconds.chat = members["chat"]?.duration(range, what: "chat") ?? 0
    made.firstReplyMilliseconds.email = members["email"]?.duration(range, what: "email") ?? 0
  }

  private func cap(_ section: Section, _ names: Set<String>, isTime: Bool) -> QueueConfiguration
    .Cap?
  {
    guard let members = section.members(["limit", "then"], what: "a cap"),
      let limit = members["limit"]
    else {
      section.report("a cap needs `limit` and `then`")
      return nil
    }
    let number =
      isTime
      ? limit.duration(1_000...Section.longest, what: "limit").map { Int($0 / 1_000) }
      : limit.whole(1...1_000_000, what: "limit")
    guard let number, let then = members["then"].flatMap({ overflow($0, names) }) else {
      if members["then"] == nil {
        section.report("a cap needs `then`: queue, answer, hand_back, reject or leave_message")
      }
      return nil
    }
    return QueueConfiguration.Cap(limit: number, then: then)
  }

  private func overflow(_ section: Section, _ names: Set<String>) -> QueueConfiguration.Overflow? {
    guard
      let members = section.members(
        ["queue", "answer", "hand_back", "reject", "leave_message"], what: "what then happens")
    else { return nil }
    guard members.count == 1 else {
      section.report("say one of queue, answer, hand_back, reject and leave_message")
      return nil
    }
    if let queue = members["queue"] {
      return queue.reference(names, what: "queue").map { .queue($0) }
    }
    if let answer = members["answer"] { return answer.words(what: "answer").map { .answer($0) } }
    if let back = members["hand_back"] { return back.text(what: "hand_back").map { .handBack($0) } }
    if let message = members["leave_message"] {
      return message.words(what: "leave_message").map { .leaveMessage($0) }
    }
    return members["reject"]?.text(what: "reject").map { .reject($0) }
  }
}
