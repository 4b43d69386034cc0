import Rules

extension WorkspaceReader {
  /// Warnings: what can be read, but is hardly meant.
  func lint() {
    let served = Set(agents.flatMap(\.queues))
    for queue in queues where !agents.isEmpty && !served.contains(queue.name) {
      places["queue \(queue.name)"]?.report("no agent serves this queue", severity: .warning)
    }
  }
}
