import Foundation
import Glibc

/// Certificates that a test makes for itself.
enum Certificates {
  /// A self-signed one; answers `chain:key`, as `tls.certificates` has it.
  static func make(
    _ folder: TemporaryFolder, _ file: String, name: String, days: Int = 30
  ) async throws -> String {
    let (chain, key) = ("\(folder.path)/\(file).pem", "\(folder.path)/\(file).key")
    let made = try await Peer.run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-keyout", key,
        "-out", chain, "-days", "\(days)", "-subj", "/CN=\(name)", "-addext",
        "subjectAltName=DNS:\(name),IP:127.0.0.1",
      ])
    guard made.status == 0 else {
      throw Socket.Fault(description: made.lines.joined(separator: "\n"))
    }
    return "\(chain):\(key)"
  }

  /// Runs a scene of Peers/tls.py against a port; its lines, or what went wrong.
  static func scene(_ name: String, port: UInt16, _ more: [String] = []) async throws -> [String] {
    let said = try await Peer.run(
      "/usr/bin/python3", [Package.peers + "/tls.py", name, String(port)] + more)
    guard said.status == 0 else {
      throw Socket.Fault(description: said.lines.joined(separator: "\n"))
    }
    return said.lines
  }
}
