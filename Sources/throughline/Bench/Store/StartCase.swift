import Foundation
import Glibc
import Sockets
import System

/// From `kill -9` to serving, with many open conversations; and what each costs in memory.
struct StartCase {
  let place: String
  let open: Int

  func run(_ report: inout BenchReport) async throws {
    let folder = try BenchFolder(agents: 8, capacity: 1, under: place)
    var server = try BenchServer(folder)
    let empty = Self.resident(server.pid)
    let token = try folder.token("bot", "robin")
    let begun = MonotonicClock.nowNanoseconds
    try await fill(server, token)
    report.add(
      "\(open) open conversations", "made",
      Double(open) / (Double(MonotonicClock.nowNanoseconds - begun) / 1e9), "1/s")
    server.kill()
    var starts: [Int64] = []
    for turn in 1...3 {
      server = try BenchServer(folder)
      starts.append(server.startMilliseconds)
      if turn < 3 { server.kill() }
    }
    let name = "\(open) open conversations"
    report.add(name, "kill -9 to serving, median of 3", Double(starts.sorted()[1]), "ms")
    report.add(name, "kill -9 to serving, slowest", Double(starts.max() ?? 0), "ms")
    // What the start itself needed is given back to the system only in part: this is an upper
    // bound.
    report.add(name, "memory each", Double(Self.resident(server.pid) - empty) / Double(open), "B")
    server.stop()
    let fresh = try BenchFolder(agents: 8, capacity: 1, under: place)
    let first = try BenchServer(fresh)
    first.kill()
    let second = try BenchServer(fresh)
    report.add("no open conversation", "kill -9 to serving", Double(second.startMilliseconds), "ms")
    second.stop()
  }

  /// Bots that open a session, say something and hand over, so that each is a waiting case.
  private func fill(_ server: BenchServer, _ token: String) async throws {
    var options = SocketServer.Options()
    options.lanes = 1
    let (address, open) = (server.http, open)
    let sockets = try SocketServer(options) { Opening($0, address, token, open) }
    let failure: String? = await withCheckedContinuation { waiting in
      sockets.lanes[0].perform { lane in
        guard let opening = lane.context as? Opening else {
          return waiting.resume(returning: "no lane")
        }
        opening.start { waiting.resume(returning: $0) }
      }
    }
    _ = await sockets.shutdown(withinMilliseconds: 0)
    if let failure { throw BenchServer.Fault(description: failure) }
  }

  static func resident(_ process: Int32) -> Int64 {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(process)/statm") else {
      return 0
    }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int64(words[1]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  private final class Opening {
    private let lane: LaneLoop
    private let address: SocketAddress
    private let token: String
    private var left: Int
    private var running = 0
    private var isOver: ((String?) -> Void)?
    private static let connections = 64

    init(_ lane: LaneLoop, _ address: SocketAddress, _ token: String, _ count: Int) {
      self.lane = lane
      self.address = address
      self.token = token
      left = count
    }

    func start(_ isOver: @escaping (String?) -> Void) {
      self.isOver = isOver
      for _ in 0..<min(Self.connections, left) {
        running += 1
        one(HTTPPeer(address, token: token, on: lane))
      }
    }

    private func end(_ failure: String?) {
      let isOver = isOver
      self.isOver = nil
      isOver?(failure)
    }

    private func one(_ peer: HTTPPeer) {
      guard left > 0 else {
        running -= 1
        peer.close()
        if running == 0 { end(nil) }
        return
      }
      left -= 1
      let open =
        #"{"customer":{"identities":[{"kind":"chat","value":"c\#(left)","assurance":"asserted"}]}}"#
      peer.post("/v1/sessions", open) { [self] reply in
        guard let reply, reply.status == 201, let session = JSONPick.find("session", in: reply.body)
        else {
          return end("a session was not opened: \(reply.map { "\($0.status)" } ?? "closed")")
        }
        peer.post(
          "/v1/sessions/\(session)/handoff", #"{"reason":"help","summary":"a kettle leaks"}"#
        ) { [self] reply in
          guard reply?.status == 201 else {
            return end("a handoff failed: \(reply.map { "\($0.status)" } ?? "closed")")
          }
          one(peer)
        }
      }
    }
  }
}
