/// Whether the line of a class that never gives up grew all through a run: what little is too much shows so,
/// long before every tenth case waits.
///
/// The lines are looked at in equal steps of time. A line that comes and goes gains in one step what it loses in
/// another, so that its mean gain is little beside how far gains differ (a t-test); so is the gain of a line just at the
/// edge, which wanders as luck does. One that fills up to where it stays gains early, and little later.
struct LineGrowth {
  private static let steps = 32
  /// Standard errors by which the mean gain is above none.
  private static let errorsMin = 3.0
  private static let lengthMin = 20.0

  /// Indices into a model's classes, each with its name: those who never give up, one by one and together.
  private var sets: [(name: String, classes: [Int])] = []
  /// By set, from none before the first step.
  private var lengths: [[Double]]
  private let step: Double
  private var next: Double

  init(_ model: QueueingModel, end: Double) {
    let patient = model.classes.indices.filter { model.classes[$0].patienceRate == nil }
    for index in patient { sets.append(("class \(model.classes[index].name)", [index])) }
    if patient.count > 1 { sets.append(("all classes that never give up", patient)) }
    lengths = Array(repeating: [0], count: sets.count)
    step = end / Double(Self.steps)
    next = step
  }

  func isDue(_ now: Double) -> Bool { now >= next }

  /// - Parameter lines: how many of each class wait, now and since what happened last.
  mutating func look(_ lines: [Double], at now: Double) {
    while now >= next, lengths.first.map({ $0.count <= Self.steps }) ?? false {
      for (place, set) in sets.enumerated() {
        lengths[place].append(set.classes.reduce(0) { $0 + lines[$1] })
      }
      next = step * Double(lengths[0].count)
    }
    if sets.isEmpty { next = .infinity }
  }

  /// The first whose line grew, with how long it is at the end.
  var grown: (name: String, length: Int)? {
    for (set, lengths) in zip(sets, lengths) where Self.hasGrown(lengths) {
      return (set.name, Int(lengths[lengths.count - 1]))
    }
    return nil
  }

  static func hasGrown(_ lengths: [Double]) -> Bool {
    guard let first = lengths.first, let last = lengths.last, last > lengthMin, lengths.count > 4
    else { return false }
    let middle = lengths[lengths.count / 2]
    // What fills up has most of its gain in the first half.
    guard last - middle >= (middle - first) / 2 else { return false }
    let gains = zip(lengths.dropFirst(), lengths).map { $0 - $1 }
    let n = Double(gains.count)
    let mean = (last - first) / n
    let squares = gains.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return mean > errorsMin * (squares / (n * (n - 1))).squareRoot()
  }
}
