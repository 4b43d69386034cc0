/// A value as a run measured it, with how far it may be off.
public struct Estimate: Sendable, Equatable {
  public var value: Double
  /// Standard error by batch means: a run of other luck lies within three of them nearly always.
  public var standardError: Double

  public init(value: Double, standardError: Double) {
    self.value = value
    self.standardError = standardError
  }

  /// A ratio of two sums, each given by batch: the value is the ratio of the totals; the error
  /// comes from how far the batches differ from it, weighted by what they counted.
  static func ratio(_ sums: [Double], by counts: [Double]) -> Estimate {
    let total = counts.reduce(0, +)
    guard total > 0, sums.count > 1 else { return Estimate(value: 0, standardError: 0) }
    let value = sums.reduce(0, +) / total
    let mean = total / Double(counts.count)
    var squares = 0.0
    for (sum, count) in zip(sums, counts) {
      let off = (sum - value * count) / mean
      squares += off * off
    }
    let batches = Double(sums.count)
    return Estimate(value: value, standardError: (squares / (batches * (batches - 1))).squareRoot())
  }

  /// A value of the whole, with the same value of each batch.
  static func overall(_ value: Double, batches: [Double]) -> Estimate {
    guard batches.count > 1 else { return Estimate(value: value, standardError: 0) }
    let n = Double(batches.count)
    let mean = batches.reduce(0, +) / n
    let squares = batches.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return Estimate(value: value, standardError: (squares / (n * (n - 1))).squareRoot())
  }
}
