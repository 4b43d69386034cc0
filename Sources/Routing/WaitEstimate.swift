import Model

/// How long it will probably be until a case's turn comes, which is when it is offered to somebody:
/// `docs/routing.md` has the formula.
public enum WaitEstimate: Hashable, Sendable {
  /// In eight of ten cases it lies between the two.
  case about(Duration64, from: Duration64, to: Duration64)
  case unknown(WaitUnknown)

  /// Somebody could take it now, or is being asked.
  public static let atOnce = WaitEstimate.about(.zero, from: .zero, to: .zero)
}

/// Why nothing honest can be said of a wait, the first that holds. Codes are stored: append only.
public enum WaitUnknown: UInt8, Hashable, Sendable, CaseIterable {
  case queueClosed = 1
  /// The queue has no agents.
  case nobodyServes
  /// None of its agents is there and takes cases.
  case nobodyThere
  /// Of those who waited too few had their turn of late, or since the server started.
  case tooFewTurns
}

/// How quickly the line of a queue moves, as this machine has seen it.
///
/// It is beside the state: no row holds it, no decision reads it, and a machine made of rows begins
/// without. What it counts:
///
/// - a *leaving*: a case that waited, and that was offered (its turn came), or left otherwise.
///   A case that finds somebody ready does not wait and is none: it tells how many come, and
///   nothing of how quickly a line moves;
/// - the *clock*: how long in all something has waited. It stands still while nothing waits, and
///   runs through a drought.
struct QueuePace: Sendable {
  private struct Leaving: Sendable {
    var at: Instant
    var since: Instant
    /// What the clock said then.
    var clock: Int64
    var isTurn: Bool
  }

  /// What is older says nothing of now.
  static let leavingsMax = 32
  static let windowMilliseconds: Int64 = 3_600_000
  /// From fewer turns the range would be so wide that it tells nothing.
  static let turnsMin = 5

  /// In order of time.
  private var leavings: [Leaving] = []
  private var clock: Int64 = 0
  private var runsSince: Instant?

  /// Tells whether something waits from now on.
  mutating func line(isEmpty: Bool, at now: Instant) {
    clock = reading(at: now)
    runsSince = isEmpty ? nil : now
  }

  private func reading(at now: Instant) -> Int64 {
    clock + (runsSince.map { max(0, (now - $0).milliseconds) } ?? 0)
  }

  /// A case leaves the line in which it stood since then.
  mutating func leaves(since: Instant, isTurn: Bool, at now: Instant) {
    guard since < now else { return }
    if leavings.capacity < Self.leavingsMax { leavings.reserveCapacity(Self.leavingsMax) }
    if leavings.count == Self.leavingsMax { leavings.removeFirst() }
    leavings.append(.init(at: now, since: since, clock: reading(at: now), isTurn: isTurn))
  }

  /// Nobody accepted it: it stands in the line as if its turn had not come.
  mutating func comesBack(since: Instant) {
    guard let place = leavings.lastIndex(where: { $0.isTurn && $0.since == since }) else { return }
    leavings.remove(at: place)
  }

  // MARK: The formula

  /// - Parameter ahead: how many stand before it.
  func estimate(ahead: Int, at now: Instant) -> WaitEstimate {
    let earliest = now + Duration64(milliseconds: -Self.windowMilliseconds)
    let seen = leavings.drop { $0.at < earliest }
    let turns = seen.count { $0.isTurn }
    guard turns >= Self.turnsMin, let first = seen.first else { return .unknown(.tooFewTurns) }
    let ran = Double(max(1, reading(at: now) - first.clock))
    let stood = Double(max(1, seen.reduce(0) { $0 + ($1.at - $1.since).milliseconds }))
    let line = Line(
      turns: Double(turns) / ran, leaving: Double(seen.count - turns) / stood, ahead: ahead)
    return .about(
      Self.duration(line.mean),
      from: Self.duration(line.mean * Spread.lowest(shape: line.shape, turns: Double(turns))),
      to: Self.duration(line.mean * Spread.highest(shape: line.shape, turns: Double(turns))))
  }

  /// So many stand before it, have their turns at one rate, and each gives up at another: mean of
  /// the time until all of them are gone and its own turn comes, and the shape of the Erlang
  /// distribution that has its variance.
  private struct Line {
    var mean = 0.0
    var shape = 1.0
    /// Past so many the others are counted at the pace of their middle.
    static let singlyMax = 1_000

    init(turns: Double, leaving: Double, ahead: Int) {
      guard leaving > 0 else {
        mean = Double(ahead + 1) / turns
        shape = Double(ahead + 1)
        return
      }
      var variance = 0.0
      func add(_ number: Double, at rate: Double) {
        mean += number / rate
        variance += number / (rate * rate)
      }
      let singly = min(ahead, Self.singlyMax)
      for before in 0...singly { add(1, at: turns + Double(before) * leaving) }
      let rest = Double(ahead - singly)
      if rest > 0 { add(rest, at: turns + (Double(singly) + rest / 2) * leaving) }
      shape = mean * mean / variance
    }
  }

  private static func duration(_ milliseconds: Double) -> Duration64 {
    Duration64(milliseconds: Int64(min(milliseconds, 1e15).rounded()))
  }
}

/// How far a wait may be from its mean, as a factor: the wait is an Erlang distribution's, and the
/// rate of turns is known from so many turns alone, which is another's. The quotient of the two has
/// an F distribution, of 2 × shape and 2 × turns degrees of freedom.
enum Spread {
  /// One of ten waits is shorter.
  static func lowest(shape: Double, turns: Double) -> Double {
    shape == 1 ? single(above: 0.105_360_515_657_826, turns) : factor(-deviations, shape, turns)
  }
  /// One of ten waits is longer.
  static func highest(shape: Double, turns: Double) -> Double {
    shape == 1 ? single(above: 2.302_585_092_994_046, turns) : factor(deviations, shape, turns)
  }

  /// Nine of ten of a normal distribution lie below so many of its standard deviations.
  private static let deviations = 1.281_551_565_544_600

  /// Paulson's approximation of F, by Wilson and Hilferty's of each part: off by less than 1 % of
  /// what it stands for from a shape of 2 on.
  private static func factor(_ z: Double, _ shape: Double, _ turns: Double) -> Double {
    let (a, b) = (1 / (9 * shape), 1 / (9 * turns))
    let (p, q) = (1 - a, 1 - b)
    let root = (p * p * b + q * q * a - z * z * a * b).squareRoot()
    let cubeRoot = (p * q + z * root) / (q * q - z * z * b)
    return cubeRoot * cubeRoot * cubeRoot
  }

  /// Exactly, for whoever is next: turns × (share above ^ (-1 / turns) - 1).
  /// - Parameter above: minus the logarithm of the share that waits longer.
  private static func single(above: Double, _ turns: Double) -> Double {
    let exponent = above / turns
    var (term, sum) = (exponent, exponent)
    for power in 2...12 {
      term *= exponent / Double(power)
      sum += term
    }
    return turns * sum
  }
}
