import Wire

/// The receiving side of SMTP (RFC 5321) and LMTP (RFC 2033), without a socket or a clock.
///
/// Bytes go in by `receive`; what comes back is bytes to send and at most one `Request` that the
/// channel must decide. While it is undecided nothing more is read (PIPELINING keeps the rest in
/// order, RFC 2920 §3.2); `answer` replies and goes on with what has arrived meanwhile.
///
/// | state | may hear | becomes |
/// |---|---|---|
/// | `fresh` | EHLO, HELO, LHLO | `ready` |
/// | `ready` | MAIL | `mail` when accepted |
/// | `mail` | RCPT; DATA after one accepted; RSET | `data`, `ready` |
/// | `data` | text up to CRLF.CRLF | `ready` after the message is decided |
/// | `tls` | nothing: waits for `tlsStarted` | `fresh` |
/// | `closed` | nothing | |
///
/// **Line ends.** Only CRLF ends a line and only CRLF.CRLF ends a message. A CR without LF or a LF
/// without CR, in a command or in a message, is answered 550 and the connection closed with nothing
/// recorded: two servers that disagree on where a message ends is how mail is smuggled
/// (CVE-2023-51764, -51765, -51766; RFC 5321 §2.3.8 "MUST NOT", §4.1.1.4).
public struct SMTPServer: Sendable {
  public enum Dialect: Equatable, Sendable { case smtp, lmtp }

  public struct Sender: Equatable, Sendable {
    /// nil is the null path `<>` (RFC 5321 §4.5.5).
    public var path: SMTPPath?
    public var declaredBytes: Int?
    public var isUTF8 = false
    public var is8Bit = false
  }

  /// A whole message, its dots unstuffed, its lines ending in CRLF.
  public struct Message: Equatable, Sendable {
    public var sender: Sender
    public var recipients: [SMTPPath]
    public var bytes: [UInt8]
    public var hello: String
  }

  /// What the channel must decide, one at a time.
  public enum Request: Equatable, Sendable {
    case sender(Sender)
    case recipient(SMTPPath)
    /// Whether so many bytes of a message may be held, those that have come among them. Asked at DATA of
    /// a message that says to be long, and of any as it grows. A refusal is told at DATA, or at the
    /// end of the message, of which nothing is kept then.
    case room(Int)
    /// Answer when it is durable: `answer(_:)` with one reply, or on LMTP `answer(each:)`.
    case message(Message)
    /// Reply has been sent in plain; do the handshake, then call `tlsStarted`.
    case startTLS
  }

  public struct Step: Equatable, Sendable {
    public var bytes: [UInt8] = []
    public var request: Request?
    public var closes = false
  }

  /// What a channel was asked and has put off.
  public static func asking(_ request: Request) -> Step { Step(request: request) }

  enum State: Equatable, Sendable { case fresh, ready, mail, data, tls, closed }

  public let dialect: Dialect
  public let hostname: String
  public let limits: SMTPLimits
  public var offersTLS = false
  public internal(set) var isSecure = false

  var state = State.fresh
  var hello = ""
  var isExtended = false
  var sender = Sender()
  var recipients: [SMTPPath] = []
  var pending: Request?
  var input = ByteBuffer()
  var scanned = 0
  var text = SMTPText()
  var out: [UInt8] = []
  var errors = 0
  var idleCommands = 0
  var idleMilliseconds = 0
  var textMilliseconds = 0

  public init(_ dialect: Dialect, hostname: String, limits: SMTPLimits = SMTPLimits()) {
    self.dialect = dialect
    self.hostname = hostname
    self.limits = limits
  }

  public var hasClosed: Bool { state == .closed }
  /// False while the channel should stop reading the socket.
  public var wantsInput: Bool {
    !hasClosed && (pending == nil || input.count < limits.pipelinedBytesMax)
  }

  /// Whether bytes of a message are held, or of one that is being decided.
  public var holdsMessage: Bool {
    if case .message = pending { return true }
    return state == .data && text.fault == nil
  }

  /// The greeting (RFC 5321 §4.3.1).
  public mutating func opened() -> Step {
    say(SMTPReply(220, nil, "\(hostname) \(dialect == .smtp ? "ESMTP" : "LMTP") ready"))
    return step()
  }

  public mutating func receive(_ bytes: some Sequence<UInt8>) -> Step {
    idleMilliseconds = 0
    // What arrives in plain after STARTTLS was injected; it must not be read as if it came
    // encrypted (CVE-2011-0411; RFC 3207 §4.2).
    guard state != .closed, state != .tls else { return step() }
    input.append(bytes)
    return advance()
  }

  /// Time that passed without a byte from the peer. While a decision is ours to make it does not
  /// count.
  public mutating func waited(milliseconds: Int) -> Step {
    guard state != .closed, pending == nil else { return step() }
    let (sum, overflow) = idleMilliseconds.addingReportingOverflow(max(milliseconds, 0))
    idleMilliseconds = overflow ? .max : sum
    if idleMilliseconds >= limits.idleMillisecondsMax { close(.idle) }
    if state == .data {
      textMilliseconds += min(max(milliseconds, 0), limits.idleMillisecondsMax)
      let slowest = limits.idleMillisecondsMax + text.total / limits.textBytesPerMillisecond
      if textMilliseconds > slowest { close(.tooSlow) }
    }
    return step()
  }

  /// The peer has closed. An unfinished message is forgotten (RFC 5321 §4.1.1.10).
  public mutating func peerClosed() -> Step {
    finish()
    return step()
  }

  /// The server is draining: says 421 (RFC 5321 §3.8) between commands.
  public mutating func drain() -> Step {
    if state != .closed { close(.drained) }
    return step()
  }

  public mutating func tlsStarted() {
    guard state == .tls else { return }
    // RFC 3207 §4.2: all that was learned before is forgotten.
    input.release()
    scanned = 0
    reset()
    state = .fresh
    hello = ""
    pending = nil
    isSecure = true
  }

  // MARK: - Decisions

  /// Decides the pending request. On LMTP one reply to a message counts for every recipient.
  public mutating func answer(_ reply: SMTPReply) -> Step {
    answer(each: Array(repeating: reply, count: max(recipients.count, 1)))
  }

  /// Decides the pending request; on LMTP a message has one reply for each accepted recipient, in
  /// order (RFC 2033 §4.2). A missing reply is 451, so that the sender keeps the message.
  public mutating func answer(each replies: [SMTPReply]) -> Step {
    guard state != .closed, let request = pending else { return step() }
    pending = nil
    let first = replies.first ?? .tryLater
    switch request {
    case .sender(let asked):
      say(first, isError: !first.isPositive)
      if first.isPositive {
        sender = asked
        recipients = []
        state = .mail
        idleCommands = 0
      }
    case .recipient(let path):
      say(first, isError: !first.isPositive)
      if first.isPositive { recipients.append(path) }
    case .room(let bytes):
      switch (state, first.isPositive) {
      case (.data, true): text.room = bytes
      case (.data, false): text.refuse(first)
      case (_, true): beginText(room: bytes)
      case (_, false):
        say(first)
        reset()
      }
    case .message:
      let count = dialect == .lmtp ? recipients.count : 1
      for index in 0..<count { say(index < replies.count ? replies[index] : .tryLater) }
      reset()
    case .startTLS: pending = request
    }
    return advance()
  }

  // MARK: - Moving on

  mutating func advance() -> Step {
    while pending == nil, state != .closed, state != .tls {
      let went = state == .data ? readText() : readCommand()
      if !went { break }
    }
    return step()
  }

  mutating func step() -> Step {
    let result = Step(bytes: out, request: newRequest, closes: state == .closed)
    out = []
    newRequest = nil
    return result
  }

  var newRequest: Request?

  mutating func ask(_ request: Request) {
    pending = request
    newRequest = request
  }

  mutating func say(_ reply: SMTPReply, isError: Bool = false) {
    out += reply.bytes()
    guard isError else { return }
    errors += 1
    // RFC 5321 §4.3.2 lets a server close with 421 when it sees fit.
    if errors >= limits.errorsMax { close(.tooManyErrors) }
  }

  mutating func close(_ reply: SMTPReply) {
    out += reply.bytes()
    finish()
  }

  mutating func finish() {
    state = .closed
    pending = nil
    newRequest = nil
    input.release()
    text = SMTPText()
    recipients = []
  }

  /// Forgets the transaction (RFC 5321 §4.1.1.5).
  mutating func reset() {
    sender = Sender()
    recipients = []
    text = SMTPText()
    if state != .fresh { state = .ready }
  }

  /// Reads one command line; false when it has not arrived whole.
  private mutating func readCommand() -> Bool {
    guard let end = input.firstOffset(of: 10, from: scanned, limit: limits.commandLineBytesMax)
    else {
      scanned = min(input.count, limits.commandLineBytesMax)
      if input.count >= limits.commandLineBytesMax { close(.lineTooLong) }
      return false
    }
    scanned = 0
    var line = input.take(end + 1)
    guard line.count >= 2, line[line.count - 2] == 13, !line.dropLast(2).contains(13) else {
      close(.bareLineEnd)
      return false
    }
    line.removeLast(2)
    obey(line)
    return true
  }

  /// Reads message text; false when its end has not arrived.
  private mutating func readText() -> Bool {
    let (read, outcome) = input.withUnsafeBytes { [limits] raw in text.read(raw, limits) }
    input.consume(read)
    switch outcome {
    case .more: return false
    case .bareLineEnd:
      close(.bareLineEnd)
      return false
    case .flooded:
      // Twice the limit and still no end: draining further would serve nobody.
      close(SMTPReply(421, "4.3.4", "message too big"))
      return false
    case .outgrown:
      ask(.room(min(max(text.room, 1) * 2, limits.messageBytesMax)))
      return true
    case .ended(let fault):
      var message = Message(sender: sender, recipients: recipients, bytes: text.bytes, hello: hello)
      text = SMTPText()
      if let fault {
        // RFC 2033 §4.2: one reply for each accepted recipient, whatever went wrong.
        for _ in 0..<(dialect == .lmtp ? recipients.count : 1) { say(fault) }
        if fault.code >= 500 { errors += 1 }
        reset()
      } else {
        state = .ready
        newRequest = .message(message)
        message.bytes = []  // they are the channel's
        pending = .message(message)
      }
      return true
    }
  }
}
