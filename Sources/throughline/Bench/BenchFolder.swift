import Foundation
import Server
import System

/// A temporary folder with a data folder and generated routing rules: one queue, and as many agents
/// as wanted.
struct BenchFolder {
  let path: String
  var data: String { "\(path)/data" }
  var rules: String { "\(path)/rules" }
  var log: String { "\(path)/server.log" }
  static let mailbox = "help@bench.example"
  static let phoneSystem = "pbx"
  static let phoneSecret = "0123456789abcdef0123"

  /// - Parameters:
  ///   - capacity: cases that an agent may have at once.
  ///   - phones: agents with a device and no desk, who are offered calls only.
  ///   - under: where to make it; the system's temporary folder, unless told otherwise.
  init(agents: Int, capacity: Int, phones: Int = 0, under parent: String? = nil) throws {
    let parent = (parent ?? NSTemporaryDirectory()).trimmingSuffix("/")
    guard FileManager.default.fileExists(atPath: parent) else {
      throw BenchServer.Fault(description: "there is no folder \(parent)")
    }
    path = "\(parent)/throughline-bench-\(String(Entropy.word, radix: 36))"
    let workspace = "\(path)/rules/bench"
    BenchCleanup.made(path)
    for folder in [data, workspace + "/rules"] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let files = [
      "workspace.yaml": """
      title: Bench
      mail_addresses: [\(Self.mailbox)]
      default_region: US
      bots:
        robin: { asserts: [chat, email], assurance: asserted }
        wren: { asserts: [chat, email], assurance: asserted }
      integrations: { till: { asserts: [external], assurance: asserted } }
      capacity: { chat: 1, email: 1, phone: whole }
      phone_systems:
        \(Self.phoneSystem): { api: fastagi, networks: [127.0.0.1], secret: \(Self.phoneSecret) }

      """,
      "queues.yaml": "support:\n  title: Support\n  wrap_up: 0s\n  who: [longest_idle]\n",
      "skills.yaml": "english: { title: English, language: en }\n",
      "agents.yaml": (0..<agents).map {
        "\(Self.agent($0)):\n  name: Agent \($0)\n  skills: { english: 5 }\n  queues: [support]\n  capacity: \(capacity)\n"
      }.joined()
        + (0..<phones).map {
          "\(Self.phone($0)): { queues: [support], devices: [PJSIP/\(Self.phone($0))] }\n"
        }.joined(),
      "rules/10-all.yaml": "- name: everyone\n  route:\n    queue: support\n",
    ]
    for (name, text) in files {
      try text.write(toFile: "\(workspace)/\(name)", atomically: false, encoding: .utf8)
    }
  }

  static func agent(_ index: Int) -> String { "agent\(index)" }
  static func phone(_ index: Int) -> String { "phone\(index)" }

  func remove() {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      Log.fault("removing \(path)", "\(error)")
    }
    BenchCleanup.removed(path)
  }

  /// A token from the running server, over its administration socket.
  func token(_ scope: String, _ holder: String) throws -> String {
    var settings = Settings()
    settings.data = data
    let body = try JSONSerialization.data(withJSONObject: ["scope": scope, "holder": holder])
    let answer = try AdminClient.send("POST", "/admin/tokens", body, settings)
    guard let token = JSONPick.find("token", in: [UInt8](answer)) else {
      throw AdminClient.Fault("the server gave no token")
    }
    return token
  }
}

/// Picks members out of JSON of a known shape without parsing it: a bench's client must cost
/// little.
enum JSONPick {
  /// The first member of this name with a text without escapes.
  static func find(_ name: String, in json: [UInt8]) -> String? {
    guard let start = position(after: "\"\(name)\":\"", in: json) else { return nil }
    guard let end = json[start...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    return String(decoding: json[start..<end], as: UTF8.self)
  }

  static func number(_ name: String, in json: [UInt8]) -> Int64? {
    guard let start = position(after: "\"\(name)\":", in: json) else { return nil }
    let digits = json[start...].prefix { (48...57).contains($0) }
    return Int64(String(decoding: digits, as: UTF8.self))
  }

  /// Where an object that begins here ends.
  static func end(ofObjectAt start: Int, in json: [UInt8]) -> Int? {
    var (depth, at, isText) = (0, start, false)
    while at < json.count {
      switch json[at] {
      case UInt8(ascii: "\\") where isText: at += 1
      case UInt8(ascii: "\""): isText.toggle()
      case UInt8(ascii: "{") where !isText: depth += 1
      case UInt8(ascii: "}") where !isText:
        depth -= 1
        if depth == 0 { return at + 1 }
      default: break
      }
      at += 1
    }
    return nil
  }

  /// Where the first occurrence of the text ends.
  static func position(after text: String, in json: [UInt8]) -> Int? {
    let needle = Array(text.utf8)
    return json.withUnsafeBytes { hay in
      needle.withUnsafeBytes { needle in
        guard let first = needle.first, hay.count >= needle.count else { return nil }
        var at = 0
        while at <= hay.count - needle.count {
          if hay[at] == first, hay[at..<(at + needle.count)].elementsEqual(needle) {
            return at + needle.count
          }
          at += 1
        }
        return nil
      }
    }
  }
}

extension String {
  func trimmingSuffix(_ end: String) -> String {
    hasSuffix(end) ? String(dropLast(end.count)) : self
  }
}
