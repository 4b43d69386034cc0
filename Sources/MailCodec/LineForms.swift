/// Single lines with a form: rules, headers of a quoted mail, "original message" lines.
enum LineForms {
  enum Role { case author, other }

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

  /// Header names with which Outlook, Apple Mail, Thunderbird and Gmail quote a mail, by who reads
  /// them.
  private static let authors: Set<String> = [
    "from", "von", "de", "da", "van", "från", "fra", "od", "от", "від", "kimden", "gönderen",
    "lähettäjä", "feladó",
    "发件人", "寄件者", "差出人", "보낸 사람", "מאת", "من", "expéditeur", "remitente", "mittente", "afzender",
    "από",
    "de la", "avsender", "avsändare", "afsender", "od:", "odesílatel", "absender", "dari", "từ",
  ]
  private static let others: Set<String> = [
    "sent", "date", "to", "cc", "subject", "reply-to", "importance", "attachments", "bcc", "when",
    "gesendet", "datum", "an", "betreff", "antwort an", "gesendet am", "wichtigkeit", "kopie",
    "envoyé", "à", "objet", "répondre à", "enviado", "enviado el", "para", "asunto", "fecha",
    "responder a",
    "enviada", "enviada em", "enviado em", "assunto", "data", "responder para", "inviato", "a",
    "oggetto", "rispondi a",
    "verzonden", "aan", "onderwerp", "skickat", "till", "ämne", "kopia", "sendt", "til", "emne",
    "dato", "wysłano", "do",
    "dw", "temat", "odesláno", "komu", "předmět", "odoslané", "predmet", "отправлено", "кому",
    "тема", "дата",
    "копия", "надіслано", "kime", "konu", "tarih", "gönderildi", "lähetetty", "vastaanottaja",
    "aihe", "elküldve",
    "címzett", "tárgy", "发送时间", "收件人", "主题", "抄送", "日期", "送信日時", "宛先", "件名", "日時",
    "보낸 날짜", "받는 사람", "제목", "נשלח", "אל", "נושא", "إلى", "تاريخ", "الموضوع", "στάλθηκε", "προς",
    "θέμα",
    "trimis", "către", "subiect", "sendt den", "date d'envoi", "cci", "ccn", "cco", "copie à",
    "data wysłania",
  ]

  /// Which header a line is, such as `From: …` or `*Von:* …`; nil when it is none.
  static func header(_ line: ArraySlice<UInt8>) -> Role? {
    guard line.count <= 4_000 else { return nil }
    var head = line.prefix(40)
    while let first = head.first, first == 42 || first == 32 { head = head.dropFirst() }
    var end = head.firstIndex(of: 58)
    if let wide = wideColon(head), wide < (end ?? .max) { end = wide }
    guard let end, end > head.startIndex else { return nil }
    var name = head[..<end]
    while let last = name.last, last == 42 || last == 32 { name = name.dropLast() }
    // French puts a no-break space before its colon.
    if name.ends(with: "\u{A0}") { name = name.dropLast(2) }
    let text = String(decoding: name, as: UTF8.self).lowercased()
    if authors.contains(text) { return .author }
    return others.contains(text) ? .other : nil
  }

  static func startsHeader(_ line: ArraySlice<UInt8>) -> Bool { header(line) != nil }

  private static func wideColon(_ line: ArraySlice<UInt8>) -> Int? {
    line.indices.dropLast(2).first {
      line[$0] == 0xEF && line[$0 + 1] == 0xBC && line[$0 + 2] == 0x9A
    }
  }

  private static let originals: Set<String> = [
    "original message", "ursprüngliche nachricht", "ursprüngliche mail", "originalnachricht",
    "message d'origine",
    "message original", "mensaje original", "messaggio originale", "oorspronkelijk bericht",
    "mensagem original",
    "originalmeddelande", "ursprungligt meddelande", "opprinnelig melding", "oprindelig meddelelse",
    "original meddelelse", "oprindelig besked", "alkuperäinen viesti", "wiadomość oryginalna",
    "oryginalna wiadomość", "původní zpráva", "pôvodná správa", "eredeti üzenet",
    "исходное сообщение",
    "пересылаемое сообщение", "оригінальне повідомлення", "özgün ileti", "orijinal mesaj", "原始邮件",
    "原始郵件", "元のメッセージ", "원본 메시지", "reply message", "original appointment", "reply above this line",
    "missatge original", "original email",
  ]
  private static let forwards: Set<String> = [
    "forwarded message", "begin forwarded message", "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré", "début du message réexpédié", "début du message transféré",
    "mensaje reenviado",
    "inicio del mensaje reenviado", "messaggio inoltrato", "inizio messaggio inoltrato",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht", "mensagem encaminhada", "início da mensagem reencaminhada",
    "vidarebefordrat meddelande", "vidarebefordrat brev", "videresendt melding",
    "videresendt meddelelse",
    "videresendt besked", "välitetty viesti", "wiadomość przekazana", "przekazana wiadomość",
    "přeposlaná zpráva", "preposlaná správa", "továbbított üzenet", "пересылаемое сообщение",
    "переадресоване повідомлення", "iletilen ileti", "yönlendirilmiş ileti", "转发的邮件", "轉寄郵件",
    "転送メッセージ", "전달된 메시지", "forwarded by", "fwd",
  ]

  /// False for "-----Original Message-----", true for "----- Forwarded message -----", nil for
  /// other lines.
  static func original(_ line: ArraySlice<UInt8>) -> Bool? {
    guard line.count <= 160 else { return nil }
    var inner = line
    while let first = inner.first,
      first == 45 || first == 95 || first == 32 || first == 42 || first == 61
    {
      inner = inner.dropFirst()
    }
    let dashes = line.count - inner.count
    guard dashes >= 3 || line.last == 58 else { return nil }
    while let last = inner.last, last == 58 || isRuleByte(last) { inner = inner.dropLast() }
    guard !inner.isEmpty, inner.count <= 90 else { return nil }
    let text = String(decoding: inner, as: UTF8.self).lowercased()
    if dashes >= 3, originals.contains(text) { return false }
    if forwards.contains(text), dashes >= 3 || line.last == 58 { return true }
    if dashes >= 3, text.hasPrefix("forwarded by ") || text.hasPrefix("forwarded message from ") {
      return true
    }
    return nil
  }
}
