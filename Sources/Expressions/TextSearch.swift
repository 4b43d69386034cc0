/// Finding a part in a whole in linear time, whatever they are made of.
///
/// Knuth, Morris and Pratt: where a part fits up to somewhere and no further, what is known of it
/// says how much of that fits again, so nothing is looked at twice.
enum TextSearch {
  /// The first place at or after `from`. UTF-8 never matches inside another code point.
  static func first<T: Equatable>(_ part: [T], in text: [T], from: Int) -> Int? {
    guard !part.isEmpty else { return from <= text.count ? from : nil }
    guard text.count >= part.count, from <= text.count - part.count else { return nil }
    return part.withUnsafeBufferPointer { part in
      text.withUnsafeBufferPointer { first(part, $0, from: max(from, 0), table(part)) }
    }
  }

  /// Every place from left to right, none overlapping the one before.
  static func all<T: Equatable>(_ part: [T], in text: [T], atMost limit: Int64 = .max) -> [Int] {
    guard !part.isEmpty else { return [] }
    return part.withUnsafeBufferPointer { part in
      text.withUnsafeBufferPointer { text in
        let table = table(part)
        var found: [Int] = []
        var at = 0
        while Int64(found.count) < limit, let next = first(part, text, from: at, table) {
          found.append(next)
          at = next + part.count
        }
        return found
      }
    }
  }

  /// The last place at or before `from`.
  static func last<T: Equatable>(_ part: [T], in text: [T], from: Int) -> Int? {
    guard from >= 0 else { return nil }
    guard !part.isEmpty else { return min(from, text.count) }
    guard text.count >= part.count else { return nil }
    let end = min(from, text.count - part.count) + part.count
    let found = first(part.reversed(), in: text[..<end].reversed(), from: 0)
    return found.map { end - $0 - part.count }
  }

  private static func first<T: Equatable>(
    _ part: UnsafeBufferPointer<T>, _ text: UnsafeBufferPointer<T>, from: Int, _ table: [Int]
  ) -> Int? {
    var length = 0
    var at = from
    while at < text.count {
      while length > 0, text[at] != part[length] { length = table[length - 1] }
      if text[at] == part[length] { length += 1 }
      at += 1
      if length == part.count { return at - length }
    }
    return nil
  }

  /// For each beginning of the part: how long a shorter beginning of it is also its end.
  private static func table<T: Equatable>(_ part: UnsafeBufferPointer<T>) -> [Int] {
    var table = [Int](repeating: 0, count: part.count)
    var length = 0
    for at in 1..<max(part.count, 1) {
      while length > 0, part[at] != part[length] { length = table[length - 1] }
      if part[at] == part[length] { length += 1 }
      table[at] = length
    }
    return table
  }
}
