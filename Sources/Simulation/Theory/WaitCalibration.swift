import Routing

/// How well estimates of waits were: what cases were told when they began to wait, and how long they
/// did.
public struct WaitCalibration: Sendable, Equatable {
  /// Cases that were told a time; of those who were told that it is unknown nothing else is known.
  public private(set) var told = 0
  public private(set) var unknown = 0
  /// Of those told, how many had their turn in the range; before it; after it.
  public private(set) var inside = 0
  public private(set) var sooner = 0
  public private(set) var later = 0
  /// Sums over those told, in seconds.
  private var toldSeconds = 0.0
  private var waitedSeconds = 0.0

  public init() {}

  mutating func add(_ estimate: WaitEstimate, waited seconds: Double) {
    guard case .about(let expected, let from, let to) = estimate else {
      unknown += 1
      return
    }
    told += 1
    toldSeconds += Double(expected.milliseconds) / 1_000
    waitedSeconds += seconds
    if seconds * 1_000 < Double(from.milliseconds) {
      sooner += 1
    } else if seconds * 1_000 > Double(to.milliseconds) {
      later += 1
    } else {
      inside += 1
    }
  }

  public var shareInside: Double { Double(inside) / Double(max(1, told)) }
  public var meanTold: Double { toldSeconds / Double(max(1, told)) }
  public var meanWaited: Double { waitedSeconds / Double(max(1, told)) }
}
