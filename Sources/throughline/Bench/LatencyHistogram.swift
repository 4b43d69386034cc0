/// Counts durations in log-linear buckets, 64 a power of two, so that a quantile is at most 1.6 %
/// too high.
///
/// Written here since a package for it costs more to build than it spares: it is one shift and one
/// addition.
struct LatencyHistogram: Sendable {
  private var counts = [UInt64](repeating: 0, count: 58 * 64 + 64)
  private(set) var count: UInt64 = 0
  private(set) var highest: Int64 = 0
  private var total: Int64 = 0

  /// - Units: nanoseconds; what is negative counts as nothing.
  mutating func record(_ nanoseconds: Int64) {
    let value = max(0, nanoseconds)
    highest = max(highest, value)
    total &+= value
    count += 1
    let shift = max(0, 57 - value.leadingZeroBitCount)
    counts[shift * 64 + Int(value >> shift)] += 1
  }

  /// The value under which so many of a hundred thousand lie (its bucket's upper edge), in
  /// nanoseconds.
  func quantile(per100_000 wanted: UInt64) -> Int64 {
    let rank = max(1, (count * wanted + 99_999) / 100_000)
    var seen: UInt64 = 0
    for (index, n) in counts.enumerated() {
      seen += n
      guard n > 0, seen >= rank else { continue }
      let shift = index < 128 ? 0 : index / 64 - 1
      let low = Int64(index - shift * 64)
      return min(highest, (low + 1) << shift - 1)
    }
    return 0
  }

  var mean: Double { count == 0 ? 0 : Double(total) / Double(count) }
  var p50: Int64 { quantile(per100_000: 50_000) }
  var p99: Int64 { quantile(per100_000: 99_000) }
  var p999: Int64 { quantile(per100_000: 99_900) }
}
