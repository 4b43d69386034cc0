/// What makes a run say less than its figures seem to.
extension QueueingModel {
  /// The agents begin idle: some services long nothing waits that would.
  private static let warmUpServicesMin = 5.0
  private static let casesOfBatchMin = 20.0
  private static let casesOfMinutes = 1e8

  /// Sentences for a person, to be told beside the figures; empty where there is nothing to be wary of.
  public var cautions: [String] {
    var found: [String] = []
    if let slow = classes.min(by: { $0.serviceRate < $1.serviceRate }),
      warmUp * slow.serviceRate < Self.warmUpServicesMin
    {
      found.append(
        "the warm-up is \(Self.short(warmUp * slow.serviceRate)) mean services of class \(slow.name) long: all begin "
          + "idle, and it says less of waits than there are")
    }
    let batch = length / Double(max(1, batches))
    if let rare = classes.min(by: { $0.arrivalRate < $1.arrivalRate }),
      batch * rare.arrivalRate < Self.casesOfBatchMin
    {
      found.append(
        "some \(Self.short(length * rare.arrivalRate)) cases of class \(rare.name) come in the run, "
          + "\(Self.short(batch * rare.arrivalRate)) in each of the \(batches) parts that its standard errors rest on: too few "
          + "for them")
    }
    let cases = (warmUp + length) * classes.reduce(0) { $0 + $1.arrivalRate }
    if cases > Self.casesOfMinutes {
      found.append("some \(Self.short(cases)) cases come in the run, which takes its time")
    }
    return found
  }

  private static func short(_ value: Double) -> String {
    let rounded = value >= 10 ? value.rounded() : (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(min(rounded, 1e15)))" : "\(rounded)"
  }
}

extension QueueingResult {
  /// What the run showed of itself.
  public var cautions: [String] {
    let rough = (classes.count > 1 ? classes + [all] : classes).filter { line in
      [line.waits, line.meanWait, line.wait90, line.abandons, line.queueLength]
        .contains(where: \.isErrorTooSmall)
    }
    guard !rough.isEmpty else { return [] }
    let names = rough.prefix(5).map(\.name).joined(separator: ", ") + (rough.count > 5 ? ", …" : "")
    return [
      "the run is too short for these errors (\(names)): its parts are alike from one to the next, so that "
        + "the true errors may be larger than is said; a longer run (--times) tells more"
    ]
  }
}
