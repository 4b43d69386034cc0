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
    } else if let settling, batch < settling {
      found.append(
        "the run is too short for its errors: so near to what can be served a line comes and goes in some "
          + "\(Self.short(settling)) units, and each of the \(batches) parts that they rest on has \(Self.short(batch)); "
          + "what was not seen is in none of them, and a longer run (--times) tells more")
    }
    let cases = (warmUp + length) * classes.reduce(0) { $0 + $1.arrivalRate }
    if cases > Self.casesOfMinutes {
      found.append("some \(Self.short(cases)) cases come in the run, which takes its time")
    }
    return found
  }

  /// The time in which the line of those who never give up forgets how long it was, by the relaxation time
  /// of M/M/c; of the slowest class, or of all together. No run that is shorter can show it.
  private var settling: Double? {
    let patient = classes.filter { $0.patienceRate == nil }
    return (patient.map { [$0] } + [patient]).compactMap(settling).max()
  }

  private func settling(_ set: [CaseClass]) -> Double? {
    let agents = groups.reduce(0) { sum, group in
      let serves = set.contains { Set($0.skills).isSubset(of: group.skills) }
      return serves ? sum + Double(group.count) : sum
    }
    let demand = set.reduce(0) { $0 + $1.arrivalRate / $1.serviceRate }
    guard demand > 0, demand < agents else { return nil }
    let rate = set.reduce(0) { $0 + $1.arrivalRate } / demand
    let gap = 1 - (demand / agents).squareRoot()
    return 1 / (agents * rate * gap * gap)
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
