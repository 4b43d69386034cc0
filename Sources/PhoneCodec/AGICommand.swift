/// One line to Asterisk. It cannot hold CR, LF or NUL, nor be longer than Asterisk reads: the only
/// way to make one checks, so user text can never become a second command.
///
/// - Shape:  words separated by one space; a word with a space, quote, backslash or other unsafe
///   byte
///           is quoted, `"` and `\` in it escaped with `\`. Ends with LF on the wire.
/// - Units:  `lineBytesMax` in bytes, LF included.
/// - Errors: `AGICommand.Refusal`.
/// - Source: Asterisk `res_agi.c`, how a command line is split into arguments; tried in
///   `asterisk-16-basic.session`.
public struct AGICommand: Equatable, Sendable {
  /// Asterisk 16 reads into 2,048 bytes and takes what is longer for *another command*.
  public static let lineBytesMax = 2_047
  /// Asterisk cuts what has more than 127 arguments.
  public static let wordsMax = 100

  /// The line without its LF.
  public let line: String

  public enum Refusal: Error, Equatable, Sendable {
    /// The word at `word` holds CR, LF or NUL at byte `offset`.
    case controlCharacter(word: Int, offset: Int)
    case tooLong(bytes: Int)
    case tooManyWords(Int)
    case empty
  }

  public init(_ words: [String]) throws(Refusal) {
    guard let verb = words.first, !verb.isEmpty else { throw .empty }
    guard words.count <= Self.wordsMax else { throw .tooManyWords(words.count) }
    var bytes: [UInt8] = []
    for (index, word) in words.enumerated() {
      if let offset = word.utf8.enumerated().first(where: { Self.endsLine($0.element) })?.offset {
        throw .controlCharacter(word: index, offset: offset)
      }
      if index > 0 { bytes.append(UInt8(ascii: " ")) }
      Self.append(word, to: &bytes)
    }
    guard bytes.count < Self.lineBytesMax else { throw .tooLong(bytes: bytes.count + 1) }
    line = String(decoding: bytes, as: UTF8.self)
  }

  /// For words that this file or a checked type makes: they hold no byte that could be refused.
  init(trusted words: String...) {
    var bytes: [UInt8] = []
    for (index, word) in words.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: " ")) }
      Self.append(word, to: &bytes)
    }
    line = String(decoding: bytes.filter { !Self.endsLine($0) }, as: UTF8.self)
  }

  /// The bytes for the wire.
  public var bytes: [UInt8] { Array(line.utf8) + [10] }

  private static func endsLine(_ byte: UInt8) -> Bool { byte == 10 || byte == 13 || byte == 0 }

  private static func append(_ word: String, to bytes: inout [UInt8]) {
    let isBare =
      !word.isEmpty
      && word.utf8.allSatisfy {
        $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
      }
    if isBare {
      bytes += word.utf8
      return
    }
    bytes.append(UInt8(ascii: "\""))
    for byte in word.utf8 {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        bytes.append(UInt8(ascii: "\\"))
      }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
