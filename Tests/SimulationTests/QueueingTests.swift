import Foundation
import RuleFiles
import Testing

@testable import Simulation

struct `Queueing models` {
  private func model(_ name: String) throws -> QueueingModel {
    let path = try #require(Bundle.module.path(forResource: "Models/\(name)", ofType: "yaml"))
    let (model, diagnostics) = ModelFile.read(path)
    #expect(diagnostics.map(\.rendered) == [])
    return try #require(model)
  }

  @Test(arguments: ["erlang-c-5", "erlang-a", "n-shaped", "accumulating-priority"])
  func `a short run comes out where the theory says`(name: String) throws {
    var model = try model(name)
    // Where priority grows, the last class waits in long spells: fewer cases would say little.
    let cases = name == "accumulating-priority" ? 40_000.0 : 2_000
    model.length = cases / model.classes.reduce(0) { $0 + $1.arrivalRate }
    model.batches = 10
    model.warmUp = model.length / 10
    let result = try QueueingRun.run(model)
    let compared = result.compared(with: model)
    #expect(!compared.isEmpty)
    // A short run: what it says of its own error is itself uncertain, so that four errors and a
    // fifth are allowed.
    for line in compared { #expect(line.errors < 4 || line.relative < 0.2, "\(line)") }
  }

  @Test
  func `strict priority serves the higher class sooner, and Little's law holds in every class`()
    throws
  {
    var model = try model("strict-priority")
    model.length = 400
    model.warmUp = 100
    let result = try QueueingRun.run(model)
    let waits = result.classes.map(\.meanWait.value)
    #expect(waits == waits.sorted() && waits[0] < waits[2] / 3)
    for (kind, line) in zip(model.classes, result.classes) {
      #expect(
        abs(line.queueLength.value - kind.arrivalRate * line.meanWait.value) < 0.15
          * line.queueLength.value + 0.05)
    }
  }

  /// Cobham's mean wait of each class, the highest first, in services: C / (c (1 - s) (1 - s')), where s and s' are the
  /// loads of the classes above, without it and with it, and C is Erlang's share of those who wait.
  private func cobham(_ servers: Int, _ loads: [Double]) -> [Double] {
    let offered = loads.reduce(0, +)
    var blocked = 1.0
    for count in 1...servers { blocked = offered * blocked / (Double(count) + offered * blocked) }
    let waits = blocked / (1 - offered / Double(servers) * (1 - blocked))
    var above = 0.0
    return loads.map { load in
      defer { above += load / Double(servers) }
      return waits / (Double(servers) * (1 - above) * (1 - above - load / Double(servers)))
    }
  }

  /// A year of milliseconds is nothing special, nor a service of a thousandth of a unit.
  @Test(arguments: [1, 1e-7, 1e5])
  func `strict priority waits as Cobham says, whatever a unit of time is`(scale: Double) throws {
    let loads = [0.8, 1.2, 1]
    var model = QueueingModel(
      name: "strict", classes: [], groups: [.init(name: "four", count: 4)])
    for (place, load) in loads.enumerated() {
      var kind = QueueingModel.CaseClass(
        name: "\(place)", arrivalRate: load * scale, serviceRate: scale)
      kind.priority = -place
      model.classes.append(kind)
    }
    model.order = .strict
    model.length = 10_000 / scale
    model.warmUp = 1_000 / scale
    let result = try QueueingRun.run(model)
    for (line, exact) in zip(result.classes, cobham(4, loads)) {
      let (found, error) = (line.meanWait.value * scale, line.meanWait.standardError * scale)
      #expect(abs(found - exact) < 4 * error && error < exact / 8, "\(found) ±\(error), \(exact)")
    }
  }

  /// A flow does not say that those who give up keep the agent from those who never do.
  @Test func `a load that nobody can serve is told and not measured`() throws {
    var high = QueueingModel.CaseClass(name: "high", arrivalRate: 3, serviceRate: 1)
    high.patienceRate = 0.1
    high.priority = 1
    let low = QueueingModel.CaseClass(name: "low", arrivalRate: 0.5, serviceRate: 1)
    var model = QueueingModel(
      name: "starved", classes: [high, low], groups: [.init(name: "one", count: 1)])
    model.order = .strict
    model.length = 4_000
    model.warmUp = 0
    #expect(model.overloads == [])
    let fault = #expect(throws: QueueingFault.self) { try QueueingRun.run(model) }
    #expect(fault?.sentence.hasPrefix("more comes than the agents can serve: at the end ") ?? false)
  }

  /// However short the run, and however little is too much.
  @Test(arguments: [1.05, 1.0]) func `a model without a steady state prints no figures`(
    _ load: Double
  ) throws {
    var model = try self.model("erlang-c-1")
    model.classes[0].arrivalRate = model.classes[0].serviceRate * load
    model.length = 10 / model.classes[0].serviceRate
    model.warmUp = 0
    let fault = #expect(throws: QueueingFault.self) { try QueueingRun.run(model) }
    let name = model.classes[0].name
    #expect(
      fault?.sentence.hasSuffix(
        "(class \(name) keeps \(load) agents busy, and there are 1 for it)") ?? false,
      "\(fault?.sentence ?? "")")
    model.classes[0].patienceRate = 1
    #expect(throws: Never.self) { try QueueingRun.run(model) }
  }

  @Test func `who can serve what counts: classes, and sets of them, are told that are too many`()
    throws
  {
    func kind(_ name: String, _ rate: Double, _ skills: [String]) -> QueueingModel.CaseClass {
      var made = QueueingModel.CaseClass(name: name, arrivalRate: rate, serviceRate: 0.5)
      made.skills = skills
      return made
    }
    func group(_ name: String, _ count: Int, _ skills: [String]) -> QueueingModel.AgentGroup {
      var made = QueueingModel.AgentGroup(name: name, count: count)
      made.skills = skills
      return made
    }
    let groups = [
      group("both", 2, ["german", "french"]), group("plain", 5, []), group("german", 1, ["german"]),
    ]
    func overloads(_ german: Double, _ french: Double, _ any: Double) -> [[String]] {
      let model = QueueingModel(
        name: "m",
        classes: [
          kind("german", german, ["german"]), kind("french", french, ["french"]),
          kind("any", any, []),
        ], groups: groups)
      return model.overloads.map { $0.classes.map { model.classes[$0].name } }
    }
    #expect(overloads(1, 0.4, 2) == [])
    #expect(overloads(1, 1, 0.5) == [["french"]])
    #expect(
      overloads(0.9, 0.9, 0.5) == [["german", "french"]], "3.6 for three agents, each alone is fine"
    )
    #expect(overloads(0.5, 0.5, 3.1) == [["german", "french", "any"]], "8.2 for eight")
    #expect(overloads(3, 3, 5) == [["german"], ["french"], ["any"], ["german", "french", "any"]])
    var nobody = QueueingModel(name: "n", classes: [kind("none", 1, ["dutch"])], groups: groups)
    #expect(nobody.overloads == [.init(classes: [0], demand: 2, agents: 0)])
    // So many that not every set of them can be looked at.
    nobody.classes = (0..<40).map { kind("\($0)", 0.1, ["german"]) }
    #expect(nobody.overloads.map { $0.demand.rounded() } == [8])
    nobody.groups = (0..<40).map { group("\($0)", 1, ["german"]) }
    #expect(nobody.overloads == [])
  }

  /// Sixteen classes with fifteen groups are past every set of either.
  @Test func `two classes too many for one agent are found among any number of others`() {
    func model(_ rate: Double, others: Int) -> QueueingModel {
      var classes: [QueueingModel.CaseClass] = []
      var groups: [QueueingModel.AgentGroup] = []
      for number in 0..<(others + 2) {
        let isOfTwo = number < 2
        var made = QueueingModel.CaseClass(
          name: "c\(number)", arrivalRate: isOfTwo ? rate : 0.1, serviceRate: 1)
        made.skills = ["s\(isOfTwo ? 0 : number)"]
        classes.append(made)
        var group = QueueingModel.AgentGroup(name: "g\(number)", count: 1)
        group.skills = made.skills
        if number != 1 { groups.append(group) }
      }
      return QueueingModel(name: "m", classes: classes, groups: groups)
    }
    #expect(
      model(0.6, others: 14).overloads == [.init(classes: [0, 1], demand: 1.2, agents: 1)])
    #expect(
      model(0.5, others: 14).overloads == [.init(classes: [0, 1], demand: 1, agents: 1)],
      "just as much as there is")
    #expect(model(0.49, others: 200).overloads == [])
    // Twenty of the same are one for the flow.
    var same = model(0.6, others: 0)
    same.classes = Array(repeating: same.classes[0], count: 20)
    #expect(same.overloads.map(\.classes) == [Array(0..<20)])
  }

  /// Against every set of classes, one by one.
  @Test func `whether work can be spread is what looking at every set says`() {
    var random = SeededRandom(seed: 11)
    var tooMuch = 0
    for _ in 0..<400 {
      let skills = (0..<4).map { "s\($0)" }
      let groups = (0..<4).map { number in
        var made = QueueingModel.AgentGroup(name: "g\(number)", count: 1 + random.below(3))
        made.skills = skills.filter { _ in random.below(2) == 0 }
        return made
      }
      let classes = (0..<5).map { number in
        var made = QueueingModel.CaseClass(
          name: "c\(number)", arrivalRate: Double(1 + random.below(8)) / 4, serviceRate: 1)
        made.skills = skills.filter { _ in random.below(3) == 0 }
        return made
      }
      let model = QueueingModel(name: "m", classes: classes, groups: groups)
      func isTooMuch(_ set: [Int]) -> Bool {
        let agents = groups.filter { group in
          set.contains { Set(classes[$0].skills).isSubset(of: group.skills) }
        }
        return set.reduce(0) { $0 + classes[$1].arrivalRate }
          >= Double(agents.reduce(0) { $0 + $1.count })
      }
      let sets = (1..<32).map { bits in (0..<5).filter { bits >> $0 & 1 == 1 } }
      let found = model.overloads
      #expect(found.isEmpty == !sets.contains(where: isTooMuch))
      for overload in found { #expect(isTooMuch(overload.classes)) }
      tooMuch += found.isEmpty ? 0 : 1
    }
    #expect((50..<350).contains(tooMuch), "\(tooMuch)")
  }

  /// All that wait at the end are few of all that came, and nearly all of their class.
  @Test(arguments: [200.0, 4_000]) func `a small class that is starved is told, with its name`(
    length: Double
  ) throws {
    var high = QueueingModel.CaseClass(name: "hi", arrivalRate: 3, serviceRate: 1)
    high.patienceRate = 0.1
    high.priority = 1
    let low = QueueingModel.CaseClass(
      name: "lo", arrivalRate: length < 1_000 ? 0.3 : 0.1, serviceRate: 1)
    var model = QueueingModel(
      name: "starved", classes: [high, low], groups: [.init(name: "two", count: 2)])
    model.order = .strict
    model.length = length
    model.warmUp = 0
    let fault = #expect(throws: QueueingFault.self) { try QueueingRun.run(model) }
    #expect(fault?.sentence.contains("cases of class lo still waited") ?? false)
  }

  /// Four in a hundred too much for one of two classes: no tenth of it waits at the end, and yet what it waited
  /// says only how long the run was.
  @Test func `a line that grows slowly all through the run is told and not measured`() throws {
    var high = QueueingModel.CaseClass(name: "a", arrivalRate: 1.2, serviceRate: 1)
    high.skills = ["a"]
    high.priority = 2
    // Of the second agent, whom strict order takes for `a` 0.45 of the time.
    var low = QueueingModel.CaseClass(name: "b", arrivalRate: 0.6, serviceRate: 1)
    low.skills = ["b"]
    low.priority = 1
    var groups = [
      QueueingModel.AgentGroup(name: "one", count: 1),
      QueueingModel.AgentGroup(name: "two", count: 1),
    ]
    groups[0].skills = ["a"]
    groups[1].skills = ["a", "b"]
    var model = QueueingModel(name: "starved", classes: [high, low], groups: groups)
    model.order = .strict
    model.length = 20_000
    model.warmUp = 2_000
    #expect(model.overloads == [])
    let fault = #expect(throws: QueueingFault.self) { try QueueingRun.run(model) }
    #expect(
      fault?.sentence.hasPrefix("the line of class b has grown all through the run, to ") ?? false,
      "\(fault?.sentence ?? "")")
  }

  /// Lines as long as they come at 0.99 of what can be served, and at the edge itself, in runs from short to long.
  @Test func `heavy traffic is not called growth, and a slow growth is`() {
    func lines(_ load: Double, steps: Int, seed: UInt64) -> [Double] {
      var random = SeededRandom(seed: seed)
      var (line, seen) = (0.0, [0.0])
      for step in 1...steps {
        line = max(0, line + (random.unit() < load / (1 + load) ? 1 : -1))
        if step % (steps / 32) == 0 { seen.append(line) }
      }
      return seen
    }
    func grown(_ load: Double, steps: Int) -> Int {
      (1...100).count { LineGrowth.hasGrown(lines(load, steps: steps, seed: UInt64($0))) }
    }
    #expect(grown(0.99, steps: 3_200) <= 2)
    #expect(grown(0.99, steps: 32_000) == 0)
    #expect(grown(1.04, steps: 64_000) >= 80)
    // A line that fills up to where it stays.
    #expect(!LineGrowth.hasGrown((0...32).map { 1_000 - 1_000 * pow(0.9, Double($0)) }))
    #expect(LineGrowth.hasGrown((0...32).map { 10 * Double($0) + Double($0 % 3) }))
  }

  /// Who gives up some time comes to rest some time.
  @Test func `a run that is too short for long patience is called that`() throws {
    var kind = QueueingModel.CaseClass(name: "x", arrivalRate: 10, serviceRate: 1)
    kind.patienceRate = 0.001
    var model = QueueingModel(
      name: "patient", classes: [kind], groups: [.init(name: "five", count: 5)])
    model.length = 1_000
    model.warmUp = 100
    let fault = #expect(throws: QueueingFault.self) { try QueueingRun.run(model) }
    #expect(fault?.sentence.hasPrefix("the run is too short: at the end ") ?? false)
    // Where a steady state is known to be, nothing is said to grow.
    model.classes.append(.init(name: "y", arrivalRate: 0.01, serviceRate: 1))
    model.order = .strict
    model.classes[1].priority = 1
    let second = #expect(throws: QueueingFault.self) { try QueueingRun.run(model) }
    #expect(second?.sentence.hasPrefix("more comes than") ?? false, "one class never gives up")
  }

  /// At 0.99 of what an agent can do, a line needs some 40,000 services to come and go.
  @Test func `a run that is too short for its errors says so`() throws {
    var model = QueueingModel(
      name: "heavy", classes: [.init(name: "x", arrivalRate: 0.99, serviceRate: 1)],
      groups: [.init(name: "one", count: 1)])
    model.length = 4_000
    model.warmUp = 400
    let heavy = try QueueingRun.run(model)
    #expect(heavy.cautions.first?.hasPrefix("the run is too short for these errors (x): ") ?? false)
    // Where luck keeps the line short, the parts of a run do not tell what they have not seen: the rates do.
    model.length = 100_000
    #expect(
      model.cautions.first?.hasPrefix(
        "the run is too short for its errors: so near to what can be served a line comes and goes in some 39800 units"
      )
        ?? false, "\(model.cautions)")
    model.length = 1_000_000
    #expect(model.cautions == [])
    model.length = 4_000
    model.classes[0].arrivalRate = 0.5
    #expect(try QueueingRun.run(model).cautions == [] && model.cautions == [])
  }

  /// The unit of time of a file may be a millisecond or a day.
  @Test(arguments: [1.0, 6e4, 1 / 1_440.0]) func `a run's length is as its rates say`(unit: Double)
  {
    let model = QueueingModel(
      name: "calls",
      classes: [
        .init(name: "often", arrivalRate: 45 / unit, serviceRate: 1 / unit),
        .init(name: "seldom", arrivalRate: 1 / unit, serviceRate: 0.5 / unit),
      ], groups: [.init(name: "fifty", count: 50)])
    #expect((200_000..<300_000).contains(model.length * 46 / unit))
    #expect(abs(model.length / unit - 5_000) < 1 && model.cautions == [])
    var short = model
    short.length = unit * 40
    short.warmUp = unit
    #expect(
      short.cautions == [
        "the warm-up is 0.5 mean services of class seldom long: all begin idle, and it says less of waits than there are",
        "some 40 cases of class seldom come in the run, 1.6 in each of the 25 parts that its standard errors rest on: "
          + "too few for them",
      ])
  }

  @Test func `of a class that nobody is of nothing is told`() throws {
    var model = QueueingModel(
      name: "m",
      classes: [
        .init(name: "x", arrivalRate: 1, serviceRate: 2),
        .init(name: "none", arrivalRate: 1e-6, serviceRate: 2),
      ], groups: [.init(name: "one", count: 1)])
    model.length = 200
    model.warmUp = 20
    model.classes[1].exact.values = [.waits: 0.5]
    let result = try QueueingRun.run(model)
    let none = result.classes[1]
    #expect(none.cases == 0)
    for estimate in [none.waits, none.meanWait, none.wait90, none.abandons] {
      #expect(!estimate.isMeasured && estimate.standardError.isNaN)
    }
    #expect(none.queueLength.value == 0 && result.classes[0].waits.isMeasured)
    let compared = result.compared(with: model)
    #expect(compared.count == 1 && !compared[0].holds(within: nil, agents: 1))
  }

  @Test func `whose patience lasts for ever costs nothing once they are served`() throws {
    var model = try self.model("erlang-a")
    model.length = 40
    model.warmUp = 4
    let usual = try QueueingRun.run(model)
    // So long that nobody's ends within the run: as if they had none.
    model.classes[0].patienceRate = 1e-9
    model.groups[0].count *= 2
    let patient = try QueueingRun.run(model)
    model.classes[0].patienceRate = nil
    #expect(try QueueingRun.run(model).all.meanWait == patient.all.meanWait)
    #expect(patient.all.abandons.value == 0 && usual.all.abandons.value > 0)
  }

  @Test func `the same seed measures the same, another another`() throws {
    var model = try model("erlang-a")
    model.length = 8
    model.warmUp = 1
    let first = try QueueingRun.run(model)
    #expect(try QueueingRun.run(model).all.meanWait == first.all.meanWait)
    model.seed = 99
    #expect(try QueueingRun.run(model).all.meanWait != first.all.meanWait)
  }

  struct Line: Sendable, CustomTestStringConvertible {
    var agents: Int
    /// Of what the agents can do.
    var load: Double
    /// Share of the customers who wait no longer than two services, on average.
    var impatient = 0.0
    /// Share of those who wait, and how many of them are to be told something.
    var waits: Double
    var told: Double
    var testDescription: String { "\(agents) agents, \(load), \(impatient)" }

    /// A service takes 300 s on average; a unit of time of a run is 10,000 s.
    var model: QueueingModel {
      let service = 10_000.0 / 300
      let arrivals = Double(agents) * load * service
      var patient = QueueingModel.CaseClass(
        name: "patient", arrivalRate: arrivals * (1 - impatient), serviceRate: service)
      patient.patienceRate = nil
      var classes = [patient]
      if impatient > 0 {
        classes.append(
          .init(name: "impatient", arrivalRate: arrivals * impatient, serviceRate: service))
        classes[1].patienceRate = service / 2
      }
      var model = QueueingModel(
        name: "line", classes: classes, groups: [.init(name: "agents", count: agents)])
      model.length = told / (arrivals * (1 - impatient) * waits)
      model.warmUp = 3
      return model
    }
  }

  @Test(arguments: [
    Line(agents: 10, load: 0.95, waits: 0.8, told: 20_600),
    Line(agents: 10, load: 0.8, waits: 0.4, told: 4_300),
    Line(agents: 50, load: 0.95, waits: 0.65, told: 4_300),
    Line(agents: 20, load: 1.2, impatient: 0.8, waits: 0.9, told: 4_300),
  ])
  func `what customers are told of their wait comes true`(_ line: Line) throws {
    let found = try QueueingRun.calibration(of: line.model)
    #expect(Double(found.told) >= line.told * 0.93, "\(found)")
    #expect((0.75...0.85).contains(found.shareInside), "\(found)")
    #expect(abs(found.meanTold / found.meanWaited - 1) < 0.1, "\(found)")
  }

  @Test func `a model's mistakes are told with their place`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "m.yaml")
    let text =
      "classes:\n  - { arrival_rate: -1, service_rate: 1/3, skills: [x] }\nagent:\n  - count: 2\n"
    try text.write(to: file, atomically: true, encoding: .utf8)
    let (model, diagnostics) = ModelFile.read(file.path)
    #expect(model == nil)
    let places = diagnostics.map { "\($0.line):\($0.column)" }
    #expect(places.contains("3:1") && places.contains("2:21"))
    #expect(diagnostics.first?.hint == "did you mean `agents`?")
  }

  @Test func `what a model asks in vain is told, and slopes may be fractions`() throws {
    func read(_ text: String) throws -> (QueueingModel?, [String]) {
      let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let file = folder.appending(path: "m.yaml")
      try text.write(to: file, atomically: true, encoding: .utf8)
      let (model, diagnostics) = ModelFile.read(file.path)
      return (model, diagnostics.map(\.message))
    }
    func model(_ order: String, _ more: String, skills: String = "[]") -> String {
      "order: \(order)\nclasses:\n  - { name: a, arrival_rate: 1, service_rate: 2, skills: \(skills)\(more) }\n"
        + "agents: [{ count: 2, skills: \(skills) }]\n"
    }
    let (vain, told) = try read(model("fifo", ", priority: 3"))
    #expect(vain != nil && told == ["`priority` does nothing under `order: fifo`"])
    let (steep, silent) = try read(model("aging", ", slope: 1/4"))
    #expect(steep?.classes.first?.slopePermille == 250 && silent.isEmpty)
    let many = "[" + (1...17).map { "s\($0)" }.joined(separator: ", ") + "]"
    let (large, why) = try read(model("fifo", "", skills: many))
    #expect(large == nil && why == ["class `a` needs 17 skills; a case needs at most 16"])
    let (twice, whyTwice) = try read(model("fifo", "", skills: "[x, x]"))
    #expect(
      twice == nil
        && whyTwice == ["class `a` names a skill twice", "agents `group 1` name a skill twice"])
    let (rounded, how) = try read(model("aging", ", slope: 1/3"))
    #expect(
      rounded?.classes.first?.slopePermille == 333
        && how == [
          "a slope is kept in thousandths, as a queue's `ageing_slope` is: this is taken as 0.333"
        ])
    func mistakes(_ text: String) throws -> [String] {
      let (model, told) = try read(text)
      #expect(model == nil)
      return told
    }
    let rates = "arrival_rate: 1, service_rate: 2"
    #expect(
      try mistakes(
        "classes: [{ name: a, \(rates) }, { name: a, \(rates) }]\n"
          + "agents: [{ name: g, count: 1 }, { name: g, count: 1 }]\n")
        == ["two classes have the name `a`", "two groups of agents have the name `g`"])
    #expect(
      try mistakes("classes: [{ name: all, \(rates) }, { \(rates) }]\nagents: [{ count: 1 }]\n")
        == ["no class has the name `all`: all classes together stand under it"])
    #expect(
      try mistakes("classes: [{ name: \"a\\e[31m\", \(rates) }]\nagents: [{ count: 1 }]\n")
        == ["`name` holds a character that is not to be seen, such as a line's end"])
    #expect(
      try mistakes("classes: [{ \(rates) }]\n").contains("`agents` is missing: a model needs it"))
    #expect(
      try !mistakes(
        "classes: [{ \(rates), exact: { occupancy: 0.5 } }]\nagents: [{ count: 1 }]\n"
      ).isEmpty, "of a group of agents")
  }

  @Test func `values are held against what is exact`() {
    let off = Comparison(
      of: "a", measure: .waits, exact: 0.5, measured: Estimate(value: 0.506, standardError: 0.001))
    #expect(!off.holds(within: nil, agents: 50))
    #expect(!off.holds(within: nil, agents: 51))
    #expect(off.holds(within: 0.02, agents: 50))
    let near = Comparison(
      of: "a", measure: .meanWait, exact: 0.5, measured: Estimate(value: 0.52, standardError: 0.01))
    #expect(near.holds(within: nil, agents: 5))
    #expect(!near.holds(within: 0.01, agents: 5))
  }

  @Test func `what hardly varies is not wrong for being measured without an error`() {
    func holds(_ measure: ExactValues.Measure, _ exact: Double, _ value: Double, _ cases: Int?)
      -> Bool
    {
      Comparison(
        of: "a", measure: measure, exact: exact,
        measured: Estimate(value: value, standardError: 0), cases: cases
      ).holds(within: nil, agents: 100)
    }
    #expect(holds(.waits, 0.99995, 1, 20_000))
    #expect(holds(.occupancy, 0.99995, 1, nil))
    #expect(holds(.abandons, 1e-6, 0, 100_000), "a tenth of a case")
    #expect(!holds(.abandons, 1e-3, 0, 100_000), "a hundred cases")
    #expect(!holds(.waits, 0.9, 1, 20_000))
    #expect(!holds(.occupancy, 0.99, 1, nil))
  }
}

struct `Estimates` {
  @Test func `a quantile lies where it was put`() {
    var histogram = WaitHistogram()
    for index in 1...10_000 { histogram.record(Double(index) / 100) }
    #expect(abs(histogram.quantile(0.9) - 90) < 0.1)
    for _ in 0..<90_000 { histogram.record(0) }
    #expect(histogram.quantile(0.9) < 0.1)
    #expect(abs(histogram.quantile(0.99) - 90) < 0.1)
  }

  /// Whatever a unit of time is.
  @Test(arguments: [0x1p60, 0x1p-60]) func `quantiles have no ends`(unit: Double) {
    var (one, other) = (WaitHistogram(), WaitHistogram())
    for index in 1...10_000 {
      if index % 2 == 0 { one.record(Double(index) * unit) } else { other.record(Double(index)) }
    }
    one.add(other)
    #expect(one.count == 10_000)
    let share = unit > 1 ? 0.95 : 0.45
    #expect(abs(one.quantile(share) / (unit * 9_000) - 1) < 0.01)
    #expect(abs(one.quantile(share - 0.5 * (unit > 1 ? 1 : -1)) / 9_000 - 1) < 0.01)
  }

  /// An autoregression, of which the true error of a mean is known.
  @Test func `neighbours that are alike widen the error, and others hardly do`() {
    func errors(_ correlation: Double, _ runs: Int) -> (told: Double, true: Double, rough: Int) {
      var random = SeededRandom(seed: 3)
      var (told, squares, rough) = (0.0, 0.0, 0)
      for _ in 0..<runs {
        func noise() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() } }
        var value = noise() / (1 - correlation * correlation).squareRoot()
        let batches = (0..<25).map { _ in
          value = correlation * value + noise()
          return value
        }
        let estimate = Estimate.ratio(batches, by: Array(repeating: 1, count: 25))
        told += estimate.standardError / Double(runs)
        squares += estimate.value * estimate.value / Double(runs)
        rough += estimate.isErrorTooSmall ? 1 : 0
      }
      return (told, squares.squareRoot(), rough)
    }
    let apart = errors(0, 400)
    #expect(abs(apart.told / apart.true - 1) < 0.15 && apart.rough < 8, "\(apart)")
    let alike = errors(0.6, 400)
    #expect((0.75...1.25).contains(alike.told / alike.true) && alike.rough > 100, "\(alike)")
    let same = errors(0.95, 400)
    #expect(same.told > same.true / 3 && same.rough > 250, "\(same)")
  }

  @Test func `a ratio's error comes from how far the batches differ`() {
    let even = Estimate.ratio([2, 2, 2, 2], by: [1, 1, 1, 1])
    #expect(even == Estimate(value: 2, standardError: 0))
    let uneven = Estimate.ratio([1, 3], by: [1, 1])
    #expect(uneven.value == 2)
    #expect(abs(uneven.standardError - 1) < 1e-12)
  }

  @Test func `the calendar drops what will not happen and keeps the order of the rest`() {
    var calendar = Calendar<Int, Int>()
    var random = SeededRandom(seed: 5)
    for number in 0..<500 { calendar.enter(number, at: random.below(40)) }
    var other = calendar
    calendar.keep { $0 % 3 == 0 }
    var expected: [Int] = []
    while let next = other.take() { if next.what % 3 == 0 { expected.append(next.what) } }
    var kept: [Int] = []
    while let next = calendar.take() { kept.append(next.what) }
    #expect(kept == expected && kept.count == 167)
  }

  @Test func `the calendar keeps its order`() {
    var calendar = Calendar<Int, Int>()
    var random = SeededRandom(seed: 4)
    for number in 0..<500 { calendar.enter(number, at: random.below(40)) }
    var last = (at: -1, what: -1)
    while let next = calendar.take() {
      #expect(next.at > last.at || (next.at == last.at && next.what > last.what))
      last = next
    }
    #expect(calendar.isEmpty)
  }
}
