/// Takes out of a text what must never be written: card numbers, tokens, and what the workspace's
/// patterns find. It works where words come in, before anything is kept of them.
///
/// | found | becomes |
/// |---|---|
/// | 13 to 19 digits that pass the check of Luhn, also in groups | `[card number removed]` |
/// | tokens by their beginnings (`tl_…`, `eyJ…`, `ghp_…`, `Bearer …`), keys between `-----BEGIN …-----` lines | `[token removed]` |
/// | a pattern of the workspace | `[<its name> removed]` |
public struct Redactor: Sendable {
  /// A configured pattern: its name, and where in a text it is found.
  public struct Named: Sendable {
    public var name: String
    public var places: @Sendable ([UInt8]) -> [Range<Int>]
    public init(name: String, places: @escaping @Sendable ([UInt8]) -> [Range<Int>]) {
      self.name = name
      self.places = places
    }
  }

  public var patterns: [Named]
  public init(patterns: [Named] = []) { self.patterns = patterns }

  /// nil when nothing was found.
  public func bytes(_ bytes: [UInt8]) -> [UInt8]? {
    // Shorter than anything that is looked for, unless by a pattern.
    if patterns.isEmpty, bytes.count < 13 { return nil }
    var found = CardNumbers.places(in: bytes).map { ($0, "card number") }
    found += Tokens.places(in: bytes).map { ($0, "token") }
    for pattern in patterns { found += pattern.places(bytes).map { ($0, pattern.name) } }
    if found.isEmpty { return nil }
    found.sort { ($0.0.lowerBound, $1.0.upperBound) < ($1.0.lowerBound, $0.0.upperBound) }
    var out: [UInt8] = []
    var at = 0
    for (place, name) in found {
      // What overlaps is one place; it keeps the name of the part that begins first.
      guard place.lowerBound >= at else {
        at = max(at, place.upperBound)
        continue
      }
      out += bytes[at..<place.lowerBound]
      out += Array("[\(name) removed]".utf8)
      at = place.upperBound
    }
    if at < bytes.count { out += bytes[at...] }
    return out
  }

  public func text(_ text: String) -> String {
    guard let out = bytes(Array(text.utf8)) else { return text }
    return String(decoding: out, as: UTF8.self)
  }

  /// Whether a number is one as it stands, without a sign, a fraction or an exponent.
  public func isCardNumber(_ number: String) -> Bool {
    let digits = Array(number.utf8)
    return digits.allSatisfy { (0x30...0x39).contains($0) }
      && CardNumbers.places(in: digits) == [0..<digits.count]
  }
}
