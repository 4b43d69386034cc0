/// Phrases in small letters that are looked for in a line, by their first byte: most lines hold
/// none, and a hostile mail has many lines.
struct Phrases {
  private var byFirst: [[[UInt8]]] = Array(repeating: [], count: 256)

  init(_ phrases: [String]) {
    for phrase in phrases.map({ Array($0.utf8) }) {
      if let first = phrase.first { byFirst[Int(first)].append(phrase) }
    }
  }

  /// Whether one of them begins the text.
  func begin(_ text: ArraySlice<UInt8>) -> Bool {
    guard let first = text.first else { return false }
    return byFirst[Int(first)].contains { text.starts(with: $0) }
  }

  /// Whether one of them stands anywhere in the text.
  func stand(in text: ArraySlice<UInt8>) -> Bool {
    text.indices.contains { begin(text[$0...]) }
  }
}
