import Model
import Pipeline
import System

extension ID {
  /// A new one, that nobody can guess.
  public static func new() -> Self { new(atMilliseconds: WallClock.nowMilliseconds) }

  static func new(atMilliseconds now: Int64) -> Self {
    ID(at: Instant(milliseconds: now), random: (Entropy.word, Entropy.word))
  }
}

extension NewCase {
  public static func new() -> NewCase { NewCase(session: .new(), case: .new()) }
}
