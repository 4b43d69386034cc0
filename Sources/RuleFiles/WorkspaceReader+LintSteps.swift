import Rules

/// What steps do to no purpose.
extension WorkspaceReader {
  /// Steps that come after the case has left, or change what is no longer there.
  func lintSteps(_ plan: Plan, _ rule: Rule, _ place: Section) {
    lintSkillsOfSteps(plan, rule)
    let times = plan.steps.map(\.afterMilliseconds)
    // That they are out of order has been told: which comes after which nobody knows.
    guard times == times.sorted() else { return }
    var stay = Stay(queue: plan.queue, isCertain: stays(plan.queue, isNew: true))
    var relaxed: Set<String> = []
    var needed = plan
    let mayBeChat = mayBeTrue(rule, on: "chat")
    var widened: Set<String> = []
    for (at, step) in plan.steps.enumerated() {
      let places = stepPlaces[rule.key] ?? []
      let place = places.indices.contains(at) ? places[at] : place
      follow(&stay, until: step.afterMilliseconds)
      let queue = stay.queue
      if mayBeChat, stay.isCertain, let limit = stay.handedBackAfter {
        place.report(
          "the step after \(step.afterMilliseconds / 1_000) s comes to no chat that waits in `\(queue)` alone in its conversation: its `max_wait` gives chats back to the bot after \(limit) s there",
          severity: .warning)
      }
      switch step.change {
      case .changeQueue(let next):
        if next == queue, stay.isCertain {
          place.report(
            "a step moves the case to `\(next)`, where it is already", severity: .warning)
        }
        stay = Stay(
          queue: next, sinceMilliseconds: step.afterMilliseconds, isCertain: stays(next))
        if let lacking = lacking(needed, next) {
          place.report("the step to `\(next)`: \(lacking)", severity: .warning)
        }
      case .widen(let names):
        lintWidening(names, stay.isCertain ? queue : nil, &widened, place)
      case .relaxSkill(let name):
        needed.requiredSkills.removeAll { $0.name == name }
        if !relaxed.insert(name).inserted {
          place.report("two steps relax `\(name)`", severity: .warning)
        }
      case .lowerSkill(let name, let level):
        lintLowering(name, level, &needed, relaxed, place)
      case .raisePriority, .message: break
      }
    }
  }

  private func lintSkillsOfSteps(_ plan: Plan, _ rule: Rule) {
    // A bot may ask for any of the skills.
    guard rule.wantedSkills == nil, rule.language == nil || !isMisread(.skill) else { return }
    var needed = Set((plan.requiredSkills + plan.preferredSkills).map(\.name))
    if rule.language != nil { needed.formUnion(skills.filter { $0.language != nil }.map(\.name)) }
    for (step, place) in zip(plan.steps, stepPlaces[rule.key] ?? []) {
      switch step.change {
      case .relaxSkill(let name) where !needed.contains(name),
        .lowerSkill(let name, _) where !needed.contains(name):
        place.report(
          "this step changes the skill `\(name)`, which this route does not need",
          severity: .warning)
      default: break
      }
    }
  }

  /// - Parameter queue: nil where it is not certain in which the case is by then.
  private func lintWidening(
    _ names: [String], _ queue: String?, _ widened: inout Set<String>, _ place: Section
  ) {
    for name in names {
      if name == queue {
        place.report("a step widens to `\(name)`, where the case is already", severity: .warning)
      } else if !widened.insert(name).inserted {
        place.report(
          "a step widens to `\(name)`, which the case has been widened to before",
          severity: .warning)
      }
    }
  }

  private func lintLowering(
    _ name: String, _ level: Int, _ needed: inout Plan, _ relaxed: Set<String>, _ place: Section
  ) {
    let before = needed.requiredSkills.first { $0.name == name }?.level
    for at in needed.requiredSkills.indices where needed.requiredSkills[at].name == name {
      needed.requiredSkills[at].level = min(needed.requiredSkills[at].level, level)
    }
    if relaxed.contains(name) {
      place.report("`\(name)` is lowered after it was relaxed", severity: .warning)
    }
    if let before, level >= before {
      place.report(
        "a step lowers `\(name)` to \(level), which is no lower than \(before)",
        severity: .warning)
    }
  }
}

extension WorkspaceReader {
  /// In which queue a case waits, and since when: `max_wait` counts in the queue, `after` from the
  /// beginning.
  fileprivate struct Stay {
    var queue: String
    var sinceMilliseconds: Int64 = 0
    /// Whether nothing but `max_wait` and steps can have moved it.
    var isCertain: Bool
    /// - Units: seconds in that queue; nil while it waits on.
    var handedBackAfter: Int?
  }

  /// No more moves are followed: queues may send cases round in a circle.
  private static let movesMax = 100

  /// Whether no queue sends a case on that waits there, but by `max_wait`: one that closes does, and
  /// one that is full sends on who comes new.
  fileprivate func stays(_ name: String, isNew: Bool = false) -> Bool {
    guard !isMisread(.queue, name) else { return false }
    guard let queue = queue(name) else { return true }
    if queue.hours != nil, case .queue? = queue.closed { return false }
    if isNew, case .queue? = queue.waitingMax?.then { return false }
    return true
  }

  /// Where `max_wait` has brought what waits until then, if nobody took it before.
  fileprivate func follow(_ stay: inout Stay, until end: Int64) {
    for _ in 0..<Self.movesMax where stay.handedBackAfter == nil {
      guard !isMisread(.queue, stay.queue), let cap = queue(stay.queue)?.waitMax,
        case let passed = stay.sinceMilliseconds + Int64(cap.limit) * 1_000, passed <= end
      else { return }
      switch cap.then {
      case .queue(let next) where next != stay.queue:
        stay = Stay(
          queue: next, sinceMilliseconds: passed, isCertain: stay.isCertain && stays(next))
      case .handBack: stay.handedBackAfter = cap.limit
      case .queue, .answer, .reject, .leaveMessage: return
      }
    }
  }
}
