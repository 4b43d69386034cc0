extension Pipeline {
  /// Whether everything decided is on disk.
  public var isDurable: Bool { durable == head.position }

  /// Forgets rows that are kept at hand only as a cache, so that the next look finds what somebody
  /// changed in the store. Must not be called while anything is undurable: that stands here alone.
  public mutating func forgetCachedRows() {
    guard isDurable else { return }
    pending = Pending(workspace: workspace, gathered: head.position)
  }
}
