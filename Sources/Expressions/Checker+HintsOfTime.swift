/// What people mean who set moments and lengths of time beside texts and numbers.
extension Checker {
  /// A moment, or a length of time, that stands there as a text.
  func timeHint(_ name: String, _ sides: [Int], _ types: [Type]) -> String? {
    guard sides.count == 2, !["_*_", "_/_", "_%_"].contains(name) else { return nil }
    for (number, other) in [(0, 1), (1, 0)] where types[number] == .int {
      switch types[other] {
      case .duration: return secondsHint(sides[number], sides[other])
      case .timestamp:
        return momentHint(sides[number], isLength: name == "_+_" || name == "_-_")
      default: continue
      }
    }
    for (text, other) in [(0, 1), (1, 0)] {
      guard case .literal(.string(let written)) = syntax.nodes[sides[text]] else { continue }
      switch types[other] {
      case .timestamp:
        return Self.momentWritten(written) ?? Self.momentUsually
      case .duration:
        return
          "write `duration(\"\(Span(written) == nil ? Span.meant(by: written) ?? "48h" : written)\")`"
      default: continue
      }
    }
    return nil
  }

  /// A whole number beside a length of time: seconds, as others count them.
  private func secondsHint(_ number: Int, _ length: Int) -> String {
    if case .literal(.int(let seconds)) = syntax.nodes[number] {
      return Self.lengthWritten(seconds)
    }
    if case .call("duration", let given) = syntax.nodes[length], given.count == 1,
      case .literal(.string(let text)) = syntax.nodes[given[0]], let span = Span(text)
    {
      return "in seconds that is \(span.seconds)"
    }
    let isSum = if case .call = syntax.nodes[length] { true } else { false }
    let text = syntax.text(of: length)
    return "for seconds write `\(isSum ? "(\(text))" : text).getSeconds()`"
  }

  /// A whole number beside a moment: a length of time, or a date without quotes.
  private func momentHint(_ number: Int, isLength: Bool) -> String? {
    guard case .literal(.int(let written)) = syntax.nodes[number] else {
      return difference(number).flatMap(Self.momentWritten)
    }
    if isLength { return Self.lengthWritten(written) }
    let digits = "\(written)"
    let day = [digits.prefix(4), digits.dropFirst(4).prefix(2), digits.dropFirst(6)]
    if digits.utf8.count == 8,
      let hint = Self.momentWritten(day.joined(separator: "-"))
    {
      return hint
    }
    // What others count milliseconds in is as long as this.
    return digits.utf8.count == 13
      ? "for milliseconds since 1970 write `timestamp(\(written / 1_000))`"
      : "for seconds since 1970 write `timestamp(\(written))`"
  }

  /// `2026-12-24` without quotes, which is a difference.
  private func difference(_ node: Int) -> String? {
    guard case .call("_-_", let outer) = syntax.nodes[node], outer.count == 2,
      case .call("_-_", let inner) = syntax.nodes[outer[0]], inner.count == 2
    else { return nil }
    let parts = [inner[0], inner[1], outer[1]].compactMap { node -> String? in
      guard case .literal(.int(let part)) = syntax.nodes[node] else { return nil }
      return (0...9).contains(part) ? "0\(part)" : "\(part)"
    }
    return parts.count == 3 ? parts.joined(separator: "-") : nil
  }

  /// `date("2026-12-24")`.
  static func momentWritten(_ name: String, _ written: String) -> String? {
    guard ["date", "datetime", "time"].contains(name.lowercased()) else { return nil }
    return momentWritten(written) ?? momentUsually
  }

  private static let momentUsually = "a moment is written `timestamp(\"2026-11-25T21:25:00Z\")`"

  /// - Returns: nil for what is no moment.
  private static func momentWritten(_ text: String) -> String? {
    let moment = Timestamp(text) == nil ? Timestamp.meant(by: text) : text
    return moment.map { "write `timestamp(\"\($0)\")`" }
  }

  /// A whole number that stands for a length of time: seconds as most count them, and what is longer
  /// than anybody waits nanoseconds.
  private static func lengthWritten(_ number: Int64) -> String {
    guard number.magnitude >= 1_000_000_000 else {
      return "for seconds write `duration(\"\(number)s\")`"
    }
    let (seconds, rest) = number.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    let digits = String(rest + 1_000_000_000).dropFirst().trimmingSuffix(while: { $0 == "0" })
    let text = "\(number < 0 ? "-" : "")\(seconds)\(digits.isEmpty ? "" : "." + digits)s"
    return "for nanoseconds write `duration(\"\(text)\")`"
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while isLeftOut: (Character) -> Bool) -> Substring {
    var rest = self
    while let last = rest.last, isLeftOut(last) { rest.removeLast() }
    return rest
  }
}
