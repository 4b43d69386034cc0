/// Single lines with a form: rules, and "original message" lines.
enum LineForms {
  private static let schemes = ["http://", "https://", "mailto:", "tel:"].map { Array($0.utf8) }

  /// A line without what stands in `<>` behind the text of its links: `this photo <https://…>`.
  static func withoutTargets(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard line.count <= 4_000, line.dropFirst().contains(60) else { return line }
    var out: [UInt8] = []
    var at = line.startIndex
    while at < line.endIndex {
      if line[at] == 60, !out.isEmpty,
        schemes.contains(where: { line[(at + 1)...].starts(with: $0) }),
        let end = line[at...].firstIndex(of: 62)
      {
        if out.last == 32 { out.removeLast() }
        at = end + 1
      } else {
        out.append(line[at])
        at += 1
      }
    }
    return out[...]
  }

  /// A line of nothing but one or two kinds of rule characters: `---`, `____`, `***`, or Gmail's
  /// mark `ᐧ`.
  static func isRule(_ line: ArraySlice<UInt8>) -> Bool {
    if line.elementsEqual("ᐧ".utf8) { return true }
    guard line.count >= 2 else { return false }
    // `-_*#~=+.` and spaces; dashes and bars of Unicode's box drawing and punctuation.
    if line.allSatisfy(isRuleByte) { return line.first != 35 || line.count >= 3 }
    guard let first = line.first, first >= 128 || isRuleByte(first) else { return false }
    let text = String(decoding: line.prefix(300), as: UTF8.self)
    return line.count <= 300
      && text.unicodeScalars.allSatisfy { "—–‒―─━═_- ".unicodeScalars.contains($0) }
      && text.unicodeScalars.count >= 3
  }

  @inline(__always) private static func isRuleByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 45, 95, 42, 35, 126, 61, 43, 32: true
    default: false
    }
  }

  private static let originals: Set<String> = [
    "original message", "original email", "original e-mail", "original appointment",
    "reply message", "replied message", "ursprüngliche nachricht", "ursprüngliche mail",
    "originalnachricht", "original-nachricht", "originalmail", "antwort nachricht",
    "message d'origine", "message d’origine", "message original", "message initial",
    "mail original", "mensaje original", "correo original", "messaggio originale",
    "messaggio originario", "oorspronkelijk bericht", "origineel bericht",
    "oorspronkelijk e-mailbericht", "mensagem original", "originalmeddelande",
    "ursprungligt meddelande", "opprinnelig melding", "original melding", "oprindelig meddelelse",
    "original meddelelse", "oprindelig besked", "oprindelig mail", "alkuperäinen viesti",
    "wiadomość oryginalna", "oryginalna wiadomość", "wiadomość pierwotna", "původní zpráva",
    "původní e-mail", "pôvodná správa", "eredeti üzenet", "eredeti levél", "исходное сообщение",
    "оригинальное сообщение", "исходное письмо", "первоначальное сообщение",
    "оригінальне повідомлення", "початкове повідомлення", "вихідне повідомлення", "özgün ileti",
    "orijinal mesaj", "orijinal ileti", "mesaj original", "mesajul original", "αρχικό μήνυμα",
    "izvorna poruka", "originalna poruka", "izvirno sporočilo", "algsõnum", "algne kiri",
    "originali žinutė", "oriģinālā ziņa", "pesan asli", "thư gốc", "tin nhắn gốc", "ข้อความต้นฉบับ",
    "原始邮件", "原始郵件", "原邮件", "回复的原邮件", "元のメッセージ", "원본 메시지", "원본 메일", "הודעה מקורית",
    "الرسالة الأصلية", "رسالة أصلية", "پیام اصلی", "missatge original",
  ]
  private static let forwards: Set<String> = [
    "forwarded message", "begin forwarded message", "forwarded email", "forwarded e-mail",
    "weitergeleitete nachricht", "weitergeleitete mail", "anfang der weitergeleiteten nachricht",
    "anfang der weitergeleiteten e-mail", "message transféré", "message transmis",
    "début du message réexpédié", "début du message transféré", "mensaje reenviado",
    "inicio del mensaje reenviado", "messaggio inoltrato", "inizio messaggio inoltrato",
    "doorgestuurd bericht", "begin doorgestuurd bericht", "mensagem encaminhada",
    "mensagem reencaminhada", "início da mensagem reencaminhada",
    "início da mensagem encaminhada", "vidarebefordrat meddelande", "vidarebefordrat brev",
    "vidarebefordrat mejl", "vidarebefordrat e-postmeddelande", "videresendt melding",
    "videresendt meddelelse", "videresendt besked", "start på videresendt besked",
    "välitetty viesti", "välitetty viesti alkaa", "edelleenlähetetty viesti",
    "wiadomość przekazana", "przekazana wiadomość", "wiadomość przesłana dalej",
    "treść przekazanej wiadomości", "początek przekazywanej wiadomości", "přeposlaná zpráva",
    "přeposlaný e-mail", "začátek přeposílané zprávy", "preposlaná správa",
    "začiatok preposlanej správy", "továbbított üzenet", "továbbított levél",
    "továbbított levél kezdete", "пересылаемое сообщение", "пересланное сообщение",
    "перенаправленное сообщение", "начало переадресованного сообщения",
    "переадресоване повідомлення", "переслане повідомлення", "перенаправлене повідомлення",
    "переслати повідомлення",
    "початок листа, що пересилається", "iletilen ileti", "iletilmiş mesaj", "iletilen mesaj",
    "yönlendirilmiş ileti", "yönlendirilen ileti", "ileti başlangıcı",
    "mesaj redirecționat", "mesaj redirecţionat", "mesaj redirectionat",
    "începe mesajul redirecționat",
    "προωθημένο μήνυμα", "prosljeđena poruka", "proslijeđena poruka", "započni proslijeđenu poruku",
    "posredovano sporočilo", "edastatud kiri", "edastatud sõnum", "pārsūtīta ziņa",
    "persiųstas laiškas", "pesan yang diteruskan", "thư chuyển tiếp", "tin nhắn đã chuyển tiếp",
    "ข้อความที่ส่งต่อ", "转发的邮件", "转发邮件", "转发信息", "轉寄郵件", "轉寄的郵件", "転送メッセージ",
    "転送されたメッセージ", "メッセージを転送", "전달된 메시지", "전달 메시지", "הודעה שהועברה",
    "رسالة معاد توجيهها", "پیام فرستاده‌شده", "forwarded by", "fwd",
  ]

  /// Whether a line says that another mail follows, and which.
  enum Marker { case original, forward }

  /// Reads `-----Original Message-----`, `----- Forwarded message -----`, `Begin forwarded message:`;
  /// Yahoo puts the headers behind the second run of dashes, on the same line.
  static func marker(_ line: ArraySlice<UInt8>) -> Marker? {
    guard line.count <= 2_000 else { return nil }
    // QQ Mail writes its blanks as in HTML, in plain text too.
    if line.first == 45, line.count <= 160, line.contains(38) {
      let plain = String(decoding: line, as: UTF8.self).replacing("&nbsp;", with: " ")
      if plain.utf8.count < line.count { return marker(Array(plain.utf8)[...]) }
    }
    if isReplyLine(line) { return .original }
    let inner = withoutDashes(line)
    let isDashed = line.count - inner.count >= 3
    guard isDashed || (line.last == 58 || line.ends(with: "：")) && line.count <= 160 else {
      return nil
    }
    let title = title(inner)
    guard !title.isEmpty, title.count <= 120 else { return nil }
    let text = LowerCase.words(title)
    if isDashed, originals.contains(text) { return .original }
    if forwards.contains(text) { return .forward }
    if isDashed, text.hasPrefix("forwarded by ") || text.hasPrefix("forwarded message from ") {
      return .forward
    }
    return nil
  }

  /// Whether a line is some words between dashes.
  static func isTitle(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.count <= 120, line.starts(with: [45, 45, 45]),
      line.suffix(3).elementsEqual([45, 45, 45])
    else { return false }
    return !title(withoutDashes(line)).isEmpty
  }

  /// `##- Please type your reply above this line -##`, as help desks write it.
  private static func isReplyLine(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.count <= 120, let first = line.first,
      isRuleByte(first) || first == 60 || first == 91 || first == 40
    else { return false }
    let text = Array(LowerCase.words(line).utf8)[...]
    return replyLines.stand(in: text) && replies.stand(in: text)
  }

  /// `(the crack is above this line)` asks nobody to write.
  private static let replies = Phrases([
    "reply", "replies", "respon", "type ", "write ", "enter ", "antwort", "schreib", "répon",
    "écri",
    "escrib", "risp", "scriv", "antwoord", "typ ", "odpow", "pisz", "ответ", "пиш", "відпов",
    "svar",
    "skriv", "vasta", "kirjoi", "yanıt", "cevap", "yaz", "返信", "回复", "回覆", "답장", "입력",
  ])

  private static let replyLines = Phrases([
    "above this line", "oberhalb dieser linie", "über dieser linie", "über diese zeile",
    "au-dessus de cette ligne", "encima de esta línea", "acima desta linha", "sopra questa riga",
    "boven deze lijn", "boven deze regel", "powyżej tej linii", "выше этой линии",
    "над этой строкой", "ovanför den här raden", "over denne linje", "tämän rivin yläpuolelle",
    "bu satırın üstüne", "この行より上", "在此行上方", "이 줄 위에",
  ])

  /// Leading dashes, also those of Proton (U+2010) and of typography.
  private static func withoutDashes(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var inner = line
    while let first = inner.first {
      if first == 45 || first == 95 || first == 32 || first == 42 || first == 61 {
        inner = inner.dropFirst()
      } else if isTypographicDash(inner) {
        inner = inner.dropFirst(3)
      } else {
        break
      }
    }
    return inner
  }

  /// U+2010 to U+2015.
  private static func isTypographicDash(_ bytes: ArraySlice<UInt8>) -> Bool {
    let first = bytes.prefix(3)
    return first.starts(with: [0xE2, 0x80]) && first.count == 3
      && (0x90...0x95).contains(first[first.startIndex + 2])
  }

  /// What stands between the dashes; Thunderbird in some languages says it twice: `… / Fwd.Msg`.
  private static func title(_ inner: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var end = inner.startIndex
    while end < inner.endIndex {
      let rest = inner[end...]
      if rest.starts(with: [45, 45]) || rest.starts(with: [95, 95]) || isTypographicDash(rest)
        || rest.starts(with: " / ".utf8)
      {
        break
      }
      end += 1
    }
    var title = inner[..<end]
    while let last = title.last, last == 58 || isRuleByte(last) { title = title.dropLast() }
    if title.ends(with: "：") { title = title.dropLast(3) }
    return MailLines.trim(title)
  }
}
