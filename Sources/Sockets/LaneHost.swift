import Dispatch

/// The actor that a lane's state belongs to. It has no other purpose: it makes the compiler keep
/// the loop, and with it every connection and handler, on the lane.
actor LaneHost {
  nonisolated let lane: Lane
  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
  private let loop: LaneLoop
  // Dispatch objects are safe from any thread; their Swift type does not say so on Linux.
  private nonisolated(unsafe) let source: any DispatchSourceRead

  init(lane: Lane, makeContext: @escaping @Sendable (LaneLoop) -> AnyObject?) {
    self.lane = lane
    loop = LaneLoop(lane: lane, makeContext: makeContext)
    source = DispatchSource.makeReadSource(
      fileDescriptor: lane.queue.descriptor, queue: lane.dispatchQueue)
  }

  /// The source is never suspended, and removed only with the lane, so that libdispatch's open
  /// faults around
  /// removing and adding descriptors again cannot be met (corelibs-libdispatch #949, #833).
  nonisolated func boot() {
    source.setEventHandler { [self] in
      assumeIsolated { $0.serve() }  // one check per batch
    }
    source.setCancelHandler { [lane] in withExtendedLifetime(lane) {} }
    source.activate()
  }

  private func serve() {
    if !loop.drain() { source.cancel() }
  }
}
