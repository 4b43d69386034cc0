import Glibc
import Model
import Store

// Durable commands and reads of one store, measured in one run. `storebench <new folder> [seconds [batch]]` (with a
// batch: those commands alone, for a profile); one line of JSON a measure, as every `bench` prints. Becomes
// `throughline bench store`.

@main
struct Storebench {
  static func main() {
    guard CommandLine.arguments.count > 1 else { return print("usage: storebench <new folder> [seconds]") }
    let seconds = CommandLine.arguments.count > 2 ? Double(CommandLine.arguments[2]) ?? 3 : 3
    let batch = CommandLine.arguments.count > 3 ? Int(CommandLine.arguments[3]) : nil
    do {
      let store = try SQLiteStore(folder: CommandLine.arguments[1])
      let run = Run(store: store, workspace: try store.addWorkspace(named: "bench").id)
      if let batch { return try run.commands(batch: batch, seconds) }
      try run.raw(seconds)
      for batch in [1, 10, 100, 500] { try run.commands(batch: batch, seconds) }
      try run.fillTimeline(entries: 100_000)
      try run.lookups(seconds: 1)
      try run.timelines(seconds: 1)
      try run.check()
      store.close()
    } catch { print("\(error)") }
  }
}

final class Run {
  let store: SQLiteStore
  let workspace: WorkspaceID
  var position: Int64 = 0
  var entry: Int64 = 0
  var random = Mixer(state: 1)
  let customers: [CustomerID]
  let profile = [UInt8](repeating: 0x61, count: 60)

  init(store: SQLiteStore, workspace: WorkspaceID) {
    self.store = store
    self.workspace = workspace
    var random = Mixer(state: 9)
    customers = (0..<20_000).map { _ in CustomerID(high: random.next(), low: random.next()) }
  }

  func say(_ name: String, _ measure: String, _ value: Double, _ unit: String) {
    let text = value < 100 ? "\((value * 100).rounded() / 100)" : "\(Int(value))"
    print(#"{"bench":"store","case":"\#(name)","measure":"\#(measure)","value":\#(text),"unit":"\#(unit)"}"#)
  }

  /// What the disk can do: 4 kB appended and synced.
  func raw(_ seconds: Double) throws {
    let path = "\(store.folder)/raw"
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    let page = [UInt8](repeating: 7, count: 4_096)
    var times: [Double] = []
    let end = now() + min(seconds, 1)
    while now() < end {
      let start = now()
      _ = page.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      fdatasync(file)
      times.append(now() - start)
    }
    close(file)
    unlink(path)
    tell("4 kB appended and synced", times)
  }

  func tell(_ name: String, _ times: [Double]) {
    let sorted = times.sorted()
    for (measure, part) in [("p50", 0.5), ("p99", 0.99), ("max", 1)] {
      say(name, measure, sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] * 1e6, "us")
    }
  }

  /// A realistic command: one log record, two rows of open work, one entry, one customer.
  func add(to commit: inout Commit, customer: CustomerID) {
    position += 1
    entry += 1
    let at = Instant(milliseconds: 1_790_000_000_000 + position)
    var body = [UInt8](repeating: 0x20, count: 300)
    for index in stride(from: 0, to: 300, by: 8) { body[index] = UInt8(truncatingIfNeeded: random.next()) }
    commit.log.append(LogRecord(position: position, at: at, bytes: Array(body[..<120])))
    commit.entries.append(
      EntryRow(
        id: EntryID(entry), position: position, customer: customer,
        conversation: ConversationID(high: customer.low, low: customer.high), session: SessionID(high: 1, low: 2),
        at: at, visibility: .customer, body: body, hash: Checksum.sha256(body)))
    for kind in UInt8(1)...2 {
      let key = withUnsafeBytes(of: customer.high) { Array($0) } + withUnsafeBytes(of: customer.low) { Array($0) }
      commit.work.append(OpenWorkRow(kind: kind, key: key, value: Array(body[..<100])))
    }
    var timeline = TimelineDigest()
    timeline.count = entry
    commit.customers.append(
      CustomerRow(id: customer, root: customer, created: at, profile: profile, timeline: timeline))
  }

  func commands(batch: Int, _ seconds: Double) throws {
    var times: [Double] = []
    var making = 0.0
    let end = now() + seconds
    let cpu = cpuSeconds()
    while now() < end {
      let start = now()
      var commit = Commit(workspace: workspace)
      for _ in 0..<batch { add(to: &commit, customer: customers[Int(random.next() % 20_000)]) }
      let ready = now()
      making += ready - start
      try store.commit([commit])
      times.append(now() - ready)
    }
    let name = "commands in batches of \(batch)"
    let spent = times.reduce(0, +)
    let count = Double(times.count * batch)
    say(name, "commands", count / spent, "1/s")
    say(name, "rows", count * 5 / spent, "1/s")
    say(name, "time a command", spent / count * 1e6, "us")
    say(name, "cpu a command, its making included", (cpuSeconds() - cpu) / count * 1e6, "us")
    say(name, "making a command", making / count * 1e6, "us")
    tell("\(name): commit", times)
  }

  let regular = CustomerID(high: 77, low: 77)
  func fillTimeline(entries: Int) throws {
    for _ in 0..<(entries / 500) {
      var commit = Commit(workspace: workspace)
      for _ in 0..<500 { add(to: &commit, customer: regular) }
      try store.commit([commit])
    }
  }

  func lookups(seconds: Double) throws {
    let reader = try store.reader()
    try measure("customer by id", seconds) { _ = try reader.customer(workspace, customers[$0 % 20_000]) }
    let position = position
    try measure("head of the log", seconds) { _ in _ = try reader.head(workspace) }
    try measure("log, 100 records", seconds) {
      _ = try reader.log(workspace, after: Int64($0 * 100) % position, limit: 100)
    }
    var commit = Commit(workspace: workspace)
    try measure("customer by id, after a commit each", seconds) {
      commit.keys = [KeyRow(space: .call, key: [1], value: [UInt8(truncatingIfNeeded: $0)])]
      try store.commit([commit])
      let start = now()
      _ = try reader.customer(workspace, customers[$0 % 20_000])
      return now() - start
    }
  }

  func timelines(seconds: Double) throws {
    let reader = try store.reader()
    let last = entry
    func page(_ of: [CustomerID], _ from: Int64, _ direction: PageDirection, _ limit: Int) throws {
      let found = try reader.timeline(
        workspace, of: of, from: EntryID(from), direction, atMost: EntryID(last), limit: limit, visible: .internal)
      precondition(found.count == limit)
    }
    try measure("newest 100 of 100,000 entries", seconds) { _ in try page([regular], .max, .older, 100) }
    try measure("100 in the middle of 100,000", seconds) {
      try page([regular], last - 50_000 - Int64($0 % 40_000), .newer, 100)
    }
    let merged = [regular] + customers[..<9]
    try measure("newest 100 of ten merged records", seconds) { _ in try page(merged, .max, .older, 100) }
  }

  func check() throws {
    guard let reader = try store.reader() as? SQLiteReader else { return }
    let start = now()
    let report = try IntegrityCheck.recent(reader, workspace, from: .start)
    say("integrity check", "records and entries", Double(report.records + report.entries) / (now() - start), "1/s")
    if !report.findings.isEmpty { print(report.findings) }
  }

  func measure(_ name: String, _ seconds: Double, _ body: (Int) throws -> Void) throws {
    try measure(name, seconds) { number -> Double in
      let start = now()
      try body(number)
      return now() - start
    }
  }
  func measure(_ name: String, _ seconds: Double, _ body: (Int) throws -> Double) throws {
    var times: [Double] = []
    let end = now() + seconds
    while now() < end { times.append(try body(times.count)) }
    tell(name, times)
  }
}

struct Mixer {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
