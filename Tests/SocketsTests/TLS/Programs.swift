import Dispatch
import Foundation
import Sockets

/// Other people's programs as the other end: `openssl` and Python's `ssl`.
enum Programs {
  struct Ended: Sendable { var status: Int32, output: String }

  /// Runs a program to its end, with a bound, and gives what it said on both outputs.
  static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:])
    async throws -> Ended
  {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue(label: "program").async {
        continuation.resume(with: Result { try runBlocking(arguments, input, environment) })
      }
    }
  }

  private static func runBlocking(_ arguments: [String], _ input: String, _ more: [String: String])
    throws -> Ended
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["timeout", "60"] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(more) { $1 }
    let (out, into) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError, process.standardInput) = (out, out, into)
    try process.run()
    try into.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try into.fileHandleForWriting.close()
    let said = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: String(decoding: said, as: UTF8.self))
  }

  /// Runs a Python script behind a few helpers: `context()`, `connect()`, and `port` and `folder`
  /// as given.
  static func python(_ script: String, port: UInt16, folder: String = "") async throws -> String {
    let ended = try await run(["python3", "-c", prelude + script, String(port), folder])
    guard ended.status == 0 else { throw Failed(description: ended.output) }
    return ended.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  struct Failed: Error, CustomStringConvertible { var description: String }

  private static let prelude = """
    import socket, ssl, sys, hashlib
    port, folder = int(sys.argv[1]), sys.argv[2]
    def context(version=None, alpn=None):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
        if version: c.minimum_version = c.maximum_version = version
        if alpn: c.set_alpn_protocols(alpn)
        return c
    def plain():
        s = socket.create_connection(("127.0.0.1", port), timeout=60)
        return s
    def connect(c=None, name=None, session=None):
        return (c or context()).wrap_socket(
            plain(), server_hostname=name, session=session, suppress_ragged_eofs=False)
    def exactly(s, count):
        got = b""
        while len(got) < count:
            more = s.recv(count - len(got))
            if not more: break
            got += more
        return got
    def subject(s):
        der = s.getpeercert(True)
        return hashlib.sha256(der).hexdigest()
    TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

    """
}

/// Certificates that a test makes for itself, in a folder that goes with it.
final class CertificateFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/throughline-tls-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Makes a self-signed certificate for these names, and answers it with the SHA-256 of its DER
  /// form.
  func make(
    _ file: String, names: [String], rsa: Bool = false
  ) async throws -> (files: TLSIdentity.Certificate, fingerprint: String) {
    let kind = rsa ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    let alternatives = names.map { "DNS:\($0)" }.joined(separator: ",")
    let (chain, key) = ("\(path)/\(file).pem", "\(path)/\(file).key")
    let made = try await Programs.run(
      ["openssl", "req", "-x509", "-nodes", "-newkey"] + kind
        + [
          "-keyout", key, "-out", chain, "-days", "30", "-subj", "/CN=\(names[0])", "-addext",
          "subjectAltName=\(alternatives)",
        ])
    let print = try await Programs.run([
      "openssl", "x509", "-in", chain, "-noout", "-fingerprint", "-sha256",
    ])
    guard made.status == 0, let hex = print.output.split(separator: "=").last else {
      throw Programs.Failed(description: made.output + print.output)
    }
    let fingerprint = hex.filter(\.isHexDigit).lowercased()
    return (.init(chain: chain, key: key), fingerprint)
  }
}
