/// Parts of timestamps and durations. Months and days of the year begin with 0, as the
/// specification says.
extension Evaluation {
  mutating func times(_ function: Function, _ arguments: [Value]) -> Value? {
    switch (arguments.first, arguments.count) {
    case (.timestamp(let timestamp)?, 1): return part(function, of: timestamp, .utc)
    case (.timestamp(let timestamp)?, 2):
      guard case .string(let name) = arguments[1] else { return nil }
      guard let zone = program.zoneTable(name) else {
        return .fault(.invalidArgument, "there is no time zone `\(name)`")
      }
      return part(function, of: timestamp, zone)
    case (.duration(let span)?, 1): return part(function, of: span)
    default: return nil
    }
  }

  private func part(_ function: Function, of timestamp: Timestamp, _ zone: ZoneTable) -> Value? {
    let civil = CivilTime(seconds: timestamp.seconds + Int64(zone.offset(at: timestamp.seconds)))
    switch function {
    case .getDate: return .int(civil.day)
    case .getDayOfMonth: return .int(civil.day - 1)
    case .getDayOfWeek: return .int(civil.dayOfWeek)
    case .getDayOfYear: return .int(civil.dayOfYear)
    case .getFullYear: return .int(civil.year)
    case .getHours: return .int(civil.hour)
    case .getMilliseconds: return .int(Int64(timestamp.nanoseconds / 1_000_000))
    case .getMinutes: return .int(civil.minute)
    case .getMonth: return .int(civil.month - 1)
    case .getSeconds: return .int(civil.second)
    default: return nil
    }
  }

  private func part(_ function: Function, of span: Span) -> Value? {
    switch function {
    case .getHours: return .int(span.whole(3_600))
    case .getMinutes: return .int(span.whole(60))
    case .getSeconds: return .int(span.whole(1))
    case .getMilliseconds: return .int(span.millisecondsPart)
    default: return nil
    }
  }
}

extension Program {
  /// A zone as expressions name it: `Europe/Berlin`, `UTC` or `+02:00`.
  func zoneTable(_ name: String) -> ZoneTable? {
    ZoneTable(offsetText: name) ?? (name == "UTC" ? .utc : zone(name))
  }
}
