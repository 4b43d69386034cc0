/// Lines that a telephone or mail program adds: `Sent from my iPhone`.
enum ClientLines {
  static let bytesMax = 160

  static func matches(_ whole: ArraySlice<UInt8>) -> Bool {
    let line = LineForms.withoutTargets(whole)
    guard line.count <= bytesMax, line.count >= 6 else { return false }
    var inner = Introductions.plain(line)
    while let first = inner.first,
      first == 42 || first == 95 || first == 40 || first == 32
        || first == 60
    {
      inner = inner.dropFirst()
    }
    let text = Array(LowerCase.words(inner).utf8)
    if goesOn(text) { return false }
    if sure.begin(text[...]) { return true }
    // `Gesendet mit DHL` is somebody's own: what sent it must be a program or a device.
    var ended = text[...]
    while let last = ended.last, last == 46 || last == 32 || last == 33 || last == 42 {
      ended = ended.dropLast()
    }
    let isOne = openings.begin(text[...]) || endings.contains { ended.ends(with: $0) }
    return isOne && (devices.stand(in: text[...]) || namesSender(text))
  }

  /// `Sent from my iPhone, please excuse typos. The lamp is dark.`: the last sentence is its writer's.
  private static func goesOn(_ text: [UInt8]) -> Bool {
    let ends = text.indices.dropLast().dropFirst(6).last {
      [33, 46, 63].contains(text[$0]) && text[$0 + 1] == 32
    }
    guard let end = ends else { return false }
    let last = text[(end + 1)...]
    return last.split(separator: 32).count >= 3 && !apologies.stand(in: last)
      && !devices.stand(in: last) && !namesSender(Array(last))
  }

  /// What people set behind it once and for all.
  private static let apologies = Phrases([
    "excuse", "excus", "typo", "brevity", "brief", "mistake", "error", "spelling", "autocorrect",
    "pardon", "sorry", "entschuldig", "tippfehler", "kürze", "kurz", "faute", "scus", "disculp",
    "desculp", "erros", "errori", "beknopt", "printing", "print this", "environment", "umwelt",
    "get the app",
  ])

  private static let sure = Phrases([
    "sent from my ", "sent from outlook", "sent from mail for ", "get outlook for ",
    "get [outlook for ", "get bluemail for ", "télécharger outlook pour ",
    "obtenez outlook pour ", "obtenir outlook pour ", "obtener outlook para ",
    "obter o outlook para ", "obtenha o outlook para ", "scarica outlook per ",
    "ottieni outlook per ", "outlook für ", "holen sie sich outlook", "download outlook voor ",
    "outlook voor ", "pobierz outlook", "pobierz program outlook", "hämta outlook för ",
    "hent outlook ", "skaff deg outlook ", "få outlook ", "lataa outlook", "hanki outlook",
    "получить outlook", "скачать outlook", "отримати outlook", "получите outlook",
    "získat outlook", "získajte outlook", "outlook beszerzése", "outlook letöltése",
    "baixar o outlook para ", "pobierz aplikację outlook", "ios 版の outlook", "android 版の outlook",
    "yahoo mail: ", "ios için outlook", "android için outlook", "iphone için outlook",
    "outlook for ios",
    "outlook for android",
    "diese nachricht wurde von mein", "von meinem iphone", "von meinem ipad", "typed on ",
    "from my iphone", "from my ipad", "from my android", "from my blackberry",
  ])

  private static let openings = Phrases([
    // English
    "sent from ", "sent via ", "sent with ", "sent using ", "sent through ", "sent by ",
    "composed on ", "written on ",
    // German, Dutch
    "von mein", "von unterwegs", "gesendet von ", "gesendet mit ", "gesendet aus ",
    "gesendet über ", "gesendet vom ", "verschickt mit ", "diese mail wurde ", "verzonden vanaf ",
    "verzonden vanuit ", "verzonden met ", "verzonden via ", "verstuurd vanaf ", "verstuurd via ",
    "verstuurd met ",
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
    "wysłane z ", "wysłano z ", "wysłane przez ", "wysłano przez ", "wysłane za ", "odesláno z ",
    "odesláno pomocí ", "odoslané z ", "odoslané pomocou ", "отправлено с ", "отправлено из ",
    "отправлено через ", "отправлено со ", "отправлено от ", "надіслано з ", "надіслано із ",
    "надіслано через ", "відправлено з ", "изпратено от ", "изпратено с ", "poslano s ",
    "poslano sa ", "poslano iz ", "poslano z ", "послато са ", "послато с ",
    // Hungarian, Turkish, Greek, Vietnamese, Indonesian, Thai
    "elküldve ", "elküldve az ", "küldve ", "gönderen: ", "στάλθηκε από ", "στάλθηκε με ",
    "được gửi từ ", "đã gửi từ ", "gửi từ ", "dikirim dari ", "ส่งจาก",
    // Chinese, Japanese, Korean
    "发自", "發自", "从我的", "從我的", "来自", "來自", "由我的", "通过", "获取", "下载", "取得", "下載", "我的 iphone",
    "我的 ipad",
    "나의 ", "내 ", "[ios용", "[android용",
    // Hebrew, Arabic, Persian
    "נשלח מ", "שולח מ", "أُرسلت من", "أرسلت من", "تم الإرسال من", "أرسل من", "مرسل من",
    "ارسال شده از",
  ])

  private static let endings: [String] = [
    "gesendet", "verzonden", "verstuurd", "gönderildi", "küldve", "küldött üzenet", "から送信",
    "から送信されました", "より送信", "发送", "傳送", "送出", "에서 보냄", "에서 보낸 메일", "에서 전송",
  ]

  /// Whether one of the short names of programs and devices stands there as a word.
  private static func namesSender(_ text: [UInt8]) -> Bool {
    String(decoding: text, as: UTF8.self).split { !$0.isLetter && !$0.isNumber }
      .contains { words.contains(String($0)) }
  }

  private static let devices = Phrases([
    "iphon", "ipad", "ipod", "android", "blackberry", "mobil", "smartphone", "phone", "telefon",
    "téléphone", "teléfono", "telefono", "telefoon", "móvil", "movil", "movistar", "galaxy",
    "samsung", "huawei", "honor ", "xiaomi", "redmi", "oneplus", "nokia", "xperia",
    "motorola", "windows", "outlook", "hotmail", "yahoo", "gmail", "proton", "thunderbird",
    "bluemail", "airmail", "mailbird", "fairemail", "tutanota", "tuta ", "edison", "mailspring",
    "mail app", "mail-app", "mail.ru", "mail.com", "web.de", "windows mail", "zoho", "mailbox",
    "roundcube", "webmail", "tablet", "device", "gerät", "appareil", "dispositivo", "urządzeni",
    "zařízen", "apparaat", "enhed", "puhelim", "laite", "telefón", "телефон", "смартфон", "айфон",
    "мобиль", "мобіль", "устройств", "пристро", "яндекс", "почт", "пошт", "κινητ", "手机", "手機",
    "携帯", "邮箱", "郵件", "휴대", "모바일", "טלפון", "נייד", "الجوال", "هاتف", "điện thoại", "โทรศัพท์",
    "ponsel", "sparrow",
  ])

  private static let words: Set<String> = [
    "app", "pixel", "handy", "portable", "cellulare", "cell", "aol", "gmx", "htc", "lg", "zte",
    "wiko", "spark",
    "nine", "k", "k9", "mac", "pc", "ios", "ipados", "hey", "superhuman", "canary", "eudora",
    "pegasus",
    "komórki", "komórka", "galaxy", "freenet", "orange", "sfr", "laposte", "libero", "virgilio",
  ]
}
