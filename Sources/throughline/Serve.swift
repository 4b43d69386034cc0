import ArgumentParser
import Foundation
import Server
import System

/// What several commands need to find the server and its settings.
struct SettingsOptions: ParsableArguments {
  @Option(name: .long, help: "One YAML file with settings; see --help-settings of serve.")
  var config: String?
  @Option(name: .long, help: "The data folder.")
  var data: String?
  @Option(name: .long, help: "The folder with one folder of routing rules a workspace.")
  var rules: String?

  func settings(_ more: [(path: String, value: String?)] = []) throws -> Settings {
    let flags = [("data", data), ("rules", rules)] + more.map { ($0.path, $0.value) }
    return try Settings.load(
      file: config, environment: ProcessInfo.processInfo.environment,
      flags: flags.compactMap { path, value in value.map { (path, $0) } })
  }
}

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the server until SIGTERM or Ctrl-C.")

  @OptionGroup var options: SettingsOptions
  @Option(name: .long, help: "Address and port of the HTTP API, or off.") var http: String?
  @Option(name: .long, help: "Address and port of the same under TLS, or off.") var https: String?
  @Option(name: .long, help: "Address and port for SMTP, or off.") var smtp: String?
  @Option(name: .long, help: "Address and port for LMTP, or off.") var lmtp: String?
  @Option(name: .long, help: "Address and port for FastAGI, or off.") var fastagi: String?
  @Option(name: .long, help: "Where mail leaves, such as smtp://127.0.0.1:25.") var smarthost:
    String?
  @Flag(name: .long, help: "Print every setting with its environment variable, and stop.")
  var helpSettings =
    false

  func run() async throws {
    if helpSettings { return print(Settings.table) }
    let settings: Settings
    do {
      settings = try options.settings([
        ("http.listen", http), ("https.listen", https), ("smtp.listen", smtp),
        ("lmtp.listen", lmtp), ("fastagi.listen", fastagi),
        ("smarthost.url", smarthost),
      ])
    } catch let faults as Settings.Faults {
      FileHandle.standardError.write(Data((faults.description + "\n").utf8))
      throw ExitCode(2)
    }
    // Before anything listens or is printed: whoever stops a server that is just starting gets a
    // clean end, too.
    let (signals, heard) = AsyncStream<Signal>.makeStream()
    let watch = try SignalWatch([.terminate, .interrupt, .hangUp]) { heard.yield($0) }
    defer { withExtendedLifetime(watch) {} }
    let server: ServerProcess
    do { server = try ServerProcess(settings) } catch {
      FileHandle.standardError.write(Data("throughline cannot start: \(error)\n".utf8))
      throw ExitCode(1)
    }
    print("throughline serves the data folder \(settings.data)")
    for (name, address) in server.addresses { print("  \(name.padded(16)) \(address)") }
    for workspace in server.workspaces {
      print(
        "  workspace \(workspace.name): \(workspace.rules) rules, \(workspace.queues) queues, "
          + "\(workspace.agents) agents, version \(workspace.version)")
      if !workspace.warnings.isEmpty { print(workspace.warnings) }
    }
    fflush(nil)
    for await signal in signals {
      if signal == .hangUp {
        _ = await server.reload()  // it says by itself what came of it
        continue
      }
      Log.note("stopping")
      let cutOff = await server.stop {
        Log.fault(
          "stopping",
          "the disk does not answer: ended without it; what was acknowledged is on it, and nothing else was"
        )
        _exit(1)
      }
      if cutOff > 0 {
        Log.note("\(cutOff) connections were cut off after \(settings.drainSeconds) s")
      }
      return
    }
  }
}

extension String {
  func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
