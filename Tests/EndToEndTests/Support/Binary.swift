import Foundation
import GRDB
import Testing

/// The built `throughline`, which stands beside the test bundle.
enum Binary {
  static var path: String {
    get throws {
      for argument in CommandLine.arguments + [ProcessInfo.processInfo.environment["PWD"] ?? ""] {
        var folder = URL(fileURLWithPath: argument)
        for _ in 0..<6 where folder.path != "/" {
          folder.deleteLastPathComponent()
          let found = folder.appendingPathComponent("throughline").path
          var isFolder: ObjCBool = false
          if FileManager.default.fileExists(atPath: found, isDirectory: &isFolder),
            !isFolder.boolValue,
            FileManager.default.isExecutableFile(atPath: found)
          {
            return found
          }
        }
      }
      throw Socket.Fault(description: "no throughline beside \(CommandLine.arguments)")
    }
  }

  static let quiet = [
    "--http", "127.0.0.1:0", "--smtp", "off", "--lmtp", "off", "--fastagi", "off",
  ]

  /// Starts a server of its own and waits until it says where it listens.
  /// - Parameter descriptors: how many it may have; nil for what this process may.
  static func serve(
    _ folder: TemporaryFolder, _ more: [String] = [], environment: [String: String] = [:],
    descriptors: Int? = nil
  ) async throws -> (peer: Peer, port: UInt16) {
    var words = [try path, "serve", "--data", folder.path + "/data", "--rules", Package.demoRules]
    words += quiet + more
    if let descriptors {
      words = ["/bin/sh", "-c", "ulimit -n \(descriptors) && exec \"$0\" \"$@\""] + words
    }
    let peer = try Peer(words[0], Array(words.dropFirst()), environment: environment)
    let line = try await peer.line("the HTTP address") { $0.contains(" http ") }
    guard let port = UInt16(line.split(separator: ":").last ?? "") else {
      throw Socket.Fault(description: "no port in \(line)")
    }
    return (peer, port)
  }
}

/// A server in a process of its own, to be killed and started again over one folder.
struct Served {
  let folder: TemporaryFolder
  let more: [String]
  private(set) var process: (peer: Peer, port: UInt16)

  /// - Parameter more: further words of its command.
  init(_ folder: TemporaryFolder, _ more: [String] = []) async throws {
    (self.folder, self.more) = (folder, more)
    process = try await Binary.serve(folder, more)
  }

  func token(_ holder: String...) async throws -> String {
    let made = try await Peer.run(
      try Binary.path, ["token", "create", "--data", folder.path + "/data"] + holder)
    return try #require(made.lines.first { $0.hasPrefix("tl_") }, "\(made.lines)")
  }

  @discardableResult
  func call(_ method: String, _ target: String, _ body: Body? = nil, by token: String)
    async throws -> Reply
  {
    let call = HTTPCall(
      method: method, target: target, headers: [("Authorization", "Bearer \(token)")],
      body: body.map { Array($0.encoded.utf8) })
    let port = process.port
    return try await blocking { try call.send(on: try Socket.connect(port: port)) }
  }

  func kill() async throws {
    process.peer.signal(SIGKILL)
    #expect(try await process.peer.end() == -SIGKILL)
  }

  mutating func start() async throws { process = try await Binary.serve(folder, more) }
}

extension DatabaseQueue {
  /// Opens a file for writing that its server may be writing to as well, and waits for its turn.
  static func beside(_ file: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    return try DatabaseQueue(path: file, configuration: configuration)
  }
}

/// Looks into a data folder as the SQLite shell would.
struct StoreLook {
  private let database: DatabaseQueue

  init(_ folder: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(10)
    database = try DatabaseQueue(path: folder + "/throughline.sqlite", configuration: configuration)
  }

  func count(_ sql: String) throws -> Int {
    try database.read { try Int.fetchOne($0, sql: sql) ?? 0 }
  }
  func texts(_ sql: String) throws -> [String] {
    try database.read { try String.fetchAll($0, sql: sql) }
  }
}
