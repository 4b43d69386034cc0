/// A pattern (RE2's syntax) for others than expressions: where it is found in a text.
public struct TextPattern: Sendable, Hashable {
  public let text: String
  private let pattern: Pattern

  public struct Wrong: Error, Hashable, Sendable {
    public var why: String
  }

  public init(_ text: String) throws(Wrong) {
    switch Pattern.make(text) {
    case .success(let made): pattern = made
    case .failure(let failure): throw Wrong(why: failure.message)
    }
    self.text = text
  }

  /// Every place that is not empty, in order, as ranges of bytes.
  @Sendable public func places(_ bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var from = 0
    while from <= bytes.count, let whole = pattern.match(bytes, from: from)?.first ?? nil {
      if !whole.isEmpty { found.append(whole) }
      from = max(whole.upperBound, whole.isEmpty ? whole.lowerBound + 1 : whole.upperBound)
    }
    return found
  }

  public static func == (a: TextPattern, b: TextPattern) -> Bool { a.text == b.text }
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
