import Model

extension Router {
  /// How many agents of each queue, by its handle, could be offered a case of the channels that it
  /// has open cases of now, or of any while it has none. Looks at every open case. An agent with
  /// only a free device is not ready for a queue of chats.
  public func readyForWhatIsThere() -> [Int] {
    var channels = Array(repeating: UInt8(0), count: queues.count)
    for slot in cases.ordered {
      channels[Int(cases[slot].need.queue.raw)] |= cases[slot].channel.bit
    }
    return queues.indices.map {
      queues[$0].ready(for: channels[$0] == 0 ? Channel.allBits : channels[$0])
    }
  }

  /// Of a team, who could take such a case on the channel but for their room, and is idle for the longest. Looks at
  /// every agent, a few nanoseconds each.
  public func longestIdle(ofTeam team: TeamID, for need: Need, on channel: Channel) -> AgentID? {
    var best: Int?
    for index in agents.indices
    where profiles.isMember(index, of: team) && profiles.serves(index, need.queue) {
      guard agents[index].isPresent, !agents[index].isNotResponding,
        catalogue.plain(agents[index].status) == .available,
        catalogue.channelsOpen(agents[index].status) & agents[index].channels & channel.bit != 0,
        need.admits(index, profiles)
      else { continue }
      if best.map({ agents[index].idleSince < agents[$0].idleSince }) ?? true { best = index }
    }
    return best.map { AgentID(UInt32(truncatingIfNeeded: $0)) }
  }
}
