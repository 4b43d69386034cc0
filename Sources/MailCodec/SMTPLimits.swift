/// Every bound of an SMTP or LMTP session, with its unit. Past one is a reply, not a surprise.
public struct SMTPLimits: Equatable, Sendable {
  /// Bytes, CRLF included. RFC 5321 §4.5.3.1.4 asks for 512, and each extension adds to it (RFC
  /// 1870 §6.1, RFC 6531 §3.4); 1,024 holds them all.
  public var commandLineBytesMax = 1_024
  /// Bytes, CRLF included. RFC 5321 §4.5.3.1.6 asks for 1,000; real mailers send whole paragraphs
  /// in a line.
  public var textLineBytesMax = 65_536
  /// RFC 5321 §4.5.3.1.8 asks for at least 100.
  public var recipientsMax = 100
  /// Bytes of a message after unstuffing; announced as SIZE (RFC 1870).
  public var messageBytesMax = 26_214_400
  /// Bytes of a message that are kept without asking the channel for room.
  public var roomlessBytesMax = 65_536
  /// The slowest rate at which a message may come, once it has had `idleMillisecondsMax`: 4 kB a
  /// second, or one byte every five minutes would hold what came before for ever.
  public var textBytesPerMillisecond = 4
  /// Faulty or refused commands before 421 and closing.
  public var errorsMax = 10
  /// Commands that do nothing for a message (NOOP, RSET, HELP, VRFY, hello) in a row.
  public var idleCommandsMax = 50
  /// Milliseconds without a byte. RFC 5321 §4.5.3.2.7 asks for five minutes.
  public var idleMillisecondsMax = 300_000
  /// Bytes kept while a decision is awaited; past it the channel must not read (`wantsInput`).
  public var pipelinedBytesMax = 65_536

  public init() {}
}
