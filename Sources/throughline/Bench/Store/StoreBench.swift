import ArgumentParser
import Foundation
import Model
import Records
import Store
import System

/// `throughline bench store`: what the store can do on this machine, beside what bare SQLite can in
/// the same run.
struct StoreBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract:
      "Durable entries a second, starting after kill -9, search, timelines and identities, beside bare SQLite."
  )

  enum Part: String, ExpressibleByArgument, CaseIterable {
    case commit, start, search, timeline, identity
  }

  @Option(name: .long, help: "One part alone: commit, start, search, timeline or identity.")
  var only: Part?
  @Option(name: .long, help: "How long each case of commits is measured.") var seconds = 4
  @Option(name: .long, help: "Open conversations to start with; 1000000 takes minutes.") var open =
    20_000
  @Option(name: .long, help: "Entries to search in.") var entries = 200_000
  @Option(name: .long, help: "Entries of the customer whose timeline is read.") var timeline =
    100_000
  @Option(
    name: .long,
    help: "Identities among which a first contact is resolved; 10000000 needs 5 GB of disk.")
  var identities = 200_000
  @Option(name: .long, help: "Where the temporary data folders are made.") var folder: String?
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  func validate() throws {
    guard (1...600).contains(seconds), (1...2_000_000).contains(open),
      (1...20_000_000).contains(entries),
      (1...5_000_000).contains(timeline), (1...50_000_000).contains(identities)
    else { throw ValidationError("a size is out of its range") }
  }

  func run() async throws {
    let place =
      "\((folder ?? NSTemporaryDirectory()).trimmingSuffix("/"))/throughline-store-\(String(Entropy.word, radix: 36))"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    defer {
      do { try FileManager.default.removeItem(atPath: place) } catch {
        print("left behind: \(place)")
      }
    }
    var report = BenchReport("store", json: json)
    for part in Part.allCases where only == nil || only == part {
      let (cpu, begun) = (BenchServer.usage(of: "self").cpuSeconds, MonotonicClock.nowNanoseconds)
      switch part {
      case .commit: try CommitCases(place, seconds: seconds).run(&report)
      case .start: try await StartCase(place: place, open: open).run(&report)
      case .search: try ReadCases(place).search(entries, &report)
      case .timeline: try ReadCases(place).timeline(timeline, &report)
      case .identity: try ReadCases(place).identity(identities, &report)
      }
      report.add(
        "\(part.rawValue), all of it", "cpu", BenchServer.usage(of: "self").cpuSeconds - cpu, "s")
      report.add(
        "\(part.rawValue), all of it", "time", Double(MonotonicClock.nowNanoseconds - begun) / 1e9,
        "s")
      report.add(
        "\(part.rawValue), all of it", "peak memory",
        Double(BenchServer.usage(of: "self").peakBytes) / 1_048_576, "MiB")
      report.print()
      report = BenchReport("store", json: json)
    }
  }
}

/// Rows as a busy shop makes them.
enum BenchRows {
  static let start = Instant(milliseconds: 1_790_000_000_000)

  /// 300 bytes of JSON as the writer makes it.
  static func entry(_ number: Int64, _ customer: CustomerID, text: String? = nil) -> EntryRow {
    let said =
      text
      ?? "my order \(number) has not arrived yet, and I would like to know where it is please, thank you"
    let body = Array(
      """
      {"entry":\(number),"at":"2026-11-26T01:10:52.858Z","kind":"message","author":{"kind":"customer"},\
      "visibility":"customer","channel":"chat","text":"\(said)","salt":"5c9773b3507d7b77"}
      """.utf8)
    return EntryRow(
      id: EntryID(number), position: number, customer: customer, conversation: nil, session: nil,
      at: Instant(milliseconds: start.milliseconds + number), visibility: .customer, body: body,
      hash: Checksum.sha256(body))
  }

  /// A command as the pipeline commits one: a log record, an entry, its customer, two rows of open
  /// work.
  static func command(_ number: Int64, _ customers: [CustomerID]) -> (inout Commit) -> Void {
    { commit in
      let customer = customers[Int(number) % customers.count]
      commit.log.append(
        LogRecord(
          position: number, at: Instant(milliseconds: start.milliseconds + number),
          bytes: Array(repeating: 7, count: 80)))
      commit.entries.append(entry(number, customer))
      commit.customers.append(
        CustomerRow(
          id: customer, root: customer, created: start, profile: Array(repeating: 1, count: 40),
          timeline: TimelineDigest(count: number, sum: .zero)))
      for kind in [1, 2] as [UInt8] {
        commit.work.append(
          OpenWorkRow(
            kind: kind, key: Array("\(number % 5_000)".utf8),
            value: Array(repeating: kind, count: 60)))
      }
    }
  }
}
