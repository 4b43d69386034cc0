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
    self.text = text
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// - Units: at most this much of a line is shown.
  static let shownMax = 240

  func line(_ number: Int) -> String {
    guard lines.indices.contains(number - 1) else { return "" }
    return String(
      lines[number - 1].unicodeScalars.prefix(Self.shownMax).filter { $0 != "\r" }.map(String.init)
        .joined())
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

  package var hasErrors: Bool { all.contains { $0.severity == .error } }
}
