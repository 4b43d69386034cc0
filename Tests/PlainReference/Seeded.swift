/// SplitMix64: the same numbers for the same seed, everywhere.
public struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  public init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  public mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &self) < percent
  }
  public mutating func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &self) }
}
