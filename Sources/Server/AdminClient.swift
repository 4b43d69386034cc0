import Foundation
import Glibc
import HTTPTypes
import WebCodec

/// The other commands' side of the administration socket: one blocking request.
public enum AdminClient {
  public struct Fault: Error, CustomStringConvertible {
    public var description: String
    public init(_ text: String) { description = text }
  }

  public static func query(_ pairs: [(String, String?)]) -> String {
    pairs.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encode($0))" } }
      .joined(
        separator: "&")
  }

  public static func send(_ method: String, _ target: String, _ body: Data?, _ settings: Settings)
    throws
    -> Data
  {
    let path = settings.data + "/admin.socket"
    let descriptor = try connect(path)
    defer { close(descriptor) }
    var request = Array(
      "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".utf8)
    if let body {
      request += Array("Content-Type: application/json\r\nContent-Length: \(body.count)\r\n".utf8)
    }
    request += Array("\r\n".utf8) + (body.map { Array($0) } ?? [])
    try write(descriptor, request)
    let response = try read(descriptor)
    guard response.status < 300 else { throw Fault(sentence(response)) }
    return Data(response.body)
  }

  private static func connect(_ path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw Fault("the path of \(path) is too long for a socket")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard connected == 0 else {
      close(descriptor)
      throw Fault(
        "no server answers at \(path); start one with `throughline serve --data …`, "
          + "or name its folder with --data"
      )
    }
    return descriptor
  }

  private static func write(_ descriptor: Int32, _ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let n = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, 0)
      }
      guard n > 0 else { throw Fault("the server closed the connection") }
      sent += n
    }
  }

  private static func read(_ descriptor: Int32) throws -> IncomingResponse {
    var limits = HTTPLimits()
    limits.bodyBytesMax = 256 << 20
    var decoder = HTTPResponseDecoder(limits: limits)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      switch decoder.next() {
      case .response(let response): return response
      case .interim: continue
      case .failed(let error):
        throw Fault("the server's answer cannot be read: \(error.reason.rawValue)")
      case .needMore:
        let n = recv(descriptor, &buffer, buffer.count, 0)
        guard n > 0 else { throw Fault("the server closed the connection") }
        decoder.append(buffer[..<n])
      }
    }
  }

  private static func sentence(_ response: IncomingResponse) -> String {
    if let object = try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any],
      let detail = object["detail"] as? String
    {
      return detail
    }
    return "the server answered \(response.status)"
  }
}
