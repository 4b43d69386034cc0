extension SocketServer {
  /// Delivers something to every open connection. For rare things: it looks at all of them.
  public func tellAll(_ payload: any Sendable) {
    for lane in lanes {
      lane.perform { loop in
        loop.forEachConnection { connection in
          if case .open = connection.phase {
            connection.handler?.delivered(payload, on: connection)
          }
        }
      }
    }
  }
}
