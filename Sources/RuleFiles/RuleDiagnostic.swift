/// A mistake in a workspace's folder, placed where its author can see it.
public struct RuleDiagnostic: Sendable, Hashable {
  public enum Severity: String, Sendable, Hashable { case error, warning }
  public var severity: Severity
  /// Relative to the folder: `rules/10-vip.yaml`.
  public var file: String
  /// One-based; 0 for a whole file or folder.
  public var line: Int
  public var column: Int
  /// How much the caret underlines.
  public var length: Int
  public var message: String
  public var hint: String?
  /// The line at fault, whole where it is no longer than is shown.
  public var source: String
  /// How many of the line's characters stand before those in `source`.
  public var sourceOffset = 0

  /// `file:line:column: error: message`, the line, a caret, the hint.
  public var rendered: String {
    let place = line > 0 ? "\(file):\(line):\(column)" : file
    var text = "\(place): \(severity.rawValue): \(message)"
    if line > 0 {
      let gutter = String(repeating: " ", count: String(line).count)
      // A tab stays a tab under itself, so that the caret stands where the eye looks.
      let before = max(column - 1 - sourceOffset, 0)
      let mark = sourceOffset > 0 ? "…" : ""
      let pad = (mark + source).unicodeScalars.prefix(before + mark.count).map {
        $0 == "\t" ? "\t" : " "
      }.joined()
      text +=
        "\n \(line) | \(mark)\(source)\n \(gutter) | \(pad)^\(String(repeating: "~", count: max(length - 1, 0)))"
    }
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }
}

/// One file's text with its lines, for placing diagnostics.
package final class SourceText {
  let path: String
  let text: String
  let lines: [Substring]

  init(path: String, text: String) {
    self.path = path
    let text = Self.withoutMark(text)
    self.text = text
    lines = Self.lines(text)
  }

  /// Without the byte order mark that some editors begin a text with.
  static func withoutMark(_ text: String) -> String {
    text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
  }

  /// Lines as YAML counts them. By bytes: to Swift CR and LF together are one character, which is
  /// neither.
  private static func lines(_ text: String) -> [Substring] {
    let bytes = Array(text.utf8)
    var starts = [0]
    var ends: [Int] = []
    bytes.withUnsafeBufferPointer { bytes in
      var at = 0
      while at < bytes.count {
        let length = breakLength(bytes, at)
        if length > 0 {
          ends.append(at)
          starts.append(at + length)
        }
        at += max(length, 1)
      }
    }
    ends.append(bytes.count)
    let utf8 = text.utf8
    return zip(starts, ends).map { start, end in
      text[
        utf8.index(utf8.startIndex, offsetBy: start)..<utf8.index(utf8.startIndex, offsetBy: end)]
    }
  }

  /// LF, CR, both, and Unicode's NEL, LS and PS.
  private static func breakLength(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
    func next(_ offset: Int) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }
    switch bytes[at] {
    case 0x0A: return 1
    case 0x0D: return next(1) == 0x0A ? 2 : 1
    case 0xC2: return next(1) == 0x85 ? 2 : 0
    case 0xE2: return next(1) == 0x80 && (next(2) == 0xA8 || next(2) == 0xA9) ? 3 : 0
    default: return 0
    }
  }

  /// - Units: at most this much of a line is shown.
  static let shownMax = 240

  /// A whole line.
  func line(_ number: Int) -> String {
    lines.indices.contains(number - 1) ? String(lines[number - 1]) : ""
  }

  /// As much of a line as is shown: around the column where it is longer.
  func shown(_ number: Int, around column: Int) -> (text: String, offset: Int) {
    let scalars = Array(line(number).unicodeScalars)
    let offset = column <= Self.shownMax ? 0 : column - 1 - Self.shownMax / 2
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars.dropFirst(offset).prefix(Self.shownMax))
    return (String(text), offset)
  }
}

/// Gathers diagnostics of all files.
package final class Findings {
  package private(set) var all: [RuleDiagnostic] = []
  /// Of errors that were found, those for which there was no room among them.
  private(set) var errorsCount = 0
  static let most = 200
  /// Whether something was found for which there was no room, or not looked for.
  private(set) var isCut = false
  package init() {}

  package func add(
    _ file: SourceText, line: Int, column: Int, length: Int = 1, _ message: String,
    hint: String? = nil,
    severity: RuleDiagnostic.Severity = .error
  ) {
    guard hasRoom(severity) else { return }
    let (source, offset) = file.shown(line, around: column)
    // What is not shown cannot be underlined.
    let shown = source.unicodeScalars.count + offset - column + 1
    all.append(
      RuleDiagnostic(
        severity: severity, file: file.path, line: line, column: column,
        length: min(length, max(shown, 1)), message: message, hint: hint, source: source,
        sourceOffset: offset))
  }

  package func add(
    _ severity: RuleDiagnostic.Severity = .error, wholeFile path: String, _ message: String,
    hint: String? = nil
  ) {
    guard hasRoom(severity) else { return }
    all.append(
      RuleDiagnostic(
        severity: severity, file: path, line: 0, column: 0, length: 0, message: message, hint: hint,
        source: ""))
  }

  /// An error takes the place of a warning: were it let be, rules would go live with it.
  private func hasRoom(_ severity: RuleDiagnostic.Severity) -> Bool {
    if severity == .error { errorsCount += 1 }
    guard all.count >= Self.most else { return true }
    isCut = true
    guard severity == .error, let last = all.lastIndex(where: { $0.severity == .warning }) else {
      return false
    }
    all.remove(at: last)
    return true
  }

  /// Whether a warning would still be told.
  var hasRoom: Bool { all.count < Self.most }
  /// Whether more would be let be: then nothing need be looked up for it.
  var isFull: Bool { all.count >= Self.most && hasErrors }
  /// What is said behind all of them where there is more.
  ///
  /// - Parameter folder: which stands for the whole of it.
  func rest(of folder: String) -> [RuleDiagnostic] {
    guard isCut || isFull else { return [] }
    return [
      RuleDiagnostic(
        severity: .warning, file: folder, line: 0, column: 0, length: 0,
        message: "only \(Self.most) findings are told, and more were not looked at", hint: nil,
        source: "")
    ]
  }
  package var hasErrors: Bool { all.contains { $0.severity == .error } }
}
