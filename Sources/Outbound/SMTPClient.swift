internal import CCurl

/// One message for a smarthost.
public struct MailSubmission: Sendable {
  public struct Credentials: Sendable, Equatable {
    public var user: String
    public var password: String
    public init(user: String, password: String) { (self.user, self.password) = (user, password) }
  }
  public enum Security: Sendable { case none, startTLSIfOffered, startTLSRequired }

  /// `smtp://host:port`, or `smtps://` for TLS from the first byte.
  public var smarthost: String
  /// What EHLO says we are (RFC 5321 §4.1.1.1).
  public var name: String
  /// Empty for the null sender, which automatic mail has (RFC 5321 §4.5.5).
  public var sender: String
  public var recipients: [String]
  /// Header and body, every line ended by CR LF. Dots are stuffed on the way.
  public var message: [UInt8]
  public var credentials: Credentials?
  public var security = Security.startTLSIfOffered
  public var timeouts = OutboundTimeouts()
  /// A file of certificates to trust instead of the system's.
  public var authoritiesPath: String?

  public init(
    smarthost: String, name: String, sender: String, recipients: [String], message: [UInt8]
  ) {
    (self.smarthost, self.name, self.sender) = (smarthost, name, sender)
    (self.recipients, self.message) = (recipients, message)
  }
}

/// What became of a message. All recipients or none: the first refused one ends it before `DATA`.
public enum MailOutcome: Sendable, Equatable {
  case delivered(code: Int, text: String)
  /// Try again later: the smarthost said 4yz.
  case temporaryFailure(code: Int, text: String)
  /// Trying again is pointless: the smarthost said 5yz of this sender, recipient or message.
  case permanentFailure(code: Int, text: String)
  /// The smarthost takes no mail from us: it said 5yz before it saw anything of this one, or that it
  /// does not know us (RFC 4954 §6). Whoever mends that wants the mail to leave.
  case unwelcome(code: Int, text: String)
  /// No verdict: not reached, or lost, or too slow. It may even have been taken, so a retry keeps
  /// its Message-ID.
  case connectionFailure(String)
  /// Never sent: it breaks a rule of the protocol.
  case malformed(String)
  /// Too many wait already.
  case busy
}

/// Submits mail to a smarthost (RFC 5321, 6409) through libcurl.
public struct SMTPClient: Sendable {
  private let outbound: Outbound
  public init(_ outbound: Outbound) { self.outbound = outbound }

  /// `done` is called once, on a queue of its own or, for `malformed` and `busy`, at once.
  public func send(_ mail: MailSubmission, done: @escaping @Sendable (MailOutcome) -> Void) {
    if let fault = mail.fault { return done(.malformed(fault)) }
    let accepted = outbound.mails.submit(
      TransferQueue.Waiting(
        make: { mail.makeTransfer($0) },
        done: { transfer in
          done(
            transfer.map { MailOutcome(TransferEnd($0)) }
              ?? .malformed("the smarthost's URL is not one"))
        },
        dropped: { done(.busy) }))
    if !accepted { done(.busy) }
  }

  /// Begins no mail any more: what waits for its turn is `busy`, and what is under way goes on.
  public func stop() { outbound.mails.stop() }
}

extension MailOutcome {
  /// A code belongs to the failure only when libcurl failed because of it; after a time-out the
  /// last code may be the `250` of an earlier command.
  init(_ end: TransferEnd) {
    let text = String(decoding: end.response, as: UTF8.self).trimmingLineEnd()
    if end.succeeded {
      self = .delivered(code: end.status, text: text)
    } else if !end.timedOut, (400...499).contains(end.status) {
      self = .temporaryFailure(code: end.status, text: text)
    } else if !end.timedOut, (500...599).contains(end.status) {
      let isOurs = !end.refused || Self.wantsAuthentication.contains(end.status)
      self =
        isOurs
        ? .unwelcome(code: end.status, text: text)
        : .permanentFailure(code: end.status, text: text)
    } else {
      self = .connectionFailure(end.error)
    }
  }

  /// RFC 4954 §6, and 538 of RFC 2554.
  private static let wantsAuthentication: Set = [530, 534, 535, 538]
}

extension String {
  func trimmingLineEnd() -> String {
    var rest = self[...]
    while let last = rest.last, last.isNewline { rest.removeLast() }
    return String(rest)
  }
}

extension MailSubmission {
  /// The first rule that this submission breaks, if any. What goes into a command line must not be
  /// able to end it, and a bare CR or LF in the message could end it early at a lenient smarthost
  /// (CVE-2023-51764).
  var fault: String? {
    guard !recipients.isEmpty else { return "no recipient" }
    guard Self.isName(name) else { return "the name for EHLO is not one" }
    for address in recipients + [sender] where !isSafe(address) {
      return "an address that is none: \(address)"
    }
    if recipients.contains("") { return "an empty recipient" }
    if let fault = Self.fault(inSmarthost: smarthost) { return "the smarthost's URL \(fault)" }
    return hasBareLineEnd ? "the message has a CR or LF that is not part of CR LF" : nil
  }

  /// What is wrong with a URL of a smarthost, for behind its name; nil for one that can be tried.
  public static func fault(inSmarthost url: String) -> String? {
    let scheme = ["smtp://", "smtps://"].first { url.hasPrefix($0) }
    guard let scheme else { return "begins with neither smtp:// nor smtps://" }
    let rest = url.dropFirst(scheme.count)
    let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !rest.contains("@")
    let host = rest.hasSuffix("/") ? rest.dropLast() : rest
    let colon = host.hasSuffix("]") ? nil : host.lastIndex(of: ":")
    let port = colon.map { host[host.index(after: $0)...] }
    let isPort = port.map { (UInt16($0) ?? 0) > 0 } ?? true
    guard isPlain, !host.contains("/"), isPort, !(colon.map { host[..<$0] } ?? host).isEmpty else {
      return "is no scheme, host and port alone such as smtp://127.0.0.1:25"
    }
    return nil
  }

  /// Whether EHLO may say it: a host name or an address literal (RFC 5321 §4.1.3).
  public static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 255 && name.utf8.allSatisfy(isNameByte)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D: true
    default: false
    }
  }

  private func isSafe(_ address: String) -> Bool {
    address.utf8.count <= 320
      && address.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x3C && $0 != 0x3E }
  }

  private var hasBareLineEnd: Bool {
    var last: UInt8 = 0
    for byte in message {
      if (byte == 0x0A) != (last == 0x0D) { return true }
      last = byte
    }
    return last == 0x0D
  }

  func makeTransfer(_ id: UInt64) -> OpaquePointer? {
    // libcurl takes the name for EHLO from the URL's path.
    let url = (smarthost.hasSuffix("/") ? smarthost : smarthost + "/") + name
    let made = message.withUnsafeBytes {
      cc_transfer_create(
        url, "smtp,smtps", id, $0.baseAddress, $0.count, timeouts.connectMilliseconds,
        timeouts.totalMilliseconds, 1_024)
    }
    guard let made else { return nil }
    var failed = cc_transfer_mail(
      made, "<\(sender)>", security.level, credentials?.user, credentials?.password)
    for recipient in recipients { failed |= cc_transfer_add_recipient(made, "<\(recipient)>") }
    if let authoritiesPath { cc_transfer_trust(made, authoritiesPath) }
    if failed == 0 { return made }
    cc_transfer_free(made)
    return nil
  }
}

extension MailSubmission.Security {
  fileprivate var level: Int32 {
    switch self {
    case .none: Int32(CC_TLS_NONE)
    case .startTLSIfOffered: Int32(CC_TLS_IF_OFFERED)
    case .startTLSRequired: Int32(CC_TLS_REQUIRED)
    }
  }
}
