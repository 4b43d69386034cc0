/// Counts of waiting times in buckets of less than a hundredth; quantiles are read between their
/// edges.
struct WaitHistogram {
  /// Buckets a power of two.
  private static let fine = 128
  private static let lowest = -24
  private static let powers = 48
  private(set) var none = 0
  private(set) var count = 0
  private var counts: [UInt32] = []

  mutating func record(_ wait: Double) {
    count += 1
    guard wait > 0 else {
      none += 1
      return
    }
    if counts.isEmpty { counts = Array(repeating: 0, count: Self.fine * Self.powers) }
    counts[Self.bucket(wait)] += 1
  }

  private static func bucket(_ wait: Double) -> Int {
    let power = max(lowest, min(lowest + powers - 1, Int(wait.exponent)))
    guard wait.exponent >= lowest else { return 0 }
    guard wait.exponent < lowest + powers else { return fine * powers - 1 }
    return (power - lowest) * fine + Int((wait.significand - 1) * Double(fine))
  }

  private static func edge(_ bucket: Int) -> Double {
    let scale = Double(sign: .plus, exponent: lowest + bucket / fine, significand: 1)
    return scale * (1 + Double(bucket % fine) / Double(fine))
  }

  mutating func add(_ other: WaitHistogram) {
    none += other.none
    count += other.count
    guard !other.counts.isEmpty else { return }
    if counts.isEmpty { counts = Array(repeating: 0, count: Self.fine * Self.powers) }
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// The wait that the given share does not exceed; between two buckets' edges as far as the count
  /// says.
  func quantile(_ share: Double) -> Double {
    let wanted = share * Double(count)
    guard count > 0, Double(none) < wanted else { return 0 }
    var seen = Double(none)
    for (index, n) in counts.enumerated() where n > 0 {
      if seen + Double(n) >= wanted {
        let (low, high) = (Self.edge(index), Self.edge(index + 1))
        return low + (high - low) * (wanted - seen) / Double(n)
      }
      seen += Double(n)
    }
    return 0
  }
}
