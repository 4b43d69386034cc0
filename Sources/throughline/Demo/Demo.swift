import ArgumentParser
import Foundation
import Server
import Synchronization
import System

/// The main job, shown: a server with a fresh data folder in this process, and a story over its
/// real ports.
struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Start everything on loopback, play a story over the real protocols, and stay up to be tried."
  )

  @Flag(name: .long, help: "End after the story; status 0 only if nothing was missing.") var once =
    false
  @Option(
    name: .long, help: "A data folder to keep; without it a temporary one, removed at the end.")
  var data: String?
  @Option(name: .long, help: "The folder with the rules' folder \"demo\" in it.") var rules =
    "routing-rules"
  @Option(name: .long, help: "Address and port of the HTTP API.") var http = "127.0.0.1:8080"
  @Option(name: .long, help: "Address and port for SMTP.") var smtp = "127.0.0.1:2525"
  @Option(name: .long, help: "Address and port for LMTP.") var lmtp = "127.0.0.1:2424"
  @Option(name: .long, help: "Address and port for FastAGI.") var fastagi = "127.0.0.1:4573"

  func run() async throws {
    let tell = Narrator()
    do {
      if try await show(tell) { throw ExitCode(1) }
    } catch let fault as Peer.Fault {
      FileHandle.standardError.write(Data("throughline demo: \(fault)\n".utf8))
      throw ExitCode(2)
    }
  }

  /// - Returns: whether something was missing.
  private func show(_ tell: Narrator) async throws -> Bool {
    let (folder, isTemporary) = try dataFolder()
    defer { if isTemporary { Self.remove(folder) } }
    let smarthost = try Smarthost()
    let settings = try settings(folder, smarthost)
    let noted = Noted()
    Log.divert { noted.add($0) }
    let server = try start(settings)
    let stage = try Stage(server, settings, smarthost)
    opening(tell, server, settings)
    let proof = await withCheckedContinuation { ready in
      // The story's clients block; a thread of its own keeps them off Swift's own few.
      Thread.detachNewThread {
        let story = Story(stage, tell)
        story.play()
        ready.resume(returning: story.proof)
      }
    }
    Ending(tell: tell, proof: proof, noted: noted.lines).tellAll()
    if !once {
      TryYourself(tell: tell, stage: stage, settings: settings).tellAll()
      try await untilStopped()
    }
    _ = await server.stop()
    return !proof.missing.isEmpty
  }

  private func opening(_ tell: Narrator, _ server: ServerProcess, _ settings: Settings) {
    tell.line(
      tell.paint("Throughline", .bold)
        + ": a bot, a mail and a call reach a human who already knows everything.")
    let ports = server.addresses.filter { $0.name != "administration" }.map {
      "\($0.name) \($0.address)"
    }
    tell.line(tell.paint(ports.joined(separator: ", "), .faint))
    for workspace in server.workspaces where workspace.name == Stage.workspace {
      tell.line(
        tell.paint(
          "\(settings.rules)/\(workspace.name): \(workspace.rules) rules, \(workspace.queues) queues, "
            + "\(workspace.agents) agents; data in \(settings.data)", .faint))
    }
  }

  // MARK: - Starting

  private func dataFolder() throws -> (path: String, isTemporary: Bool) {
    if let data {
      // The story begins with strangers.
      if FileManager.default.fileExists(atPath: data + "/throughline.sqlite") {
        throw Peer.Fault("\(data) holds data already; the demo wants a fresh folder, or none named")
      }
      return (data, false)
    }
    let made = NSTemporaryDirectory() + "throughline-demo-" + String(Entropy.word, radix: 36)
    return (made, true)
  }

  private static func remove(_ folder: String) {
    guard FileManager.default.fileExists(atPath: folder) else { return }  // it never came to a server
    do { try FileManager.default.removeItem(atPath: folder) } catch {
      FileHandle.standardError.write(Data("\(folder) could not be removed: \(error)\n".utf8))
    }
  }

  private func settings(_ folder: String, _ smarthost: Smarthost) throws -> Settings {
    guard FileManager.default.fileExists(atPath: "\(rules)/\(Stage.workspace)/workspace.yaml")
    else {
      throw Peer.Fault(
        "there are no rules at \(rules)/\(Stage.workspace); "
          + "run it where routing-rules is, or name that folder with --rules"
      )
    }
    do {
      return try Settings.load(
        file: nil, environment: [:],
        flags: [
          ("data", folder), ("rules", rules), ("http.listen", http), ("smtp.listen", smtp),
          ("lmtp.listen", lmtp),
          ("fastagi.listen", fastagi), ("smarthost.url", "smtp://127.0.0.1:\(smarthost.port)"),
          ("outbox.retry_seconds", "1"), ("drain_seconds", "1"),
        ])
    } catch let faults as Settings.Faults { throw Peer.Fault(faults.description) }
  }

  private func start(_ settings: Settings) throws -> ServerProcess {
    for (name, text) in [("http", http), ("smtp", smtp), ("lmtp", lmtp), ("fastagi", fastagi)] {
      guard let (_, port) = Settings.address(text), port != 0, Self.isTaken(port) else { continue }
      throw Peer.Fault(
        "port \(port) is taken; choose another with --\(name) 127.0.0.1:\(port &+ 10_000), or any free one with "
          + "--\(name) 127.0.0.1:0")
    }
    do { return try ServerProcess(settings) } catch {
      throw Peer.Fault("the server cannot start: \(error)")
    }
  }

  private static func isTaken(_ port: UInt16) -> Bool {
    do {
      _ = try Peer(port: port)
      return true
    } catch { return false }  // nobody answers there
  }

  private func untilStopped() async throws {
    let (signals, heard) = AsyncStream<Signal>.makeStream()
    let watch = try SignalWatch([.terminate, .interrupt]) { heard.yield($0) }
    defer { withExtendedLifetime(watch) {} }
    for await _ in signals { return }
  }
}

/// What the server had to note while the story played; nothing, where all is well.
final class Noted: Sendable {
  private let kept = Mutex<[String]>([])
  func add(_ line: String) { kept.withLock { $0.append(line) } }
  var lines: [String] { kept.withLock { $0 } }
}
