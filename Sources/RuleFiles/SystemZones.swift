import Expressions
import Foundation
import Synchronization

/// IANA time zones as tables, from the system's own data.
public enum SystemZones {
  private static let known = Mutex<[String: ZoneTable]>([:])
  private static let namesMax = 1_000

  /// Changes of offset between 1970 and 2100; nil for an unknown name.
  public static func table(_ name: String) -> ZoneTable? {
    if let table = known.withLock({ $0[name] }) { return table }
    guard name.utf8.count < 64, let zone = TimeZone(identifier: name) else { return nil }
    let table = make(zone)
    known.withLock { if $0.count < namesMax { $0[name] = table } }
    return table
  }

  private static func make(_ zone: TimeZone) -> ZoneTable {
    var starts: [Int64] = []
    var at = Date(timeIntervalSince1970: 0)
    let end = Date(timeIntervalSince1970: 4_102_444_800)
    var offsets = [Int32(zone.secondsFromGMT(for: at))]
    while let next = zone.nextDaylightSavingTimeTransition(after: at), next > at, next < end,
      starts.count < 1_000
    {
      starts.append(Int64(next.timeIntervalSince1970.rounded()))
      offsets.append(Int32(zone.secondsFromGMT(for: next)))
      at = next
    }
    return ZoneTable(starts: starts, offsets: offsets) ?? .utc
  }
}
