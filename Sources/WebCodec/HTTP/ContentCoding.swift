extension IncomingRequest {
  /// Whether `Accept-Encoding` takes a coding (lower case), RFC 9110 §12.5.3: named with a weight
  /// above nothing, or covered by `*` and not itself excluded, and what is not coded is not liked
  /// better. Without the field only that is sure to be understood. `x-` before a name is the same
  /// (§8.4.1.3).
  public func accepts(coding: StaticString) -> Bool {
    fields.bytes.withUnsafeBytes { raw in
      var named: Int?
      var (star, plain) = (0, 0)
      for line in fields.lines where Bytes.spells(raw, line.name, "accept-encoding") {
        Bytes.list(raw, line.value) { element in
          let end = Bytes.first(59, raw, element) ?? element.upperBound
          let name = Bytes.trim(raw, element.lowerBound..<end)
          let weight = Self.weight(raw, end..<element.upperBound) ?? 0
          let isOld = Bytes.spells(raw, name.prefix(2), "x-")
          if Bytes.spells(raw, isOld ? name.dropFirst(2) : name, coding) {
            named = max(named ?? 0, weight)
          }
          if Bytes.spells(raw, name, "*") { star = weight }
          if Bytes.spells(raw, name, "identity") { plain = weight }
        }
      }
      let weight = named ?? star
      return weight > 0 && weight >= plain
    }
  }

  /// `OWS ";" OWS "q=" qvalue`, RFC 9110 §12.4.2: `0` to `1` with up to three digits behind a dot.
  /// - Returns: thousandths; nil for what is none.
  private static func weight(_ raw: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    guard !range.isEmpty else { return 1_000 }
    let text = Bytes.trim(raw, (range.lowerBound + 1)..<range.upperBound)
    guard 3...7 ~= text.count, Bytes.spells(raw, text.prefix(2), "q=") else { return nil }
    let value = raw[text.dropFirst(2)]
    guard let first = value.first, first == 48 || first == 49,
      value.count == 1 || value.dropFirst().first == 46
    else { return nil }
    var weight = Int(first - 48)
    for place in 0..<3 {
      let at = value.startIndex + 2 + place
      let digit = at < value.endIndex ? value[at] : 48
      guard Bytes.isDigit(digit) else { return nil }
      weight = weight * 10 + Int(digit - 48)
    }
    return weight <= 1_000 ? weight : nil
  }
}
