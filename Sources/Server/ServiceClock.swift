import Model
import Synchronization
import System

/// The time by which everything is decided and every deadline is made. It never goes back.
///
/// It is the wall clock as long as that goes forward. When the wall clock steps back, this one goes
/// on from where it was, a sixteenth slower, until the wall clock has caught up: so deadlines come,
/// and an hour that was too far ahead is made up for within a day.
public final class ServiceClock: Sendable {
  private struct State {
    /// The last instant that was told, since 1970, and the monotonic clock at that moment.
    var told: Int64 = .min
    var monotonic: Int64 = 0
    var isAhead = false
  }
  private let wall: @Sendable () -> Int64
  private let monotonic: @Sendable () -> Int64
  private let state = Mutex(State())
  private let ahead = Atomic<Int64>(0)

  /// Less is no step, but a clock that is being set right.
  static let toldFromMilliseconds: Int64 = 2_000

  /// - Parameter wall: milliseconds since 1970; `monotonic`: nanoseconds since whenever.
  public init(
    wall: @escaping @Sendable () -> Int64 = { WallClock.nowMilliseconds },
    monotonic: @escaping @Sendable () -> Int64 = { MonotonicClock.nowNanoseconds }
  ) {
    self.wall = wall
    self.monotonic = monotonic
  }

  public var now: Instant {
    let (nanoseconds, news) = state.withLock { state -> (Int64, String?) in
      let (wall, monotonic) = (self.wall() * 1_000_000, self.monotonic())
      if state.told > wall {
        let passed = max(0, monotonic - state.monotonic)
        state.told = max(wall, state.told + passed - passed / 16)
      } else {
        state.told = wall
      }
      state.monotonic = monotonic
      let ahead = (state.told - wall) / 1_000_000
      self.ahead.store(ahead, ordering: .relaxed)
      return (state.told, Self.news(ahead, &state))
    }
    if let news { Log.note(news) }
    return Instant(milliseconds: nanoseconds / 1_000_000)
  }

  private static func news(_ ahead: Int64, _ state: inout State) -> String? {
    if !state.isAhead, ahead >= toldFromMilliseconds {
      state.isAhead = true
      return sentence(ahead)
    }
    if state.isAhead, ahead == 0 {
      state.isAhead = false
      return "the machine's clock has caught up"
    }
    return nil
  }

  private static func sentence(_ ahead: Int64) -> String {
    "the machine's clock is \(ahead / 1_000) s behind what it said before: service goes on by a clock that does not step back"
  }

  /// What is on disk was decided at this instant: it is not earlier now.
  func reaches(_ instant: Instant) {
    guard instant > now else { return }
    state.withLock { $0.told = max($0.told, instant.milliseconds * 1_000_000) }
    _ = now
  }

  /// Why the time that is told is not the machine's; nil where it is.
  var trouble: String? {
    let ahead = ahead.load(ordering: .relaxed)
    return ahead >= Self.toldFromMilliseconds ? Self.sentence(ahead) : nil
  }
}
