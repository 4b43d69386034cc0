import Model

extension Router {
  /// For each queue, by its handle: how many of its agents could be offered a case of a channel now. An agent with only
  /// a free device is ready for calls and nothing else.
  public func readyByChannel() -> [RoutingConfiguration.PerChannel<Int>] {
    var counts = Array(repeating: RoutingConfiguration.PerChannel(chat: 0, email: 0, phone: 0), count: queues.count)
    for index in agents.indices where agents[index].ready != 0 {
      let ready = agents[index].ready
      for queue in profiles.queueRange(index) {
        let at = Int(profiles.allQueues[queue].raw)
        if ready & Channel.chat.bit != 0 { counts[at].chat += 1 }
        if ready & Channel.email.bit != 0 { counts[at].email += 1 }
        if ready & Channel.phone.bit != 0 { counts[at].phone += 1 }
      }
    }
    return counts
  }
}
