/// What became of a mail, as a mail server reports it (RFC 3464).
public struct DeliveryReport: Equatable, Sendable {
  /// RFC 3464 §2.3.3.
  public enum Action: String, Equatable, Sendable {
    case failed, delayed, delivered, relayed, expanded
  }

  /// One recipient's fate.
  public struct Recipient: Equatable, Sendable {
    /// As the sender wrote it; nil where the report does not say.
    public var original: String?
    /// As the server that reports knew it.
    public var final: String?
    public var action: Action?
    /// RFC 3463: `5.1.1`.
    public var status: String?
    /// The words of the server that refused: `550 5.1.1 nobody here`.
    public var diagnostic: String?

    /// Nobody tries any more.
    public var isFailure: Bool { action.map { $0 == .failed } ?? status?.hasPrefix("5.") ?? false }
    public var isDelay: Bool { action.map { $0 == .delayed } ?? status?.hasPrefix("4.") ?? false }
  }

  public var recipients: [Recipient]
  /// The Message-ID of the mail that it is about, without its brackets.
  public var messageID: String?

  /// Further ones are not read: no mail of ours has as many.
  public static let recipientsMax = 100
  /// What stands behind is not read: a recipient's fields take half a kilobyte.
  public static let statusBytesMax = 65_536
  /// The rest of a longer line is passed over, and counts for nothing (RFC 5322 §2.1.1: 998).
  public static let lineBytesMax = 2_000
  /// Anything longer is no address (RFC 5321 §4.5.3.1: 64 bytes, `@`, 255 bytes).
  public static let addressBytesMax = 320

  /// Reads the body of a part `message/delivery-status`: fields of the message, then of each
  /// recipient, blank lines between (RFC 3464 §2.1). What cannot be read is left out.
  public init(status: [UInt8], messageID: String?) {
    self.messageID = messageID
    var groups: [[MailField]] = [[]]
    var rest = status[...]
    var read = 0
    while read < Self.statusBytesMax, !rest.isEmpty {
      let whole = rest.prefix { $0 != 10 }
      rest = rest[whole.endIndex...].dropFirst()
      let kept = whole.prefix(Self.lineBytesMax)
      read += kept.count + 1
      let line = String(decoding: kept.last == 13 ? kept.dropLast() : kept, as: UTF8.self)
      let words = Self.trimmed(line[...])
      if words.isEmpty {
        guard groups.count <= Self.recipientsMax else { break }
        groups.append([])
      } else if let first = line.first, first == " " || first == "\t" {
        if let last = groups[groups.count - 1].indices.last {
          groups[groups.count - 1][last].value += " " + words
        }
      } else if let colon = line.firstIndex(of: ":") {
        let value = Self.trimmed(line[line.index(after: colon)...])
        groups[groups.count - 1].append(MailField(Self.trimmed(line[..<colon]), value))
      }
    }
    recipients = groups.compactMap(Self.recipient)
  }

  /// nil for fields that are about no recipient.
  private static func recipient(_ fields: [MailField]) -> Recipient? {
    var found = Recipient()
    for field in fields {
      if field.isNamed("original-recipient") { found.original = address(field.value) }
      if field.isNamed("final-recipient") { found.final = address(field.value) }
      if field.isNamed("action") { found.action = Action(rawValue: firstWord(field.value)) }
      if field.isNamed("status") { found.status = status(field.value) }
      if field.isNamed("diagnostic-code") { found.diagnostic = typed(field.value) }
    }
    return found.original == nil && found.final == nil ? nil : found
  }

  /// What stands behind the type: `rfc822;mia@home.example`.
  private static func typed(_ value: String) -> String {
    guard let end = value.firstIndex(of: ";") else { return value }
    return trimmed(value[value.index(after: end)...])
  }

  private static func address(_ value: String) -> String? {
    var address = typed(value)[...]
    // Some write it as a path.
    if address.hasPrefix("<"), address.hasSuffix(">") { address = address.dropFirst().dropLast() }
    return address.isEmpty || address.utf8.count > addressBytesMax ? nil : String(address)
  }

  /// RFC 3463 §2: class, subject and detail; some write a comment behind it.
  private static func status(_ value: String) -> String? {
    let code = firstWord(value)
    let parts = code.split(separator: ".", omittingEmptySubsequences: false)
    let isCode =
      parts.count == 3 && ["2", "4", "5"].contains(parts[0])
      && parts.allSatisfy {
        (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (48...57).contains($0) }
      }
    return isCode ? code : nil
  }

  private static func firstWord(_ value: String) -> String {
    value.split { $0 == " " || $0 == "\t" || $0 == "(" }.first.map { $0.lowercased() } ?? ""
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
