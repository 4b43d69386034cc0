import Foundation
import Testing

@testable import Sockets

/// Against OpenSSL's own client and Python's `ssl`, with certificates made here.
@Suite struct TLSTests {
  let folder: CertificateFolder
  init() throws { folder = try CertificateFolder() }

  func server(
    _ identity: TLSIdentity, _ adjust: @escaping (inout ListenerOptions) -> Void = { _ in },
    handlers: @escaping LaneHandlers = { _ in { _ in Echo() } }
  ) throws -> TestServer {
    try TestServer(
      {
        $0.tls = identity
        adjust(&$0)
      }, handlers: handlers)
  }

  func identity(minimum: TLSIdentity.Version = .v12, protocols: [String] = []) async throws
    -> TLSIdentity
  {
    var options = TLSIdentity.Options()
    (options.minimum, options.protocols) = (minimum, protocols)
    return try TLSIdentity([try await folder.make("one", names: ["one.example"]).files], options)
  }

  @Test func `TLS 1.2 and 1.3 are spoken, with certificates of either kind of key`() async throws {
    for rsa in [false, true] {
      let made = try await folder.make("key", names: ["one.example"], rsa: rsa)
      let test = try server(try TLSIdentity([made.files]))
      let said = try await Programs.python(
        """
        for version in (TLS12, TLS13):
            s = connect(context(version))
            s.sendall(b"hello")
            print(s.version(), exactly(s, 5).decode(), s.cipher()[0])
        """, port: test.address.port!)
      let lines = said.split(separator: "\n")
      #expect(lines.count == 2)
      let kind = rsa ? "RSA" : "ECDSA"
      #expect(lines.first?.hasPrefix("TLSv1.2 hello ECDHE-\(kind)-") == true, "\(said)")
      #expect(lines.last?.hasPrefix("TLSv1.3 hello TLS_") == true, "\(said)")
      _ = await test.stop()
    }
  }

  @Test func `nothing older and nothing weaker is agreed on, and the client hears why`()
    async throws
  {
    let test = try server(try await identity())
    let weak: [[String]] = [
      ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
      ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0"],
      ["-tls1_3", "-groups", "ffdhe2048"],
    ]
    for options in weak {
      let ended = try await Programs.run(
        ["openssl", "s_client", "-connect", test.address.description] + options)
      #expect(ended.status != 0, "\(options)")
      #expect(ended.output.contains("alert"), "\(options): \(ended.output)")
    }
    _ = await test.stop()
    #expect(test.server.statistics.reduce(0) { $0 + $1.handshakes } == 0)
    let ends = test.server.statistics.flatMap(\.closed).filter { $0.reason == "handshake_failed" }
    #expect(ends.reduce(0) { $0 + $1.count } == UInt64(weak.count))
  }

  @Test func `a server that wants TLS 1.3 refuses 1.2`() async throws {
    let test = try server(try await identity(minimum: .v13))
    let said = try await Programs.python(
      """
      for version in (TLS12, TLS13):
          try: print(connect(context(version)).version())
          except ssl.SSLError as e: print(e.reason)
      """, port: test.address.port!)
    #expect(said == "TLSV1_ALERT_PROTOCOL_VERSION\nTLSv1.3")
    _ = await test.stop()
  }

  @Test func `ALPN agrees on http 1.1, does without, and refuses who only speaks something else`()
    async throws
  {
    let test = try server(try await identity(protocols: ["http/1.1"]))
    let said = try await Programs.python(
      """
      for offered in (["h2", "http/1.1"], None, ["h2"], ["smtp"]):
          try: print(connect(context(alpn=offered)).selected_alpn_protocol())
          except ssl.SSLError as e: print("no application protocol" in str(e))
      """, port: test.address.port!)
    #expect(said == "http/1.1\nNone\nTrue\nTrue")
    _ = await test.stop()
  }

  @Test
  func `the name that a client asks for chooses the certificate; an unknown one gets the first`()
    async throws
  {
    let one = try await folder.make("one", names: ["one.example"])
    let two = try await folder.make("two", names: ["two.example", "*.two.example"], rsa: true)
    let test = try server(try TLSIdentity([one.files, two.files]))
    let said = try await Programs.python(
      """
      for name in ("one.example", "two.example", "Desk.Two.Example", "a.b.two.example", "other.example", None):
          for version in (TLS12, TLS13): print(subject(connect(context(version), name)))
      """, port: test.address.port!)
    let expected = [one, two, two, one, one, one].flatMap { [$0.fingerprint, $0.fingerprint] }
    #expect(said.split(separator: "\n").map(String.init) == expected)
    _ = await test.stop()
  }

  @Test func `of two certificates for one name a client gets the one whose key it can check`()
    async throws
  {
    let other = try await folder.make("other", names: ["other.example"])
    // The same names in another order are the same names.
    let old = try await folder.make("old", names: ["one.example", "*.one.example"], rsa: true)
    let new = try await folder.make("new", names: ["*.one.example", "one.example"])
    for order in [[old, new], [new, old]] {
      let test = try server(try TLSIdentity([other.files] + order.map(\.files)))
      let said = try await Programs.python(
        """
        for kind in ("RSA", "ECDSA"):
            c = context(TLS12)
            c.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
            print(subject(connect(c, "one.example")))
        print(subject(connect(context(), "other.example")))
        """, port: test.address.port!)
      let expected = [old, new, other].map(\.fingerprint)
      #expect(said.split(separator: "\n").map(String.init) == expected)
      _ = await test.stop()
    }
  }

  /// RFC 6066 §3.
  @Test func `a session of one name does not go on under another's`() async throws {
    let one = try await folder.make("one", names: ["one.example", "uno.example"])
    let two = try await folder.make("two", names: ["two.example"])
    let test = try server(try TLSIdentity([one.files, two.files]))
    let said = try await Programs.python(
      """
      for version in (TLS12, TLS13):
          c = context(version)
          s = connect(c, "two.example")
          s.sendall(b"x"); exactly(s, 1)
          for name in ("one.example", "other.example", None, "two.example"):
              again = connect(c, name, s.session)
              again.sendall(b"y"); exactly(again, 1)
              print(again.session_reused, subject(again) == subject(s))
      """, port: test.address.port!)
    let expected = Array(repeating: "False False", count: 3) + ["True True"]
    #expect(said.split(separator: "\n").map(String.init) == expected + expected)
    _ = await test.stop()
  }

  @Test func `a session resumes by its ticket, also after the certificates were read again`()
    async throws
  {
    let identity = try await identity()
    let test = try server(identity)
    let script = """
      import pickle, os
      for version in (TLS12, TLS13):
          c = context(version)
          s = connect(c)
          s.sendall(b"x"); exactly(s, 1)
          kept = s.session
          again = connect(c, session=kept)
          again.sendall(b"y"); exactly(again, 1)
          print(s.session_reused, again.session_reused)
          %@
          after = connect(c, session=kept)
          after.sendall(b"y"); exactly(after, 1)
          print(after.session_reused)
      """
    #expect(
      try await Programs.python(
        script.replacingOccurrences(of: "%@", with: "pass"), port: test.address.port!)
        == "False True\nTrue\nFalse True\nTrue")
    // The script asks for a reload by a word, and hears when it is done.
    let reloading = try server(
      identity,
      handlers: { _ in
        { _ in
          let handler = Reacting()
          handler.onReceived = { bytes, connection in
            if bytes == Array("reload".utf8) { _ = try? identity.reload() }
            connection.write(bytes)
          }
          return handler
        }
      })
    let asks = "asks = connect(); asks.sendall(b\"reload\"); exactly(asks, 6)"
    #expect(
      try await Programs.python(
        script.replacingOccurrences(of: "%@", with: asks), port: reloading.address.port!)
        == "False True\nTrue\nFalse True\nTrue")
    _ = await test.stop()
    _ = await reloading.stop()
    #expect(reloading.server.statistics.reduce(0) { $0 + $1.handshakesResumed } == 4)
  }

  @Test func `a ticket is good for as long as its key and the one after it, and renewed meanwhile`()
    async throws
  {
    let identity = try await identity()
    let test = try server(
      identity,
      handlers: { _ in
        { _ in
          let handler = Reacting()
          handler.onReceived = { bytes, connection in
            if bytes == Array("age".utf8) { identity.ageTickets(seconds: 43_200) }
            connection.write(bytes)
          }
          return handler
        }
      })
    let said = try await Programs.python(
      """
      def age():
          s = connect()
          s.sendall(b"age"); exactly(s, 3)
      for version in (TLS12, TLS13):
          c = context(version)
          def talk(kept=None):
              s = connect(c, session=kept)
              s.sendall(b"x"); exactly(s, 1)
              return s.session_reused, s.session
          _, first = talk()
          age()
          soon, renewed = talk(first)
          age()
          late, _ = talk(first)
          again, _ = talk(renewed)
          age(); age()
          print(soon, late, again, talk(renewed)[0])
      """, port: test.address.port!)
    #expect(said == "True False True False\nTrue False True False")
    _ = await test.stop()
  }

  @Test func `certificates read again are shown to newcomers, and nobody is dropped`() async throws
  {
    let old = try await folder.make("one", names: ["one.example"])
    let identity = try TLSIdentity([old.files])
    let test = try server(
      identity,
      handlers: { _ in
        { _ in
          let handler = Reacting()
          handler.onReceived = { bytes, connection in
            if bytes == Array("reload".utf8) { _ = try? identity.reload() }
            connection.write(bytes)
          }
          return handler
        }
      })
    let script = """
      import subprocess
      first = connect()
      print(subject(first))
      subprocess.run(["mv", folder + "/new.pem", folder + "/one.pem"], check=True)
      subprocess.run(["mv", folder + "/new.key", folder + "/one.key"], check=True)
      first.sendall(b"reload"); print(exactly(first, 6).decode())
      print(subject(connect()))
      first.sendall(b"still"); print(exactly(first, 5).decode())
      """
    let new = try await folder.make("new", names: ["one.example"])
    let said = try await Programs.python(script, port: test.address.port!, folder: folder.path)
    #expect(said == "\(old.fingerprint)\nreload\n\(new.fingerprint)\nstill")
    _ = await test.stop()
  }

  @Test func `files that are no good are named, and what was shown before stays`() async throws {
    let one = try await folder.make("one", names: ["one.example"])
    let two = try await folder.make("two", names: ["two.example"])
    let identity = try TLSIdentity([one.files])
    let test = try server(identity)
    try Data(contentsOf: URL(fileURLWithPath: two.files.key)).write(
      to: URL(fileURLWithPath: one.files.key))
    let mismatch = #expect(throws: TLSFault.self) { try identity.reload() }
    #expect(mismatch?.description.contains("one.pem with \(one.files.key)") == true)
    #expect(
      mismatch?.description.contains("private key mismatch") == true,
      "\(String(describing: mismatch))")
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: one.files.chain))
    #expect(
      throws: TLSFault(
        "\(one.files.chain) with \(one.files.key): no certificate in PEM form: no start line")
    ) {
      try identity.reload()
    }
    try FileManager.default.removeItem(atPath: one.files.chain)
    let missing = #expect(throws: TLSFault.self) { try identity.reload() }
    #expect(missing?.description.contains(one.files.chain) == true)
    #expect(
      try await Programs.python("print(subject(connect()))", port: test.address.port!)
        == one.fingerprint)
    #expect(throws: TLSFault("TLS needs a certificate")) { try TLSIdentity([]) }
    _ = await test.stop()
  }

  @Test func `the end of the first certificate to end is known`() async throws {
    let made = try await folder.make("one", names: ["one.example"])
    let days =
      (Double(try TLSIdentity([made.files]).expirySeconds) - Date().timeIntervalSince1970) / 86_400
    #expect((28...31).contains(days))
  }
}
