import Model

extension Router {
  /// How many agents of each queue, by its handle, could be offered a case of the channels that it
  /// has open cases of
  /// now, or of any while it has none. Looks at every open case. An agent with only a free device
  /// is not ready for a
  /// queue of chats.
  public func readyForWhatIsThere() -> [Int] {
    var channels = Array(repeating: UInt8(0), count: queues.count)
    for slot in cases.ordered {
      channels[Int(cases[slot].need.queue.raw)] |= cases[slot].channel.bit
    }
    return queues.indices.map {
      queues[$0].ready(for: channels[$0] == 0 ? Channel.allBits : channels[$0])
    }
  }
}
