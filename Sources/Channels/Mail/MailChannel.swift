import Continuity
import MailCodec
import Mime
import Model
import Pipeline
import Records
import System
import Wire

/// Why mail is not taken, as its sender's mail server reads it.
public enum MailRefusal: Error {
  case author, tooMuch

  public var reply: SMTPReply {
    switch self {
    case .author:
      SMTPReply(554, "5.6.0", "From must stand once and name exactly one address (RFC 5322, 3.6.2)")
    case .tooMuch: SMTPReply(552, "5.3.4", "From does not stand among the first 1000 header fields")
    }
  }
}

/// What a workspace must know to take mail and to write it.
public struct MailChannel: Sendable {
  public var workspace: WorkspaceID
  /// Lower case; the first is what answers come from where nothing better is known.
  public var addresses: [String]
  public var identityKey: HMACKey
  public var replyKey: HMACKey
  /// What customers read in `From` instead of an agent's short name, by that name.
  public var displayNames: [String: String]
  /// Takes out of what comes in what must never be written.
  public var redactor = Redactor()
  public var emailRules = EmailRules()
  /// How long a reply address is good.
  public static let replyAddressDays: Int64 = 365
  /// Of a mail server's words why it did not deliver: more is no reason, and all is attached.
  public static let reasonBytesMax = 1_024

  public init(
    workspace: WorkspaceID, addresses: [String], identityKey: HMACKey, replyKey: HMACKey,
    displayNames: [String: String] = [:]
  ) {
    self.workspace = workspace
    self.addresses = addresses
    self.identityKey = identityKey
    self.replyKey = replyKey
    self.displayNames = displayNames
  }

  /// Whether mail for this mailbox is ours: one of the addresses, or a reply address at one of
  /// their domains.
  public func takes(_ path: SMTPPath) -> Bool {
    guard let domain = path.domain else { return path.isPostmaster }
    let local = path.local.lowercased()
    let ending = "@" + Self.domain(domain)
    let isOurs = addresses.contains { Self.spelled($0) == local + ending }
    // RFC 5321 §4.5.1: every domain that takes mail has a postmaster.
    guard !isOurs, local == "postmaster" || local.hasPrefix(ReplyAddress.prefix) else {
      return isOurs
    }
    return addresses.contains { Self.spelled($0).hasSuffix(ending) }
  }

  /// An address of ours with its domain in one spelling, however the workspace writes it.
  private static func spelled(_ address: String) -> String {
    guard let at = address.lastIndex(of: "@") else { return address }
    return address[...at] + domain(String(address[address.index(after: at)...]))
  }

  private static func domain(_ domain: String) -> String {
    EmailRules.domain(domain.lowercased())
  }

  /// A message that has been understood, with the blobs that must be kept before it is submitted.
  public struct Arrival: Sendable {
    public var mail: MailArrival
    public var blobs: [(row: BlobRow, bytes: [UInt8])]
  }

  /// - Parameters:
  ///   - others: further recipients of the same delivery in this workspace, which have arrivals of
  ///     their own. Rules see them all, so that each copy is decided alike, whichever comes first.
  ///   - relay: the authserv-id under which the peer writes `Authentication-Results`, when it is a
  ///     listed relay.
  ///   - hasSeen: whether a mail of this `messageKey` has come or left before: only then is the whole
  ///     body hashed once more, as older programs did.
  /// - Errors: when the `From` header does not name one author: such mail is refused, never guessed
  ///   at. A mail server's report from the null sender needs none.
  public func understand(
    _ bytes: [UInt8], sender: SMTPPath?, recipient: SMTPPath, besides others: [SMTPPath] = [],
    relay: String?, now: Instant, hasSeen: ([UInt8]) -> Bool = { _ in true }
  ) throws(MailRefusal) -> Arrival {
    var configuration = MailUnderstanding.Configuration()
    configuration.ownAddresses = Set(addresses)
    configuration.authservID = relay
    var mail = MailUnderstanding(
      bytes: bytes, envelope: .init(sender: sender), configuration: configuration)
    let subject = mail.subjectText
    redact(&mail)
    let (found, identity, isUsable) = try author(of: mail, sender, recipient)
    var author = found
    author.name = found.name.map(redactor.text)
    let capability = replyConversation(recipient, author.address, now)
    // A reply address stands in every answer, and so in what the customer forwards: where the relay says
    // that the mail is not of whom it names, it leads to the conversation, and proves nothing.
    let isSigned = capability != nil && mail.dmarc != .fail("fail")
    let isProven = isUsable && (mail.dmarc == .pass || isSigned)
    let claim = IdentityClaim(
      identity: identity, hash: IdentityForm.hash(identity, identityKey),
      earlierHashes: IdentityForm.earlier(.email, author.address, emailRules).map {
        IdentityForm.hash($0, identityKey)
      },
      assurance: isProven ? .asserted : .claimed,
      source: mail.dmarc == .pass ? "relay:\(relay ?? "")" : "mail",
      means: mail.dmarc == .pass ? "dmarc" : isSigned ? "reply_address" : "from_header")
    // Whatever is past a bound of reading is still there, in the message as it came.
    let whole =
      mail.isTruncated
      ? [
        attachment(
          "message.eml", "message/rfc822", MessageRewriter.rewritten(bytes, redactor.bytes), now)
      ] : []
    let blobs = mail.attachments.map { attachment($0.name, $0.type, $0.bytes, now) } + whole
    var entry = EntryDraft(
      kind: .message, author: .customer, visibility: mail.automatic == nil ? .customer : .business,
      channel: .email,
      members: members(mail, author, recipient, claim, blobs.map(\.row)),
      saidAt: Self.saidAt(mail.date, now))
    entry.blobs = blobs.map(\.row.id)
    let ours = ours(recipient)
    var to = [ours]
    for other in others.map(self.ours) where !to.contains(other) { to.append(other) }
    let answered = isProven ? answered(mail, author) : author
    let line = MailLine(
      ours: ours, theirs: answered.address, theirName: answered.name ?? "",
      subject: mail.subjectText, lastMessageID: mail.thread.messageID,
      references: Array(mail.thread.parents.reversed()) + [mail.thread.messageID].compactMap { $0 })
    var arrival = MailArrival(
      customer: .new(), conversation: .new(), session: .new(), case: .new(),
      from: claim,
      attributes: author.name.map { [.init(name: CustomerProfile.name, text: $0, source: "mail")] }
        ?? [],
      seenKey: Self.seenKey(bytes, mail, recipient, from: found.address, about: subject),
      messageKey: mail.thread.messageID.map(Self.threadKey),
      threadKeys: mail.thread.parents.prefix(50).map(Self.threadKey),
      replyAddress: capability, entry: entry, thread: line,
      subjectKey: MailSubject(mail.subjectText).key, automatic: mail.automatic?.rawValue,
      facts: MailFacts(
        from: author.address, to: to, subject: mail.subjectText, text: mail.own))
    if arrival.messageKey.map(hasSeen) ?? true {
      arrival.earlierSeenKey = Self.earlierSeenKey(bytes, mail, recipient)
    }
    arrival.blobs = blobs.map(\.row)
    arrival.returnPath = sender?.description
    arrival.report = report(mail, author, recipient, blobs.map(\.row), now)
    return Arrival(mail: arrival, blobs: blobs)
  }

  private func author(
    of mail: MailUnderstanding, _ sender: SMTPPath?, _ recipient: SMTPPath
  ) throws(MailRefusal) -> (MailAddress, Identity, isUsable: Bool) {
    func identity(_ author: MailAddress) -> Identity? {
      IdentityForm.normalise(.email, author.address, emailRules, e164: { _ in nil })
    }
    if case .one(let author) = mail.author, let identity = identity(author) {
      return (author, identity, true)
    }
    // Servers report from `MAILER-DAEMON` without a domain, or from `<>`: it is completed as a
    // server completes what comes from its own host.
    if sender == nil, mail.report != nil {
      let domain = ours(recipient).split(separator: "@").last ?? ""
      let server = MailAddress(local: "MAILER-DAEMON", domain: String(domain))
      if let identity = identity(server) { return (server, identity, true) }
    }
    // Whoever wrote it is read all the same.
    if case .one(let author) = mail.author {
      return (author, IdentityForm.unusable(author.address), false)
    }
    throw mail.isTruncated && mail.from.isEmpty ? .tooMuch : .author
  }

  /// To whom an answer goes: where `Reply-To` says (RFC 5322 §3.6.2), though the customer is whoever
  /// stands in `From`. Of several it is the author, where they are among them, else the first. Asked of
  /// proven mail alone: a forged one must not lead our answers, and with them the thread, to somebody
  /// else's address.
  private func answered(_ mail: MailUnderstanding, _ author: MailAddress) -> MailAddress {
    func isAuthor(_ one: MailAddress) -> Bool {
      one.address.lowercased() == author.address.lowercased()
    }
    let wanted = mail.replyTo.filter { one in
      guard !isAuthor(one), let path = SMTPPath(mailbox: Array(one.address.utf8)) else {
        return false
      }
      // An answer to ourselves would reach nobody.
      return !takes(path)
    }
    guard var first = wanted.first, !mail.replyTo.contains(where: isAuthor) else { return author }
    first.name = first.name.map(redactor.text)
    return first
  }

  /// When a mail was written, as its `Date` says; nil where that cannot be: then it counts from its
  /// arrival. A clock that is ahead, or that begins in 1970 after each start, would put the mail at
  /// an end of the timeline where nobody looks for it.
  static func saidAt(_ date: Instant?, _ now: Instant) -> Instant? {
    guard let date, date <= now, date >= now + .seconds(-Self.underwayDaysMax * 86_400) else {
      return nil
    }
    return date
  }

  /// Mail servers try for five days or so (RFC 5321 §4.5.4.1); a laptop may stay shut for longer.
  static let underwayDaysMax: Int64 = 30

  private func redact(_ mail: inout MailUnderstanding) {
    mail.subjectText = redactor.text(mail.subjectText)
    mail.own = redactor.text(mail.own)
    mail.quoted = redactor.text(mail.quoted)
    mail.signature = redactor.text(mail.signature)
  }

  private func ours(_ recipient: SMTPPath) -> String {
    let ending = "@" + Self.domain(recipient.domain ?? "")
    let full = recipient.local.lowercased() + ending
    return addresses.first { Self.spelled($0) == full }
      ?? addresses.first { Self.spelled($0).hasSuffix(ending) } ?? addresses.first ?? full
  }

  private func replyConversation(_ recipient: SMTPPath, _ sender: String, _ now: Instant)
    -> ConversationID?
  {
    do throws(ReplyAddress.Fault) {
      let proven = try ReplyAddress.verify(
        localPart: recipient.local, sender: sender, now: now.milliseconds,
        mac: { replyKey.sign($0, truncatedTo: 32) })
      return ConversationID(high: proven.conversation.high, low: proven.conversation.low)
    } catch {
      return nil  // an ordinary address, or one that was not made for this sender: then it proves nothing
    }
  }

  private func report(
    _ mail: MailUnderstanding, _ author: MailAddress, _ recipient: SMTPPath, _ blobs: [BlobRow],
    _ now: Instant
  ) -> MailReport? {
    guard let report = mail.report else { return nil }
    let told = report.recipients.filter(\.isFailure) + report.recipients.filter(\.isDelay)
    let fates = told.flatMap { self.fates($0, recipient, now) }
    let ours = report.messageID.flatMap { OutgoingMail.isOurs($0) ? $0 : nil }
    guard fates.contains(where: { ours != nil || $0.replyAddress != nil }) else { return nil }
    var members = Members()
    members.text("from", author.address)
    members.text("text", mail.own)
    add(mail, blobs, to: &members)
    var entry = EntryDraft(
      kind: .undelivered, author: .system, visibility: .business, channel: .email,
      members: members.bytes, saidAt: Self.saidAt(mail.date, now))
    entry.blobs = blobs.map(\.id)
    return MailReport(messageID: ours, fates: fates, entry: entry)
  }

  private func fates(
    _ told: DeliveryReport.Recipient, _ recipient: SMTPPath, _ now: Instant
  ) -> [MailReport.Fate] {
    [told.original, told.final != told.original ? told.final : nil].compactMap { $0 }.map { raw in
      let address = MailAddress(address: raw)?.address ?? raw
      var members = Members()
      members.text("to", address)
      members.text("action", told.isFailure ? "failed" : "delayed")
      if let status = told.status { members.text("status", status) }
      // Cut last: half a card number is not known for one.
      if let why = told.diagnostic { members.text("reason", Self.reason(redactor.text(why))) }
      return MailReport.Fate(
        address: address, replyAddress: replyConversation(recipient, address, now),
        isFinal: told.isFailure, members: members.bytes)
    }
  }

  private static func reason(_ why: String) -> String {
    guard why.utf8.count > reasonBytesMax else { return why }
    var kept = ""
    let mark = "…"
    for scalar in why.unicodeScalars {
      guard kept.utf8.count + scalar.utf8.count + mark.utf8.count <= reasonBytesMax else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept + mark
  }

  private func attachment(
    _ name: String?, _ type: String, _ bytes: [UInt8], _ now: Instant
  ) -> (row: BlobRow, bytes: [UInt8]) {
    (
      BlobRow(
        id: .new(), hash: Digest(bytes: SHA256.hash(bytes).bytes) ?? .zero,
        size: Int64(bytes.count),
        mediaType: redactor.text(type), fileName: name.map(redactor.text), conversation: nil,
        uploader: "mail", at: now), bytes
    )
  }

  private func members(
    _ mail: MailUnderstanding, _ author: MailAddress, _ recipient: SMTPPath, _ claim: IdentityClaim,
    _ blobs: [BlobRow]
  ) -> [UInt8] {
    var members = Members()
    members.text("text", mail.own)
    members.text("subject", mail.subjectText)
    members.text("from", author.address)
    members.text("to", ours(recipient))
    let copies = mail.cc.map(\.address)
    if !copies.isEmpty { members.texts("cc", Self.kept(copies)) }
    if copies.count > Self.addressesMax { members.number("cc_count", Int64(copies.count)) }
    let replyTo = mail.replyTo.map(\.address)
    if !replyTo.isEmpty, replyTo != [author.address] {
      members.texts("reply_to", Self.kept(replyTo))
    }
    members.text("sender_assurance", claim.assurance.name)
    if let id = mail.thread.messageID { members.text("message_id", id) }
    if let reason = mail.automatic { members.text("automatic", reason.rawValue) }
    add(mail, blobs, to: &members)
    return members.bytes
  }

  /// As many as are kept of a list of addresses.
  static let addressesMax = 50

  private static func kept(_ addresses: [String]) -> [String] {
    addresses.prefix(addressesMax).map { address in
      address.utf8.count <= 320
        ? address : String(decoding: address.utf8.prefix(320), as: UTF8.self)
    }
  }

  /// What a mail says besides its author's own words: no word is lost.
  private func add(_ mail: MailUnderstanding, _ blobs: [BlobRow], to members: inout Members) {
    if !mail.quoted.isEmpty { members.text("quoted", mail.quoted) }
    if !mail.signature.isEmpty { members.text("signature", mail.signature) }
    if mail.isTruncated { members.raw("truncated", Array("true".utf8)) }
    if !blobs.isEmpty { members.raw("attachments", Self.list(blobs)) }
  }

  static func list(_ blobs: [BlobRow]) -> [UInt8] {
    var out = Array("[".utf8)
    for (index, blob) in blobs.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out += Array("{\"blob\":\"\(blob.id)\",\"type\":".utf8)
      JSONText.append(blob.mediaType, to: &out)
      if let name = blob.fileName {
        out += Array(",\"name\":".utf8)
        JSONText.append(name, to: &out)
      }
      out += Array(",\"size\":\(blob.size)}".utf8)
    }
    out.append(UInt8(ascii: "]"))
    return out
  }

  public static func threadKey(_ messageID: String) -> [UInt8] {
    Array(SHA256.hash(Array(MessageKey.text(messageID).utf8)).bytes.prefix(16))
  }

  /// The same mail delivered twice has the same id, author, subject, recipient and body; what relays
  /// add on top may differ. The id alone says little: forms on web sites make it of the time, scanners
  /// give the same to all. Without one, the date stands for it, with whatever was given for an id.
  static func seenKey(
    _ bytes: [UInt8], _ mail: MailUnderstanding, _ recipient: SMTPPath, from author: String,
    about subject: String
  ) -> [UInt8] {
    let id =
      mail.thread.messageID ?? "\(mail.date?.milliseconds ?? 0) \(mail.givenID ?? "")"
    let name = "\(id)\n\(recipient)\n\(author)\n".lowercased() + "\(subject)\n"
    return hash(name, body: bytes)
  }

  /// As it was before author and subject were part of it.
  static func earlierSeenKey(
    _ bytes: [UInt8], _ mail: MailUnderstanding, _ recipient: SMTPPath
  ) -> [UInt8] {
    let id =
      mail.thread.messageID
      ?? "\(mail.from.map(\.address)) \(mail.date?.milliseconds ?? 0) \(mail.subjectText)"
      + (mail.givenID ?? "")
    return hash("\(id)\n\(recipient)\n".lowercased(), body: bytes)
  }

  /// Of a name and the mail's body, which may be tens of megabytes: none of it is copied.
  private static func hash(_ name: String, body bytes: [UInt8]) -> [UInt8] {
    Array(name.utf8).withUnsafeBytes { name in
      bytes.withUnsafeBytes { SHA256.hash(name, then: body($0)).bytes }
    }
  }

  private static func body(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    for index in bytes.indices.dropLast(3)
    where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 {
      return UnsafeRawBufferPointer(rebasing: bytes[index...])
    }
    return bytes
  }
}

extension MailChannel {
  /// An agent's or a rule's answer as bytes, and the envelope under which it leaves. The same
  /// outbox row always gives the same `Message-ID`, so that a second delivery is seen as one.
  public func compose(
    _ mail: OutgoingMail, attachments: [(row: BlobRow, bytes: [UInt8])]
  ) -> (sender: String, recipient: String, bytes: [UInt8])? {
    guard let ours = MailAddress(address: mail.thread.ours),
      var theirs = MailAddress(address: mail.thread.theirs)
    else {
      return nil
    }
    if !mail.thread.theirName.isEmpty { theirs.name = mail.thread.theirName }
    let expires = mail.at + .seconds(Self.replyAddressDays * 86_400)
    let reply = ReplyAddress(
      conversation: .init(high: mail.conversation.high, low: mail.conversation.low),
      expires: expires.milliseconds)
    let local = reply.localPart(
      recipient: mail.thread.theirs, mac: { replyKey.sign($0, truncatedTo: 32) })
    var from = ours
    from.name = mail.agentName.isEmpty ? nil : displayNames[mail.agentName] ?? mail.agentName
    let subject = mail.thread.subject
    let isReply = MailSubject(subject).isReply
    let isFirst = mail.thread.lastMessageID == nil
    var composer = MailComposer(
      from: from, to: [theirs],
      subject: HeaderText(repairing: isReply || isFirst ? subject : "Re: " + subject),
      messageID: OutgoingMail.messageID(mail.id, from: mail.thread.ours), text: mail.text,
      date: mail.at.milliseconds)
    composer.replyTo = MailAddress(local: local, domain: ours.domain)
    composer.inReplyTo = mail.thread.lastMessageID
    composer.references = mail.thread.references
    composer.attachments = attachments.map {
      .init(
        name: HeaderText(repairing: $0.row.fileName ?? "attachment"), type: $0.row.mediaType,
        bytes: $0.bytes)
    }
    if mail.isAutomatic { composer.autoSubmitted = HeaderText(repairing: "auto-replied") }
    // What a machine sends is not to be reported to one (RFC 3834 §3.3).
    let recipient = mail.returnPath ?? mail.thread.theirs
    return (mail.isAutomatic ? "" : mail.thread.ours, recipient, composer.bytes())
  }
}
