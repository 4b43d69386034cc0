import Foundation
import Glibc
import Testing

@testable import Server

/// HTTPS and STARTTLS as a user sets them up, and as `curl`, Python's `smtplib` and its `ssl` see
/// them.
@Suite(.inTurn) struct EncryptionTests {
  /// A server with HTTPS, and the folder in which its certificate is, `one.pem`.
  private func overHTTPS(
    _ change: (inout Settings) -> Void = { _ in },
    _ body: @Sendable (TestServer, TemporaryFolder) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let certificate = try await Certificates.make(folder, "one", name: "desk.example")
    try await TestServer.run {
      $0.httpsListen = "127.0.0.1:0"
      $0.tlsCertificates = certificate
      change(&$0)
    } _: { server in
      try await body(server, folder)
    }
  }

  @Test func `HTTPS serves the API beside HTTP, under a certificate that curl checks`() async throws
  {
    try await overHTTPS { server, folder in
      let bot = try await server.token("bot", "webshop")
      let url = "https://127.0.0.1:\(server.port("https"))/v1/sessions"
      let said = try await Peer.run(
        "/usr/bin/curl",
        [
          "-sS", "--cacert", folder.path + "/one.pem", "--http1.1", "-H",
          "Authorization: Bearer \(bot)", "-d", "{}",
          "-w", "\n%{http_code} %{ssl_verify_result}\n", url,
        ])
      #expect(said.lines.last == "201 0", "\(said)")
      let distrusting = try await Peer.run("/usr/bin/curl", ["-sS", url])
      #expect(distrusting.status == 60, "the certificate is no one's that curl knows")
      #expect(try await server.call("POST", "/v1/sessions", [:], by: bot).status == 201)
      let admin = try await server.token("admin", "root")
      try await eventually("both are counted") {
        let metrics = try await server.call("GET", "/metrics", by: admin).description
        return metrics.contains("throughline_tls_handshakes_total 1\n")
          && metrics.contains(
            "throughline_connections_closed_total{reason=\"handshake_failed\"} 1\n")
      }
    }
  }

  @Test func `a desk on wss is shown a whole talk that fills many frames of TLS`() async throws {
    try await overHTTPS { server, _ in
      let ann = try await server.agent("ann")
      let desk = try Peer(
        try await Python.interpreter,
        [Package.peers + "/stream.py", "wss:\(server.port("https"))", ann, "header"])
      try await desk.line("ready") { JSON($0)["type"].text == "ready" }
      let chat = try await server.open(try await server.token("bot", "webshop"))
      // Bytes that compression does not make small.
      let words = (1...3).map { n in
        (0..<20_000).map { _ in String(UInt8.random(in: 0...35), radix: 36) }.joined() + " \(n)"
      }
      for text in words { try await chat.customer(text) }
      try await chat.handoff()
      let offer = JSON(try await desk.line("an offer") { JSON($0)["type"].text == "offer" })
      #expect(offer["timeline"].texts == words)
      expectComplete(offer["timeline"])
      try desk.say(#"{"type":"ping"}"#)
      try await desk.line("it is still there") { JSON($0)["type"].text == "pong" }
    }
  }

  @Test(arguments: ["1.2", "1.3"])
  func `no version of TLS is spoken that is older than the settings say`(_ minimum: String)
    async throws
  {
    try await overHTTPS {
      $0.tlsMinimum = minimum
    } _: { server, folder in
      for version in ["1.2", "1.3"] {
        let said = try await Peer.run(
          "/usr/bin/curl",
          [
            "-sS", "--cacert", folder.path + "/one.pem", "--tlsv\(version)", "--tls-max", version,
            "https://127.0.0.1:\(server.port("https"))/health",
          ])
        #expect(said.status == (version < minimum ? 35 : 0), "\(version): \(said)")
      }
    }
  }

  @Test func `who connects and begins no handshake is closed when its time is over`() async throws {
    try await overHTTPS {
      $0.tlsHandshakeSeconds = 1
    } _: { server, _ in
      let port = server.port("https")
      let clock = ContinuousClock()
      let begun = clock.now
      _ = try await blocking { try Socket.connect(port: port).awaitEnd() }
      #expect(clock.now - begun < .seconds(9), "sooner than the ten seconds that are usual")
    }
  }

  /// RFC 8446 §6.1, RFC 5246 §7.2.1. OpenSSL's clients report an end without it as an error.
  @Test func `who is idle under TLS is told of the end before it comes`() async throws {
    try await overHTTPS {
      ($0.firstByteSeconds, $0.idleSeconds, $0.pingSeconds) = (1, 1, 1)
    } _: { server, _ in
      let bot = try await server.token("bot", "webshop")
      let said = try await Certificates.scene("farewell", port: server.port("https"), [bot])
      #expect(said == ["silent told", "idle told", "idle 1.2 told", "stream told"])
    }
  }

  /// What a browser is told about coming back, in the fields of the front page.
  private func comingBack(_ url: String) async throws -> [String] {
    let said = try await Peer.run("/usr/bin/curl", ["-sSkI", url])
    let lines = said.lines.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    #expect(lines.contains("x-content-type-options: nosniff"), "\(said)")
    return lines.filter { $0.hasPrefix("strict-transport-security") }
  }

  @Test(arguments: [(0, []), (63_072_000, ["strict-transport-security: max-age=63072000"])])
  func `a browser is told to come by HTTPS alone when the settings say so, and never in plain`(
    _ seconds: Int, _ told: [String]
  ) async throws {
    try await overHTTPS {
      $0.hstsSeconds = seconds
    } _: { server, _ in
      let secured = try await comingBack("https://127.0.0.1:\(server.port("https"))/")
      let plain = try await comingBack("http://127.0.0.1:\(server.port("http"))/")
      #expect(secured == told)
      #expect(plain == [])
    }
  }

  @Test func `HTTPS without a certificate does not start, and says what it wants`() throws {
    let fault = #expect(throws: ServerProcess.StartFault.self) {
      try TestServer { $0.httpsListen = "127.0.0.1:0" }
    }
    #expect(
      fault?.description == "https.listen wants a certificate: name its files in tls.certificates")
    let missing = #expect(throws: (any Error).self) {
      try TestServer { $0.tlsCertificates = "/nowhere.pem" }
    }
    #expect("\(missing!)".contains("/nowhere.pem"))
  }

  @Test(arguments: ["smtp", "lmtp"])
  func `mail comes over STARTTLS, which is offered once`(_ dialect: String) async throws {
    let folder = try TemporaryFolder()
    let certificate = try await Certificates.make(folder, "one", name: "mx.example")
    try await TestServer.run {
      $0.tlsCertificates = certificate
    } _: { server in
      let before = try await server.position()
      let said = try await Certificates.scene(dialect, port: server.port(dialect))
      #expect(said == ["offered True", "offered again False", "refused {}"])
      #expect(try await server.position() > before, "it is recorded")
    }
  }

  @Test(arguments: [("smtp", "EHLO"), ("lmtp", "LHLO")])
  func `what was sent in plain behind STARTTLS is forgotten`(_ dialect: String, _ hello: String)
    async throws
  {
    let folder = try TemporaryFolder()
    let certificate = try await Certificates.make(folder, "one", name: "mx.example")
    try await TestServer.run {
      $0.tlsCertificates = certificate
    } _: { server in
      let said = try await Certificates.scene("injected", port: server.port(dialect), [hello])
      #expect(said.first?.hasPrefix("220 2.0.0") == true)
      // No sender is known; the hello is wanted anew; a second STARTTLS is not.
      #expect(said.dropFirst() == ["503", "250", "502"], "\(said)")
    }
  }

  @Test func `without a certificate STARTTLS is not offered`() async throws {
    try await TestServer.run { server in
      let port = server.port("smtp")
      let told = try await blocking {
        let socket = try Socket.connect(port: port)
        _ = try socket.receive()
        try socket.send(Array("EHLO home.example\r\n".utf8))
        let offered = String(decoding: try socket.receive(), as: UTF8.self)
        try socket.send(Array("STARTTLS\r\n".utf8))
        return offered + String(decoding: try socket.receive(), as: UTF8.self)
      }
      #expect(
        !told.contains("250-STARTTLS") && !told.contains("250 STARTTLS")
          && told.contains("\r\n502 "))
    }
  }

  @Test func `SIGHUP shows new certificates to newcomers, and a broken one changes nothing`()
    async throws
  {
    let folder = try TemporaryFolder()
    let certificate = try await Certificates.make(folder, "one", name: "desk.example")
    let fresh = try await Certificates.make(folder, "fresh", name: "desk.example")
    let served = try await Binary.serve(
      folder, ["--https", "127.0.0.1:0"], environment: ["THROUGHLINE_TLS_CERTIFICATES": certificate]
    )
    let line = try await served.peer.line("the HTTPS address") { $0.contains(" https ") }
    let port = try #require(UInt16(line.split(separator: ":").last ?? ""))
    let files = (certificate + ":" + fresh).split(separator: ":").map(String.init)
    let said = try await Certificates.scene(
      "reload", port: port, ["\(served.peer.identifier)"] + files)
    #expect(said == ["changed True", "HTTP/1.1 200 OK"])
    try await served.peer.line("that they were read") { $0.contains("certificates: read again") }
    try folder.write("one.pem", "no certificate")
    served.peer.signal(SIGHUP)
    try await served.peer.line("what is wrong") {
      $0.contains("one.pem") && $0.contains("no certificate in PEM form")
    }
    let still = try await Peer.run("/usr/bin/curl", ["-sSk", "https://127.0.0.1:\(port)/health"])
    #expect(still.status == 0)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
  }

  @Test func `HTTPS shows new certificates only when mail can have them too`() async throws {
    let folder = try TemporaryFolder()
    var settings = Settings()
    settings.tlsCertificates = try await Certificates.make(folder, "one", name: "desk.example")
    let shown = try #require(try Encryption(settings))
    let (https, mail) = (shown.https.expirySeconds, shown.mail.expirySeconds)
    _ = try await Certificates.make(folder, "one", name: "desk.example", days: 60)
    // Whoever reads it first finds it good, and bad whoever reads it next.
    try folder.write("bad.pem", "no certificate")
    let chain = folder.path + "/one.pem"
    let good = try String(contentsOfFile: chain, encoding: .utf8)
    try FileManager.default.removeItem(atPath: chain)
    #expect(mkfifo(chain, 0o600) == 0)
    async let written: Void = blocking {
      let pipe = try FileHandle(forWritingTo: URL(fileURLWithPath: chain))
      #expect(rename(folder.path + "/bad.pem", chain) == 0)
      try pipe.write(contentsOf: Data(good.utf8))
      try pipe.close()
    }
    let fault = try await blocking { shown.reload() }
    try await written
    #expect(fault?.contains("no certificate in PEM form") == true)
    #expect(shown.https.expirySeconds == https && shown.mail.expirySeconds == mail)
    try folder.write("one.pem", good)
    #expect(shown.reload() == nil)
    #expect(shown.https.expirySeconds > https && shown.mail.expirySeconds > mail)
  }
}
