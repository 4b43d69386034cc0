import Foundation
import Glibc
import Sockets
import System

/// A spawned `throughline serve`, this very program.
final class BenchServer {
  private let process = Process()
  private(set) var http = SocketAddress.loopback(0)
  private(set) var https = SocketAddress.loopback(0)
  private(set) var smtp = SocketAddress.loopback(0)
  private(set) var fastAGI = SocketAddress.loopback(0)
  /// From the spawn to the last line of its greeting.
  private(set) var startMilliseconds: Int64 = 0

  struct Fault: Error, CustomStringConvertible { var description: String }

  /// - Parameter certificate: as `tls.certificates` has it; with it, HTTPS is served.
  init(
    _ folder: BenchFolder, smtp: Bool = false, fastAGI: Bool = false, lanes: Int = 0,
    certificate: String? = nil
  ) throws {
    let begun = MonotonicClock.nowMilliseconds
    let output = try spawn(
      folder, smtp: smtp, fastAGI: fastAGI, lanes: lanes, certificate: certificate)
    try greet(output.fileHandleForReading, folder)
    startMilliseconds = MonotonicClock.nowMilliseconds - begun
  }

  private init() {}

  /// Ends a server's life while it is still starting.
  static func startAndKill(_ folder: BenchFolder, afterMilliseconds wait: Int) throws {
    let server = BenchServer()
    let output = try server.spawn(folder, smtp: true, fastAGI: true, lanes: 0)
    usleep(UInt32(wait) * 1_000)
    server.kill()
    withExtendedLifetime(output) {}
  }

  private func spawn(
    _ folder: BenchFolder, smtp: Bool, fastAGI: Bool, lanes: Int, certificate: String? = nil
  ) throws -> Pipe {
    process.executableURL = URL(
      fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    process.arguments = [
      "serve", "--data", folder.data, "--rules", folder.rules, "--http", "127.0.0.1:0",
      "--smtp", smtp ? "127.0.0.1:0" : "off", "--lmtp", "off",
      "--fastagi", fastAGI ? "127.0.0.1:0" : "off",
    ]
    var environment = ProcessInfo.processInfo.environment
    environment["THROUGHLINE_HTTP_CONNECTIONS_PER_ADDRESS_MAX"] = "100000"
    environment["THROUGHLINE_HTTP_REQUESTS_PER_CONNECTION_MAX"] = "1000000000"
    if let certificate {
      environment["THROUGHLINE_TLS_CERTIFICATES"] = certificate
      environment["THROUGHLINE_HTTPS_LISTEN"] = "127.0.0.1:0"
    }
    if lanes > 0 { environment["THROUGHLINE_LANES"] = String(lanes) }
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    if !FileManager.default.fileExists(atPath: folder.log) {
      _ = FileManager.default.createFile(atPath: folder.log, contents: nil)
    }
    let log = FileHandle(forWritingAtPath: folder.log)
    log?.seekToEndOfFile()
    process.standardError = log ?? FileHandle.nullDevice
    try process.run()
    BenchCleanup.started(pid)
    return output
  }

  /// Reads the lines it starts with, down to its workspaces: then it listens.
  private func greet(_ output: FileHandle, _ folder: BenchFolder) throws {
    var text = ""
    while !text.contains("  workspace ") {
      let more = output.availableData
      guard !more.isEmpty else {
        process.waitUntilExit()
        let log =
          FileManager.default.contents(atPath: folder.log).map {
            String(decoding: $0, as: UTF8.self)
          } ?? ""
        throw Fault(description: "the server did not start: \(log.suffix(2_000))")
      }
      text += String(decoding: more, as: UTF8.self)
    }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let port = words[1].split(separator: ":").last.flatMap({ UInt16($0) })
      else {
        continue
      }
      if words[0] == "http" { http = .loopback(port) }
      if words[0] == "https" { https = .loopback(port) }
      if words[0] == "smtp" { smtp = .loopback(port) }
      if words[0] == "fastagi" { fastAGI = .loopback(port) }
    }
  }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// Ends it as a power switch would, and waits until it is gone.
  func kill() {
    Glibc.kill(pid, SIGKILL)
    process.waitUntilExit()
    BenchCleanup.ended(pid)
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
    BenchCleanup.ended(pid)
  }

  /// Processor time so far, in seconds, and the most memory it ever held, in bytes.
  var usage: (cpuSeconds: Double, peakBytes: Int64) { Self.usage(of: "\(pid)") }

  static func usage(of process: String) -> (cpuSeconds: Double, peakBytes: Int64) {
    func words(_ file: String) -> [Substring] {
      guard let bytes = FileManager.default.contents(atPath: "/proc/\(process)/\(file)") else {
        return []
      }
      return String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" || $0 == "\t" }
    }
    // The name, second, may hold no blank here; utime and stime are the 14th and 15th (proc(5)).
    let stat = words("stat")
    let ticks = stat.count > 15 ? (Double(stat[13]) ?? 0) + (Double(stat[14]) ?? 0) : 0
    let status = words("status")
    let peak = status.firstIndex(of: "VmHWM:").flatMap { Int64(status[$0 + 1]) } ?? 0
    return (ticks / Double(sysconf(Int32(_SC_CLK_TCK))), peak * 1_024)
  }
}
