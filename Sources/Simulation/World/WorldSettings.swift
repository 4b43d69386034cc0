/// What a simulated world is made of. The same settings give the same history, to the byte, in any
/// process.
public struct WorldSettings: Sendable, Equatable {
  /// What goes wrong in a world, and what makes it wide. Each can be left out, so that a failure can be narrowed down.
  public enum Fault: String, Sendable, CaseIterable {
    /// The server is killed at any moment, with a commit under way or not, and starts again from
    /// its disk.
    case kill
    /// A commit fails; nothing of it is on disk.
    case refuse
    /// A commit takes seconds.
    case stall
    /// A look-up in the store fails.
    case read
    /// The wall clock jumps, forward or back.
    case clock
    /// A request comes twice.
    case duplicate
    /// A request comes late, after others that were sent after it.
    case late
    /// An answer is lost on its way, and the request is sent again.
    case lose
    /// Agents' connections break.
    case disconnect
    /// The rules change while cases wait.
    case reconfigure
    /// Cases change hands in every way, people are merged and parted, conversations joined.
    case moves
    /// Queues close, fill up and let nobody wait for ever; teams, interruptible work, silent bots.
    case limits
    /// Every other world has much to do: mail that may be interrupted beside chats, agents who look at an offer for a while
    /// before they take it, and supervisors who put what waits into their hands meanwhile.
    case busy

    /// Whether it happens at moments of its own.
    var isWeather: Bool { self != .moves && self != .limits && self != .busy }
  }

  public var seed: UInt64
  /// How many things happen before the world comes to rest.
  public var steps: Int
  public var faults = Set(Fault.allCases)
  public var agentsMax = 8
  public var peopleMax = 12
  /// How many contacts of customers may be open at once.
  public var contactsMax = 16

  public init(seed: UInt64, steps: Int) {
    self.seed = seed
    self.steps = steps
  }

  /// The command that repeats this world.
  public var command: String {
    var words = "throughline simulate --seed \(seed) --steps \(steps)"
    let left = Fault.allCases.filter { !faults.contains($0) }.map(\.rawValue)
    if !left.isEmpty { words += " --without \(left.joined(separator: ","))" }
    let usual = WorldSettings(seed: seed, steps: steps)
    if agentsMax != usual.agentsMax { words += " --agents \(agentsMax)" }
    if peopleMax != usual.peopleMax { words += " --people \(peopleMax)" }
    if contactsMax != usual.contactsMax { words += " --contacts \(contactsMax)" }
    return words
  }
}

/// Something that must never be, with the command that shows it again.
public struct WorldFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public var sentence: String
  public var step: Int
  public var settings: WorldSettings

  public var description: String { "\(settings.command)\n  step \(step): \(sentence)" }
}

/// What a world came to when nothing was wrong.
public struct WorldOutcome: Sendable, Equatable {
  public var steps = 0
  /// Over the log and all that left the writer, in order: two runs with the same are the same
  /// history.
  public var historyHash: UInt64 = 0xCBF2_9CE4_8422_2325
  public var stateHash: UInt64 = 0
  public var commands: Int64 = 0
  public var entries: Int64 = 0
  public var cases = 0
  public var accepted = 0
  public var restarts = 0
  public var failedCommits = 0

  mutating func note(_ number: UInt64) {
    historyHash = (historyHash ^ number) &* 0x0000_0100_0000_01B3
  }
  mutating func note(_ bytes: [UInt8]) { for byte in bytes { note(UInt64(byte)) } }
}
