/// What a model's run measured.
public struct QueueingResult: Sendable {
  public struct ByClass: Sendable {
    public var name: String
    /// Cases that arrived while it was measured.
    public var cases: Int
    /// Share of them that waited at all.
    public var waits: Estimate
    /// Mean wait of all, of those too that gave up; in units of time.
    public var meanWait: Estimate
    /// The wait that nine of ten do not exceed.
    public var wait90: Estimate
    /// Share that gave up.
    public var abandons: Estimate
    /// Mean number that waits.
    public var queueLength: Estimate
  }

  public struct ByGroup: Sendable {
    public var name: String
    public var agents: Int
    /// Share of their time in which they serve.
    public var occupancy: Estimate
  }

  public var classes: [ByClass]
  /// All classes together.
  public var all: ByClass
  public var groups: [ByGroup]
  public var decisions: Int
}
