import Foundation
import SessionScripts
import Testing

/// A call as a real Asterisk spoke it, its connections as `Tests/Asterisk/run` captured them:
/// played against a server that routes for itself. What the server says must be what was captured,
/// but for how long a device rings and the name of the offer.
struct CapturedCall {
  /// Where a test may step in.
  enum Moment: Equatable {
    /// Before the device is heard to ring.
    case willRing(device: String)
    /// The device rings; its leg was not yet picked up.
    case rings(offer: String)
    /// The leg is over, and `Dial` has not returned.
    case legOver
  }

  private struct Talk {
    var steps: [SessionScript.Step]
    var argument: String
  }

  private var waits: [Talk] = []
  private var legs: [Talk] = []
  private var hangups: [Talk] = []
  static let secret = "0123456789abcdef0123"

  init(_ name: String) throws {
    let folder = URL(
      fileURLWithPath: Package.root + "/Tests/PhoneCodecTests/Sessions/asterisk-16.28")
    for script in try SessionScript.all(in: folder, lineEnd: [10])
    where script.name.hasPrefix(name + "-") {
      let parts = script.name.dropFirst(name.count + 1).split(separator: "-")
      guard parts.count == 2, Int(parts[0]) != nil else { continue }
      let second = script.steps.compactMap { step -> String? in
        guard case .peer(let bytes) = step else { return nil }
        let line = String(decoding: bytes.dropLast(), as: UTF8.self)
        return line.hasPrefix("agi_arg_2: ") ? String(line.dropFirst(11)) : nil
      }
      let talk = Talk(steps: script.steps, argument: second.first ?? "")
      switch parts[1] {
      case "wait": waits.append(talk)
      case "answered": legs.append(talk)
      case "hangup": hangups.append(talk)
      default: throw Socket.Fault(description: "no script is called \(parts[1])")
      }
    }
    guard !waits.isEmpty else { throw Socket.Fault(description: "no capture is called \(name)") }
  }

  func play(_ server: TestServer, _ at: @Sendable (Moment) async throws -> Void) async throws {
    var offers: [String: String] = [:]
    for talk in waits { try await play(talk, server, &offers, at) }
    for talk in hangups { try await play(talk, server, &offers, at) }
  }

  private func play(
    _ talk: Talk, _ server: TestServer, _ offers: inout [String: String],
    _ at: (Moment) async throws -> Void
  ) async throws {
    let line = try Line(server.port("fastagi"))
    var said: [UInt8] = []
    for step in talk.steps {
      if case .peer(let bytes) = step {
        said += Self.renamed(bytes, offers)
        continue
      }
      // What Asterisk sent in one go is sent in one go.
      if !said.isEmpty { try line.say(said) }
      said = []
      switch step {
      case .peer, .wait: break
      case .ours(let bytes):
        let captured = String(decoding: bytes.dropLast(), as: UTF8.self)
        guard let ring = Ring(captured) else {
          #expect(try await line.hear() == captured)
          continue
        }
        try await at(.willRing(device: ring.device))
        let heard = try #require(try await line.hear())
        let ours = try #require(Ring(heard), "\(heard)")
        #expect(ours.device == ring.device)
        offers[ring.offer] = ours.offer
        try await at(.rings(offer: ours.offer))
        for leg in legs where leg.argument == ring.offer {
          try await play(leg, server, &offers, at)
          try await at(.legOver)
        }
      case .weClose: #expect(try await line.hear() == nil, "the server closes")
      case .peerCloses: line.close()
      case .anyLine: _ = try await line.hear()
      }
    }
    line.close()
  }

  private static func renamed(_ bytes: [UInt8], _ offers: [String: String]) -> [UInt8] {
    var text = String(decoding: bytes, as: UTF8.self)
    for (captured, ours) in offers where text == "agi_arg_2: \(captured)\n" {
      text = "agi_arg_2: \(ours)\n"
    }
    return Array(text.utf8)
  }

  /// `EXEC Dial PJSIP/agent1,3,gmU(tl-offer^offer1)`
  private struct Ring {
    var device: String
    var offer: String
    init?(_ line: String) {
      guard line.hasPrefix("EXEC Dial "), line.hasSuffix(")"),
        let mark = line.range(of: ",gmU(tl-offer^")
      else { return nil }
      device = String(line.dropFirst(10).prefix { $0 != "," })
      offer = String(line[mark.upperBound...].dropLast())
    }
  }

  private final class Line: Sendable {
    private let socket: Socket
    private let lines: LineBuffer
    init(_ port: UInt16) throws {
      socket = try Socket.connect(port: port)
      lines = LineBuffer(socket)
    }
    func say(_ bytes: [UInt8]) throws { try socket.send(bytes) }
    func hear() async throws -> String? {
      let lines = lines
      return try await blocking { try lines.next() }
    }
    func close() { socket.close() }
  }
}

extension CapturedCall {
  /// The rules under which the calls were captured: one queue, and an agent for each device.
  static func rules(_ folder: TemporaryFolder, _ rule: String = "route: { queue: calls }") throws
    -> String
  {
    let files = [
      "workspace.yaml": """
      title: Calls
      default_region: GB
      phone_systems:
        pbx: { api: fastagi, networks: [127.0.0.1], secret: \(secret) }

      """,
      "skills.yaml": "english: { title: English, language: en }\n",
      "queues.yaml": "calls: { title: Calls, offer_timeout: { phone: 60s }, wrap_up: 0s }\n",
      "agents.yaml": ["agent1", "agent2", "agent3", "agent9"].map {
        "\($0): { queues: [calls], devices: [PJSIP/\($0)] }\n"
      }.joined(),
      "rules/10-all.yaml": "- name: every call\n  \(rule)\n",
    ]
    for (name, text) in files { try folder.write("rules/calls/\(name)", text) }
    return folder.path + "/rules"
  }
}
