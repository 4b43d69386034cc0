/// A value as a run measured it, with how far it may be off.
public struct Estimate: Sendable, Equatable {
  public var value: Double
  /// Standard error by batch means: a run of other luck lies within three of them nearly always.
  public var standardError: Double
  /// Neighbouring batches are so much alike that the run is too short for its error, which is more than is
  /// said.
  public var isErrorTooSmall = false

  public init(value: Double, standardError: Double) {
    self.value = value
    self.standardError = standardError
  }

  /// Nothing came of which it could be told. Where an error alone cannot be told, that alone is no number.
  public static let none = Estimate(value: .nan, standardError: .nan)
  public var isMeasured: Bool { !value.isNaN }

  /// A ratio of two sums, each given by batch: the value is the ratio of the totals; the error
  /// comes from how far the batches differ from it, weighted by what they counted.
  static func ratio(_ sums: [Double], by counts: [Double]) -> Estimate {
    let total = counts.reduce(0, +)
    guard total > 0, sums.count > 1 else { return .none }
    let value = sums.reduce(0, +) / total
    let mean = total / Double(counts.count)
    guard counts.count(where: { $0 > 0 }) > 1 else {
      return Estimate(value: value, standardError: .nan)
    }
    return Estimate(value, off: zip(sums, counts).map { ($0 - value * $1) / mean })
  }

  /// A value of the whole, with the same value of each batch.
  static func overall(_ value: Double, batches: [Double]) -> Estimate {
    guard batches.count > 1 else { return Estimate(value: value, standardError: .nan) }
    let mean = batches.reduce(0, +) / Double(batches.count)
    return Estimate(value, off: batches.map { $0 - mean })
  }

  /// - Parameter off: how far each batch is from the mean, in the order of time.
  ///
  /// Batches shorter than the time in which a line comes and goes are alike, and differ less than runs do.
  /// What follows from one to the next is taken as what a first-order autoregression gives: the variance of
  /// the mean is (1 + r) / (1 - r) times as large. Less than luck makes of batches that know nothing of
  /// each other is left out.
  private init(_ value: Double, off: [Double]) {
    let n = Double(off.count)
    let squares = off.reduce(0) { $0 + $1 * $1 }
    let independent = (squares / (n * (n - 1))).squareRoot()
    self.init(value: value, standardError: independent)
    guard squares > 0 else { return }
    let together = zip(off, off.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    // Deviations from their own mean are a little unlike each other, by one in n.
    let correlation = together / squares + 1 / n
    guard correlation > 1 / n.squareRoot() else { return }
    let r = min(correlation, Self.correlationMax)
    standardError = independent * ((1 + r) / (1 - r)).squareRoot()
    isErrorTooSmall = correlation > max(0.5, 2.5 / n.squareRoot())
  }

  /// More is not told apart in so few batches.
  private static let correlationMax = 0.9
}
