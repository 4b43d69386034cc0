import Foundation
import Glibc
import Sockets
import System

/// A server that `bench web` measures: where it listens, and what it has used.
protocol MeasuredServer {
  var http: SocketAddress { get }
  var https: SocketAddress { get }
  var cpuSeconds: Double { get }
  var residentBytes: Int64 { get }
}

extension BenchServer: MeasuredServer {
  var cpuSeconds: Double { usage.cpuSeconds }
  var residentBytes: Int64 { ProcessUse.resident("\(pid)") }
}

/// Debian's nginx with a configuration of its own in the bench's folder: one worker a core, no log,
/// the same answer.
final class NginxServer: MeasuredServer {
  let http: SocketAddress
  let https: SocketAddress
  private let process = Process()

  private static let program = "/usr/sbin/nginx"
  static let answer = #"{"status":"ok"}"#

  init(folder: String, chain: String, key: String) throws {
    let ports = try (Self.freePort(), Self.freePort())
    (http, https) = (.loopback(ports.0), .loopback(ports.1))
    let home = "\(folder)/nginx"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let text = """
      daemon off;
      worker_processes \(max(1, ProcessInfo.processInfo.activeProcessorCount));
      worker_rlimit_nofile 20000;
      pid \(home)/pid;
      error_log \(home)/error.log;
      events { worker_connections 18000; }
      http {
        access_log off;
        keepalive_requests 1000000000;
        keepalive_timeout 600;
        client_body_temp_path \(home)/a; proxy_temp_path \(home)/b; fastcgi_temp_path \(home)/c;
        uwsgi_temp_path \(home)/d; scgi_temp_path \(home)/e;
        server {
          listen 127.0.0.1:\(ports.0) backlog=4096;
          listen 127.0.0.1:\(ports.1) ssl backlog=4096;
          ssl_certificate \(chain);
          ssl_certificate_key \(key);
          ssl_protocols TLSv1.2 TLSv1.3;
          location / { default_type application/json; return 200 '\(Self.answer)'; }
        }
      }

      """
    try text.write(toFile: "\(home)/nginx.conf", atomically: false, encoding: .utf8)
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = ["-p", home, "-c", "\(home)/nginx.conf", "-e", "\(home)/error.log"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard FileManager.default.isExecutableFile(atPath: Self.program) else {
      throw BenchServer.Fault(
        description: "there is no \(Self.program): install Debian's nginx-light")
    }
    try process.run()
    BenchCleanup.started(process.processIdentifier)
    for _ in 0..<500 where !FileManager.default.fileExists(atPath: "\(home)/pid") { usleep(10_000) }
    guard process.isRunning else {
      throw BenchServer.Fault(description: "nginx does not start; see \(home)/error.log")
    }
  }

  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard bound else { throw BenchServer.Fault(description: "no port is free") }
    return UInt16(bigEndian: address.sin_port)
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
    BenchCleanup.ended(process.processIdentifier)
  }

  private var processes: [String] {
    let children = "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children"
    let text =
      FileManager.default.contents(atPath: children).map { String(decoding: $0, as: UTF8.self) }
      ?? ""
    return ["\(process.processIdentifier)"] + text.split(separator: " ").map(String.init)
  }
  var cpuSeconds: Double { processes.reduce(0) { $0 + BenchServer.usage(of: $1).cpuSeconds } }
  var residentBytes: Int64 { processes.reduce(0) { $0 + ProcessUse.resident($1) } }
}

enum ProcessUse {
  /// What only this process has in memory (`RssAnon`, proc(5)), in bytes: shared libraries are no
  /// connection's.
  static func resident(_ process: String) -> Int64 {
    let text =
      FileManager.default.contents(atPath: "/proc/\(process)/status").map {
        String(decoding: $0, as: UTF8.self)
      } ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return (line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int64($0) } ?? 0)
      * 1_024
  }
}

/// A certificate for the bench alone, by Debian's `openssl`.
enum BenchCertificate {
  static func make(in folder: String) throws -> (chain: String, key: String) {
    let files = (chain: "\(folder)/bench.pem", key: "\(folder)/bench.key")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = [
      "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-keyout", files.key,
      "-out", files.chain, "-days", "30", "-subj", "/CN=bench.example",
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchServer.Fault(description: "openssl made no certificate")
    }
    return files
  }
}
