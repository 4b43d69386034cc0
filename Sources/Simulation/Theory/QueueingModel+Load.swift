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

  /// So many classes, or groups, are taken together in every way there is.
  private static let combinedMax = 14

  /// All classes together, where that is too much, and the least sets of classes that are too many for
  /// their agents. None is no promise of rest: which class is served first counts as well.
  ///
  /// By max-flow and min-cut, work can be spread over those who can do it just when no set of classes
  /// asks for more than its agents together. Just as much is too much: then a line grows, too.
  var overloads: [Overload] {
    let patient = classes.indices.filter { classes[$0].patienceRate == nil }
    guard !patient.isEmpty else { return [] }
    let servers = patient.map { index in
      groups.indices.filter { group in
        classes[index].skills.allSatisfy { groups[group].skills.contains($0) }
      }
    }
    var found: [Overload] = []
    let sets = Self.sets(patient.count, servers, groups.count).sorted {
      $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count < $1.count
    }
    for set in sets {
      let overload = self.overload(set.map { patient[$0] }, Set(set.flatMap { servers[$0] }))
      guard let overload else { continue }
      let isLeast = !found.contains { Set($0.classes).isSubset(of: overload.classes) }
      if isLeast || set.count == patient.count { found.append(overload) }
    }
    return found
  }

  private func overload(_ set: [Int], _ servers: Set<Int>) -> Overload? {
    let demand = set.reduce(0) { $0 + classes[$1].arrivalRate / classes[$1].serviceRate }
    let agents = servers.reduce(0) { $0 + groups[$1].count }
    // Fractions such as 1/3 do not add up to the last bit.
    return demand >= Double(agents) * (1 - 1e-9)
      ? Overload(classes: set, demand: demand, agents: agents) : nil
  }

  /// Sets of classes to look at: all that there are, or all that are shut off by a set of groups, whichever
  /// are fewer; of very many each alone, and all.
  private static func sets(_ classes: Int, _ servers: [[Int]], _ groups: Int) -> Set<[Int]> {
    var sets = Set((0..<classes).map { [$0] } + [Array(0..<classes)])
    if classes <= combinedMax {
      for bits in 1..<(1 << classes) { sets.insert((0..<classes).filter { bits >> $0 & 1 == 1 }) }
    } else if groups <= combinedMax {
      for bits in 0..<(1 << groups) {
        sets.insert((0..<classes).filter { servers[$0].allSatisfy { bits >> $0 & 1 == 1 } })
      }
    }
    sets.remove([])
    return sets
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
