/// What people mean who name days and months, and write dates and zones, as elsewhere.
extension Checker {
  /// Days and months that are counted here, compared with their names.
  func calendarHint(_ name: String, _ sides: [Int]) -> String? {
    guard sides.count == 2, let sign = Self.sign(name) else { return nil }
    if let hint = clockHint(name, sides) { return hint }
    let isEitherWay = ["_==_", "_!=_", "@in"].contains(name)
    for (subject, other) in [(sides[0], sides[1]), (sides[1], sides[0])].prefix(isEitherWay ? 2 : 1)
    {
      guard case .member(_, let method, _) = syntax.nodes[subject],
        let counting = Self.countings[method]
      else { continue }
      var (named, isList) = ([other], name == "@in")
      if case .list(let elements, _) = syntax.nodes[other] { (named, isList) = (elements, true) }
      let numbers = named.compactMap { node -> Int? in
        guard case .literal(.string(let text)) = syntax.nodes[node] else { return nil }
        return counting.number(of: text)
      }
      guard !numbers.isEmpty, numbers.count == named.count else { return counting.words }
      let shown = numbers.map(String.init).joined(separator: ", ")
      return
        "write `\(syntax.text(of: subject)) \(sign) \(isList ? "[\(shown)]" : shown)`: \(counting.words)"
    }
    return nil
  }

  private static let turned = ["<": ">", "<=": ">=", ">": "<", ">=": "<="]

  /// `now.getHours() > "18:00"`: a time of day beside an hour, which is a whole number.
  private func clockHint(_ name: String, _ sides: [Int]) -> String? {
    guard let own = Self.sign(name), name != "@in" else { return nil }
    for (subject, other) in [(0, 1), (1, 0)] {
      guard case .member(let target, "getHours", let zone) = syntax.nodes[sides[subject]],
        types[target] == .timestamp,
        case .literal(.string(let text)) = syntax.nodes[sides[other]]
      else { continue }
      let words = "hours are whole numbers from 0 to 23"
      let sign = subject == 0 ? own : Self.turned[own] ?? own
      guard let (hour, minute) = Self.timeOfDay(text) else { return words }
      let hours = syntax.text(of: sides[subject])
      guard let minute else { return "write `\(hours) \(sign) \(hour)`: \(words)" }
      // From a minute on, and until it, whichever sign somebody chose.
      let bound = [">": ">=", "<=": "<"][sign] ?? sign
      let place = zone.map { syntax.text(of: $0) }.joined()
      let minutes = "\(syntax.text(of: target)).getMinutes(\(place))"
      if minute == 0, bound == ">=" || bound == "<" {
        return "write `\(hours) \(bound) \(hour)`: \(words)"
      }
      return
        "in minutes of the day write `\(hours) * 60 + \(minutes) \(bound) \(hour * 60 + minute)`"
    }
    return nil
  }

  /// `18:00`, `18` or `6pm`; without minutes where none are told.
  private static func timeOfDay(_ text: String) -> (hour: Int, minute: Int?)? {
    let text = text.lowercased().filter { $0 != " " }
    let isLate = text.hasSuffix("pm")
    let isNamed = isLate || text.hasSuffix("am")
    let parts = (isNamed ? String(text.dropLast(2)) : text)
      .split(separator: ":", omittingEmptySubsequences: false)
    guard (1...3).contains(parts.count), parts.allSatisfy({ (1...2).contains($0.utf8.count) })
    else { return nil }
    let numbers = parts.compactMap { Int($0) }.filter { $0 >= 0 }
    guard numbers.count == parts.count, numbers[0] < (isNamed ? 13 : 24),
      numbers.dropFirst().allSatisfy({ $0 < 60 })
    else { return nil }
    let hour = isNamed ? numbers[0] % 12 + (isLate ? 12 : 0) : numbers[0]
    return (hour, numbers.count > 1 ? numbers[1] : isNamed ? 0 : nil)
  }

  /// For a day or a month that stands there without quotes.
  func dayHint(_ name: String, comparedWith other: Int) -> String? {
    guard case .member(_, let method, _) = syntax.nodes[other],
      let counting = Self.countings[method], let number = counting.number(of: name)
    else { return nil }
    return "write `\(number)`: \(counting.words)"
  }

  private struct Counting {
    var names: [String]
    var words: String

    /// Of a name as it is, or its first three letters; or a number in quotes.
    func number(of text: String) -> Int? {
      let text = text.lowercased()
      if let number = Int(text), names.indices.contains(number) { return number }
      return names.firstIndex { $0 == text || text.utf8.count == 3 && $0.hasPrefix(text) }
    }
  }

  private static let countings: [String: Counting] = [
    "getDayOfWeek": Counting(
      names: ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
      words: "days are counted from 0, which is Sunday, to 6"),
    "getMonth": Counting(
      names: [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
      ], words: "months are counted from 0, which is January, to 11"),
  ]

  /// A zone without quotes, which is a division, a sum or a difference: `Europe/Berlin`,
  /// `America/Port-au-Prince`, `UTC+2`.
  func zoneWritten(_ node: Int) -> String? {
    guard let text = pieces(ofZone: node), text.contains(where: { "/+-".contains($0) }) else {
      return nil
    }
    if let offset = ZoneTable.offset(meantBy: text) { return offset }
    return text.contains("/") ? text : nil
  }

  private func pieces(ofZone node: Int) -> String? {
    switch syntax.nodes[node] {
    case .name(let name, absolute: false):
      return local(name) == nil && lookup(name, absolute: false) == nil ? name : nil
    case .literal(.int(let number)): return String(number)
    case .call(let name, let sides):
      guard ["_/_", "_+_", "_-_"].contains(name), sides.count == 2, let sign = Self.sign(name),
        let left = pieces(ofZone: sides[0]), let right = pieces(ofZone: sides[1]),
        left.utf8.first.map(Lexer.isLetter) ?? false
      else { return nil }
      return left + sign + right
    default: return nil
    }
  }
}

extension ZoneTable {
  /// `UTC+2`, `GMT-5:30` and `+2` as an offset is written here; nil for what is none.
  static func offset(meantBy text: String) -> String? {
    var rest = Substring(text.uppercased())
    for name in ["UTC", "GMT"] where rest.hasPrefix(name) { rest = rest.dropFirst(3) }
    guard let sign = rest.popFirst(), sign == "+" || sign == "-" else { return nil }
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), (1...2).contains(parts[0].utf8.count),
      parts.count == 1 || parts[1].utf8.count == 2
    else { return nil }
    let numbers = parts.compactMap { UInt($0) }
    guard numbers.count == parts.count else { return nil }
    let digits = [numbers[0], numbers.count > 1 ? numbers[1] : 0].map {
      $0 < 10 ? "0\($0)" : "\($0)"
    }
    let offset = "\(sign)\(digits.joined(separator: ":"))"
    return ZoneTable(offsetText: offset) == nil ? nil : offset
  }
}

extension Timestamp {
  /// A moment as somebody wrote it who counts days otherwise: `2026-12-24`, `24.12.2026`,
  /// `2026-12-24 10:00`; nil for what may be two days, such as `3/4/2026`.
  public static func meant(by text: String) -> String? {
    let halves = text.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "T" })
    guard let date = halves.first else { return nil }
    var time = halves.count > 1 ? halves[1].trimmingPrefix(" ") : "00:00:00"
    if time.utf8.count == 5 { time += ":00" }
    if !time.contains(where: { "Z+-".contains($0) }) { time += "Z" }
    let sign = date.first { !$0.isNumber }
    let parts = date.split(separator: sign ?? "-", omittingEmptySubsequences: false).map(
      String.init)
    guard parts.count == 3 else { return nil }
    let orders: [[Int]] =
      switch sign {
      case "-": [[0, 1, 2], [2, 1, 0]]
      case ".": [[2, 1, 0]]
      case "/": [[0, 1, 2], [2, 1, 0], [2, 0, 1]]
      default: []
      }
    let moments = orders.map { order -> String in
      let numbers = order.map { parts[$0] }
      let padded = numbers.map { $0.utf8.count == 1 ? "0\($0)" : $0 }
      return "\(padded.joined(separator: "-"))T\(time)"
    }
    let possible = Set(moments.filter { Timestamp($0) != nil })
    return possible.count == 1 ? possible.first : nil
  }
}
