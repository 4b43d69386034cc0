/// Whether a model can come to rest at all, by what flows in and what the agents can serve.
extension QueueingModel {
  /// Classes that never give up, and need more than those who could serve them have: their lines grow
  /// for ever, in whatever order they are served.
  struct Overload: Equatable {
    /// Indices into `classes`.
    var classes: [Int]
    /// How many agents they would keep busy on average, and how many could serve any of them.
    var demand: Double
    var agents: Int
  }

  /// Each class that alone is too much, sets of several that are too much only together and share no class, and
  /// all classes together, where that is too much. None is no promise of rest: which class is served
  /// first counts as well.
  ///
  /// By max-flow and min-cut, work can be spread over those who can do it just when no set of classes
  /// asks for more than its agents together. Just as much is too much: then a line grows, too.
  var overloads: [Overload] {
    let patient = classes.indices.filter { classes[$0].patienceRate == nil }
    let servers = patient.map { index in
      groups.indices.filter { group in
        classes[index].skills.allSatisfy { groups[group].skills.contains($0) }
      }
    }
    var found: [Overload] = []
    var others: [[Int]: [Int]] = [:]
    for (index, servers) in zip(patient, servers) {
      if let alone = overload([index], Set(servers)) {
        found.append(alone)
      } else {
        others[servers, default: []].append(index)
      }
    }
    // Classes of the same agents are one for the flow.
    let units = others.sorted { $0.value[0] < $1.value[0] }
    var flow = WorkFlow(
      demands: units.map { demand(of: $0.value) }, servers: units.map(\.key),
      agents: groups.map(\.count))
    while found.count < patient.count, let set = flow.takeOverload() {
      let served = Set(set.flatMap { units[$0].key })
      found.append(
        Overload(
          classes: set.flatMap { units[$0].value }.sorted(),
          demand: demand(of: set.flatMap { units[$0].value }), agents: agents(in: served)))
    }
    if let all = overload(patient, Set(servers.joined())),
      !found.contains(where: { $0.classes == patient })
    {
      found.append(all)
    }
    return found
  }

  private func demand(of set: [Int]) -> Double {
    set.reduce(0) { $0 + classes[$1].arrivalRate / classes[$1].serviceRate }
  }

  private func agents(in servers: Set<Int>) -> Int {
    servers.reduce(0) { $0 + groups[$1].count }
  }

  private func overload(_ set: [Int], _ servers: Set<Int>) -> Overload? {
    let (demand, agents) = (demand(of: set), agents(in: servers))
    // Fractions such as 1/3 do not add up to the last bit.
    return !set.isEmpty && demand >= Double(agents) * (1 - 1e-9)
      ? Overload(classes: set, demand: demand, agents: agents) : nil
  }

  /// Said in place of figures; nil where flows do not keep the model from coming to rest.
  var restlessness: String? {
    let overloads = overloads
    guard !overloads.isEmpty else { return nil }
    let told = overloads.prefix(5).map { overload in
      let names = overload.classes.map { classes[$0].name }
      let who =
        names.count == 1
        ? "class \(names[0]) keeps"
        : names.count == classes.count
          ? "all classes together keep" : "classes \(names.joined(separator: ", ")) together keep"
      let demand = (overload.demand * 1_000).rounded() / 1_000
      return "\(who) \(demand) agents busy, and there are \(overload.agents) for it"
    }
    return
      "there is no steady state: what comes is not less than what can be served, and who waits waits ever longer ("
      + told.joined(separator: "; ") + ")"
  }
}
