import Foundation

/// A small generator with a seed (SplitMix64): the same numbers on every machine and in every
/// process.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// One of several independent streams under the same seed, so that drawing more from one leaves
  /// the others alone.
  public init(seed: UInt64, stream: UInt64) {
    var mixer = SeededRandom(seed: seed ^ (stream &+ 1) &* 0xD6E8_FEB8_6659_FD93)
    state = mixer.next() ^ seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// From 0 up to `n`, `n` excluded; 0 where `n` is not positive.
  public mutating func below(_ n: Int) -> Int { n <= 1 ? 0 : Int(next() % UInt64(n)) }

  /// True once in so many times.
  public mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

  public mutating func one<T>(of all: [T]) -> T? { all.isEmpty ? nil : all[below(all.count)] }

  /// Between 0 and 1, neither included.
  mutating func unit() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

  /// A waiting time of the exponential distribution.
  /// - Parameter rate: events per unit of time; positive.
  mutating func exponential(rate: Double) -> Double { -log(unit()) / rate }
}
