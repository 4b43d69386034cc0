/// What a Message-ID is known by, with or without the angle brackets in which it came.
public enum MessageKey {
  public static func text(_ messageID: String) -> String {
    messageID.hasPrefix("<") && messageID.hasSuffix(">")
      ? String(messageID.dropFirst().dropLast()) : messageID
  }
}
