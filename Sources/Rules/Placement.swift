import Expressions

/// What becomes of a plan here and now: a queue that is closed or full passes cases on, and one
/// that lets nobody wait longer than so long says what then follows.
struct Placement: Sendable {
  private let queues: [String: QueueConfiguration]
  /// Whether any queue has a most of waiting cases: then rules need to know how many there are.
  let asksWaiting: Bool

  init(_ queues: [QueueConfiguration]) {
    self.queues = Dictionary(queues.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    asksWaiting = queues.contains { $0.waitingMax != nil }
  }

  /// - Parameter hours: takes those of the queues that are on the way.
  /// - Returns: what to do, and a line for each queue that passed the case on.
  func settle(_ outcome: Outcome, _ facts: Facts, asking hours: inout [Decision.HoursAsked]) -> (
    outcome: Outcome, passedOn: [String]
  ) {
    guard case .route(var plan) = outcome else { return (outcome, []) }
    let channel = channel(facts)
    // A channel that is not known counts as a call: a test need not tell what it does not ask.
    let isCall = channel == nil || channel == "phone"
    let assumed =
      facts[.sessionChannel]?.isUnknown ?? false
      ? ["by which channel it came is not known: it is taken for a call"] : []
    // A message waits for the morning: no queue is too closed or too full for it.
    if plan.leaveMessage != nil, isCall { return (outcome, assumed) }
    plan.leaveMessage = nil
    guard !queues.isEmpty else { return (.route(plan), []) }
    var lines: [String] = []
    var seen: Set<String> = [plan.queue]
    while true {
      let (left, unsure) = leaves(plan.queue, facts, &hours)
      lines += unsure
      guard let (why, then) = left else { break }
      if !then.isQueue { lines += assumed }
      // Nobody is there to be told, and whoever wrote relies on being read.
      if channel == "email", !then.isQueue {
        plan = overdue(plan)
        var line = "\(plan.queue) \(why): a mail waits in it"
        if case .answer(let text) = then {
          plan.say(text, afterMilliseconds: 0)
          line += ", and gets the answer"
        }
        return (.route(plan), lines + [line])
      }
      switch then {
      case .queue(let next):
        // Round in a circle nobody would take it: it stays where it is, and waits.
        guard seen.insert(next).inserted else {
          plan = overdue(plan)
          return (.route(plan), lines)
        }
        lines.append("\(plan.queue) \(why): it goes to \(next)")
        plan.queue = next
      case .answer(let text):
        return (
          .action(.answer(text)), lines + ["\(plan.queue) \(why): the customer gets an answer"]
        )
      case .handBack(let reason):
        return (
          .action(.handBack(reason: reason)), lines + ["\(plan.queue) \(why): the bot keeps it"]
        )
      case .reject(let reason):
        return (.action(.reject(reason: reason)), lines + ["\(plan.queue) \(why): it is refused"])
      case .leaveMessage(let text):
        guard isCall else { return (.route(overdue(plan)), lines) }
        plan.leaveMessage = text
        return (.route(plan), lines + ["\(plan.queue) \(why): the caller leaves a message"])
      }
    }
    return (.route(overdue(plan)), lines)
  }

  /// nil where it is not known.
  private func channel(_ facts: Facts) -> String? {
    if case .string(let channel)? = facts[.sessionChannel] { channel } else { nil }
  }

  /// Why a queue takes no case now, and what follows; nil when it takes it, or lets it wait.
  ///
  /// What is not given counts as open and empty, and so does what is not known of a case that was.
  /// It is told, but for how many wait where nobody says: a test need not tell what it does not ask.
  private func leaves(_ name: String, _ facts: Facts, _ asked: inout [Decision.HoursAsked]) -> (
    (why: String, then: QueueConfiguration.Overflow)?, assumed: [String]
  ) {
    guard let queue = queues[name] else { return (nil, []) }
    var assumed: [String] = []
    if let hours = queue.hours, let then = queue.closed {
      switch facts[.hours]?.part(hours) {
      case .bool(let isOpen)?:
        asked.append(.init(name: hours, isOpen: isOpen))
        if !isOpen { return (("is closed (\(hours))", then), []) }
      case let open:
        let why = open == nil ? "said" : "known"
        assumed.append("whether \(name) is open (\(hours)) is not \(why): it is taken for open")
        asked.append(.init(name: hours, assumption: assumed.last))
      }
    }
    if let cap = queue.waitingMax {
      let waiting = facts[.queues]?.part(name)?.part("waiting")
      if case .int(let count)? = waiting, count >= cap.limit {
        return (("is full (\(cap.limit) wait)", cap.then), assumed)
      }
      if waiting?.isUnknown ?? false {
        assumed.append("how many wait in \(name) is not known: it is not taken for full")
      }
    }
    return (nil, assumed)
  }

  /// What a queue's `max_wait` tells the customer, as a step; where it moves the case or gives it
  /// back, the router does that itself. Only the queue in which the case begins: how long it waited
  /// in a later one no step can know.
  private func overdue(_ plan: Plan) -> Plan {
    guard let cap = queues[plan.queue]?.waitMax, case .answer(let text) = cap.then else {
      return plan
    }
    var plan = plan
    plan.say(text, afterMilliseconds: Int64(cap.limit) * 1_000)
    return plan
  }
}

extension Plan {
  fileprivate mutating func say(_ text: String, afterMilliseconds at: Int64) {
    let place = steps.firstIndex { $0.afterMilliseconds > at } ?? steps.endIndex
    steps.insert(.init(afterMilliseconds: at, change: .message(text)), at: place)
  }
}

extension QueueConfiguration.Overflow {
  fileprivate var isQueue: Bool { if case .queue = self { true } else { false } }
}

extension Value {
  /// What is under a name of a map; of what is not known, that.
  fileprivate func part(_ name: String) -> Value? {
    if case .map(let map) = self { map.find(text: name) } else { isUnknown ? self : nil }
  }
}
