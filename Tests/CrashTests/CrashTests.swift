import Foundation
import Testing

/// `throughline bench crash` as short as it is meant: it kills the real server and checks every
/// answer that it ever gave. Longer runs: `throughline bench crash --cycles N`.
@Suite struct CrashTests {
  @Test(.timeLimit(.minutes(5)))
  func `a server killed at random moments stands by every answer it ever gave`() throws {
    let run = Process()
    run.executableURL = try Self.tool()
    run.arguments = [
      "bench", "crash", "--cycles", "50", "--cycles-per-folder", "10", "--life-milliseconds", "500",
    ]
    let output = Pipe()
    run.standardOutput = output
    run.standardError = output
    try run.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    run.waitUntilExit()
    // The text names the seed and the evidence.
    #expect(run.terminationStatus == 0, "\(text)")
    let cycles = text.split(separator: "\n").first { $0.contains(" cycles ") }
    #expect(cycles?.contains(" 50 kills") == true, "\(text)")
    // A load of which nothing came shows nothing: every channel must have had its effect.
    for measure in [
      "acknowledged", "mails", "talks", "merges and splits", "offers' timelines",
      "customers' words", "sent again",
    ] {
      let after = text.range(of: " \(measure) ").map { text[$0.upperBound...] } ?? ""
      let value = after.split(separator: " ", maxSplits: 1).first.flatMap { Int($0) } ?? 0
      #expect(value > 0, "\(measure): \(text)")
    }
  }

  /// The program stands beside the tests' own.
  private static func tool() throws -> URL {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let beside = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(
      "throughline")
    if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    // Xcode-like runners load the tests as a bundle; then its path is among the arguments.
    let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? ""
    let folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
    return folder.appendingPathComponent("throughline")
  }
}
