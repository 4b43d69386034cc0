import Glibc
import Synchronization
import System

/// Lanes, listeners, and what they share. It serves until `shutdown`, whoever still holds it or
/// not.
public final class SocketServer: Sendable {
  public struct Options: Sendable {
    /// As many lanes as cores serve best; more only cross more.
    public var lanes = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Connections in all, administration aside. Nil: the descriptors this process may have, less a
    /// reserve (raise the limit first, with `ProcessFacts.raiseDescriptorLimit`).
    public var connectionsMax: Int?
    /// Descriptors for what comes and goes and is no client: files, outgoing calls, administration.
    /// Never more than a quarter of those that are free.
    public var descriptorReserve = 512
    /// Asked once a lane. Tests put another kernel here.
    var makeQueue: @Sendable () throws(SystemError) -> any EventQueue = {
      () throws(SystemError) in try EpollQueue()
    }

    public init() {}
  }

  /// Descriptors of listeners, and of what else its owner opens once and for all after it.
  private static let openedLater = 16
  private static let reserveMin = 8

  public let lanes: [Lane]
  /// How many clients may be connected at once, administration aside.
  public let connectionsMax: Int
  private let hosts: [LaneHost]
  private let admission: Admission
  private let listeners = Mutex<[Listener]>([])

  /// - Parameter context: makes the state that all handlers of one lane share, once per lane, on
  ///   it.
  public init(
    _ options: Options = Options(),
    context: @escaping @Sendable (LaneLoop) -> AnyObject? = { _ in nil }
  ) throws(SystemError) {
    var lanes: [Lane] = []
    for index in 0..<min(max(options.lanes, 1), 1_024) {
      lanes.append(try Lane(index: index, queue: try options.makeQueue()))
    }
    self.lanes = lanes
    hosts = lanes.map { LaneHost(lane: $0, makeContext: context) }
    let facts = ProcessFacts.now()
    let free = max(facts.descriptorLimit - facts.openDescriptors - Self.openedLater, 0)
    let reserve = max(min(options.descriptorReserve, free / 4), Self.reserveMin)
    connectionsMax = max(min(options.connectionsMax ?? .max, free - reserve), 0)
    admission = Admission(connectionsMax: connectionsMax)
    for host in hosts { host.boot() }
  }

  /// Listens from now on. The listener lives until the server stops.
  @discardableResult
  public func listen(
    _ options: ListenerOptions, handlers: @escaping LaneHandlers
  ) throws(SystemError) -> Listener {
    let made = listeners.withLock { listeners -> Result<Listener, SystemError> in
      do throws(SystemError) {
        let made = try Listener(
          options, id: listeners.count, admission: admission, makeHandlers: handlers)
        listeners.append(made)
        return .success(made)
      } catch { return .failure(error) }
    }
    let listener = try made.get()
    let lanes = lanes
    lanes[listener.id % lanes.count].perform { $0.startAccepting(listener, over: lanes) }
    return listener
  }

  public func lane(of ref: ConnectionRef) -> Lane? {
    Int(ref.lane) < lanes.count ? lanes[Int(ref.lane)] : nil
  }

  /// Sorts a batch by lane and posts each lane its part: one wake a lane.
  public func post(_ batch: [Delivery], undelivered: (@Sendable ([Delivery]) -> Void)? = nil) {
    var parts: [[Delivery]] = Array(repeating: [], count: lanes.count)
    for delivery in batch where Int(delivery.to.lane) < lanes.count {
      parts[Int(delivery.to.lane)].append(delivery)
    }
    for (lane, part) in zip(lanes, parts) { lane.post(part, undelivered: undelivered) }
  }

  public var statistics: [LaneStatistics] { lanes.map(\.statistics) }

  /// Stops accepting, tells every handler `draining`, waits until all connections are gone or the
  /// bound has passed, and cuts the rest off. `done` hears how many those were, once, on some lane.
  /// Call it once.
  public func shutdown(withinMilliseconds bound: Int, done: @escaping @Sendable (Int) -> Void) {
    let tally = Tally(lanes: lanes.count)
    for lane in lanes {
      lane.perform { loop in
        loop.startDraining(withinMilliseconds: bound) { cutOff in
          guard let total = tally.add(cutOff) else { return }
          self.listeners.withLock { $0 = [] }
          done(total)
        }
      }
    }
  }

  public func shutdown(withinMilliseconds bound: Int) async -> Int {
    await withCheckedContinuation { waiting in
      shutdown(withinMilliseconds: bound) { waiting.resume(returning: $0) }
    }
  }
}

/// Adds up what the lanes report; the last one gets the sum.
private final class Tally: Sendable {
  private let state: Mutex<(lanes: Int, cutOff: Int)>
  init(lanes: Int) { state = Mutex((lanes, 0)) }

  func add(_ cutOff: Int) -> Int? {
    state.withLock { state in
      state.lanes -= 1
      state.cutOff += cutOff
      return state.lanes == 0 ? state.cutOff : nil
    }
  }
}
