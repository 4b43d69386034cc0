/// What people mean who set moments and lengths of time beside texts and numbers.
extension Checker {
  /// A moment, or a length of time, that stands there as a text.
  func timeHint(_ name: String, _ sides: [Int], _ types: [Type]) -> String? {
    guard sides.count == 2, !["_*_", "_/_", "_%_"].contains(name) else { return nil }
    for (number, other) in [(0, 1), (1, 0)] where types[number] == .int {
      switch types[other] {
      case .duration: return secondsHint(sides[number], sides[other])
      case .timestamp:
        return momentHint(name, sides[number], sides[other])
      default: continue
      }
    }
    for (text, other) in [(0, 1), (1, 0)] {
      guard case .literal(.string(let written)) = syntax.nodes[sides[text]] else { continue }
      switch types[other] {
      case .timestamp:
        return lengthHint(name, sides, text, written) ?? dayHint(name, sides[other], written)
          ?? Self.momentWritten(written) ?? Self.momentUsually
      case .duration:
        return
          "write `duration(\"\(Span(written) == nil ? Span.meant(by: written) ?? "48h" : written)\")`"
      default: continue
      }
    }
    return nil
  }

  /// A length of time as a text where a moment stands: `now - "48h"`, and `e.at > "48h"`.
  private func lengthHint(_ name: String, _ sides: [Int], _ text: Int, _ written: String) -> String?
  {
    guard let length = Span(written) == nil ? Span.meant(by: written) : written,
      let sign = Self.sign(name)
    else { return nil }
    let form = "duration(\"\(length)\")"
    if name == "_+_" || name == "_-_" && text == 1 {
      let texts = sides.indices.map { $0 == text ? form : syntax.text(of: sides[$0]) }
      return "write `\(texts.joined(separator: " \(sign) "))`"
    }
    let moment = syntax.text(of: sides[1 - text])
    guard text == 1, name != "_-_", name != "@in", moment != "now",
      let now = environment.slot("now"),
      environment.variables[now].type == .timestamp
    else { return nil }
    return "for how long ago that was write `now - \(moment) \(sign) \(form)`"
  }

  /// `now == "2026-12-24"`: a moment is never a whole day.
  private func dayHint(_ name: String, _ moment: Int, _ written: String) -> String? {
    guard name == "_==_" || name == "_!=_", written.utf8.count <= 10,
      let start = Timestamp(Timestamp.meant(by: written) ?? ""),
      let end = Timestamp(seconds: start.seconds + 86_400)
    else { return nil }
    let text = syntax.text(of: moment)
    let bounds = [start, end].map { "timestamp(\"\($0)\")" }
    let form =
      name == "_==_"
      ? "\(text) >= \(bounds[0]) && \(text) < \(bounds[1])"
      : "(\(text) < \(bounds[0]) || \(text) >= \(bounds[1]))"
    return "for the whole day write `\(form)`; `Z` is the clock of UTC, `+01:00` another"
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
  private func momentHint(_ name: String, _ number: Int, _ moment: Int) -> String? {
    guard case .literal(.int(let written)) = syntax.nodes[number] else {
      return difference(number).flatMap { dayHint(name, moment, $0) ?? Self.momentWritten($0) }
    }
    if name == "_+_" || name == "_-_" { return Self.lengthWritten(written) }
    let digits = "\(written)"
    let parts = [digits.prefix(4), digits.dropFirst(4).prefix(2), digits.dropFirst(6)]
    let day = parts.joined(separator: "-")
    if digits.utf8.count == 8, let hint = dayHint(name, moment, day) ?? Self.momentWritten(day) {
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
