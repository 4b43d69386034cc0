/// What the theory says of a model, and how far a run is from it.
public struct ExactValues: Sendable, Equatable {
  public enum Measure: String, Sendable, CaseIterable {
    case waits, meanWait = "mean_wait", wait90 = "wait_90", abandons, queueLength = "queue_length",
      occupancy
  }
  public var values: [Measure: Double] = [:]
  public init() {}
}

/// One value held against the theory.
public struct Comparison: Sendable {
  public var of: String
  public var measure: ExactValues.Measure
  public var exact: Double
  public var measured: Estimate
  /// How many cases it is of; of an occupancy none are counted.
  public var cases: Int?

  /// How far it is off, as a share of the exact value.
  public var relative: Double {
    exact == 0 ? off : off / abs(exact)
  }
  private var off: Double { abs(measured.value - exact) }
  /// How far it is off, in standard errors.
  public var errors: Double {
    measured.standardError > 0
      ? off / measured.standardError : relative == 0 ? 0 : .infinity
  }
  /// As many cases as luck alone may make of nearly none, or of nearly all.
  private static let casesOfLuck = 3.0
  /// A share of the exact value, where what hardly varies has next to no standard error.
  private static let relativeOfLuck = 1e-4

  /// Whether it is nearer than can be told: what is so nearly certain that hardly a case differs has no
  /// standard error to be held against.
  private var isWithinLuck: Bool {
    if relative <= Self.relativeOfLuck { return true }
    guard measure == .waits || measure == .abandons, let cases, cases > 0 else { return false }
    return off <= Self.casesOfLuck / Double(cases)
  }

  /// - Parameter within: a share, such as 0.01; nil: the share that waits within 1 % where there
  ///   are at most 50 agents, everything else within three standard errors; both or within a few cases.
  public func holds(within: Double?, agents: Int) -> Bool {
    if let within { return relative <= within }
    return measure == .waits && agents <= 50
      ? relative <= 0.01 || isWithinLuck : errors <= 3 || isWithinLuck
  }
}

extension QueueingModel {
  public var hasExactValues: Bool {
    classes.contains { !$0.exact.values.isEmpty } || groups.contains { !$0.exact.values.isEmpty }
  }
}

extension QueueingResult {
  /// Every value that the model's file knows exactly.
  public func compared(with model: QueueingModel) -> [Comparison] {
    var found: [Comparison] = []
    func compare(
      _ name: String, _ exact: ExactValues, cases: Int?,
      _ measured: (ExactValues.Measure) -> Estimate?
    ) {
      for measure in ExactValues.Measure.allCases {
        guard let value = exact.values[measure], let estimate = measured(measure) else { continue }
        found.append(
          Comparison(of: name, measure: measure, exact: value, measured: estimate, cases: cases))
      }
    }
    for (kind, line) in zip(model.classes, classes) {
      compare(kind.name, kind.exact, cases: line.cases) { measure in
        switch measure {
        case .waits: line.waits
        case .meanWait: line.meanWait
        case .wait90: line.wait90
        case .abandons: line.abandons
        case .queueLength: line.queueLength
        case .occupancy: nil
        }
      }
    }
    for (group, line) in zip(model.groups, groups) {
      compare(group.name, group.exact, cases: nil) { $0 == .occupancy ? line.occupancy : nil }
    }
    return found
  }
}
