/// A queueing model of the textbooks: classes of cases that arrive, wait and are served, by groups
/// of agents. It is
/// run through the router itself, so that its results can be held against what the theory says.
public struct QueueingModel: Sendable, Equatable {
  /// How long a run may be, in the model's units of time.
  public static let lengths = 1e-3...1e10

  /// In what order cases wait.
  public enum Order: String, Sendable, CaseIterable {
    /// First come, first served.
    case fifo
    /// The higher `priority` first, however long the others wait; first come first served inside
    /// each.
    case strict
    /// Priority grows with waiting, by the class's `slope` (Kleinrock's accumulating priority).
    case aging
  }

  public struct CaseClass: Sendable, Equatable {
    public var name: String
    /// Cases a unit of time.
    public var arrivalRate: Double
    /// Cases that one busy agent finishes a unit of time.
    public var serviceRate: Double
    /// One by how long a case waits before it gives up, on average; nil: for ever.
    public var patienceRate: Double?
    /// All of them are required.
    public var skills: [String] = []
    public var priority = 0
    /// In thousandths, as a queue's `ageing_slope` is kept.
    public var slopePermille = 1_000
    public var exact = ExactValues()

    public init(name: String, arrivalRate: Double, serviceRate: Double) {
      self.name = name
      self.arrivalRate = arrivalRate
      self.serviceRate = serviceRate
    }
  }

  public struct AgentGroup: Sendable, Equatable {
    public var name: String
    public var count: Int
    public var skills: [String] = []
    public var exact = ExactValues()

    public init(name: String, count: Int) {
      self.name = name
      self.count = count
    }
  }

  public var name: String
  /// What a unit of time is called, such as `minute`.
  public var timeUnit = "unit"
  public var order = Order.fifo
  public var classes: [CaseClass]
  public var groups: [AgentGroup]
  public var seed: UInt64 = 1
  /// Units of time that are measured, after `warmUp` of them. Without being told: as many as bring many cases, by
  /// the model's own rates, since a unit may be a millisecond or a day.
  public var length: Double
  public var warmUp: Double
  /// The measured time is cut into so many parts; how far they differ gives the standard errors.
  public var batches = 25

  public init(name: String, classes: [CaseClass], groups: [AgentGroup]) {
    self.name = name
    self.classes = classes
    self.groups = groups
    length = Self.usualLength(classes)
    warmUp = length / 10
  }

  /// Cases that a run measures where nobody says how long it is; of the rarest class, unless all are too many then.
  private static let usualCases = 200_000.0
  private static let usualCasesOfClass = 5_000.0
  private static let usualCasesMax = 2_000_000.0
  /// In mean services of the slowest class.
  private static let usualServices = 2_000.0

  private static func usualLength(_ classes: [CaseClass]) -> Double {
    let all = classes.reduce(0) { $0 + $1.arrivalRate }
    let rarest = classes.map(\.arrivalRate).min() ?? 0
    let slowest = classes.map(\.serviceRate).min() ?? 0
    guard all > 0, rarest > 0, slowest > 0 else { return 1 }
    let wanted = max(usualCases / all, usualCasesOfClass / rarest, usualServices / slowest)
    return min(max(min(wanted, usualCasesMax / all), lengths.lowerBound), lengths.upperBound)
  }
}
