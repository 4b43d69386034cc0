extension IncomingRequest {
  /// Whether `Accept-Encoding` takes a coding (lower case), RFC 9110 §12.5.3: named with a weight
  /// above nothing, or covered by `*` and not itself excluded. Without the field only what is not
  /// coded is sure to be understood.
  public func accepts(coding: StaticString) -> Bool {
    fields.bytes.withUnsafeBytes { raw in
      var named: Bool?
      var star = false
      for line in fields.lines where Bytes.spells(raw, line.name, "accept-encoding") {
        Bytes.list(raw, line.value) { element in
          let end = Bytes.first(59, raw, element) ?? element.upperBound
          let name = Bytes.trim(raw, element.lowerBound..<end)
          let isWelcome = !Self.isNothing(raw, end..<element.upperBound)
          if Bytes.spells(raw, name, coding) { named = isWelcome }
          if Bytes.spells(raw, name, "*") { star = isWelcome }
        }
      }
      return named ?? star
    }
  }

  /// `OWS ";" OWS "q=" qvalue`, and whether that is nought; a weight that cannot be read counts as
  /// that.
  private static func isNothing(_ raw: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    guard !range.isEmpty else { return false }
    let weight = Bytes.trim(raw, (range.lowerBound + 1)..<range.upperBound)
    guard weight.count > 2, Bytes.lower(raw[weight.lowerBound]) == 113,
      raw[weight.lowerBound + 1] == 61
    else {
      return true
    }
    let digits = raw[(weight.lowerBound + 2)..<weight.upperBound]
    guard digits.allSatisfy({ Bytes.isDigit($0) || $0 == 46 }) else { return true }
    return !digits.contains { (49...57).contains($0) }
  }
}
