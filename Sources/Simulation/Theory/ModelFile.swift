import Foundation
import Routing
import RuleFiles

/// A queueing model as a YAML file; `docs/simulation.md` has its keys.
public enum ModelFile {
  private static let keys = [
    "name", "time_unit", "order", "classes", "agents", "seed", "length", "warm_up", "batches",
  ]
  private static let classKeys = [
    "name", "arrival_rate", "service_rate", "patience_rate", "skills", "priority", "slope", "exact",
  ]
  private static let agentKeys = ["name", "count", "skills", "exact"]
  private static let rates = 1e-6...1e6
  private static let agentsMax = 100_000

  /// - Returns: the model, or every mistake with its place.
  public static func read(_ path: String) -> (model: QueueingModel?, diagnostics: [RuleDiagnostic])
  {
    let url = URL(fileURLWithPath: path)
    let findings = Findings()
    guard
      let text = YamlFile.text(url.deletingLastPathComponent(), url.lastPathComponent, findings),
      let node = YamlFile.compose(text, findings)
    else {
      if !findings.hasErrors { findings.add(wholeFile: path, "this file is empty") }
      return (nil, findings.all)
    }
    let name = String(
      url.deletingPathExtension().lastPathComponent.unicodeScalars.map {
        isControl($0) ? "?" : Character($0)
      })
    let model = read(Section(node: node, file: text, findings: findings), name)
    return (findings.hasErrors ? nil : model, findings.all)
  }

  private static func read(_ top: Section, _ fileName: String) -> QueueingModel? {
    guard let members = top.members(keys, what: "a model") else { return nil }
    let classes =
      required("classes", of: members, top, "a model")?.elements(what: "`classes`") ?? []
    let groups = required("agents", of: members, top, "a model")?.elements(what: "`agents`") ?? []
    var model = QueueingModel(
      name: members["name"].flatMap { plainText($0, what: "`name`") } ?? fileName,
      classes: classes.enumerated().compactMap { readClass($1, number: $0 + 1) },
      groups: groups.enumerated().compactMap { readGroup($1, number: $0 + 1) })
    if let unit = members["time_unit"].flatMap({ plainText($0, what: "`time_unit`") }) {
      model.timeUnit = unit
    }
    if let order = members["order"]?.choice(QueueingModel.Order.self, what: "`order`") {
      model.order = order
    }
    if let seed = members["seed"]?.whole(0...Int.max, what: "`seed`") { model.seed = UInt64(seed) }
    if let length = members["length"]?.decimal(QueueingModel.lengths, what: "`length`") {
      model.length = length
      model.warmUp = length / 10
    }
    if let warmUp = members["warm_up"]?.decimal(0...1e10, what: "`warm_up`") {
      model.warmUp = warmUp
    }
    if let batches = members["batches"]?.whole(2...200, what: "`batches`") {
      model.batches = batches
    }
    check(model, top)
    checkBounds(model, top)
    checkNames(model, top)
    for section in classes { warnOfNoUse(section, model.order) }
    return model
  }

  /// What the router has no room for is told here, with its number, and not by the router in one word.
  private static func checkBounds(_ model: QueueingModel, _ top: Section) {
    for kind in model.classes where kind.skills.count > RoutingLimits.skillsPerNeedMax {
      top.report(
        "class `\(kind.name)` needs \(kind.skills.count) skills; a case needs at most \(RoutingLimits.skillsPerNeedMax)"
      )
    }
    for kind in model.classes where Set(kind.skills).count < kind.skills.count {
      top.report("class `\(kind.name)` names a skill twice")
    }
    for group in model.groups where Set(group.skills).count < group.skills.count {
      top.report("agents `\(group.name)` name a skill twice")
    }
    let skills = Set(model.classes.flatMap(\.skills) + model.groups.flatMap(\.skills)).count
    if skills > RoutingLimits.skillsMax {
      top.report("a model has at most \(RoutingLimits.skillsMax) skills, and this has \(skills)")
    }
    let slopes = Set(model.classes.map(\.slopePermille)).count
    if model.order == .aging, slopes > RoutingLimits.queuesMax {
      top.report("a model has at most \(RoutingLimits.queuesMax) slopes, and this has \(slopes)")
    }
  }

  /// Figures stand beside names, and those of all classes together beside `all`.
  private static func checkNames(_ model: QueueingModel, _ top: Section) {
    func report(_ names: [String], _ what: String) {
      var known: Set<String> = []
      for name in names where !known.insert(name).inserted {
        return top.report("two \(what) have the name `\(name)`")
      }
    }
    report(model.classes.map(\.name), "classes")
    report(model.groups.map(\.name), "groups of agents")
    if model.classes.count > 1, model.classes.contains(where: { $0.name == "all" }) {
      top.report("no class has the name `all`: all classes together stand under it")
    }
  }

  /// What a terminal would take as a command is no name.
  private static func plainText(_ section: Section, what: String) -> String? {
    guard let text = section.text(what: what) else { return nil }
    guard !text.unicodeScalars.contains(where: isControl) else {
      section.report("\(what) holds a character that is not to be seen, such as a line's end")
      return nil
    }
    return text
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
  }

  /// What the order of the model pays no heed to.
  private static func warnOfNoUse(_ section: Section, _ order: QueueingModel.Order) {
    guard let members = section.members(classKeys, what: "a class") else { return }
    for (key, needed) in [("priority", QueueingModel.Order.strict), ("slope", .aging)]
    where order != needed {
      members[key]?.report(
        "`\(key)` does nothing under `order: \(order.rawValue)`",
        hint: "it counts under `order: \(needed.rawValue)`", severity: .warning)
    }
  }

  private static func check(_ model: QueueingModel, _ top: Section) {
    if model.classes.isEmpty { top.report("a model has at least one class of cases") }
    if model.groups.isEmpty { top.report("a model has at least one group of agents") }
    if model.groups.reduce(0, { $0 + $1.count }) > agentsMax {
      top.report("a model has at most \(agentsMax) agents")
    }
    for kind in model.classes
    where !model.groups.contains(where: { Set(kind.skills).isSubset(of: $0.skills) }) {
      top.report("nobody serves class `\(kind.name)`", hint: "no group has all of its skills")
    }
  }

  private static func readClass(_ section: Section, number: Int) -> QueueingModel.CaseClass? {
    guard let members = section.members(classKeys, what: "a class"),
      let arrivals = required("arrival_rate", of: members, section, "a class")?.decimal(
        rates, what: "`arrival_rate`"),
      let service = required("service_rate", of: members, section, "a class")?.decimal(
        rates, what: "`service_rate`")
    else { return nil }
    var made = QueueingModel.CaseClass(
      name: members["name"].flatMap { plainText($0, what: "`name`") } ?? "class \(number)",
      arrivalRate: arrivals,
      serviceRate: service)
    made.patienceRate = members["patience_rate"]?.decimal(rates, what: "`patience_rate`")
    made.skills = skills(members["skills"])
    made.exact = exact(
      members["exact"], ExactValues.Measure.allCases.filter { $0 != .occupancy },
      "`exact` of a class")
    if let priority = members["priority"]?.whole(-1_000...1_000, what: "`priority`") {
      made.priority = priority
    }
    if let slope = members["slope"]?.decimal(0.001...1_000, what: "`slope`") {
      made.slopePermille = Int((slope * 1_000).rounded())
      let kept = Double(made.slopePermille) / 1_000
      if abs(kept - slope) > 1e-9 * slope {
        members["slope"]?.report(
          "a slope is kept in thousandths, as a queue's `ageing_slope` is: this is taken as \(kept)",
          hint:
            "slopes count beside each other: with all of them so many times as large none may need rounding",
          severity: .warning)
      }
    }
    return made
  }

  private static func readGroup(_ section: Section, number: Int) -> QueueingModel.AgentGroup? {
    guard let members = section.members(agentKeys, what: "a group of agents"),
      let count = required("count", of: members, section, "a group of agents")?.whole(
        1...agentsMax, what: "`count`")
    else { return nil }
    var made = QueueingModel.AgentGroup(
      name: members["name"].flatMap { plainText($0, what: "`name`") } ?? "group \(number)",
      count: count)
    made.skills = skills(members["skills"])
    made.exact = exact(members["exact"], [.occupancy], "`exact` of a group of agents")
    return made
  }

  private static func exact(
    _ section: Section?, _ known: [ExactValues.Measure], _ what: String
  ) -> ExactValues {
    var values = ExactValues()
    for (key, value) in section?.members(known.map(\.rawValue), what: what) ?? [:] {
      guard let measure = ExactValues.Measure(rawValue: key) else { continue }
      values.values[measure] = value.decimal(0...1e9, what: "`\(key)`")
    }
    return values
  }

  private static func skills(_ section: Section?) -> [String] {
    (section?.oneOrMore(what: "`skills`") ?? []).compactMap {
      plainText($0, what: "a skill")
    }
  }

  private static func required(
    _ key: String, of members: [String: Section], _ whole: Section, _ what: String
  ) -> Section? {
    if members[key] == nil { whole.report("`\(key)` is missing: \(what) needs it") }
    return members[key]
  }
}
