/// Lines that a telephone or mail program adds: `Sent from my iPhone`.
///
/// One is nothing but that: how it opens or ends, a device or program, and words of a closed list
/// (`ClientWords`). `From my iPhone I cannot log in` begins like one and goes on; it is somebody's.
enum ClientLines {
  static let bytesMax = 160

  static func matches(_ whole: ArraySlice<UInt8>) -> Bool {
    let line = LineForms.withoutTargets(whole)
    guard line.count <= bytesMax, line.count >= 6 else { return false }
    var inner = Introductions.plain(line)
    while let first = inner.first, [42, 95, 40, 32, 60, 91].contains(first) {
      inner = inner.dropFirst()
    }
    let text = withoutLinks(LowerCase.words(inner))
    var bytes = Array(text.utf8)[...]
    while let last = bytes.last, last == 46 || last == 32 || last == 33 || last == 42 || last == 95
    {
      bytes = bytes.dropLast()
    }
    guard bytes.last != 63, !bytes.ends(with: "？") else { return false }
    guard !slogans.contains(String(decoding: bytes, as: UTF8.self)) else { return true }
    guard let said = ClientWords.withoutApology(String(decoding: bytes, as: UTF8.self)) else {
      return false
    }
    return isOpened(Array(said.utf8)[...]) && ClientWords.areAll(said)
  }

  /// `Sent from my` and up to four words in which nothing is said: names, as far as letters tell,
  /// of devices that are not in `ClientWords`. Only where nothing follows the line in its paragraph;
  /// and a mail of nothing else is somebody's.
  static func mayNameDevice(_ whole: ArraySlice<UInt8>) -> Bool {
    let line = LineForms.withoutTargets(whole)
    guard line.count <= bytesMax, line.last != 63,
      line.dropFirst().first.map({ $0 >= 97 }) ?? false,
      possessives.begin(Array(LowerCase.words(line).utf8)[...])
    else { return false }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ")
    guard
      let opening = (2...5).last(where: { count in
        let head = words.prefix(count).joined(separator: " ").lowercased() + " "
        return ownerWords.contains(head)
      }), (1...4).contains(words.count - opening)
    else { return false }
    let names = words[opening...]
    return names.allSatisfy { word in
      let isNamed = word.utf8.contains { $0 >= 65 && $0 <= 90 || $0 >= 48 && $0 <= 57 }
      return isNamed || ClientWords.isKnown(word)
    }
      && names.dropLast().allSatisfy { word in
        // `U.S.` goes on, a sentence does not.
        guard let last = word.last, ".!?,:;".contains(last) else { return true }
        return last == "." && word.dropLast().contains(".")
      }
  }

  /// Whether a line begins or ends as these do, with what says that something was sent or can be had.
  private static func isOpened(_ text: ArraySlice<UInt8>) -> Bool {
    if openings.begin(text) || endings.contains(where: { text.ends(with: $0) }) { return true }
    if beginnings.begin(text), participles.contains(where: { text.ends(with: $0) }) { return true }
    guard offers.begin(text) || offered.contains(where: { text.ends(with: $0) }) else {
      return false
    }
    return ClientWords.offersOutlook(String(decoding: text, as: UTF8.self))
  }

  /// `Sent with [Proton Mail](https://proton.me/) secure email`, without the links' targets.
  private static func withoutLinks(_ text: String) -> String {
    guard text.contains("://") else { return text }
    return text.split(separator: " ").map { word in
      guard let scheme = word.firstRange(of: "://") else { return word }
      let opening = word[..<scheme.lowerBound].lastIndex { "(<[".contains($0) }
      return opening.map { word[..<$0] } ?? ""
    }.joined(separator: " ")
  }

  /// Whole lines of them, in small letters.
  private static let slogans: Set<String> = [
    "yahoo mail: search, organize, conquer", "von unterwegs gesendet", "sent on the go",
  ]

  /// Each says that something was sent.
  private static let openings = Phrases([
    // English
    "sent from ", "sent via ", "sent with ", "sent using ", "sent through ", "sent by ",
    "composed on ", "written on ", "typed on ", "get bluemail for ",
    // German, Dutch
    "gesendet von ", "gesendet mit ", "gesendet aus ", "gesendet über ", "gesendet vom ",
    "verschickt mit ", "verzonden vanaf ", "verzonden vanuit ", "verzonden met ", "verzonden via ",
    "verstuurd vanaf ", "verstuurd via ", "verstuurd met ",
    // French, Spanish, Catalan, Portuguese, Italian, Romanian
    "envoyé de ", "envoyé depuis ", "envoyé à partir ", "envoyé avec ", "envoyé via ",
    "envoyé d'", "envoyé d’", "enviado desde ", "enviado con ", "enviado a través ",
    "enviado mediante ", "enviado por ", "enviado do ", "enviado de ", "enviado a partir ",
    "enviado com ", "enviado pelo ", "enviado via ", "enviada do ", "enviada de ", "enviat des ",
    "inviato da", "inviato con ", "inviato tramite ", "trimis de pe ", "trimis din ", "trimis cu ",
    // Scandinavian languages, Finnish, Estonian, Baltic languages
    "sendt fra ", "sendt med ", "sendt via ", "skickat från ", "skickat fran ", "skickat med ",
    "skickades från ", "skickat via ", "lähetetty ", "saadetud ", "nosūtīts no ", "išsiųsta iš ",
    "išsiųsta naudojant ",
    // Slavic languages
    "wysłane z ", "wysłane ze ", "wysłano ze ", "wysłano z ", "wysłane przez ", "wysłano przez ",
    "wysłane za ", "odesláno z ", "odesláno ze ",
    "odesláno pomocí ", "odoslané z ", "odoslané zo ", "odoslané pomocou ", "отправлено с ",
    "отправлено из ",
    "отправлено через ", "отправлено со ", "отправлено от ", "надіслано з ", "надіслано із ",
    "надіслано через ", "відправлено з ", "изпратено от ", "изпратено с ", "poslano s ",
    "poslano sa ", "poslano iz ", "poslano z ", "послато са ", "послато с ",
    // Hungarian, Turkish, Greek, Vietnamese, Indonesian, Thai
    "elküldve ", "küldve ", "gönderen: ", "στάλθηκε από ", "στάλθηκε με ", "αποστολή από ",
    "được gửi từ ",
    "đã gửi từ ", "gửi từ ", "dikirim dari ", "ส่งจาก",
    // Chinese, Hebrew, Arabic, Persian
    "发自", "發自", "发送自", "来自我的", "來自我的", "נשלח מ", "שולח מ", "أُرسلت من", "أرسلت من", "تم الإرسال من",
    "أرسل من", "مرسل من", "ارسال شده از",
  ])

  /// Not in German, where nouns look like names, and `von meinem` is `by my`, too.
  private static let ownerWords: Set<String> = [
    "sent from my ", "sent via my ", "verzonden vanaf mijn ", "verstuurd vanaf mijn ",
    "envoyé de mon ", "envoyé depuis mon ", "enviado desde mi ", "enviado do meu ",
    "enviado de meu ", "inviato dal mio ", "skickat från min ", "sendt fra min ", "sendt fra mit ",
    "wysłane z mojego ", "odesláno z mého ",
  ]
  private static let possessives = Phrases(Array(ownerWords))

  private static let endings: [String] = [
    "gönderildi", "küldve", "küldött üzenet", "から送信", "から送信されました", "より送信", "发送", "傳送",
    "送出", "에서 보냄", "에서 보낸 메일", "에서 전송",
  ]

  /// Where the verb stands last, what stands first tells `von meinem Telefon gesendet` from
  /// `mein Telefon gesendet`.
  private static let beginnings = Phrases([
    "von ", "vom ", "aus ", "mobil ", "mit ", "über ", "diese nachricht wurde ",
    "diese mail wurde ",
    "diese e-mail wurde ", "vanaf ", "vanuit ", "via ", "met ", "dit bericht is ",
    "deze e-mail is ",
  ])
  private static let participles = [
    "gesendet", "verschickt", "geschickt", "verzonden", "verstuurd",
  ]

  /// What Outlook's telephones say.
  private static let offers = Phrases([
    "get ", "télécharger ", "obtenez ", "obtenir ", "obtener ", "obtén ", "obter ", "obtenha ",
    "scarica ", "descărcați ", "descărcaţi ", "ottieni ", "holen sie sich ", "laden sie ",
    "download ", "pobierz ", "hämta ", "hent ",
    "skaff deg ", "få ", "lataa ", "hanki ", "получить ", "скачать ", "отримати ", "получите ",
    "získat ", "získajte ", "baixar ", "获取", "下载", "取得", "下載",
  ])
  private static let offered = [
    "beziehen", "herunterladen", "downloaden", "ophalen", "beszerzése", "letöltése", "を入手", "を取得",
    "edinin",
    "indirin", "下载", "下載", "받기", "다운로드",
  ]
}
