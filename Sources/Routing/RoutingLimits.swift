/// Bounds of the machine that no configuration moves. Each has its unit in its name and its reason
/// beside it.
public enum RoutingLimits {
  /// A need is evaluated on every match; more than this is a rule gone wrong.
  public static let skillsPerNeedMax = 16
  public static let stepsPerNeedMax = 32
  public static let excludedPerNeedMax = 64
  /// Queues that one step may widen to, and that a case may be in at once.
  public static let widenedQueuesMax = 16
  /// A customer with more connections than this on one conversation is a loop in a bot.
  public static let sessionsPerConversationMax = 16
  /// Tabs and devices of one agent.
  public static let streamsPerAgentMax = 8
  public static let devicesPerAgentMax = 16
  /// A bit column per skill and queue: memory grows with agents × (skills + queues).
  public static let skillsMax = 4_096
  public static let queuesMax = 4_096
  public static let botsMax = 65_536
  public static let teamsMax = 65_536
  public static let agentsMax = 1_000_000
  /// An agent chooses among them by hand.
  public static let statusesMax = 100
  public static let skillLevelMax: UInt8 = 10
  /// Some years of days with a break at noon.
  public static let intervalsPerQueueMax = 4_096
  /// What an agent may make of a wrap-up by asking for more.
  public static let wrapUpMillisecondsMax: Int64 = 3_600_000
  /// Whoever waits for longer is called back: that is parked.
  public static let holdMillisecondsMax: Int64 = 3_600_000
  /// Whoever was asked and does nothing is asked no longer.
  public static let consultMillisecondsMax: Int64 = 8 * 3_600_000
  /// A long poll that waits longer is a connection forgotten.
  public static let nextMillisecondsMax: Int64 = 300_000
  public static let leaseMillisecondsMax: Int64 = 24 * 3_600_000
  public static let parkMillisecondsMax: Int64 = 366 * 24 * 3_600_000
  /// What an agent who asks for wrap-up gets where the queue configures none.
  public static let wrapUpAskedMilliseconds: Int64 = 60_000
  /// A device that was busy or broken is left alone for so long: no call would get through
  /// meanwhile.
  public static let deviceFailureBackOffMilliseconds: Int64 = 10_000
  /// So much of an offer's time must be left that the agent's next device rings: less is hardly heard.
  public static let nextDeviceMillisecondsMin: Int64 = 5_000
  /// How long a call that nobody carries just now is not offered again to the same agent.
  public static let lineGoneBackOffMilliseconds: Int64 = 2_000
  /// How long a case that a full queue does not take waits on before it asks again.
  public static let fullQueueAgainMilliseconds: Int64 = 1_000
  /// Offers made by one command; the rest goes on with the next tick, so that no command blocks the
  /// writer.
  public static let pairsPerCommandMax = 256
  /// Cases, and agents, that one command looks at anew, and timers that one tick takes.
  public static let looksPerCommandMax = 1_024
  /// What an explanation of an agent looks at before it says that it has not seen all: classes, each a
  /// look, and single cases, each as dear as so many classes. Some milliseconds.
  public static let explainedLooksMax = 131_072
  public static let explainedLooksOfSingle = 8
  /// Ended offers and closed cases that are remembered to answer "ended" rather than "unknown".
  public static let endedRememberedMax = 16_384
  /// Between the slowest and the quickest queue lies what makes a second a day and more; the
  /// product with any wait is far from the end of 128 bits.
  public static let slopesPermille: ClosedRange<UInt32> = 1...1_000_000
  /// What a point of priority is worth in a queue with strict priority: no wait reaches it.
  public static let strictPointMilliseconds: Int64 = 100 * 366 * 24 * 3_600_000
}
