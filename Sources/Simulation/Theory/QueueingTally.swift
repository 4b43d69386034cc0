/// Adds up, by batch, what happens while a model runs.
struct QueueingTally {
  let start: Double
  let batchLength: Double
  let batches: Int

  private var waits: [[WaitHistogram]]  // by class, batch
  private var waitSums: [[Double]]
  private var gaveUp: [[Double]]
  private var queued: [Area]
  private var busy: [Area]

  /// The integral over time of a number that changes, by batch.
  private struct Area {
    private(set) var level = 0.0
    private var since = 0.0
    private var batch = 0
    private(set) var sums: [Double]

    init(sums: [Double]) { self.sums = sums }

    mutating func move(by change: Double, at now: Double, _ start: Double, _ length: Double) {
      var from = max(since, start)
      while from < now, batch < sums.count {
        let end = start + Double(batch + 1) * length
        sums[batch] += level * (min(now, end) - from)
        if now < end { break }
        from = end
        batch += 1
      }
      since = now
      level += change
    }
  }

  init(_ model: QueueingModel) {
    start = model.warmUp
    batches = model.batches
    batchLength = model.length / Double(model.batches)
    let zeros = Array(repeating: 0.0, count: model.batches)
    waits = Array(
      repeating: Array(repeating: WaitHistogram(), count: model.batches), count: model.classes.count
    )
    waitSums = Array(repeating: zeros, count: model.classes.count)
    gaveUp = waitSums
    queued = Array(repeating: Area(sums: zeros), count: model.classes.count)
    busy = Array(repeating: Area(sums: zeros), count: model.groups.count)
  }

  private func batch(of instant: Double) -> Int? {
    guard instant >= start else { return nil }
    let index = Int((instant - start) / batchLength)
    return index < batches ? index : nil
  }

  /// A case's waiting is over; it counts for the batch in which it arrived.
  mutating func waited(_ index: Int, arrived: Double, wait: Double, gaveUp gone: Bool) {
    guard let batch = batch(of: arrived) else { return }
    waits[index][batch].record(wait)
    waitSums[index][batch] += wait
    if gone { gaveUp[index][batch] += 1 }
  }

  mutating func queue(_ index: Int, by change: Double, at now: Double) {
    queued[index].move(by: change, at: now, start, batchLength)
  }

  /// How many of each class wait now.
  var lines: [Double] { queued.map(\.level) }

  mutating func serving(_ index: Int, by change: Double, at now: Double) {
    busy[index].move(by: change, at: now, start, batchLength)
  }

  mutating func result(_ model: QueueingModel, decisions: Int) -> QueueingResult {
    let end = start + batchLength * Double(batches)
    for index in queued.indices { queue(index, by: 0, at: end) }
    for index in busy.indices { serving(index, by: 0, at: end) }
    let lengths = Array(repeating: batchLength, count: batches)
    let each = model.classes.indices.map { byClass(model.classes[$0].name, [$0], lengths) }
    return QueueingResult(
      classes: each, all: byClass("all", Array(model.classes.indices), lengths),
      groups: model.groups.indices.map { index in
        let count = model.groups[index].count
        return .init(
          name: model.groups[index].name, agents: count,
          occupancy: .ratio(busy[index].sums, by: lengths.map { $0 * Double(count) }))
      }, decisions: decisions)
  }

  private func byClass(_ name: String, _ classes: [Int], _ lengths: [Double])
    -> QueueingResult.ByClass
  {
    var total = WaitHistogram()
    var each: [WaitHistogram] = []
    for batch in 0..<batches {
      var one = WaitHistogram()
      for index in classes { one.add(waits[index][batch]) }
      total.add(one)
      each.append(one)
    }
    func sum(_ of: [[Double]]) -> [Double] {
      (0..<batches).map { batch in classes.reduce(0) { $0 + of[$1][batch] } }
    }
    let counts = each.map { Double($0.count) }
    return .init(
      name: name, cases: total.count,
      waits: .ratio(each.map { Double($0.count - $0.none) }, by: counts),
      meanWait: .ratio(sum(waitSums), by: counts),
      wait90: total.count == 0
        ? .none
        : .overall(
          total.quantile(0.9), batches: each.filter { $0.count > 0 }.map { $0.quantile(0.9) }),
      abandons: .ratio(sum(gaveUp), by: counts),
      queueLength: .ratio(sum(queued.map(\.sums)), by: lengths))
  }
}
