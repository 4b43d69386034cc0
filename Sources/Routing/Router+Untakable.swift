import Model

/// Waiting cases that nobody there is could take: whom they need was taken out of the rules.
public struct UntakableCases: Sendable {
  public internal(set) var count = 0
  /// Some of them.
  public internal(set) var examples: [CaseID] = []
  static let examplesMax = 5
  /// So many are looked at: a look at each is a microsecond, and all else waits.
  static let looksMax = 10_000
}

extension Router {
  /// Whom anyone could take who comes to work, or after a step of its rule, is none. Where anyone can take the
  /// first of a class of needs, the others are not looked at one by one.
  public func untakable() -> UntakableCases {
    var found = UntakableCases()
    var looks = 0
    func look(_ slot: Int32) {
      looks += 1
      guard !canBeTaken(slot) else { return }
      found.count += 1
      if found.examples.count < UntakableCases.examplesMax {
        found.examples.append(self.cases[slot].id)
      }
    }
    for slot in scarce.all where looks < UntakableCases.looksMax { look(slot) }
    for node in waiting.nodes where looks < UntakableCases.looksMax {
      guard let first = node.cases.first.map({ cases[$0.slot] }) else { continue }
      // Those of one class need the same, but each has its own steps and may exclude others.
      let classHasTaker = first.need.circle == nil && hasTaker(first.need, widened: first.widened)
      if classHasTaker { looks += 1 }
      for entry in node.cases
      where looks < UntakableCases.looksMax
        && !(classHasTaker && cases[entry.slot].need.circle == nil)
      {
        look(entry.slot)
      }
    }
    return found
  }

  private func canBeTaken(_ slot: Int32) -> Bool {
    let record = cases[slot]
    // What a step still to come lets go of, or opens, is not known to be in vain.
    let pending = record.need.steps.dropFirst(Int(record.stepsTaken))
    if pending.contains(where: { $0.opensQueue || $0.easesSkill }) { return true }
    return hasTaker(record.need, widened: record.widened)
  }
}

extension Need.Step {
  fileprivate var easesSkill: Bool {
    switch change {
    case .dropSkill, .lowerSkill: true
    case .changeQueue, .widen, .raisePriority, .message: false
    }
  }
}
