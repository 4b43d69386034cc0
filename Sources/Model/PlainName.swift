/// Names that stand in conditions behind a dot, in addresses, in paths and on the command line.
public enum PlainName {
  public static let bytesMax = 64
  /// For a sentence that begins with what it is: `a tag is …`.
  public static let shape = "lower-case letters, digits, `_` and `-`, at most \(bytesMax)"

  public static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= bytesMax
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D
      }
  }
}
