internal import CSystem

/// Time that only goes forward, for deadlines and durations. Its zero means nothing.
public enum MonotonicClock {
  public static var nowMilliseconds: Int64 { tl_monotonic_ns() / 1_000_000 }
  public static var nowNanoseconds: Int64 { tl_monotonic_ns() }
}

/// What people call the time: since 1970 in UTC. It can jump either way.
public enum WallClock {
  public static var nowMilliseconds: Int64 { tl_wall_ns() / 1_000_000 }
}
