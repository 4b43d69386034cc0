import Expressions
import Testing

@testable import Rules

/// Queues that are closed or full pass cases on; the rule itself need not know.
struct `A queue that takes no case` {
  private func queue(_ name: String, _ change: (inout QueueConfiguration) -> Void = { _ in })
    -> QueueConfiguration
  {
    var queue = QueueConfiguration(name: name)
    change(&queue)
    return queue
  }

  private func decide(
    _ queues: [QueueConfiguration], _ plan: Plan = Plan(queue: "billing"), open: Bool? = nil,
    waiting: Int = 0,
    channel: String? = nil
  ) throws -> Decision {
    let set = try RuleSet(
      version: "", rules: [Rule(name: "all", when: nil, outcome: .route(plan))], skills: [],
      queues: queues)
    var facts = Facts()
    if let channel { facts[.sessionChannel] = .string(channel) }
    if let open { facts[.hours] = .map(MapValue([("office", .bool(open))])) }
    let full = Facts.queue(waiting: waiting, oldestSeconds: 0, availableAgents: 0)
    facts[.queues] = .map(MapValue(queues.map { ($0.name, full) }))
    return set.evaluate(facts)
  }

  private func queueName(_ decision: Decision) -> String? {
    if case .route(let plan) = decision.outcome { plan.queue } else { nil }
  }

  @Test func `passes it to another while it is closed`() throws {
    let queues = [
      queue("billing") {
        $0.hours = "office"; $0.closed = .queue("support")
      }, queue("support"),
    ]
    #expect(try queueName(decide(queues, open: true)) == "billing")
    #expect(try queueName(decide(queues)) == "billing", "hours that are not told count as open")
    let closed = try decide(queues, open: false)
    #expect(queueName(closed) == "support")
    #expect(closed.passedOn == ["billing is closed (office): it goes to support"])
  }

  @Test func `is told of where nobody knows whether it would`() throws {
    let queues = [
      queue("billing") {
        $0.hours = "office"; $0.closed = .queue("support")
        $0.waitingMax = .init(limit: 5, then: .queue("support"))
      }, queue("support"),
    ]
    let set = try RuleSet(
      version: "", rules: [Rule(name: "all", when: nil, outcome: .route(Plan(queue: "billing")))],
      skills: [], queues: queues)
    let (open, full) = (
      "whether billing is open (office) is not known: it is taken for open",
      "how many wait in billing is not known: it is not taken for full"
    )
    var facts = Facts()
    facts.setUnknown(.queues)
    facts[.hours] = .map(MapValue([("shop", .bool(true))]))
    #expect(
      set.evaluate(facts).passedOn == [
        "whether billing is open (office) is not said: it is taken for open", full,
      ])
    #expect(set.evaluate(facts).hoursAsked.map(\.name) == ["office"])
    #expect(set.evaluate(facts).hoursAsked.map(\.isOpen) == [nil])
    facts.setUnknown(["office", "shop"], of: .hours)
    #expect(set.evaluate(facts).passedOn == [open, full])
    facts[.queues] = .map(
      MapValue([("support", Facts.queue(waiting: 9, oldestSeconds: 0, availableAgents: 0))]))
    #expect(set.evaluate(facts).passedOn == [open])
    facts.setUnknown(["billing"], of: .queues)
    #expect(set.evaluate(facts).passedOn == [open, full])
    #expect(queueName(set.evaluate(facts)) == "billing")
  }

  @Test func `keeps it where nothing is said about being closed`() throws {
    #expect(
      try queueName(decide([queue("billing") { $0.hours = "office" }], open: false)) == "billing")
  }

  @Test func `answers, hands back or refuses where it says so`() throws {
    for (then, action) in [
      (QueueConfiguration.Overflow.answer("later"), Action.answer("later")),
      (.handBack("closed"), .handBack(reason: "closed")),
      (.reject("closed"), .reject(reason: "closed")),
    ] {
      let decision = try decide(
        [
          queue("billing") {
            $0.hours = "office"; $0.closed = then
          }
        ], open: false)
      #expect(decision.outcome == .action(action))
    }
  }

  @Test func `passes it on while it is full, from queue to queue`() throws {
    let queues = [
      queue("billing") { $0.waitingMax = .init(limit: 5, then: .queue("support")) },
      queue("support") {
        $0.hours = "office"; $0.closed = .queue("night")
      }, queue("night"),
    ]
    #expect(try queueName(decide(queues, waiting: 4)) == "billing")
    #expect(try queueName(decide(queues, open: true, waiting: 5)) == "support")
    let far = try decide(queues, open: false, waiting: 5)
    #expect(queueName(far) == "night" && far.passedOn.count == 2)
  }

  @Test func `round in a circle it stays in the last`() throws {
    let queues = [
      queue("billing") {
        $0.hours = "office"; $0.closed = .queue("support")
      },
      queue("support") {
        $0.hours = "office"; $0.closed = .queue("billing")
      },
    ]
    #expect(try queueName(decide(queues, open: false)) == "support")
  }

  @Test func `that answers who has waited too long does so by a step, in its place`() throws {
    var plan = Plan(queue: "billing")
    plan.steps = [
      .init(afterMilliseconds: 60_000, change: .raisePriority(by: 5)),
      .init(afterMilliseconds: 900_000, change: .widen(["support"])),
    ]
    let queues = [
      queue("billing") { $0.waitMax = .init(limit: 600, then: .answer("so sorry")) },
      queue("support"),
    ]
    guard case .route(let placed) = try decide(queues, plan).outcome else {
      Issue.record("it was not routed")
      return
    }
    #expect(
      placed.steps == [
        plan.steps[0], .init(afterMilliseconds: 600_000, change: .message("so sorry")),
        plan.steps[1],
      ])
    guard
      case .route(let moved) = try decide(
        [queue("billing") { $0.waitMax = .init(limit: 600, then: .queue("support")) }], plan
      ).outcome
    else {
      Issue.record("it was not routed")
      return
    }
    #expect(moved.steps == plan.steps, "moving it is the router's")
  }

  @Test func `lets callers leave a message, and everybody else wait`() throws {
    let queues = [
      queue("billing") {
        $0.hours = "office"
        $0.closed = .leaveMessage("speak now")
        $0.waitingMax = .init(limit: 5, then: .leaveMessage("too many"))
      }
    ]
    func said(_ channel: String?, open: Bool, waiting: Int = 0) throws -> String? {
      guard
        case .route(let plan) = try decide(queues, open: open, waiting: waiting, channel: channel)
          .outcome
      else {
        return "not routed"
      }
      #expect(plan.queue == "billing")
      return plan.leaveMessage
    }
    #expect(try said("phone", open: true) == nil)
    #expect(try said("phone", open: false) == "speak now")
    #expect(try said("phone", open: true, waiting: 5) == "too many")
    #expect(try said(nil, open: false) == "speak now", "a test need not tell the channel")
    #expect(try said("chat", open: false) == nil)
    #expect(try said("email", open: true, waiting: 5) == nil)
    #expect(
      try decide(queues, open: false).passedOn == [
        "billing is closed (office): the caller leaves a message"
      ])
  }

  @Test func `refuses and answers who is there, and lets a mail wait`() throws {
    let ways: [QueueConfiguration.Overflow] = [.reject("no"), .answer("later"), .handBack("bot")]
    for then in ways {
      let queues = [
        queue("billing") { $0.waitingMax = .init(limit: 5, then: .queue("support")) },
        queue("support") {
          $0.hours = "office"; $0.closed = then
        },
      ]
      let mail = try decide(queues, open: false, waiting: 5, channel: "email")
      #expect(queueName(mail) == "support", "to where it is passed on, and no farther")
      let answer: String? = if case .answer(let text) = then { text } else { nil }
      #expect(
        mail.passedOn == [
          "billing is full (5 wait): it goes to support",
          "support is closed (office): a mail waits in it"
            + (answer == nil ? "" : ", and gets the answer"),
        ])
      guard case .route(let plan) = mail.outcome else { throw Unexpected() }
      #expect(
        plan.steps == (answer.map { [.init(afterMilliseconds: 0, change: .message($0))] } ?? []))
      guard case .action = try decide(queues, open: false, waiting: 5, channel: "chat").outcome
      else { throw Unexpected() }
    }
  }
  private struct Unexpected: Error {}

  @Test func `takes a message that a rule sends there`() throws {
    var plan = Plan(queue: "billing")
    plan.leaveMessage = "speak now"
    let queues = [
      queue("billing") {
        $0.hours = "office"; $0.closed = .reject("closed")
      }
    ]
    #expect(try decide(queues, plan, open: false, channel: "phone").outcome == .route(plan))
    #expect(
      try decide(queues, plan, open: false, channel: "chat").outcome
        == .action(.reject(reason: "closed")))
    plan.leaveMessage = nil
    #expect(
      try decide(
        [],
        {
          var said = plan; said.leaveMessage = "x"; return said
        }(), channel: "chat"
      ).outcome == .route(plan))
  }

  @Test func `makes rules ask how many wait`() throws {
    func asked(_ queue: QueueConfiguration) throws -> Set<Fact> {
      try RuleSet(
        version: "", rules: [Rule(name: "all", when: nil, outcome: .route(Plan(queue: "billing")))],
        skills: [],
        queues: [queue]
      ).asked
    }
    #expect(try asked(queue("billing")).isEmpty)
    #expect(
      try asked(queue("billing") { $0.waitingMax = .init(limit: 1, then: .reject("full")) }) == [
        .queues
      ])
  }
}
