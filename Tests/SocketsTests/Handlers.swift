import System

@testable import Sockets

/// Sends everything back.
final class Echo: ConnectionHandler {
  var closed: (CloseReason) -> Void = { _ in }
  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    connection.write(bytes)
  }
  func closed(_ connection: Connection, _ reason: CloseReason) { closed(reason) }
}

/// A handler made of closures, for tests that need one reaction.
final class Reacting: ConnectionHandler {
  var onOpened: (Connection) -> Void = { _ in }
  var onReceived: ([UInt8], Connection) -> Void = { _, _ in }
  var onPeerClosedWrite: (Connection) -> Void = { $0.closeAfterFlush() }
  var onPeerClosedWhilePaused: (Connection) -> Void = { _ in }
  var onDelivered: (any Sendable, Connection) -> Void = { _, _ in }
  var onTimedOut: (ConnectionTimer, Connection) -> Void = { $1.close(because: .timedOut($0)) }
  var onBackUp: (Connection) -> Void = { _ in }
  var onDrained: (Connection) -> Void = { _ in }
  var onTurn: (Connection) -> Void = { _ in }
  var onDraining: (Connection) -> Void = { $0.closeAfterFlush() }
  var onClosed: (CloseReason) -> Void = { _ in }

  func opened(_ connection: Connection) { onOpened(connection) }
  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    onReceived(Array(bytes), connection)
  }
  func peerClosedWrite(_ connection: Connection) { onPeerClosedWrite(connection) }
  func peerClosedWhilePaused(_ connection: Connection) { onPeerClosedWhilePaused(connection) }
  func delivered(_ payload: any Sendable, on connection: Connection) {
    onDelivered(payload, connection)
  }
  func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    onTimedOut(timer, connection)
  }
  func outputBacksUp(_ connection: Connection) { onBackUp(connection) }
  func outputDrained(_ connection: Connection) { onDrained(connection) }
  func hasTurn(on connection: Connection) { onTurn(connection) }
  func draining(_ connection: Connection) { onDraining(connection) }
  func closed(_ connection: Connection, _ reason: CloseReason) { onClosed(reason) }
}

/// A server for one test.
struct TestServer {
  let server: SocketServer
  let listener: Listener
  var address: SocketAddress { listener.address }

  init(
    lanes: Int = 2, connectionsMax: Int? = nil, over queue: UnreliableQueue.Kind? = nil,
    _ adjust: (inout ListenerOptions) -> Void = { _ in },
    handlers: @escaping LaneHandlers
  ) throws {
    var options = SocketServer.Options()
    (options.lanes, options.connectionsMax) = (lanes, connectionsMax)
    if let queue {
      options.makeQueue = { () throws(SystemError) in try UnreliableQueue(queue) }
    }
    server = try SocketServer(options)
    var listening = ListenerOptions(.loopback(0))
    adjust(&listening)
    listener = try server.listen(listening, handlers: handlers)
  }

  func stop(_ bound: Int = 0) async -> Int { await server.shutdown(withinMilliseconds: bound) }
}
