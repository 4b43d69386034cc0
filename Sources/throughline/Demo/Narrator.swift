import Foundation

/// Prints the story as a person reads it: who says what, and where. Colour only on a terminal that
/// wants it.
struct Narrator {
  enum Tone: String {
    case plain = ""
    case faint = "2"
    case bold = "1"
    case good = "32"
    case bad = "31"
    case customer = "36"
    case business = "33"
  }

  private let isColoured = isatty(1) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  func line(_ text: String = "") {
    print(text)
    fflush(nil)
  }

  func paint(_ text: String, _ tone: Tone) -> String {
    isColoured && tone != .plain ? "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m" : text
  }

  func act(_ number: Int, _ title: String) {
    line()
    line(paint("\(number)  \(title)", .bold))
    line()
  }

  func says(_ who: String, _ channel: String, _ text: String, _ tone: Tone = .plain) {
    line("   \(paint(who.padded(8), tone)) \(paint(channel.padded(6), .faint)) \(text)")
  }

  /// What happens, between what is said.
  func happens(_ text: String) { line(paint("            ·      ", .faint) + paint(text, .faint)) }

  func fact(_ name: String, _ text: String) {
    line("   \(paint("        " + name.padded(7), .faint)) \(text)")
  }

  func good(_ text: String) { line("   \(paint("✓", .good)) \(text)") }
  func bad(_ text: String) { line("   \(paint("✗", .bad)) \(text)") }

  /// A timeline's line, inside of a frame.
  func seen(_ at: String, _ channel: String, _ text: String) {
    line(
      "   \(paint("│", .faint) + " " + paint(at.padded(8), .faint)) \(paint(channel.padded(6), .faint)) \(text)"
    )
  }
}
