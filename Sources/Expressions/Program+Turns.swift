/// When what a condition comes to may change as time goes on, all other facts being as they are.
public struct Turns: Sendable {
  /// Moments that come round on the clock of a place: the beginnings of its hours, or of its days.
  public struct Grid: Hashable, Sendable {
    /// As the condition names it; empty for UTC.
    var zone: String
    /// - Units: seconds, from one round to the next.
    var period: Int64
    /// Where within a round.
    var phases: [Int64]
    /// What was added to the moment before its clock was read.
    ///
    /// - Units: milliseconds.
    var shift: Int64
  }

  /// One of the moments and lengths of time whose sum is where a comparison changes.
  public struct Term: Hashable, Sendable {
    var isAdded: Bool
    /// Nil for one that the facts of a case tell.
    var known: Milliseconds?
  }

  /// - Units: milliseconds, rounded down; of a moment those since 1970.
  public struct Milliseconds: Hashable, Sendable {
    public var value: Int64
    public var isExact: Bool

    init(_ value: Int64, isExact: Bool) { (self.value, self.isExact) = (value, isExact) }

    /// - Returns: nil for what is neither a moment nor a length of time.
    public init?(_ value: Value) {
      let (seconds, nanoseconds): (Int64, Int32)
      switch value {
      case .timestamp(let time): (seconds, nanoseconds) = (time.seconds, time.nanoseconds)
      case .duration(let span): (seconds, nanoseconds) = (span.seconds, span.nanoseconds)
      default: return nil
      }
      self.value = seconds * 1_000 + Int64(nanoseconds / 1_000_000)
      isExact = nanoseconds % 1_000_000 == 0
    }
  }

  public var grids: Set<Grid> = []
  public var sums: Set<[Term]> = []
  /// Moments and lengths of time that the condition names, any of which a part may come to; what it
  /// makes them of, too.
  public var named: Set<Milliseconds> = []
  /// The largest parts that rest on the moment and on nothing else. While all of them come to the same,
  /// and no sum is passed, the condition does.
  public var parts: [Int] = []
  /// Whether it changes at no other moment.
  public var isWhole = true

  public init() {}

  /// Whether a sum rests on what the facts of a case tell.
  public static func isOfCase(_ sum: [Term]) -> Bool { sum.contains { $0.known == nil } }
}

extension Program {
  /// What a part comes to; for one of `Turns.parts`.
  public func value(ofPart node: Int, _ slots: [Value?]) -> Value {
    slots.withUnsafeBufferPointer { slots in
      var evaluation = Evaluation(
        self, slots: slots, budget: Expression.budgetDefault, tracing: false)
      return evaluation.value(Int32(truncatingIfNeeded: node))
    }
  }

  /// - Parameter slot: of the moment.
  public func turns(of slot: Int) -> Turns {
    var reader = TurnsReader(self, slot)
    reader.read(syntax.root, isWithinPart: false)
    return reader.found
  }
}

private struct TurnsReader {
  private let program: Program
  private let slot: Int
  private let syntax: Syntax
  var found = Turns()
  /// The names for values that hold where it reads, with whether those are told as they are.
  private var locals: [(name: String, isTold: Bool)] = []
  /// Whether it makes moments or lengths of time of what it finds.
  private let isMaking: Bool

  init(_ program: Program, _ slot: Int) {
    (self.program, self.slot, syntax) = (program, slot, program.syntax)
    isMaking = program.syntax.nodes.contains { node in
      switch node {
      case .call("timestamp", let given), .call("duration", let given):
        !given.allSatisfy { program.fixed($0) != nil }
      default: false
      }
    }
  }

  private static let day: Int64 = 86_400
  private static let hour: Int64 = 3_600
  private static let periods: [String: Int64] = [
    "getHours": hour, "getMinutes": 60, "getDayOfWeek": day, "getDate": day, "getDayOfMonth": day,
    "getDayOfYear": day, "getMonth": day, "getFullYear": day,
  ]
  /// What a length of time is counted in.
  ///
  /// - Units: milliseconds.
  private static let units: [String: Int64] = [
    "getHours": hour * 1_000, "getMinutes": 60_000, "getSeconds": 1_000,
  ]
  private static let comparisons: Set = ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]

  mutating func read(_ node: Int, isWithinPart: Bool) {
    guard asksTime(node) else {
      if let named = program.fixed(node) {
        found.named.formUnion(isMaking ? named.times : named.timesAsTheyAre)
      } else {
        readChildren(node, isWithinPart: true)
      }
      return
    }
    var isWithinPart = isWithinPart
    if !isWithinPart, !isMomentItself(node), !asksMore(node) {
      found.parts.append(node)
      isWithinPart = true
    }
    if readComparison(node) || readClock(node) { return }
    if isSlot(node) || isOfSlot(node) {
      // Somebody does something else with it: that may change at any time.
      found.isWhole = false
      let quarters = (0..<4).map { $0 * Self.hour / 4 }
      found.grids.insert(.init(zone: "", period: Self.hour, phases: quarters, shift: 0))
      return
    }
    readChildren(node, isWithinPart: isWithinPart)
  }

  private mutating func readChildren(_ node: Int, isWithinPart: Bool) {
    let outer = locals.count
    for child in syntax.children(node) {
      if let scope = scope(node), scope.holds(child) { locals += scope.locals }
      read(child, isWithinPart: isWithinPart)
      locals.removeLast(locals.count - outer)
    }
  }

  /// What a macro gives names to, and in which of its parts.
  private func scope(_ node: Int)
    -> (locals: [(name: String, isTold: Bool)], holds: (Int) -> Bool)?
  {
    switch syntax.nodes[node] {
    case .fold(let fold):
      let isTold = isTold(fold.range)
      // The first of two may count the elements.
      var locals = [(name: fold.variable, isTold: isTold && fold.second == nil)]
      if let second = fold.second { locals.append((second, isTold)) }
      return (locals, { $0 == fold.body || $0 == fold.filter })
    case .bind(let name, let value, let body):
      return ([(name, isTold(value))], { $0 == body })
    case .optionalMap(let target, let name, let body, _):
      return ([(name, isTold(target))], { $0 == body })
    default: return nil
    }
  }

  // MARK: - What is asked of what

  private func isSlot(_ node: Int) -> Bool {
    if case .slot(let own) = program.operations[node] { Int(own) == slot } else { false }
  }

  /// `has(now)` and the like are not here: the moment is always there.
  private func isOfSlot(_ node: Int) -> Bool {
    if case .optionalSlot(let own) = program.operations[node] { Int(own) == slot } else { false }
  }

  private func asksTime(_ node: Int) -> Bool {
    isSlot(node) || isOfSlot(node) || syntax.children(node).contains(where: asksTime)
  }

  /// The moment, or the length of time since or until another: they never stay the same.
  private func isMomentItself(_ node: Int) -> Bool {
    program.types[node] == .timestamp || program.types[node] == .duration || isSlot(node)
  }

  /// Whether it rests on anything beside the moment.
  private func asksMore(_ node: Int) -> Bool {
    switch program.operations[node] {
    case .slot(let own): return Int(own) != slot
    case .local, .path, .hasSlot, .optionalSlot: return true
    default: return syntax.children(node).contains(where: asksMore)
    }
  }

  // MARK: - Sums

  private struct Sum {
    /// How often the moment is in it.
    var moments = 0
    var terms: [Turns.Term] = []

    static func + (a: Sum, b: Sum) -> Sum {
      Sum(moments: a.moments + b.moments, terms: a.terms + b.terms)
    }
    var negated: Sum {
      Sum(
        moments: -moments,
        terms: terms.map { .init(isAdded: !$0.isAdded, known: $0.known) })
    }
  }

  /// - Returns: nil for what is no sum of moments and lengths of time.
  private mutating func sum(_ node: Int) -> Sum? {
    if isSlot(node) { return Sum(moments: 1) }
    if let known = program.fixed(node).flatMap(Turns.Milliseconds.init) {
      return Sum(terms: [.init(isAdded: true, known: known)])
    }
    if case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
      name == "_+_" || name == "_-_"
    {
      guard let left = sum(sides[0]), let right = sum(sides[1]) else { return nil }
      return left + (name == "_+_" ? right : right.negated)
    }
    guard !asksTime(node), [.timestamp, .duration, .dyn].contains(program.types[node]) else {
      return nil
    }
    if !isTold(node) { found.isWhole = false }
    read(node, isWithinPart: true)
    return Sum(terms: [.init(isAdded: true, known: nil)])
  }

  /// Whether a part comes to nothing but what a fact, or the condition, tells as it is.
  private func isTold(_ node: Int) -> Bool {
    switch syntax.nodes[node] {
    case .literal, .has: true
    case .name(let name, let isAbsolute):
      switch program.operations[node] {
      // Of a block's values nothing is known here.
      case .local: isAbsolute ? false : locals.last { $0.name == name }?.isTold ?? false
      default: true
      }
    case .select(let operand, _, _):
      if case .slot = program.operations[node] { true } else { isTold(operand) }
    case .index(let operand, _, _): isTold(operand)
    case .list(let elements, _): elements.allSatisfy(isTold)
    case .map(let entries, _): entries.allSatisfy { isTold($0.key) && isTold($0.value) }
    case .fold(let fold) where fold.kind == .filter || fold.kind == .sortBy: isTold(fold.range)
    case .fold(let fold) where fold.kind == .map:
      if let scope = scope(node) { with(scope.locals).isTold(fold.body) } else { false }
    case .conditional(_, let then, let otherwise): isTold(then) && isTold(otherwise)
    case .call("timestamp", let given), .call("duration", let given): given.allSatisfy(isTold)
    case .member(let target, let name, let given):
      ["orValue", "or", "value", "first", "last"].contains(name) && isTold(target)
        && given.allSatisfy(isTold)
    default: false
    }
  }

  private func with(_ more: [(name: String, isTold: Bool)]) -> TurnsReader {
    var inner = self
    inner.locals += more
    return inner
  }

  /// `now - e.at < duration("48h")`, and `(now - e.at).getHours() < 48`.
  private mutating func readComparison(_ node: Int) -> Bool {
    guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
      Self.comparisons.contains(name) || name == "@in"
    else { return false }
    if readMinutes(sides, isAmong: name == "@in") { return true }
    guard name != "@in" else { return false }
    let before = found
    if let left = sum(sides[0]), let right = sum(sides[1]), note(left + right.negated) {
      return true
    }
    found = before
    for (subject, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
      guard case .member(let target, let method, let given) = syntax.nodes[subject],
        given.isEmpty, let unit = Self.units[method], program.types[target] == .duration,
        case .int(let number)? = program.fixed(other), let length = sum(target)
      else { continue }
      let bounds = [Int64(-1), 0, 1].compactMap { step -> Int64? in
        let (count, isMore) = number.addingReportingOverflow(step)
        let (bound, isTooMuch) = count.multipliedReportingOverflow(by: unit)
        return isMore || isTooMuch ? nil : bound
      }
      let isNoted = bounds.map { bound in
        let term = Turns.Term(isAdded: false, known: .init(bound, isExact: true))
        return note(length + Sum(terms: [term]))
      }
      if isNoted.allSatisfy(\.self) { return true }
      found = before
    }
    return false
  }

  /// Takes in where a sum passes zero.
  private mutating func note(_ sum: Sum) -> Bool {
    switch sum.moments {
    case 0: return true
    case 1: found.sums.insert(sum.negated.terms)
    case -1: found.sums.insert(sum.terms)
    default: return false
    }
    return true
  }

  // MARK: - Clocks

  private struct Clock {
    var zone: String
    var method: String
    var shift: Int64
  }

  /// `now.getHours("Europe/Berlin")`, also of a moment so much later.
  private mutating func clock(_ node: Int) -> Clock? {
    guard case .member(let target, let method, let given) = syntax.nodes[node],
      program.types[target] == .timestamp, given.count <= 1, Self.periods[method] != nil,
      let sum = sum(target), sum.moments == 1
    else { return nil }
    var shift: Int64 = 0
    for term in sum.terms {
      guard let known = term.known, known.isExact else { return nil }
      let (next, isTooMuch) = shift.addingReportingOverflow(
        term.isAdded ? known.value : -known.value)
      guard !isTooMuch, next.magnitude < Self.shiftMax else { return nil }
      shift = next
    }
    guard let zone = given.first else { return Clock(zone: "", method: method, shift: shift) }
    guard case .literal(.string(let name)) = syntax.nodes[zone] else { return nil }
    return Clock(zone: name, method: method, shift: shift)
  }
  /// - Units: milliseconds; a century.
  private static let shiftMax: Int64 = 3_155_760_000_000

  private mutating func readClock(_ node: Int) -> Bool {
    let before = found
    guard let clock = clock(node), let period = Self.periods[clock.method] else {
      found = before
      return false
    }
    guard clock.method == "getMinutes" else {
      found.grids.insert(
        .init(zone: clock.zone, period: period, phases: [0], shift: clock.shift))
      return true
    }
    // Reckoned with: `hours * 60 + minutes >= 750`. Each minute of two years would be a million.
    found.isWhole = false
    var phases: Set<Int64> = [0, 15, 30, 45]
    for case .literal(.int(let number)) in syntax.nodes {
      for round: Int64 in [60, 100] {
        phases.formUnion([floorModulo(number, round), floorModulo(number, round) + 1])
      }
    }
    noteMinutes(phases, clock)
    return true
  }

  /// Minutes that are compared with numbers change at those.
  private mutating func readMinutes(_ sides: [Int], isAmong: Bool) -> Bool {
    for (subject, other) in [(sides[0], sides[1]), (sides[1], sides[0])].prefix(isAmong ? 1 : 2) {
      var others = [other]
      if isAmong, case .list(let elements, _) = syntax.nodes[other] { others = elements }
      let numbers = others.compactMap { node -> Int64? in
        if case .literal(.int(let number)) = syntax.nodes[node] { number } else { nil }
      }
      guard numbers.count == others.count else { continue }
      let before = found
      guard let clock = clock(subject), clock.method == "getMinutes" else {
        found = before
        continue
      }
      noteMinutes(
        Set(numbers.filter { (0..<60).contains($0) }.flatMap { [$0, $0 + 1] }), clock)
      return true
    }
    return false
  }

  private mutating func noteMinutes(_ minutes: Set<Int64>, _ clock: Clock) {
    let phases = minutes.union([0]).filter { (0..<60).contains($0) }.sorted()
    found.grids.insert(
      .init(
        zone: clock.zone, period: Self.hour, phases: phases.map { $0 * 60 }, shift: clock.shift))
  }
}

extension Turns.Grid {
  /// Its moments, and those at which the clock of the place is put forward or back.
  ///
  /// - Parameters:
  ///   - from: no earlier one.
  ///   - zone: by its name.
  /// - Units: milliseconds since 1970.
  public func moments(
    from: Int64, until: Int64, most: Int, zone named: (String) -> ZoneTable?
  ) -> [Int64] {
    // In a zone that does not exist every question ends in an error.
    guard let zone = ZoneTable(offsetText: zone) ?? (zone.isEmpty ? .utc : named(zone)) else {
      return []
    }
    let (first, last) = (
      floorDivide(from + shift, 1_000), floorDivide(until + shift, 1_000)
    )
    var found: [Int64] = []
    var at = first
    while at < last, found.count <= most {
      let end = min(zone.changes(after: at) ?? last, last)
      let offset = Int64(zone.offset(at: at))
      found.append(at)
      for phase in phases {
        var next = at + floorModulo(phase - at - offset, period)
        while next < end, found.count <= most {
          found.append(next)
          next += period
        }
      }
      at = end
    }
    return found.map { $0 * 1_000 - shift }.filter { $0 >= from && $0 < until }
  }
}

extension ZoneTable {
  /// The next change of the offset, as far as each is known by itself.
  fileprivate func changes(after seconds: Int64) -> Int64? {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return starts.indices.contains(low) ? starts[low] : nil
  }
}

extension Turns {
  /// Where sums are passed, and a millisecond later.
  ///
  /// - Parameter told: moments and lengths of time that a case tells.
  /// - Returns: nil where there are too many; milliseconds since 1970.
  public static func moments(
    _ sums: Set<[Term]>, _ told: [Milliseconds], most: Int
  ) -> [Int64]? {
    var found: Set<Int64> = []
    for terms in sums {
      var reached: Set<Milliseconds> = [.init(0, isExact: true)]
      for term in terms {
        var next: Set<Milliseconds> = []
        for value in term.known.map({ [$0] }) ?? told {
          for before in reached {
            let (sum, isTooMuch) =
              term.isAdded
              ? before.value.addingReportingOverflow(value.value)
              : before.value.subtractingReportingOverflow(value.value)
            guard !isTooMuch else { continue }
            next.insert(.init(sum, isExact: before.isExact && value.isExact))
          }
          guard next.count <= most else { return nil }
        }
        reached = next
      }
      for moment in reached {
        // Each that was rounded may be less than a millisecond off.
        let reach = moment.isExact ? 0 : Int64(terms.count)
        for step in -reach...reach + 1 {
          let (at, isTooMuch) = moment.value.addingReportingOverflow(step)
          if !isTooMuch { found.insert(at) }
        }
      }
      guard found.count <= most else { return nil }
    }
    return Array(found)
  }
}

extension Value {
  /// Every moment and length of time in it, also as a text or a number that one may be made of.
  public var times: [Turns.Milliseconds] {
    var found: [Turns.Milliseconds] = []
    collectTimes(&found, isMaking: true)
    return found
  }

  /// The same without texts and numbers.
  fileprivate var timesAsTheyAre: [Turns.Milliseconds] {
    var found: [Turns.Milliseconds] = []
    collectTimes(&found, isMaking: false)
    return found
  }

  private func collectTimes(_ found: inout [Turns.Milliseconds], isMaking: Bool) {
    switch self {
    case .list(let list): for one in list { one.collectTimes(&found, isMaking: isMaking) }
    case .map(let map):
      for one in map.keys { one.collectTimes(&found, isMaking: isMaking) }
      for one in map.values { one.collectTimes(&found, isMaking: isMaking) }
    case .string, .int: if isMaking { collectMade(&found) }
    default: if let time = Turns.Milliseconds(self) { found.append(time) }
    }
  }

  private func collectMade(_ found: inout [Turns.Milliseconds]) {
    func add(_ value: Value?) {
      if let made = value.flatMap(Turns.Milliseconds.init) { found.append(made) }
    }
    switch self {
    case .string(let text):
      add(Timestamp(text).map(Value.timestamp))
      add(Span(text).map(Value.duration))
    case .int(let number):
      // Of a moment its seconds since 1970, of a length of time nanoseconds.
      add(Timestamp(seconds: number).map(Value.timestamp))
      let seconds = number / 1_000_000_000
      let rest = Int32(truncatingIfNeeded: number % 1_000_000_000)
      add(Span(seconds: seconds, nanoseconds: max(rest, 0)).map(Value.duration))
    default: break
    }
  }
}
