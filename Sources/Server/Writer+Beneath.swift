import Glibc
import Model
import Pipeline
import Records

extension Writer {
  /// Changes rows of this workspace behind the machine's back: while nothing is undurable and
  /// nothing is decided.
  /// What the machine had at hand of the old rows is forgotten. Blocks; for administration.
  func changeBeneath<R>(_ change: () throws(StoreFault) -> R) throws(StoreFault) -> R {
    // Between two commits of a busy workspace there is such a moment every few milliseconds.
    for _ in 0..<2_000 {
      if let result = try whenDurable(change) { return result }
      usleep(5_000)
    }
    throw .failed(
      doing: "change rows of \(name)", why: "its commits have not caught up for ten seconds")
  }

  /// The same, as the store asks for it, piece by piece.
  func beneath(_ change: () throws(StoreFault) -> Void) throws(StoreFault) {
    try changeBeneath(change)
  }
}
