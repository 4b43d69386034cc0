/// The header of a quoted mail as mail programs write it into a body, in the language of their user:
/// `From: …`, `Sent: …`, `To: …`, `Subject: …`.
enum QuotedHeader: Equatable {
  case author, recipient, date, subject, other

  /// Which header a line is, such as `From: …` or `*Von:* …`; nil when it is none.
  static func role(_ line: ArraySlice<UInt8>) -> QuotedHeader? {
    guard let name = name(line) else { return nil }
    return roles[LowerCase.words(name)]
  }

  /// Which header a line names that stands above its value, without a colon, as in Lotus Notes.
  static func label(_ line: ArraySlice<UInt8>) -> QuotedHeader? {
    line.count <= 24 ? roles[LowerCase.words(line)] : nil
  }

  /// `| From | Ann <ann@home.example> |`, as NetEase's programs set a header, as `From: Ann …`.
  static func row(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard line.count <= 2_000 else { return nil }
    let cells = line.split(separator: 124, maxSplits: 2)
    guard cells.count >= 2, cells[0].count <= 48 else { return nil }
    let row = Array(MailLines.trim(cells[0])) + [58, 32] + MailLines.trim(cells[1])
    return row[...]
  }

  /// What stands before the colon, without the asterisks of bold type.
  private static func name(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var head = line.prefix(48)
    while let first = head.first, first == 42 || first == 32 { head = head.dropFirst() }
    var end = head.firstIndex(of: 58)
    if let wide = wideColon(head), wide < (end ?? .max) { end = wide }
    guard let end, end > head.startIndex else { return nil }
    var name = MailLines.trim(head[..<end])
    while let last = name.last, last == 42 || last == 32 { name = name.dropLast() }
    return name
  }

  private static func wideColon(_ line: ArraySlice<UInt8>) -> Int? {
    line.indices.dropLast(2).first {
      line[$0] == 0xEF && line[$0 + 1] == 0xBC && line[$0 + 2] == 0x9A
    }
  }

  /// Header names of Outlook, Apple Mail, Thunderbird, Gmail, Yahoo, HubSpot, GMX and Lotus Notes.
  private static let roles: [String: QuotedHeader] = {
    var roles: [String: QuotedHeader] = [:]
    for (role, names) in named { for name in names { roles[name] = role } }
    return roles
  }()

  private static let named: [(QuotedHeader, [String])] = [
    (
      .author,
      [
        "from", "von", "absender", "de", "expéditeur", "da", "mittente", "remitente", "remetente",
        "van", "afzender", "från", "avsändare", "fra", "afsender", "avsender", "lähettäjä", "od",
        "nadawca", "odesílatel", "odosielateľ", "feladó", "от", "от кого", "отправитель", "від",
        "від кого", "відправник", "kimden", "gönderen", "από", "de la", "expeditor", "expeditorul",
        "šalje", "pošiljatelj", "pošiljalac", "šalje", "saatja", "kellelt", "no", "nuo",
        "siuntėjas",
        "dari", "từ", "จาก", "发件人", "寄件者", "寄件人", "差出人", "送信元", "送信者", "보낸 사람", "보낸사람",
        "발신", "발신자", "מאת", "من", "از", "подател", "шаље",
      ]
    ),
    (
      .recipient,
      [
        "to", "an", "empfänger", "à", "pour", "destinataire", "a", "para", "destinatario",
        "destinatário", "aan", "ontvanger", "till", "mottagare", "til", "modtager", "vastaanottaja",
        "do", "adresat", "odbiorca", "komu", "príjemca", "pre", "címzett", "кому", "до",
        "получатель",
        "kime", "alıcı", "προς", "către", "destinatarul", "prima", "za", "primatelj", "saaja",
        "kellele", "kam", "kam:", "kepada", "đến", "tới", "ถึง", "收件人", "收件者", "宛先", "送信先",
        "받는 사람", "받는사람", "수신", "수신자", "אל", "ל", "إلى", "الى", "به", "до кого",
        "undisclosed-recipients",
      ]
    ),
    (
      .date,
      [
        "sent", "date", "sent on", "sent at", "received", "gesendet", "gesendet am", "datum",
        "envoyé", "envoyé le", "date d'envoi", "date d’envoi", "message du", "enviado",
        "enviado el", "enviados", "fecha", "enviada", "enviada em", "enviado em", "data", "inviato",
        "inviato il", "verzonden", "verzonden op", "skickat", "sendt", "sendt den", "dato",
        "lähetetty", "päivämäärä", "päiväys", "wysłano", "wysłane", "data wysłania", "odesláno",
        "odoslané", "odesláno dne", "dátum", "elküldve", "küldve", "отправлено", "дата",
        "дата отправки",
        "надіслано", "gönderildi", "gönderilen", "gönderme tarihi", "tarih", "στάλθηκε",
        "ημερομηνία",
        "trimis", "dată", "data trimiterii", "poslano", "saadetud", "kuupäev", "nosūtīts",
        "išsiųsta",
        "dikirim", "tanggal", "đã gửi", "ngày", "ส่ง", "วันที่", "发送时间", "发送日期", "寄件日期", "寄件時間",
        "日期", "时间", "時間", "送信日時", "日時", "日付", "보낸 날짜", "보낸날짜", "날짜", "נשלח", "תאריך",
        "تم الإرسال", "تاريخ الإرسال", "التاريخ", "تاريخ", "изпратено", "послато",
      ]
    ),
    (
      .subject,
      [
        "subject", "betreff", "thema", "objet", "sujet", "asunto", "assunto", "oggetto",
        "onderwerp",
        "ämne", "emne", "aihe", "temat", "předmět", "predmet", "vec", "tárgy", "тема", "konu",
        "θέμα",
        "subiect", "subiectul", "naslov", "teema", "tēma", "tema", "subjek", "chủ đề", "tiêu đề",
        "เรื่อง", "หัวเรื่อง", "主题", "主旨", "件名", "제목", "נושא", "الموضوع", "موضوع", "относно",
        "наслов",
      ]
    ),
    (
      .other,
      [
        "cc", "bcc", "reply-to", "importance", "attachments", "when", "where", "organization",
        "antwort an", "wichtigkeit", "priorität", "anlagen", "anhänge", "kopie", "kopie (cc)",
        "kopie an", "blindkopie", "répondre à", "importance", "pièces jointes", "copie à", "copie",
        "cci", "responder a", "responder para", "cco", "importancia", "prioridade",
        "datos adjuntos",
        "rispondi a", "ccn", "priorità", "allegati", "bijlagen", "bilagor", "kopia", "kopi",
        "kopio",
        "dw", "kopie", "kópia", "másolat", "másolatot kap", "копия", "копія", "bilgi", "κοιν.",
        "koopia",
        "抄送", "副本", "답장", "참조", "עותק", "نسخة",
      ]
    ),
  ]
}

/// What a block of such headers shows of itself.
struct QuotedHeaderBlock {
  /// In lines, from where it was looked for.
  var length = 0
  private var roles: [QuotedHeader] = []
  private var hasAddress = false
  private var hasMoment = false

  mutating func add(_ role: QuotedHeader, _ line: ArraySlice<UInt8>) {
    roles.append(role)
    if line.contains(64) { hasAddress = true }
    if role == .date, Introductions.time(line), Introductions.date(line) { hasMoment = true }
  }

  var isEmpty: Bool { roles.isEmpty }

  /// Under "Original Message" two are enough.
  var isBelowMarker: Bool {
    roles.count >= 2 && (roles.contains(.author) || roles.contains(.date))
  }

  /// Alone it must look like a mail's: `From: Berlin`, `To: Hamburg`, `Date: Monday` is a journey.
  var isMail: Bool {
    let names = roles.contains(.author) || roles.contains(.recipient)
    if roles.count == 2 { return names && hasAddress && hasMoment }
    return roles.count >= 3 && roles.contains(.author)
      && (hasAddress || roles.contains(.subject) && (roles.contains(.date) || hasMoment))
  }
}
