import Model

// How long whoever comes, or waits, will probably wait. Asked for by the outside; nothing here
// decides.
extension Router {
  /// Past so many that wait in a queue, a newcomer counts as its last, wherever its priority puts
  /// it: the answer to a handoff does not go through a line of any length.
  static let aheadCountedMax = 200

  /// For a case that comes into the queue now, and goes behind all that wait.
  /// - Parameter ready: how many agents could be offered it at once.
  public func estimatedWait(in queue: QueueID, ready: Int, at: Instant) -> WaitEstimate {
    guard catalogue.isKnown(queue) else { return .unknown(.nobodyServes) }
    let index = Int(queue.raw)
    if let why = obstacle(index) { return .unknown(why) }
    if ready > 0, queues[index].waiting == 0 { return .atOnce }
    return queues[index].pace.estimate(ahead: Int(queues[index].waiting), at: max(now, at))
  }

  /// For a case that waits or is being offered; nil for any other.
  /// - Parameter ahead: how many wait before it, where that is known; else they are counted.
  public func estimatedWait(of id: CaseID, ahead: Int? = nil, at: Instant) -> WaitEstimate? {
    let slot = slot(of: id)
    guard slot >= 0 else { return nil }
    switch cases[slot].state {
    case .offered: return .atOnce
    case .assigned, .parked, .wrappingUp: return nil
    case .waiting: break
    }
    let queue = Int(cases[slot].need.queue.raw)
    if let why = obstacle(queue),
      cases[slot].widened.allSatisfy({ obstacle(Int($0.raw)) != nil })
    {
      return .unknown(why)
    }
    return queues[queue].pace.estimate(ahead: ahead ?? aheadAtMost(slot), at: max(now, at))
  }

  /// What keeps a queue's cases from being taken by anybody.
  private func obstacle(_ queue: Int) -> WaitUnknown? {
    guard queues[queue].isOpen else { return .queueClosed }
    guard queues[queue].members > 0 else { return .nobodyServes }
    let away = [PassedOverReason.notAvailable, .notPresent].reduce(0) {
      $0 + queues[queue].blocked[Int($1.rawValue)]
    }
    return away < queues[queue].members ? nil : .nobodyThere
  }

  func aheadAtMost(_ slot: Int32) -> Int {
    let (key, sequence, queue) = (
      cases[slot].key, cases[slot].sequence, cases[slot].need.queue
    )
    let index = Int(queue.raw)
    guard queues[index].waiting <= Self.aheadCountedMax else {
      return Int(queues[index].waiting) - 1
    }
    return queues[index].oldest.all { entry in
      cases[entry.slot].sequence == entry.sequence && cases[entry.slot].state == .waiting
        && cases[entry.slot].need.queue == queue
        && (cases[entry.slot].key, entry.sequence) < (key, sequence) && !isInGrace(entry.slot)
    }.count
  }
}
