// Words that go into a dialplan application's arguments. Asterisk splits those at `,`, `&`, `^`,
// `|` and parentheses, so each of these types holds only bytes that mean nothing there.

/// A device to ring, such as `PJSIP/agent1` or `Local/201@agents/n`: technology, slash, name.
public struct AGIDevice: Hashable, Sendable, CustomStringConvertible {
  public static let bytesMax = 128
  public let description: String

  /// - Returns: nil for anything but letters, digits and `/ _ . @ : + -` with a technology in
  ///   front. `&` would ring two devices for one offer.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.bytesMax, let slash = text.firstIndex(of: "/"),
      slash != text.startIndex, text.index(after: slash) != text.endIndex,
      text[..<slash].utf8.allSatisfy(isLetterOrDigit),
      text.utf8.allSatisfy({ isLetterOrDigit($0) || "/_.@:+-".utf8.contains($0) })
    else { return nil }
    description = text
  }
}

/// The router's name for an offer, as it travels through the dialplan and back.
public struct AGIOffer: Hashable, Sendable, CustomStringConvertible {
  public static let bytesMax = 64
  public let description: String

  /// - Returns: nil for anything but 1 to 64 letters, digits, `-` and `_`.
  public init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= Self.bytesMax,
      text.utf8.allSatisfy({ isLetterOrDigit($0) || "-_".utf8.contains($0) })
    else { return nil }
    description = text
  }
}

/// A sound file or a class of music that the phone system has, by its name there and without an
/// ending.
public struct AGISound: Hashable, Sendable, CustomStringConvertible {
  public static let bytesMax = 128
  public let description: String

  /// - Returns: nil for anything but letters, digits and `/ _ . -`, and for `..`.
  public init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= Self.bytesMax,
      text.utf8.allSatisfy({ isLetterOrDigit($0) || "/_.-".utf8.contains($0) }),
      !text.split(separator: "/").contains("..")
    else { return nil }
    description = text
  }

  init(trusted text: StaticString) { description = text.description }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
}
