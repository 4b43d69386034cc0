import Wire

extension SMTPServer {
  mutating func obey(_ line: [UInt8]) {
    // RFC 5321 §4.1.1: verbs are ASCII, in any case, ended by a space or the line.
    let verbEnd = line.firstIndex(of: 32) ?? line.count
    let verb = String(decoding: line[..<verbEnd].map(asciiUpper), as: UTF8.self)
    let rest = Array(line[min(verbEnd + 1, line.count)...])
    switch verb {
    case "EHLO", "HELO", "LHLO": greet(verb, rest)
    case "MAIL": mail(rest)
    case "RCPT": recipient(rest)
    case "DATA": startText(rest)
    case "RSET":
      guard noArguments(rest) else { return }
      reset()
      idle(.ok)
    case "NOOP": idle(.ok)
    // RFC 5321 §3.5.3: 252 neither confirms nor denies; who exists here is nobody's business.
    case "VRFY": idle(SMTPReply(252, "2.1.5", "send some mail, I will try"))
    case "HELP": idle(SMTPReply(214, "2.0.0", "RFC 5321"))
    case "QUIT":
      guard noArguments(rest) else { return }
      close(SMTPReply(221, "2.0.0", "bye"))
    case "STARTTLS": startTLS(rest)
    case "EXPN", "TURN", "ETRN", "BDAT", "AUTH", "SEND", "SOML", "SAML":
      say(.notImplemented, isError: true)
    case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT": close(.unknownCommand)
    default:
      // A header where a verb should be: a message is being read as commands, because its DATA was
      // refused or because a web page sends it. Going on would obey whatever the message says.
      if verb.utf8.contains(58) || line.first == 60 {
        close(.unknownCommand)
      } else {
        say(.unknownCommand, isError: true)
      }
    }
  }

  private mutating func noArguments(_ rest: [UInt8]) -> Bool {
    // RFC 5321 §4.1.1.5, §4.1.1.10: no parameters. Trailing spaces are forgiven (§4.1.1 "SHOULD
    // tolerate").
    if rest.allSatisfy({ $0 == 32 }) { return true }
    say(.syntax, isError: true)
    return false
  }

  private mutating func idle(_ reply: SMTPReply) {
    idleCommands += 1
    if idleCommands > limits.idleCommandsMax { close(.tooManyErrors) } else { say(reply) }
  }

  private mutating func greet(_ verb: String, _ rest: [UInt8]) {
    // RFC 2033 §4.1: LMTP knows LHLO only, SMTP must not know it.
    guard (verb == "LHLO") == (dialect == .lmtp) else { return say(.unknownCommand, isError: true) }
    let name = rest.filter { $0 != 32 }
    guard !name.isEmpty, name.count <= 255, name.allSatisfy({ $0 > 32 && $0 != 127 }) else {
      return say(.syntax, isError: true)
    }
    hello = String(decoding: name, as: UTF8.self)
    isExtended = verb != "HELO"
    state = .ready
    reset()  // RFC 5321 §4.1.4: a new hello ends the transaction
    idleCommands += 1
    if idleCommands > limits.idleCommandsMax { return close(.tooManyErrors) }
    guard isExtended else { return say(SMTPReply(250, nil, hostname)) }
    var lines = [
      hostname, "PIPELINING", "8BITMIME", "SIZE \(limits.messageBytesMax)", "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
    ]
    if offersTLS && !isSecure { lines.append("STARTTLS") }
    for (index, line) in lines.enumerated() {
      out += Array("250\(index + 1 < lines.count ? "-" : " ")\(line)\r\n".utf8)
    }
  }

  private mutating func mail(_ rest: [UInt8]) {
    guard state != .fresh else { return say(.sayHello, isError: true) }
    guard state == .ready else { return say(.alreadyMail, isError: true) }
    guard let (argument, parameters) = Self.split(rest, after: "FROM:") else {
      return say(.syntax, isError: true)
    }
    var sender = Sender()
    for parameter in parameters {
      switch Self.apply(parameter, to: &sender) {
      case .none: continue
      case .some(let reply): return say(reply, isError: true)
      }
    }
    // RFC 1870 §6.1: refused before it is sent.
    if let declared = sender.declaredBytes, declared > limits.messageBytesMax {
      return say(.messageTooBig, isError: true)
    }
    if argument != Array("<>".utf8) {
      guard let path = SMTPPath(argument) else { return say(.badSender, isError: true) }
      if !path.isASCII && !sender.isUTF8 { return say(.utf8Needed, isError: true) }
      guard path.domain != nil else { return say(.badSender, isError: true) }
      sender.path = path
    }
    ask(.sender(sender))
  }

  /// nil when the parameter is understood.
  private static func apply(_ parameter: [UInt8], to sender: inout Sender) -> SMTPReply? {
    let equals = parameter.firstIndex(of: 61) ?? parameter.count
    let key = String(decoding: parameter[..<equals].map(asciiUpper), as: UTF8.self)
    let value = equals < parameter.count ? Array(parameter[(equals + 1)...]) : nil
    switch key {
    case "SIZE":
      // RFC 1870 §3: 1 to 20 digits.
      guard let value, (1...20).contains(value.count), value.allSatisfy({ $0 >= 48 && $0 <= 57 })
      else {
        return .syntax
      }
      sender.declaredBytes = Int(String(decoding: value, as: UTF8.self)) ?? .max
    case "BODY":
      switch String(decoding: (value ?? []).map(asciiUpper), as: UTF8.self) {
      case "8BITMIME": sender.is8Bit = true  // RFC 6152 §3
      case "7BIT": sender.is8Bit = false
      default: return .syntax
      }
    case "SMTPUTF8":
      guard value == nil else { return .syntax }  // RFC 6531 §3.4
      sender.isUTF8 = true
    default: return .parameterUnknown  // RFC 5321 §4.1.1.11
    }
    return nil
  }

  private mutating func recipient(_ rest: [UInt8]) {
    guard state != .fresh else { return say(.sayHello, isError: true) }
    guard state == .mail else { return say(.sayMail, isError: true) }
    guard let (argument, parameters) = Self.split(rest, after: "TO:") else {
      return say(.syntax, isError: true)
    }
    guard parameters.isEmpty else { return say(.parameterUnknown, isError: true) }
    guard let path = SMTPPath(argument) else { return say(.badRecipient, isError: true) }
    // RFC 5321 §4.5.1: only <postmaster> may stand without a domain.
    guard path.domain != nil || path.isPostmaster else { return say(.badRecipient, isError: true) }
    if !path.isASCII && !sender.isUTF8 { return say(.utf8Needed, isError: true) }
    // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
    if recipients.count >= limits.recipientsMax { return say(.tooManyRecipients) }
    ask(.recipient(path))
  }

  private mutating func startText(_ rest: [UInt8]) {
    guard noArguments(rest) else { return }
    guard state != .fresh else { return say(.sayHello, isError: true) }
    guard state == .mail else { return say(.sayMail, isError: true) }
    // RFC 5321 §3.3, RFC 2033 §4.2: no recipient was accepted, so there is nothing to send to.
    guard !recipients.isEmpty else { return say(.sayRecipient, isError: true) }
    if let declared = sender.declaredBytes, declared > limits.roomlessBytesMax {
      return ask(.room(declared))
    }
    beginText(room: min(limits.roomlessBytesMax, limits.messageBytesMax))
  }

  mutating func beginText(room: Int) {
    text = SMTPText(room: room)
    textMilliseconds = 0
    state = .data
    say(SMTPReply(354, nil, "end with CRLF.CRLF"))
  }

  private mutating func startTLS(_ rest: [UInt8]) {
    guard offersTLS, !isSecure else { return say(.notImplemented, isError: true) }
    guard noArguments(rest) else { return }
    say(SMTPReply(220, "2.0.0", "go ahead"))
    input.release()
    state = .tls
    ask(.startTLS)
  }

  /// Splits `FROM:<path> KEY=VALUE …`; nil when the keyword is missing. A space after the colon is
  /// forgiven (Postfix and Exim do too; RFC 5321 §3.3 forbids sending it).
  static func split(_ rest: [UInt8], after keyword: String) -> ([UInt8], [[UInt8]])? {
    let wanted = Array(keyword.utf8)
    guard rest.count > wanted.count, rest[..<wanted.count].map(asciiUpper) == wanted else {
      return nil
    }
    let body = Array(rest[wanted.count...].drop { $0 == 32 })
    guard body.first == 60 else { return nil }
    var quoted = false
    var escaped = false
    for (index, byte) in body.enumerated() {
      if escaped {
        escaped = false
      } else if quoted, byte == 92 {
        escaped = true
      } else if byte == 34 {
        quoted.toggle()
      } else if byte == 62, !quoted {
        let tail = body[(index + 1)...]
        guard tail.isEmpty || tail.first == 32 else { return nil }
        return (Array(body[...index]), tail.split(separator: 32).map(Array.init))
      }
    }
    return nil
  }
}

@inline(__always) func asciiUpper(_ byte: UInt8) -> UInt8 {
  byte >= 97 && byte <= 122 ? byte - 32 : byte
}
@inline(__always) func asciiLower(_ byte: UInt8) -> UInt8 {
  byte >= 65 && byte <= 90 ? byte + 32 : byte
}
