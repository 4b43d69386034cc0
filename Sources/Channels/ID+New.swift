import Model
import Pipeline
import System

extension ID {
  /// A new one, that nobody can guess: 48 bits of time in milliseconds since 1970, then 80 random
  /// bits (as RFC 9562's version 7 has them, without its six fixed bits).
  ///
  /// Time comes first so that what is made together lies together: rows with random ids fall on
  /// pages all over the store, and each page that a commit touches is written whole (decision 0006).
  public static func new() -> Self { new(atMilliseconds: WallClock.nowMilliseconds) }

  static func new(atMilliseconds now: Int64) -> Self {
    ID(high: UInt64(bitPattern: now) << 16 | Entropy.word & 0xFFFF, low: Entropy.word)
  }
}

extension NewCase {
  public static func new() -> NewCase { NewCase(session: .new(), case: .new()) }
}
