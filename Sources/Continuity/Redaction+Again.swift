import Wire

extension Redaction {
  /// What somebody took out of an entry, found by holding what it was against what is left of it:
  /// taking out all of these, one after the other, leaves no more than is left there. Where that
  /// cannot be told to the letter, it is whole strings. What it was may lack words itself, the same or
  /// others: it comes from another time.
  public static func between(_ whole: [UInt8], and left: [UInt8]) -> [Redaction] {
    guard let before = JSONWords.members(whole), let after = JSONWords.members(left) else {
      return []
    }
    var words: [String] = []
    for (name, place) in before where !EntryBody.frame.contains(name) {
      guard let match = after.first(where: { $0.name == name }) else { continue }
      let (old, new) = (Array(whole[place]), Array(left[match.value]))
      let isGiven = Redaction.given.contains(name)
      // Also nothing where all that is out there is out here already, and more.
      if old != new, pieces(new, old, isGiven) == nil {
        words += pieces(old, new, isGiven) ?? strings(old) + lostNames(old, new, isGiven)
      }
    }
    // Shorter ones may be parts of longer ones, whose places would not be found any more.
    return Set(words).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
      .compactMap { Redaction($0) }.filter { !$0.isMark }
  }

  /// Of one JSON value: what stood where marks are now; nil where taking that out would not make
  /// one of the other.
  private static func pieces(_ old: [UInt8], _ new: [UInt8], _ isGiven: Bool) -> [String]? {
    let kept = new.split(separator: markBytes, omittingEmptySubsequences: false).map { Array($0) }
    guard old.starts(with: kept[0]) else { return nil }
    var at = kept[0].count
    var found: [String] = []
    for (index, piece) in kept.enumerated().dropFirst() {
      let isLast = index == kept.count - 1
      let end = isLast ? old.count - piece.count : first(piece, in: old, from: at + 1)
      guard let end, end > at, old[end...].starts(with: piece),
        let word = JSONText.string([0x22] + old[at..<end] + [0x22])
      else { return nil }
      found.append(word)
      at = end + piece.count
    }
    var made = old
    for word in Set(found).sorted(by: { $1.utf8.count < $0.utf8.count }) {
      made = Redaction(word)?.json(made, isGiven: isGiven) ?? made
    }
    return made == new ? found : nil
  }

  private static func first(_ piece: [UInt8], in text: [UInt8], from start: Int) -> Int? {
    guard start + piece.count <= text.count else { return nil }
    return (start...(text.count - piece.count)).first { text[$0...].starts(with: piece) }
  }

  /// Every string and number of a JSON value, but the names of members.
  private static func strings(_ json: [UInt8]) -> [String] {
    words(json, isGiven: false, given: [])
  }

  /// Names that somebody gave, and that no longer stand there.
  private static func lostNames(_ old: [UInt8], _ new: [UInt8], _ isGiven: Bool) -> [String] {
    let all = words(old, isGiven: isGiven, given: Redaction.given)
    let values = Set(strings(old))
    let left = Set(words(new, isGiven: isGiven, given: Redaction.given))
    return all.filter { !values.contains($0) && !left.contains($0) }
  }

  private static func words(_ json: [UInt8], isGiven: Bool, given: Set<String>) -> [String] {
    var found: [String] = []
    func note(_ said: [UInt8]) -> [UInt8]? {
      found.append(String(decoding: said, as: UTF8.self))
      return nil
    }
    _ = JSONWords(text: note, number: note, given: given, isGiven: isGiven).rewritten(json)
    return found
  }
}
