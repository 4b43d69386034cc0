import Model
import System

extension Instant {
  /// The wall clock, as whoever is outside the machines reads it.
  public static var now: Instant { Instant(milliseconds: WallClock.nowMilliseconds) }
}
