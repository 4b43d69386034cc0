/// Message ids as `Message-ID`, `In-Reply-To` and `References` carry them (RFC 5322 §3.6.4).
public enum MessageIDs {
  public static let countMax = 100
  public static let bytesMax = 998

  /// The ids of a header in order, each once, without their brackets. Words between them (RFC 5322
  /// §4.5.4 obs-in-reply-to) are skipped. Past `countMax` the first and the latest stay, since
  /// those decide a thread.
  public static func list(_ header: String) -> [String] {
    var found: [String] = []
    var seen: Set<String> = []
    var open: Int?
    let bytes = Array(header.utf8)
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case 60: open = index + 1
      case 62:
        if let start = open, index > start, index - start <= bytesMax {
          // Folding may have put white space inside; no id has any.
          let inner = bytes[start..<index].filter { $0 > 32 && $0 != 127 }
          let id = String(decoding: inner, as: UTF8.self)
          if !id.isEmpty, seen.insert(id).inserted { found.append(id) }
        }
        open = nil
      default: continue
      }
    }
    if found.count > countMax { found = [found[0]] + found.suffix(countMax - 1) }
    return found
  }

  /// The ids of a header that names other mails; where no brackets stand in it, its words, if all could
  /// be ids.
  public static func named(_ header: String) -> [String] {
    guard !header.contains("<"), !header.contains(">") else { return list(header) }
    let words = header.split { $0 == " " || $0 == "\t" || $0.isNewline }.prefix(countMax)
    let ids = words.compactMap { one(String($0)) }
    return ids.count == words.count ? ids : []
  }

  /// The one id of a `Message-ID` header; also one whose brackets were forgotten.
  public static func one(_ header: String) -> String? {
    if let first = list(header).first { return first }
    let words = header.split { $0 == " " || $0 == "\t" || $0.isNewline }
    guard words.count == 1, let word = words.first, word.contains("@"), word.utf8.count <= bytesMax,
      !word.contains("<"), !word.contains(">")
    else { return nil }
    return String(word)
  }
}

/// The thread headers of a message.
public struct MailThread: Equatable, Sendable {
  public var messageID: String?
  /// Every id that this message answers, the nearest first: `In-Reply-To`, then `References` from
  /// its end.
  public var parents: [String]

  public init(messageID: String?, inReplyTo: [String], references: [String]) {
    self.messageID = messageID
    parents = []
    var seen: Set<String> = []
    for id in inReplyTo + references.reversed() where id != messageID && seen.insert(id).inserted {
      parents.append(id)
    }
  }
}

/// A subject without what mailers put before it.
public struct MailSubject: Equatable, Sendable {
  /// The subject itself, white space collapsed: `Order 12`.
  public var base: String
  public var isReply = false
  public var isForward = false

  /// What two subjects of one thread have in common.
  public var key: String { base.lowercased() }

  public init(_ text: String) {
    var rest = Substring(Self.collapsed(text))
    // `[shop] Re: Lamp`: a list's name or a case's number stands before the prefix, and stays.
    var tags = ""
    while true {
      if let (kind, after) = Self.prefix(of: rest) {
        if kind == .reply { isReply = true } else { isForward = true }
        rest = after
      } else if let (tag, after) = Self.tag(of: rest),
        Self.warnings.contains(tag.lowercased()) || Self.prefix(of: after) != nil
      {
        if !Self.warnings.contains(tag.lowercased()) { tags += "[\(tag)] " }
        rest = after
      } else {
        break
      }
    }
    if rest.hasSuffix("(fwd)") {
      isForward = true
      rest = Self.trimmed(rest.dropLast(5))
    }
    base = Self.trimmed(Substring(tags + rest)).description
  }

  /// What stands in brackets before a subject, and what follows them.
  private static func tag(of text: Substring) -> (tag: String, after: Substring)? {
    guard text.first == "[", let end = text.prefix(64).firstIndex(of: "]") else { return nil }
    let tag = text[text.index(after: text.startIndex)..<end]
    return (String(trimmed(tag)), trimmed(text[text.index(after: end)...]))
  }

  /// What mail gateways put before the subject of any mail from outside.
  private static let warnings: Set<String> = [
    "external", "ext", "external email", "external sender", "extern", "externe",
    "externer absender",
    "externo", "esterno", "spam", "suspected spam", "possible spam", "bulk",
  ]

  private enum Kind { case reply, forward }

  /// Prefixes of mailers in the languages their users have, as seen in Outlook, Thunderbird, Gmail,
  /// Apple Mail and Lotus.
  private static let replies: Set<String> = [
    "re", "aw", "antw", "antwort", "sv", "vs", "ref", "rif", "r", "res", "resp", "odp", "ynt",
    "bls", "atb", "ha",
    "απ", "σχετ", "vá", "ად", "на", "отв", "ответ", "відп", "回复", "回覆", "答复", "返信", "답장", "رد",
    "תשובה",
    "rép", "réf", "hal", "odg", "ang", "svar", "svara", "trả lời", "balas", "ตอบ", "ตอบกลับ", "پاسخ",
    "回信", "antwoord", "respuesta", "réponse", "risposta", "resposta", "odpověď", "válasz", "yanıt",
  ]
  private static let forwards: Set<String> = [
    "fw", "fwd", "wg", "tr", "rv", "enc", "i", "vb", "vl", "doorst", "pd", "fs", "pv", "továbbítás",
    "πρθ",
    "ilt", "trs", "vid", "пересл", "переслано", "转发", "轉寄", "転送", "전달", "إعادة توجيه", "הועבר",
    "prosl", "chuyển tiếp", "ส่งต่อ", "inoltro", "reenvío", "encaminhado", "doorsturen", "iletme",
  ]

  private static func prefix(of text: Substring) -> (Kind, Substring)? {
    // The longest prefix is short; looking further would only find the subject's own colon.
    let window = text.prefix(16)
    guard let colon = window.firstIndex(where: { $0 == ":" || $0 == "：" }) else { return nil }
    var word = text[..<colon]
    // `Re[2]:`, `Re(3):`, `Re^2:` count how often.
    if let bracket = word.firstIndex(where: { $0 == "[" || $0 == "(" || $0 == "^" }) {
      let digits = word[word.index(after: bracket)...].filter(\.isNumber)
      guard !digits.isEmpty else { return nil }
      word = word[..<bracket]
    }
    let name = LowerCase.words(ArraySlice(trimmed(word).utf8)).trimmingFullStops
    let after = trimmed(text[text.index(after: colon)...])
    if replies.contains(name) { return (.reply, after) }
    if forwards.contains(name) { return (.forward, after) }
    return nil
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }

  private static func collapsed(_ text: String) -> String {
    text.split { $0.isWhitespace || $0 == "\0" }.joined(separator: " ")
  }
}

extension String {
  /// `Antw.`, `Réf.`
  fileprivate var trimmingFullStops: String {
    var text = self[...]
    while text.last == "." { text.removeLast() }
    return String(text)
  }
}
