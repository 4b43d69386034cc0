import Model

// What an agent's status means to the machine: a workspace's own counts as one that every workspace
// has.
extension Catalogue {
  func isSayable(_ status: AgentStatus) -> Bool {
    switch status {
    case .offline, .available, .busy, .onBreak, .meeting, .training: true
    case .custom(let id): Int(id.raw) < statuses.count && !statuses[Int(id.raw)].isRetired
    }
  }

  /// One that every workspace has. What no version ever named counts as busy: no log can make an
  /// agent of it who is offered something.
  @inline(__always) func plain(_ status: AgentStatus) -> AgentStatus {
    guard case .custom(let id) = status else { return status }
    guard Int(id.raw) < statuses.count else { return .busy }
    let counts = statuses[Int(id.raw)].settings.counts
    if case .custom = counts { return .busy }
    return counts
  }

  /// The channels, as bits, on which an agent of this status may be offered something.
  @inline(__always) func channelsOpen(_ status: AgentStatus) -> UInt8 {
    switch status {
    case .available: return Channel.allBits
    case .offline, .busy, .onBreak, .meeting, .training: return 0
    case .custom(let id):
      guard plain(status) == .available else { return 0 }
      return statuses[Int(id.raw)].settings.channels.reduce(0) { $0 | $1.bit }
    }
  }
}
