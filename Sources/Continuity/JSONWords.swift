import Wire

/// Rewrites the strings and numbers of a JSON text where they stand, so that everything else keeps
/// its bytes. What is no JSON comes to no harm.
struct JSONWords {
  /// What becomes of a string's text; nil: it stays.
  var text: ([UInt8]) -> [UInt8]?
  /// What becomes of a number, as a string; nil: it stays.
  var number: ([UInt8]) -> [UInt8]?
  /// Whose members' names somebody gave, at whatever depth below: they are words. Other names are ours
  /// and stay.
  var given: Set<String> = []
  /// Whether the text is a value of such a member itself.
  var isGiven = false

  /// One object or list that is open.
  private struct Level {
    var isGiven: Bool
    /// Of the member whose value comes next.
    var name = ""
    /// As they are written now: one that two have would be no JSON.
    var names: Set<String> = []
  }

  /// nil where all stays.
  func rewritten(_ bytes: [UInt8]) -> [UInt8]? {
    var out: [UInt8] = []
    var kept = 0  // All before this is in `out`.
    var at = 0
    // Members of an object may stand there without its braces.
    var levels = [Level(isGiven: isGiven)]
    while at < bytes.count {
      let start = at
      let replacement: [UInt8]?
      switch bytes[at] {
      case 0x22:
        at = Self.endOfString(bytes, at)
        let isName = at < bytes.count && bytes[at] == UInt8(ascii: ":")
        replacement =
          isName
          ? name(bytes[start..<at], &levels[levels.count - 1]) : string(bytes[start..<at])
      case 0x2D, 0x30...0x39:
        at += bytes[at...].prefix(while: Self.isPartOfNumber).count
        replacement = number(Array(bytes[start..<at])).map(Self.quoted)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let outer = levels[levels.count - 1]
        let isNamed = outer.name.split(separator: ".").last.map { given.contains(String($0)) }
        levels.append(Level(isGiven: outer.isGiven || isNamed ?? false))
        at += 1
        continue
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if levels.count > 1 { levels.removeLast() }
        at += 1
        continue
      default:
        at += 1
        continue
      }
      guard let replacement else { continue }
      out += bytes[kept..<start]
      out += replacement
      kept = at
    }
    return kept == 0 ? nil : out + bytes[kept...]
  }

  /// Parts of a field that say how sure a bot is of it, and by what.
  private static let ours: Set<String> = ["value", "confidence", "source"]

  private func name(_ quoted: ArraySlice<UInt8>, _ level: inout Level) -> [UInt8]? {
    guard let name = JSONText.string(Array(quoted)) else { return nil }
    level.name = name
    guard level.isGiven, !Self.ours.contains(name) else {
      level.names.insert(name)
      return nil
    }
    let made = text(Array(name.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? name
    var own = made
    var count = 1
    while !level.names.insert(own).inserted {
      count += 1
      own = "\(made) (\(count))"
    }
    return own.utf8.elementsEqual(name.utf8) ? nil : Self.quoted(Array(own.utf8))
  }

  private func string(_ quoted: ArraySlice<UInt8>) -> [UInt8]? {
    JSONText.string(Array(quoted)).flatMap { text(Array($0.utf8)) }.map(Self.quoted)
  }

  private static func quoted(_ text: [UInt8]) -> [UInt8] {
    var json: [UInt8] = []
    JSONText.append(String(decoding: text, as: UTF8.self), to: &json)
    return json
  }

  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
  }

  /// Past the closing quote, or at the end of what is there.
  static func endOfString(_ bytes: [UInt8], _ start: Int) -> Int {
    var at = start + 1
    while at < bytes.count {
      switch bytes[at] {
      case 0x5C: at += 2
      case 0x22: return at + 1
      default: at += 1
      }
    }
    return bytes.count
  }

  /// Where the values of an object's members stand, by name; nil where the text is no object.
  static func members(_ bytes: [UInt8]) -> [(name: String, value: Range<Int>)]? {
    guard bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
    var found: [(String, Range<Int>)] = []
    var at = 1
    while at < bytes.count - 1 {
      guard bytes[at] == 0x22 else { return nil }
      let end = endOfString(bytes, at)
      guard let name = JSONText.string(Array(bytes[at..<end])), end < bytes.count,
        bytes[end] == UInt8(ascii: ":")
      else {
        return nil
      }
      let start = end + 1
      at = endOfValue(bytes, start)
      found.append((name, start..<at))
      at += 1  // the comma, or the end
    }
    return found
  }

  private static func endOfValue(_ bytes: [UInt8], _ start: Int) -> Int {
    var at = start
    var depth = 0
    while at < bytes.count {
      switch bytes[at] {
      case 0x22:
        at = endOfString(bytes, at)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return at }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0: return at
      default: break
      }
      at += 1
    }
    return bytes.count
  }
}
