import Expressions
import Foundation
import Model
import Rules

/// Opening hours: days and times in a zone, with holidays, expanded to UTC intervals.
extension WorkspaceReader {
  private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
  /// How far ahead hours are expanded.
  static let daysAhead = 731

  func readHours(_ section: Section) {
    for entry in section.entries(what: "hours.yaml") {
      places["hours \(entry.name)"] = entry.key
      let made = record(.hours, entry.name) { hours(entry) }
      hours.append(made)
      if made.open.isEmpty, !isMisread(.hours, entry.name) {
        entry.key.report("these hours never open", severity: .warning)
      }
    }
  }

  private func hours(_ entry: (name: String, key: Section, value: Section)) -> HoursConfiguration {
    checkName(entry)
    let keys = ["zone", "open", "holidays"]
    let members = entry.value.members(keys, what: "opening hours")
    let zone = members.flatMap { self.zone($0["zone"], entry.key) }
    var written = HoursConfiguration.Written()
    var named: [Int: String] = [:]
    for open in members?["open"]?.entries(what: "open") ?? [] {
      readDays(open, &written.week, &named)
    }
    written.holidays = members?["holidays"].map(readHolidays) ?? [:]
    // Without its zone the rest is read all the same, and the name is known.
    return HoursConfiguration(
      entry.name, zone ?? .gmt, written, from: now.addingTimeInterval(-86_400),
      days: Self.daysAhead)
  }

  private func zone(_ section: Section?, _ key: Section) -> TimeZone? {
    guard let section else {
      key.report("opening hours need a `zone`, such as Europe/Berlin")
      return nil
    }
    guard let name = section.text(what: "zone") else { return nil }
    if let zone = SystemZones.zone(name) { return zone }
    section.report(
      "there is no time zone `\(name)`",
      hint: Spelling.zone(name, among: SystemZones.names).map { "did you mean `\($0)`?" }
        ?? "zones are named as in Europe/Berlin")
    return nil
  }

  /// `mon-fri: 09:00-17:00`, a list of such times, or `closed`. Minutes of the day; 24:00 is its end.
  ///
  /// - Parameter named: what has named each day so far.
  private func readDays(
    _ entry: (name: String, key: Section, value: Section), _ week: inout [[ClosedRange<Int>]],
    _ named: inout [Int: String]
  ) {
    let ends = entry.name.lowercased().split(separator: "-").map {
      Self.days.firstIndex(of: String($0))
    }
    guard (1...2).contains(ends.count), let first = ends.first ?? nil, let last = ends.last ?? nil
    else {
      let meant = Self.daysMeant(by: entry.name)
      return entry.key.report(
        "`\(entry.name)` is not a day",
        hint: meant.map { "did you mean `\($0)`?" }
          ?? "write mon, tue, wed, thu, fri, sat, sun or mon-fri")
    }
    let isClosed = entry.value.isNull || entry.value.node.scalar?.string == "closed"
    let times = isClosed ? [] : entry.value.oneOrMore(what: "times").compactMap(readTimes)
    var day = first
    var before: String?
    while true {
      before = before ?? named[day]
      named[day] = entry.name
      week[day] += times
      if day == last { break }
      day = (day + 1) % 7
    }
    if let before {
      entry.key.report(
        "`\(before)` names a day of `\(entry.name)`, too: it is open at the times of both",
        hint: "to be open at other times on one day, leave it out of the other line",
        severity: .warning)
    }
  }

  private static let dayNames = [
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
  ]
  private static let severalDays = [
    "weekdays": "mon-fri", "weekday": "mon-fri", "workdays": "mon-fri", "weekend": "sat-sun",
    "weekends": "sat-sun", "daily": "mon-sun", "everyday": "mon-sun", "all": "mon-sun",
    "always": "mon-sun",
  ]

  /// `monday`, `tues`, `mo–fr` and `weekend` as days are written here.
  private static func daysMeant(by text: String) -> String? {
    let text = text.lowercased()
    let word = text.filter { $0 != " " }
    if let several = severalDays[word] { return several }
    let ends = text.replacing("–", with: "-").replacing(" to ", with: "-")
      .split(separator: "-", omittingEmptySubsequences: false)
      .map { day(meantBy: $0.filter { $0 != " " && $0 != "." }) }
    guard (1...2).contains(ends.count) else { return nil }
    let known = ends.compactMap(\.self)
    return known.count == ends.count ? known.joined(separator: "-") : nil
  }

  private static func day(meantBy word: String) -> String? {
    let begun = dayNames.filter { word.utf8.count > 1 && $0.hasPrefix(word) }
    if begun.count == 1 { return String(begun[0].prefix(3)) }
    // Of three letters with another at the beginning nobody knows the day: `lun` is no Sunday.
    let near = word.utf8.count > 3 ? dayNames : days.filter { $0.hasPrefix(word.prefix(1)) }
    let name = Spelling.nearest(word, among: near)
    return name.map { String($0.prefix(3)) }
  }

  private func readTimes(_ section: Section) -> ClosedRange<Int>? {
    guard let text = section.text(what: "times") else { return nil }
    let ends = text.split(separator: "-").map { minutes(String($0)) }
    guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else {
      let isOverMidnight = ends.count == 2 && ends.allSatisfy { $0 != nil }
      let parts = text.split(separator: "-").map { $0.filter { $0 != " " } }
      section.report(
        "`\(text)` is not a time of day",
        hint: isOverMidnight && ends[0] == ends[1]
          ? "it begins as it ends: for the whole day write \"00:00-24:00\""
          : isOverMidnight
            ? "what goes past midnight stands in two: [\"00:00-\(parts[1])\", \"\(parts[0])-24:00\"]"
            : timesMeant(by: text))
      return nil
    }
    return start...end
  }

  /// What `10 - 18`, `10am-6pm` or `off` is written as here: a hint that opens a day which somebody wants
  /// closed would be believed.
  private func timesMeant(by text: String) -> String {
    let text = text.lowercased().replacing("–", with: "-").filter { $0 != " " }
    if ["close", "off", "shut", "no", "none", "false", "holiday", "geschlossen"].contains(text) {
      return "write `closed`"
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map {
      clock(meantBy: String($0))
    }
    guard ends.count == 2, let start = ends[0], let end = ends[1] else {
      return "times are written as \"09:00-17:00\", and a day without any as `closed`"
    }
    return "write \"\(start)-\(end)\""
  }

  private func clock(meantBy text: String) -> String? {
    let isLate = text.hasSuffix("pm")
    let plain = isLate || text.hasSuffix("am") ? String(text.dropLast(2)) : text
    let parts = plain.replacing(".", with: ":").split(separator: ":").map { Int($0) }
    guard (1...2).contains(parts.count), var hour = parts[0] else { return nil }
    if plain != text { hour = hour % 12 + (isLate ? 12 : 0) }
    let minute = parts.count == 2 ? parts[1] ?? -1 : 0
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    let made = "\(two(hour)):\(two(minute))"
    return minutes(made) == nil ? nil : made
  }

  private func minutes(_ text: String) -> Int? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]),
      (0...24).contains(hour),
      (0..<60).contains(minute), hour < 24 || minute == 0
    else { return nil }
    return hour * 60 + minute
  }

  /// `2026-12-25: closed`, or times for a special day.
  private func readHolidays(_ section: Section) -> [String: [ClosedRange<Int>]] {
    var found: [String: [ClosedRange<Int>]] = [:]
    for entry in section.entries(what: "holidays") {
      guard isDate(entry.name) else {
        let meant = Timestamp.meant(by: entry.name)?.prefix(10)
        entry.key.report(
          "`\(entry.name)` is not a date",
          hint: meant.map { "write it as \($0)" }
            ?? "year, month and day of the calendar, as in 2026-12-25")
        continue
      }
      if entry.value.node.scalar?.string == "closed" {
        found[entry.name] = []
      } else {
        found[entry.name] = entry.value.oneOrMore(what: "times").compactMap(readTimes)
      }
    }
    return found
  }

  /// A day that the calendar has, written as 2026-12-25.
  private func isDate(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let isPlain = parts.joined().utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isPlain, parts.map(\.utf8.count) == [4, 2, 2] else { return false }
    return DateComponents(
      calendar: Calendar(identifier: .gregorian), year: Int(parts[0]), month: Int(parts[1]),
      day: Int(parts[2])
    ).isValidDate
  }
}

extension HoursConfiguration {
  /// The same hours, spelt out for the days around a moment.
  func around(_ moment: Instant) -> HoursConfiguration {
    if expandedFrom <= moment, moment < expandedUntil { return self }
    guard let zone = SystemZones.zone(zone) else { return self }
    let date = Date(timeIntervalSince1970: Double(moment.milliseconds) / 1_000)
    return HoursConfiguration(
      name, zone, written, from: date.addingTimeInterval(-2 * 86_400), days: 4)
  }

  /// - Parameters:
  ///   - start: in the first day that is spelt out.
  ///   - days: how many are.
  fileprivate init(
    _ name: String, _ zone: TimeZone, _ written: Written, from start: Date, days: Int
  ) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    var intervals: [Interval] = []
    let start = calendar.startOfDay(for: start)
    for offset in 0..<days {
      guard let noon = calendar.date(byAdding: .day, value: offset, to: start) else { continue }
      let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: noon)
      guard let year = parts.year, let month = parts.month, let day = parts.day,
        let weekday = parts.weekday
      else { continue }
      let date = String(format: "%04d-%02d-%02d", year, month, day)
      let times = written.holidays[date] ?? written.week[weekday - 1]
      for time in times.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        Self.append(Self.interval(calendar, parts, time), to: &intervals)
      }
    }
    let until = calendar.date(byAdding: .day, value: days, to: start) ?? start
    self.init(
      name: name, zone: zone.identifier, open: intervals, expandedUntil: Self.instant(until))
    expandedFrom = Self.instant(start)
    self.written = written
  }

  /// Wall-clock times: on the days when the clock changes an interval is an hour shorter or longer.
  private static func interval(
    _ calendar: Calendar, _ day: DateComponents, _ time: ClosedRange<Int>
  ) -> Interval? {
    func moment(_ minutes: Int) -> Date? {
      var parts = DateComponents(year: day.year, month: day.month, day: day.day)
      parts.hour = minutes / 60
      parts.minute = minutes % 60
      return calendar.date(from: parts)
    }
    guard let start = moment(time.lowerBound), let end = moment(time.upperBound), start < end else {
      return nil
    }
    return .init(start: instant(start), end: instant(end))
  }

  private static func append(
    _ interval: Interval?, to all: inout [Interval]
  ) {
    guard let interval else { return }
    if let last = all.last, interval.start <= last.end {
      all[all.count - 1].end = max(last.end, interval.end)
    } else {
      all.append(interval)
    }
  }

  private static func instant(_ date: Date) -> Instant {
    Instant(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded()))
  }
}
