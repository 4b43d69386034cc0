import Foundation
import Synchronization

/// A program that talks with the server: its lines as they come, its end, its status.
final class Peer: Sendable {
  private struct State {
    var lines: [String] = []
    var rest: [UInt8] = []
    var status: Int32?
  }
  private let state = Mutex(State())
  private let input: Mutex<FileHandle?>
  let identifier: Int32

  /// - Parameter environment: all of it; the test's own settings must not reach a server.
  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    var all = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LANG": "C.UTF-8",
    ]
    all["HOME"] = ProcessInfo.processInfo.environment["HOME"]
    process.environment = all.merging(environment) { $1 }
    let (out, into) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError, process.standardInput) = (out, out, into)
    input = Mutex(into.fileHandleForWriting)
    try process.run()
    identifier = process.processIdentifier
    let (reading, running) = (out.fileHandleForReading, process)
    Thread.detachNewThread { [self] in
      while case let data = reading.availableData, !data.isEmpty { take([UInt8](data)) }
      running.waitUntilExit()
      let status =
        running.terminationReason == .exit ? running.terminationStatus : -running.terminationStatus
      state.withLock { state in
        if !state.rest.isEmpty { state.lines.append(String(decoding: state.rest, as: UTF8.self)) }
        state.status = status
      }
    }
  }

  deinit { if status == nil { kill(identifier, SIGKILL) } }

  private func take(_ bytes: [UInt8]) {
    state.withLock { state in
      state.rest += bytes
      while let end = state.rest.firstIndex(of: 10) {
        state.lines.append(String(decoding: state.rest[..<end], as: UTF8.self))
        state.rest.removeFirst(end + 1)
      }
    }
  }

  var lines: [String] { state.withLock { $0.lines } }
  var status: Int32? { state.withLock { $0.status } }

  func say(_ line: String) throws {
    try input.withLock { try $0?.write(contentsOf: Data((line + "\n").utf8)) }
  }

  func finishInput() {
    input.withLock { input in
      try? input?.close(); input = nil
    }
  }

  func signal(_ number: Int32) { kill(identifier, number) }

  /// The first line that fits; a peer that ends without it is a failure at once.
  @discardableResult
  func line(_ what: String, seconds: Int = 60, where fits: @escaping @Sendable (String) -> Bool)
    async throws -> String
  {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while clock.now < end {
      let (lines, status) = state.withLock { ($0.lines, $0.status) }
      if let found = lines.first(where: fits) { return found }
      if let status {
        throw Socket.Fault(
          description: "ended with \(status) before \(what):\n"
            + lines.suffix(10).joined(separator: "\n"))
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw Socket.Fault(
      description: "no \(what) in \(seconds) s:\n" + lines.suffix(10).joined(separator: "\n"))
  }

  /// Waits for the end and answers the status; killed by a signal is minus its number.
  @discardableResult
  func end(seconds: Int = 30) async throws -> Int32 {
    try await eventually("process \(identifier) ends", seconds: seconds) { self.status != nil }
    return status ?? -1
  }

  /// Runs a program to its end.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    seconds: Int = 60
  ) async throws -> (status: Int32, lines: [String]) {
    let peer = try Peer(program, arguments, environment: environment)
    peer.finishInput()
    let status = try await peer.end(seconds: seconds)
    return (status, peer.lines)
  }
}

/// Python with PyPI's `websockets`, made once a run. Without them the tests fail: a peer that is
/// not there proves nothing.
enum Python {
  private static let made = Task { () throws -> String in
    let folder = try TemporaryFolder()
    let made = try await Peer.run("/usr/bin/python3", ["-m", "venv", folder.path + "/venv"])
    guard made.status == 0 else { throw Socket.Fault(description: "no venv: \(made.lines)") }
    let installed = try await Peer.run(
      folder.path + "/venv/bin/pip",
      [
        "install", "--quiet", "--disable-pip-version-check", "--requirement",
        Package.peers + "/requirements.txt",
      ])
    guard installed.status == 0 else {
      throw Socket.Fault(description: "no websockets: \(installed.lines)")
    }
    kept.withLock { $0 = folder }
    return folder.path + "/venv/bin/python"
  }
  private static let kept = Mutex<TemporaryFolder?>(nil)

  static var interpreter: String { get async throws { try await made.value } }
}
