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
        let isDay = written.utf8.count == 10
        return "write `timestamp(\"\(isDay ? written + "T00:00:00Z" : written)\")`"
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
      return "for seconds write `duration(\"\(seconds)s\")`"
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
    if case .literal(.int(let seconds)) = syntax.nodes[number] {
      return isLength
        ? "for seconds write `duration(\"\(seconds)s\")`"
        : "for seconds since 1970 write `timestamp(\(seconds))`"
    }
    guard case .call("_-_", let outer) = syntax.nodes[number], outer.count == 2,
      case .call("_-_", let inner) = syntax.nodes[outer[0]], inner.count == 2
    else { return nil }
    let parts = [inner[0], inner[1], outer[1]].compactMap { node -> Int64? in
      if case .literal(.int(let part)) = syntax.nodes[node] { part } else { nil }
    }
    guard parts.count == 3, (1_000...9_999).contains(parts[0]), (1...12).contains(parts[1]),
      (1...31).contains(parts[2])
    else { return nil }
    let texts = parts.map { $0 < 10 ? "0\($0)" : "\($0)" }
    return "write `timestamp(\"\(texts.joined(separator: "-"))T00:00:00Z\")`"
  }
}
