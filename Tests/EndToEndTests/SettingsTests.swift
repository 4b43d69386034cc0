import Glibc
import Server
import Testing

/// One YAML file, each key also an environment variable, the important ones a flag.
@Suite(.inTurn) struct SettingsTests {
  private func load(
    _ yaml: String, environment: [String: String] = [:], flags: [(path: String, value: String)] = []
  ) throws
    -> Settings
  {
    let folder = try TemporaryFolder()
    try folder.write("throughline.yaml", yaml)
    return try Settings.load(
      file: folder.path + "/throughline.yaml", environment: environment, flags: flags)
  }

  @Test func `without a word it listens on loopback, on the ports that the README names`() throws {
    let settings = try Settings.load(file: nil, environment: [:], flags: [])
    #expect(settings == Settings())
    #expect(settings.httpListen == "127.0.0.1:8080")
    #expect(settings.smtpListen == "127.0.0.1:2525")
    #expect(settings.lmtpListen == "127.0.0.1:2424")
    #expect(settings.fastagiListen == "127.0.0.1:4573")
    #expect(settings.httpsListen == "off")
  }

  @Test func `a start tells where it listens, and which workspaces and rules it has`() async throws
  {
    let folder = try TemporaryFolder()
    let any = ["http", "smtp", "lmtp", "fastagi"].flatMap { ["--\($0)", "127.0.0.1:0"] }
    let peer = try Peer(
      try Binary.path,
      ["serve", "--data", folder.path + "/data", "--rules", Package.demoRules] + any)
    try await peer.line("the workspace") {
      $0.contains(/workspace demo: [1-9]\d* rules, [1-9]\d* queues, [1-9]\d* agents, version 1/)
    }
    let told = peer.lines.joined(separator: "\n")
    #expect(told.contains("data folder \(folder.path)/data"))
    for name in ["http", "smtp", "lmtp", "fastagi"] {
      let line = try #require(peer.lines.first { $0.contains(" \(name) ") }, "\(told)")
      let port = try #require(UInt16(line.split(separator: ":").last ?? ""), "\(line)")
      #expect(line.contains(" 127.0.0.1:"))
      _ = try await blocking { try Socket.connect(port: port) }
    }
    peer.signal(SIGTERM)
    #expect(try await peer.end() == 0)
  }

  @Test func `an environment variable wins over the file, and a flag over both`() throws {
    let yaml =
      "http:\n  listen: 127.0.0.1:1001\nsmtp:\n  listen: 127.0.0.1:1002\nlmtp:\n  listen: \"off\"\n"
    let settings = try load(
      yaml,
      environment: [
        "THROUGHLINE_HTTP_LISTEN": "127.0.0.1:2001", "THROUGHLINE_SMTP_LISTEN": "127.0.0.1:2002",
      ],
      flags: [("http.listen", "127.0.0.1:3001")])
    #expect(settings.httpListen == "127.0.0.1:3001")
    #expect(settings.smtpListen == "127.0.0.1:2002")
    #expect(settings.lmtpListen == "off")
    #expect(settings.fastagiListen == "127.0.0.1:4573")
  }

  @Test func `an unknown key is an error with its name, its line and the nearest known one`() throws
  {
    let fault = #expect(throws: Settings.Faults.self) {
      try load("data: x\nhttp:\n  listen: 127.0.0.1:1001\n  lisen: 127.0.0.1:1002\n")
    }
    let sentence = try #require(fault?.sentences.first)
    #expect(sentence.contains("throughline.yaml:4:3: unknown key \"http.lisen\""))
    #expect(sentence.contains("did you mean \"http.listen\"?"))
  }

  @Test func `a section that nobody knows has a nearest one, too`() throws {
    for (written, meant) in [
      ("htpp", "http"), ("smpt", "smtp"), ("outbx", "outbox"), ("htp", "http"),
    ] {
      let fault = #expect(throws: Settings.Faults.self) {
        try load("\(written):\n  listen: 127.0.0.1:1001\n")
      }
      #expect(
        fault?.sentences.first?.hasSuffix(
          "throughline.yaml:1:1: unknown key \"\(written)\"; did you mean \"\(meant)\"?") == true)
    }
  }

  @Test func `all faults are told at once`() throws {
    let fault = #expect(throws: Settings.Faults.self) {
      try load(
        "http:\n  listen: nowhere\noutbox:\n  retry_seconds: many\ndrain_secods: 3\n",
        environment: ["THROUGHLINE_SMTP_LISTN": "x"])
    }
    let all = fault?.description ?? ""
    #expect(fault?.sentences.count == 4)
    #expect(all.contains("throughline.yaml:2:11: http.listen is not an address and port"))
    #expect(all.contains("throughline.yaml:4:18: outbox.retry_seconds is not a whole number"))
    #expect(all.contains("did you mean \"drain_seconds\"?"))
    #expect(
      all.contains("THROUGHLINE_SMTP_LISTN")
        && all.contains("did you mean \"THROUGHLINE_SMTP_LISTEN\"?"))
  }

  @Test(
    arguments: [
      ("smarthost.url", "127.0.0.1:25", "begins with neither smtp:// nor smtps://"),
      ("smarthost.url", "smtp://mx:port", "is no scheme, host and port"),
      ("mail.hostname", "our host", "is no host name: our host"), ("mail.hostname", "", "a value"),
      ("fastagi.secret", "abc", "is no secret"), ("fastagi.secret", "changeme", "everybody knows"),
      ("data", "", "wants a value"), ("rules", "", "wants a value"),
    ])
  func `what would lose an answer or a call later is refused at the start`(
    _ path: String, _ value: String, _ fault: String
  ) throws {
    let flag = [(path: path, value: value)]
    let told = #expect(throws: Settings.Faults.self) {
      try Settings.load(file: nil, environment: [:], flags: flag)
    }
    #expect(told?.description.contains(fault) == true, "\(told?.description ?? "")")
    #expect(throws: Never.self) {
      try Settings.load(
        file: nil, environment: [:],
        flags: [
          (path: "smarthost.url", value: ""), (path: "fastagi.secret", value: ""),
          (path: "smarthost.url", value: "smtps://mx.example"),
        ])
    }
  }

  @Test func `the command line takes all three, and starts nothing on a mistake`() async throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "throughline.yaml", "data: \(folder.path)/from-file\nhttp:\n  listen: 127.0.0.1:0\nlanes: 1\n"
    )
    try folder.write("wrong.yaml", "data: \(folder.path)/wrong\nlane: 1\n")
    let rest = ["--rules", Package.demoRules] + Binary.quiet
    let wrong = try await Peer.run(
      try Binary.path, ["serve", "--config", folder.path + "/wrong.yaml"] + rest)
    #expect(wrong.status == 2)
    #expect(
      wrong.lines.joined().contains("wrong.yaml:2:1: unknown key \"lane\"; did you mean \"lanes\"?")
    )
    for (environment, flags, wanted) in [
      ([:], [], "from-file"),
      (["THROUGHLINE_DATA": folder.path + "/from-environment"], [], "from-environment"),
      (
        ["THROUGHLINE_DATA": folder.path + "/from-environment"],
        ["--data", folder.path + "/from-flag"], "from-flag"
      ),
    ] as [([String: String], [String], String)] {
      let peer = try Peer(
        try Binary.path, ["serve", "--config", folder.path + "/throughline.yaml"] + rest + flags,
        environment: environment)
      try await peer.line("its data folder") { $0.hasSuffix("/" + wanted) }
      try await peer.line("its workspaces and rules") {
        $0.contains("workspace demo: ") && $0.contains(" rules")
      }
      peer.signal(15)
      #expect(try await peer.end() == 0)
    }
  }
}
