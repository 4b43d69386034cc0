import Dispatch
import Model
import Records
import Rules
import Service
import Store
import Synchronization
import System

/// What is tidied up beside the service, at the start and then every hour: erasures that a crash
/// cut off are finished, words past their time are forgotten, and so are old outcomes and bytes
/// that nothing refers to. What came since the last look is checked for damage, and once a day
/// everything is; within the hour where somebody met damage: it may be more, and may be none.
final class Housekeeper: Sendable {
  let edge: Edge
  private let queue = DispatchQueue(label: "housekeeping", qos: .utility)
  private let turns = Atomic<Int>(0)
  let isStopped = Atomic<Bool>(false)
  /// How far each rule has looked, so that an hour's look is an hour's entries.
  private let looked = Mutex<[Look: RetentionLook]>([:])

  private struct Look: Hashable {
    var workspace: WorkspaceID
    var rule: RetentionConfiguration
  }

  private let memory = DispatchQueue(label: "memory", qos: .utility)

  private static let everySeconds = 3_600
  private static let memorySeconds = 30
  /// Free memory that is kept for what comes next.
  private static let unusedBytesMax: Int64 = 64 << 20
  private static let day = Duration64.seconds(86_400)

  init(_ edge: Edge) {
    self.edge = edge
    queue.async { self.run() }
    memory.asyncAfter(deadline: .now() + .seconds(Self.memorySeconds)) { [weak self] in
      self?.giveBack(beyond: 0)
    }
  }

  /// Does not wait: a look at everything may take minutes, and whatever is cut off here is taken up
  /// again.
  func stop() { isStopped.store(true, ordering: .releasing) }

  private func run() {
    guard !isStopped.load(ordering: .acquiring) else { return }
    attempt { () throws(StoreFault) in _ = try tidy(now: Instant.now) }
    attempt(check)
    guard !isStopped.load(ordering: .acquiring) else { return }
    queue.asyncAfter(deadline: .now() + .seconds(Self.everySeconds)) { [weak self] in self?.run() }
  }

  /// After a flood each arena of glibc keeps what the flood took, in holes between what is still in use,
  /// and lanes run on threads of many arenas.
  /// - Parameter rest: bytes that could not be given back last time.
  private func giveBack(beyond rest: Int64) {
    guard !isStopped.load(ordering: .acquiring) else { return }
    let unused = ProcessFacts.unusedBytes()
    var left = min(rest, unused)
    if unused > rest + Self.unusedBytesMax {
      ProcessFacts.giveBackFreePages()
      left = ProcessFacts.unusedBytes()
    }
    memory.asyncAfter(deadline: .now() + .seconds(Self.memorySeconds)) { [weak self, left] in
      self?.giveBack(beyond: left)
    }
  }

  /// What one part cannot do must not keep the other from being done.
  private func attempt(_ part: () throws(StoreFault) -> Void) {
    do throws(StoreFault) { try part() } catch {
      if !isStopped.load(ordering: .acquiring) { edge.health.tell("housekeeping", error) }
    }
  }

  /// Everything an hour after the start, and from then on once a day; else what is new. Damage that
  /// somebody met brings the next look at everything forward, which forgets it where it reads well.
  private func check() throws(StoreFault) {
    let isDaily = turns.add(1, ordering: .relaxed).oldValue % 24 == 1
    if isDaily { try renewHours() }
    if edge.health.takeMet() || isDaily { return try checkWhole(edge.writers) }
    for writer in edge.writers where !isStopped.load(ordering: .acquiring) {
      try checkRecent(writer)
    }
  }

  /// Opening hours are spelt out so far ahead and no farther: a server that nobody touches must not
  /// run out of them.
  private func renewHours() throws(StoreFault) {
    guard let all = edge.workspaces, try all.hasAged(at: .now) else { return }
    all.reload(by: "opening hours") { _ in }
  }

  /// Returns how many entries lost their words to age.
  func tidy(now: Instant) throws(StoreFault) -> Int64 {
    let yesterday = Instant(milliseconds: now.milliseconds - Self.day.milliseconds)
    var forgotten: Int64 = 0
    for writer in edge.writers where !isStopped.load(ordering: .acquiring) {
      try finishErasures(writer, now)
      forgotten += try retain(writer, now)
      _ = try edge.store.sweepUnattached(
        writer.workspace, before: yesterday, PersonForms.erased, beneath: writer.beneath)
      _ = try edge.store.sweepBlobs(writer.workspace, before: yesterday)
    }
    try edge.store.forgetOutcomes(before: yesterday)
    return forgotten
  }

  private func finishErasures(_ writer: Writer, _ now: Instant) throws(StoreFault) {
    for receipt in try edge.store.reader().erasures(writer.workspace) where receipt.done == nil {
      Log.note(
        "workspace \(writer.name): erasure \(receipt.number) was cut off and is finished now")
      _ = try edge.store.finish(
        receipt, writer.workspace, at: now, PersonForms.erased, beneath: writer.beneath)
    }
  }

  private func retain(_ writer: Writer, _ now: Instant) throws(StoreFault) -> Int64 {
    var forgotten: Int64 = 0
    for rule in edge.checked(writer.workspace)?.workspace.retention ?? [] {
      let look = Look(workspace: writer.workspace, rule: rule)
      let asked = RetentionRule(
        age: .seconds(rule.days * 86_400), channel: rule.channel, kind: rule.kind, tag: rule.tag)
      var place = looked.withLock { $0[look] } ?? RetentionLook()
      var isDone = false
      while !isDone, !isStopped.load(ordering: .acquiring) {
        let round = try edge.store.forgetOld(
          asked, writer.workspace, now: now, from: &place, SearchText.retention,
          PersonForms.erased, beneath: writer.beneath)
        forgotten += round.forgotten
        isDone = round.isDone
        looked.withLock { $0[look] = place }
      }
    }
    if forgotten > 0 {
      Log.note(
        "workspace \(writer.name): the words of \(forgotten) entries are past their time and gone")
    }
    return forgotten
  }
}
