import Foundation
import Testing

/// A server whose data folder lies on a small disk of its own, which the kernel says is full.
@Suite(.inTurn) struct FullDiskTests {
  @Test(.enabled(if: getuid() == 0, "a disk of its own is mounted by root alone"))
  func
    `on a disk that is really full nothing is acknowledged that is not there, and room mends it`()
    async throws
  {
    let served = try await Mounted(megabytes: 48)
    defer { served.peer.signal(SIGKILL) }
    let (bot, boss) = (
      try await served.token("--bot", "webshop"), try await served.token("--supervisor", "boss")
    )
    let opened = try await served.call(
      "POST", "/v1/sessions",
      [
        "customer": [
          "identities": [["kind": "email", "value": "mia@home.example", "assurance": "asserted"]]
        ]
      ], by: bot)
    try #require(opened.status == 201, "\(opened)")
    let (session, customer) = (opened["session"].text, opened["customer"].text)
    func say(_ text: String) async throws -> Int {
      try await served.call(
        "POST", "/v1/sessions/\(session)/messages", ["author": "customer", "text": .text(text)],
        by: bot
      ).status
    }
    var acknowledged = ["before"]
    #expect(try await say("before") == 201)

    try served.fill()
    var refused = 0
    // A page that was free, or a log that is used again, may still take some.
    for number in 1...400 where refused < 5 {
      let text = "said \(number)" + String(repeating: " while nothing fits", count: 200)
      let status = try await say(text)
      if status == 201 { acknowledged.append(text) } else { refused += 1 }
      #expect(status == 201 || status == 503)
    }
    #expect(refused == 5)
    let upload = try await served.upload([UInt8](repeating: 7, count: 200_000), by: bot)
    #expect(upload.status == 503, "\(upload)")
    let told = try await served.call("GET", "/health", by: boss)
    #expect(told.status == 503 && told["why"].text.contains("full"), "\(told)")
    func texts() async throws -> [String] {
      let timeline = try await served.call(
        "GET", "/v1/customers/\(customer)/timeline?limit=1000", by: boss)
      #expect(timeline.status == 200, "\(timeline)")
      return timeline.json.texts
    }
    var read = try await texts()
    #expect(
      read == acknowledged,
      "reading goes on, and knows what was acknowledged: \(read.map { $0.prefix(10) }) \(acknowledged.count)"
    )

    try served.empty()
    try await eventually("service goes on by itself") {
      try await served.call("GET", "/health", by: boss).status == 200
    }
    #expect(try await say("after") == 201)
    acknowledged.append("after")
    #expect(try await served.upload([UInt8](repeating: 7, count: 200_000), by: bot).status == 201)
    read = try await texts()
    #expect(read == acknowledged, "\(read.map { $0.prefix(10) }) \(acknowledged.count)")
    // As it would be found after a kill: nothing is being written.
    let copy = try TemporaryFolder()
    let copied = try await Peer.run("/bin/cp", ["-a", served.seen, copy.path + "/data"])
    #expect(copied.status == 0, "\(copied.lines)")
    served.peer.signal(SIGKILL)
    let doctor = try await Peer.run(try Binary.path, ["doctor", "--data", copy.path + "/data"])
    #expect(doctor.status == 0, "\(doctor.lines)")
  }
}

/// Sees its data folder on a disk that nobody else does; it goes with its process.
private struct Mounted {
  private let folder = try! TemporaryFolder()
  let peer: Peer
  private let port: UInt16
  var data: String { folder.path + "/data" }
  /// What the server sees there, from outside.
  var seen: String { "/proc/\(peer.identifier)/root\(data)" }
  private var filler: String { seen + "/filler" }

  init(megabytes: Int) async throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/data", withIntermediateDirectories: true)
    let words =
      [try Binary.path, "serve", "--data", folder.path + "/data", "--rules", Package.demoRules]
      + Binary.quiet
    let mount =
      "mount -t tmpfs -o size=\(megabytes)m none \(folder.path)/data && exec \"$0\" \"$@\""
    peer = try Peer("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", mount] + words)
    let line = try await peer.line("the HTTP address") { $0.contains(" http ") }
    port = try #require(UInt16(line.split(separator: ":").last ?? ""))
  }

  func inside(_ words: [String]) async throws -> (status: Int32, lines: [String]) {
    try await Peer.run(
      "/usr/bin/nsenter", ["--target", "\(peer.identifier)", "--mount", try Binary.path] + words)
  }

  func token(_ holder: String...) async throws -> String {
    let made = try await inside(["token", "create", "--data", data] + holder)
    return try #require(made.lines.first { $0.hasPrefix("tl_") }, "\(made.lines)")
  }

  func call(_ method: String, _ target: String, _ body: Body? = nil, by token: String) async throws
    -> Reply
  {
    try await send(method, target, body.map { Array($0.encoded.utf8) }, by: token)
  }

  func upload(_ bytes: [UInt8], by token: String) async throws -> Reply {
    try await send("POST", "/v1/blobs", bytes, by: token)
  }

  private func send(_ method: String, _ target: String, _ body: [UInt8]?, by token: String)
    async throws -> Reply
  {
    let call = HTTPCall(
      method: method, target: target, headers: [("Authorization", "Bearer \(token)")], body: body)
    return try await blocking { [port] in try call.send(on: try Socket.connect(port: port)) }
  }

  /// To the last byte.
  func fill() throws {
    let file = open(filler, O_WRONLY | O_CREAT, 0o600)
    guard file >= 0 else { throw Socket.Fault(description: "\(filler): errno \(errno)") }
    defer { close(file) }
    for size in [1 << 16, 1] {
      let bytes = [UInt8](repeating: 1, count: size)
      while write(file, bytes, size) > 0 {}
      guard errno == ENOSPC else { throw Socket.Fault(description: "errno \(errno)") }
    }
  }

  func empty() throws { try FileManager.default.removeItem(atPath: filler) }
}
