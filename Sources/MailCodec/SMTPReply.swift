/// One reply to one command: a code, an enhanced status code (RFC 3463) and bland words.
///
/// The text is ASCII without controls by construction, so that nothing a peer sent can end a line
/// early.
public struct SMTPReply: Equatable, Sendable {
  public let code: Int
  /// Such as `5.1.1`; nil where RFC 2034 §4 has none (greeting, HELO, 3xx).
  public let enhanced: String?
  public let text: String

  public init(_ code: Int, _ enhanced: String?, _ text: String) {
    self.code = min(max(code, 200), 599)
    self.enhanced = enhanced.map(Self.printable)
    self.text = Self.printable(text)
  }

  public var isPositive: Bool { code < 400 }

  /// The reply as a line, or as the lines of a reply with `more` before the last one (RFC 5321
  /// §4.2.1).
  func bytes() -> [UInt8] {
    Array("\(code) \(enhanced.map { $0 + " " } ?? "")\(text)\r\n".utf8)
  }

  private static func printable(_ text: String) -> String {
    let kept = text.utf8.prefix(400).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }
    return String(decoding: kept, as: UTF8.self)
  }
}

extension SMTPReply {
  public static let ok = SMTPReply(250, "2.0.0", "ok")
  public static let senderOk = SMTPReply(250, "2.1.0", "sender ok")
  public static let recipientOk = SMTPReply(250, "2.1.5", "recipient ok")
  public static let delivered = SMTPReply(250, "2.0.0", "message is kept")
  public static let noSuchMailbox = SMTPReply(550, "5.1.1", "no such mailbox here")
  public static let notPermitted = SMTPReply(550, "5.7.1", "not permitted")
  public static let tryLater = SMTPReply(451, "4.3.0", "try again later")
  public static let noRoom = SMTPReply(452, "4.3.1", "too much mail at once, try again later")
  public static let storageStalled = SMTPReply(452, "4.3.1", "storage is busy, try again later")

  static let sayHello = SMTPReply(503, "5.5.1", "say hello first")
  static let sayMail = SMTPReply(503, "5.5.1", "say MAIL first")
  static let sayRecipient = SMTPReply(503, "5.5.1", "say RCPT first")
  static let alreadyMail = SMTPReply(503, "5.5.1", "a transaction is open")
  static let unknownCommand = SMTPReply(500, "5.5.2", "command not recognized")
  static let syntax = SMTPReply(501, "5.5.4", "syntax error in parameters")
  static let badSender = SMTPReply(501, "5.1.7", "bad sender address")
  static let badRecipient = SMTPReply(501, "5.1.3", "bad recipient address")
  static let parameterUnknown = SMTPReply(555, "5.5.4", "parameter not recognized")
  static let notImplemented = SMTPReply(502, "5.5.1", "command not implemented")
  static let utf8Needed = SMTPReply(553, "5.6.7", "address needs SMTPUTF8")
  static let lineTooLong = SMTPReply(500, "5.5.6", "line too long")
  static let messageTooBig = SMTPReply(552, "5.3.4", "message too big")
  static let tooManyRecipients = SMTPReply(452, "4.5.3", "too many recipients")
  static let bareLineEnd = SMTPReply(550, "5.5.2", "lines must end with CRLF")
  static let tooManyErrors = SMTPReply(421, "4.7.0", "too many errors")
  static let idle = SMTPReply(421, "4.4.2", "idle too long")
  static let tooSlow = SMTPReply(421, "4.4.2", "message comes too slowly")
  static let drained = SMTPReply(421, "4.3.2", "service shutting down")
}
