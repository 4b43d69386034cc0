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
  /// The line at fault.
  public var source: String

  /// `file:line:column: error: message`, the line, a caret, the hint.
  public var rendered: String {
    let place = line > 0 ? "\(file):\(line):\(column)" : file
    var text = "\(place): \(severity.rawValue): \(message)"
    if line > 0 {
      let gutter = String(repeating: " ", count: String(line).count)
      // A tab stays a tab under itself, so that the caret stands where the eye looks.
      let pad = source.unicodeScalars.prefix(max(column - 1, 0)).map { $0 == "\t" ? "\t" : " " }
        .joined()
      text +=
        "\n \(line) | \(source)\n \(gutter) | \(pad)^\(String(repeating: "~", count: max(length - 1, 0)))"
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

  func line(_ number: Int) -> String {
    guard lines.indices.contains(number - 1) else { return "" }
    return String(
      lines[number - 1].unicodeScalars.prefix(Self.shownMax).map(String.init).joined())
  }
}

/// Gathers diagnostics of all files.
package final class Findings {
  package private(set) var all: [RuleDiagnostic] = []
  static let most = 200
  package init() {}

  package func add(
    _ file: SourceText, line: Int, column: Int, length: Int = 1, _ message: String,
    hint: String? = nil,
    severity: RuleDiagnostic.Severity = .error
  ) {
    guard all.count < Self.most else { return }
    all.append(
      RuleDiagnostic(
        severity: severity, file: file.path, line: line, column: column, length: length,
        message: message,
        hint: hint, source: file.line(line)))
  }

  package func add(
    _ severity: RuleDiagnostic.Severity = .error, wholeFile path: String, _ message: String,
    hint: String? = nil
  ) {
    guard all.count < Self.most else { return }
    all.append(
      RuleDiagnostic(
        severity: severity, file: path, line: 0, column: 0, length: 0, message: message, hint: hint,
        source: ""))
  }

  /// Whether more would be let be: then nothing need be looked up for it.
  var isFull: Bool { all.count >= Self.most }
  package var hasErrors: Bool { all.contains { $0.severity == .error } }
}
