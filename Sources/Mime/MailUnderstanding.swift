import MailCodec
import Model

/// What was understood of a message.
public struct MailUnderstanding: Sendable {
  public struct Configuration: Sendable {
    /// Our own addresses, in lower case: mail from one of them is a loop, or a form's on a web site.
    public var ownAddresses: Set<String> = []
    /// The name under which the relay that delivered this message writes `Authentication-Results`;
    /// nil when the connection is not from a listed relay.
    public var authservID: String?
    public var limits = MimeLimits()
    public init() {}
  }

  /// What SMTP said about it.
  public struct Envelope: Sendable {
    /// nil is the null sender.
    public var sender: SMTPPath?
    public init(sender: SMTPPath?) { self.sender = sender }
  }

  /// How far the `From` header names one author.
  public enum Author: Equatable, Sendable {
    case one(MailAddress)
    /// None, several, or a header that cannot be read in one way only (CVE-2023-27043): never
    /// guessed.
    case unclear
  }

  public var author: Author
  public var from: [MailAddress] = []
  public var replyTo: [MailAddress] = []
  public var to: [MailAddress] = []
  public var cc: [MailAddress] = []
  public var subject: MailSubject
  public var subjectText: String
  public var date: Instant?
  public var thread: MailThread
  /// What stands in `Message-ID`, also where it is none; nil where nothing does.
  public var givenID: String?
  public var text: String
  public var words: OwnWords
  /// What the author wrote.
  public var own: String
  /// What they quoted, and what stands only in an alternative of theirs that nobody is shown.
  public var quoted: String
  public var signature: String
  public var attachments: [MimeMessage.Attachment]
  public var automatic: AutomaticReason?
  /// What became of a mail, where this is a mail server's report of it.
  public var report: DeliveryReport?
  public var dmarc: AuthenticationResults.DMARC
  public var isTruncated: Bool

  public init(
    bytes: [UInt8], envelope: Envelope? = nil, configuration: Configuration = Configuration()
  ) {
    self.init(MimeMessage(bytes: bytes, limits: configuration.limits), envelope, configuration)
  }

  public init(_ message: MimeMessage, _ envelope: Envelope?, _ configuration: Configuration) {
    func addresses(_ name: String) -> [MailAddress]? {
      let all = message.all(name)
      // A header that may stand once and stands twice is read differently by different readers (RFC
      // 5322 §3.6).
      guard all.count <= 1 else { return nil }
      guard let header = all.first else { return [] }
      return try? MailAddress.list(header.raw, decode: Charsets.phrase)  // a fault means unclear, see `Author`
    }
    let authors = addresses("From")
    from = authors ?? []
    replyTo = addresses("Reply-To") ?? []
    let visitor = Self.visitor(from, replyTo, configuration.ownAddresses)
    author = visitor.map { .one($0) } ?? (from.count == 1 ? .one(from[0]) : .unclear)
    to = addresses("To") ?? []
    cc = addresses("Cc") ?? []
    subjectText = message.first("Subject")?.decoded ?? ""
    subject = MailSubject(subjectText)
    date = message.first("Date").flatMap { MailDate.parse($0.raw) }.map {
      Instant(milliseconds: $0)
    }
    givenID = message.first("Message-ID")?.raw
    thread = MailThread(
      messageID: message.first("Message-ID").flatMap { MessageIDs.one($0.raw) },
      inReplyTo: MessageIDs.named(message.first("In-Reply-To")?.raw ?? ""),
      references: MessageIDs.named(message.first("References")?.raw ?? ""))
    text = message.text
    words = OwnWords(text, isFlowed: message.isFlowed)
    own = Self.withoutMarks(words.own)
    quoted = [Self.withoutMarks(words.quoted), message.besides].filter { !$0.isEmpty }
      .joined(separator: "\n")
    signature = Self.withoutMarks(words.signature)
    attachments = message.attachments
    isTruncated = message.isTruncated
    report = message.deliveryReport
    let fields = message.headers.map { MailField($0.name, $0.raw) }
    automatic = AutomaticMail.reason(
      fields: fields, from: from, envelopeSenderIsNull: envelope.map { $0.sender == nil },
      contentType: message.contentType,
      ownAddresses: visitor == nil ? configuration.ownAddresses : [])
    // What a relay says of our own domain proves no visitor.
    if let id = configuration.authservID, visitor == nil, case .one(let address) = author {
      dmarc = AuthenticationResults.dmarc(
        fields: fields, authservID: id, fromDomain: address.domain)
    } else {
      dmarc = .unknown
    }
  }

  /// Without the lines that stand for what HTML marks.
  private static func withoutMarks(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.filter { $0 != HTMLText.quoteMark && $0 != HTMLText.signatureEnd }
      .joined(separator: "\n")
  }

  /// Who wrote a mail that a form on a web site sends: from an address of ours, with the visitor's in
  /// `Reply-To`. nil where that is one of ours, too, or a reply address at our domain: what we sent, come
  /// back.
  private static func visitor(
    _ from: [MailAddress], _ replyTo: [MailAddress], _ own: Set<String>
  ) -> MailAddress? {
    guard from.count == 1, own.contains(from[0].address.lowercased()), replyTo.count == 1 else {
      return nil
    }
    let domain = "@" + replyTo[0].domain.lowercased()
    return own.contains { $0.hasSuffix(domain) } ? nil : replyTo[0]
  }
}
