/// Counts of waiting times in buckets of less than a hundredth; quantiles are read between their
/// edges.
struct WaitHistogram {
  /// Buckets a power of two.
  private static let fine = 128
  private(set) var none = 0
  private(set) var count = 0
  /// The power of two at which the buckets begin. They reach from the shortest wait to the longest, since
  /// nothing is known of either before: a unit of time may be a microsecond or a year.
  private var lowest = 0
  private var counts: [UInt32] = []

  mutating func record(_ wait: Double) {
    count += 1
    guard wait > 0 else {
      none += 1
      return
    }
    let power = Int(wait.exponent)
    reach(power, power)
    counts[(power - lowest) * Self.fine + Int((wait.significand - 1) * Double(Self.fine))] += 1
  }

  private var powers: Int { counts.count / Self.fine }

  private mutating func reach(_ first: Int, _ last: Int) {
    if counts.isEmpty { lowest = first }
    if first < lowest {
      counts.insert(contentsOf: repeatElement(0, count: (lowest - first) * Self.fine), at: 0)
      lowest = first
    }
    if last >= lowest + powers {
      counts += repeatElement(0, count: (last + 1 - lowest - powers) * Self.fine)
    }
  }

  private func edge(_ bucket: Int) -> Double {
    let scale = Double(sign: .plus, exponent: lowest + bucket / Self.fine, significand: 1)
    return scale * (1 + Double(bucket % Self.fine) / Double(Self.fine))
  }

  mutating func add(_ other: WaitHistogram) {
    none += other.none
    count += other.count
    guard !other.counts.isEmpty else { return }
    reach(other.lowest, other.lowest + other.powers - 1)
    let start = (other.lowest - lowest) * Self.fine
    for index in other.counts.indices { counts[start + index] += other.counts[index] }
  }

  /// The wait that the given share does not exceed; between two buckets' edges as far as the count
  /// says.
  func quantile(_ share: Double) -> Double {
    let wanted = share * Double(count)
    guard count > 0, Double(none) < wanted else { return 0 }
    var seen = Double(none)
    for (index, n) in counts.enumerated() where n > 0 {
      if seen + Double(n) >= wanted {
        let (low, high) = (edge(index), edge(index + 1))
        return low + (high - low) * (wanted - seen) / Double(n)
      }
      seen += Double(n)
    }
    return 0
  }
}
