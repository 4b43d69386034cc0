import Expressions
import Foundation
import Synchronization

/// IANA time zones as tables, from the system's own data.
public enum SystemZones {
  private static let known = Mutex<[String: ZoneTable?]>([:])
  private static let namesMax = 1_000

  /// Every change of offset until 2437, and from then on as in the 400 years before; nil for an
  /// unknown name.
  public static func table(_ name: String) -> ZoneTable? {
    if let table = known.withLock({ $0[name] }) { return table }
    let table = zone(name).map(make)
    known.withLock { if $0.count < namesMax, name.utf8.count < 64 { $0[name] = .some(table) } }
    return table
  }

  /// All that the system names.
  static let names = TimeZone.knownTimeZoneIdentifiers

  /// A zone by its IANA name, such as `Europe/Berlin`. Foundation also takes abbreviations such as
  /// `PST`, which mean one thing here and another there, and `GMT+2`: they are none.
  static func zone(_ name: String) -> TimeZone? {
    guard name.utf8.count < 64 else { return nil }
    let isAbbreviation = TimeZone.abbreviationDictionary[name] != nil && !shortNames.contains(name)
    let isOffset =
      name.hasPrefix("GMT") && !["GMT", "GMT0", "GMT+0", "GMT-0"].contains(name)
      || name.hasPrefix("UTC") && name != "UTC"
    return isAbbreviation || isOffset ? nil : TimeZone(identifier: name)
  }

  /// Names of IANA's that are abbreviations, too.
  private static let shortNames: Set<String> = [
    "UTC", "GMT", "UCT", "EST", "MST", "HST", "CET", "MET", "EET", "WET",
  ]

  /// The calendar comes round in 400 years, days of the week included.
  private static let cycleSeconds: Int64 = 12_622_780_800
  private static let end: Int64 = 2_145_916_800 + cycleSeconds  // 2438-01-01T00:00:00Z
  private static let changesMax = 2_000

  private static func make(_ zone: TimeZone) -> ZoneTable {
    var starts: [Int64] = []
    // Before the first zone there was: until then each place had its own time.
    var at = Date(timeIntervalSince1970: -5_000_000_000)
    let end = Date(timeIntervalSince1970: Double(end))
    var offsets = [Int32(zone.secondsFromGMT(for: at))]
    while let next = zone.nextDaylightSavingTimeTransition(after: at), next > at, next < end,
      starts.count < changesMax
    {
      starts.append(Int64(next.timeIntervalSince1970.rounded()))
      offsets.append(Int32(zone.secondsFromGMT(for: next)))
      at = next
    }
    return ZoneTable(
      starts: starts, offsets: offsets, repeatsAfter: Self.end, every: cycleSeconds) ?? .utc
  }
}
