import Foundation
import Testing

@testable import Sockets

/// Going over to TLS on a connection that began in plain.
@Suite struct StartTLSTests {
  let folder: CertificateFolder
  init() throws { folder = try CertificateFolder() }

  /// Answers "tls" in plain with "go", and from then on what it hears with its length and whether
  /// it was secured.
  private func server() async throws -> TestServer {
    let identity = try TLSIdentity([try await folder.make("one", names: ["one.example"]).files])
    return try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { bytes, connection in
          if bytes.starts(with: Array("tls".utf8)), !connection.isSecured {
            connection.write(Array("go".utf8))
            connection.startTLS(identity)
          } else {
            connection.write(
              Array("\(connection.isSecured) \(String(decoding: bytes, as: UTF8.self))".utf8))
          }
        }
        return handler
      }
    }
  }

  @Test func `what was written before leaves in plain, what comes after is encrypted`() async throws
  {
    let test = try await server()
    let said = try await Programs.python(
      """
      for version in (TLS12, TLS13):
          s = plain()
          s.sendall(b"a"); print(exactly(s, 7).decode())
          s.sendall(b"tls"); print(exactly(s, 2).decode())
          s = context(version).wrap_socket(s)
          s.sendall(b"b"); print(exactly(s, 6).decode())
      """, port: test.address.port!)
    #expect(said == "false a\ngo\ntrue b\nfalse a\ngo\ntrue b")
    _ = await test.stop()
  }

  @Test func `what was sent in plain behind the wish never counts as encrypted`() async throws {
    let test = try await server()
    let said = try await Programs.python(
      """
      import time
      # In the same segment: the handler has it, and must throw it away.
      s = plain()
      s.sendall(b"tls" + b"injected"); exactly(s, 2)
      s = context().wrap_socket(s)
      s.sendall(b"mine"); print(exactly(s, 9).decode())
      # In a later one: OpenSSL reads it, and it is no TLS.
      s = plain()
      s.sendall(b"tls"); exactly(s, 2)
      s.sendall(b"injected\\r\\n")
      try: context().wrap_socket(s); print("went on")
      except (ssl.SSLError, ConnectionError): print("refused")
      """, port: test.address.port!)
    #expect(said == "true mine\nrefused")
    _ = await test.stop()
  }
}
