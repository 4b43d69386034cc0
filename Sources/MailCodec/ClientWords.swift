/// The words that lines of telephones and mail programs are made of, and nothing else is.
enum ClientWords {
  /// Whether each word of a line, in small letters, is one of them, and one a device or program.
  static func areAll(_ text: String) -> Bool {
    var namesSender = false
    for word in text.split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
      switch kind(word) {
      case .sender: namesSender = true
      case .filler: break
      case nil: return false
      }
    }
    return namesSender
  }

  /// Whether a word is one of them.
  static func isKnown(_ word: Substring) -> Bool {
    let parts = word.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber })
    return !parts.isEmpty && parts.allSatisfy { kind($0) != nil }
  }

  /// A line, in small letters, without the apology that people set behind it once and for all: `please
  /// excuse typos`. Nil where what is like one says something else.
  static func withoutApology(_ text: String) -> String? {
    let words = text.split(whereSeparator: { !$0.isLetter && !$0.isNumber })
    // Who sent it stands before it.
    guard let sender = words.firstIndex(where: { kind($0) == .sender }),
      let first = words[sender...].firstIndex(where: { apologyStarts.contains(String($0)) })
    else { return text }
    let apology = words[first...].map(String.init)
    guard apology.contains(where: apologyObjects.contains),
      apology.allSatisfy({
        apologyStarts.contains($0) || apologyObjects.contains($0) || apologyWords.contains($0)
      })
    else { return nil }
    var said = text[..<words[first].startIndex]
    while let last = said.last, !last.isLetter, !last.isNumber { said.removeLast() }
    return String(said)
  }

  /// Whether a line offers Outlook for a system, rather than asking where to get it: `Outlook for iOS`,
  /// `iOS 版の Outlook`.
  static func offersOutlook(_ text: String) -> Bool {
    let words = text.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
    guard let at = words.firstIndex(where: { $0.hasPrefix("outlook") }) else { return false }
    func isSystem(_ word: String?) -> Bool {
      word.map { word in systems.contains { word.hasPrefix($0) } } ?? false
    }
    return isSystem(words[(at + 1)...].first { !outlookJoints.contains($0) })
      || isSystem(words[..<at].last { !outlookJoints.contains($0) })
  }

  private static let systems = ["ios", "ipados", "android", "mac", "windows"]
  private static let outlookJoints: Set<String> = [
    "for", "für", "pour", "para", "per", "voor", "för", "til", "till", "для", "dla", "systemu",
    "system", "pentru", "pro", "pre", "için", "o", "版", "版の", "用",
  ]

  /// Begin an apology.
  private static let apologyStarts: Set<String> = [
    "please", "pls", "kindly", "excuse", "pardon", "forgive", "sorry", "apologies", "apologise",
    "apologize", "i", "so", "this", "may", "bitte", "entschuldigen", "entschuldige",
    "entschuldigt", "veuillez", "disculpa", "disculpe", "disculpen", "perdona", "por", "scusa",
    "scusate", "desculpe", "desculpem", "excuses", "excuseer", "ignore",
  ]
  /// What is apologised for. One mistake is rather an order's.
  private static let apologyObjects: Set<String> = [
    "typo", "typos", "typing", "errors", "mistakes", "spelling", "grammar", "autocorrect",
    "brevity", "brief", "short", "fingers", "kürze", "kurze", "tippfehler", "fehler",
    "rechtschreibfehler", "brièveté", "concision", "fautes", "errores", "brevedad", "errori",
    "brevità", "erros", "brevidade", "typefouten", "typfouten", "tikfouten", "beknoptheid",
  ]
  private static let apologyWords: Set<String> = [
    "any", "all", "for", "the", "my", "and", "or", "of", "to", "in", "on", "contain", "error",
    "mistake", "auto", "correct", "correction", "grammatical", "fat", "message", "email", "die",
    "der", "meine", "knappe", "sie", "etwaige", "eventuelle", "mögliche", "und", "excuser", "la",
    "les", "le", "ma", "de", "frappe", "éventuelles", "favor", "mi", "mis", "los", "el", "gli", "i",
    "la", "mia", "os", "minha", "a", "mijn", "voor", "eventuele",
  ]

  private enum Kind { case filler, sender }

  private static func kind(_ word: Substring) -> Kind? {
    if senders.contains(String(word)) { return .sender }
    if fillers.contains(String(word)) || isModel(word) { return .filler }
    if word.unicodeScalars.contains(where: isJoining) { return kind(ofJoined: word) }
    return namesSender(word) ? .sender : nil
  }

  /// `mobiltelefon`, `iphonesta`, `smartfonu`: the name of a device, with what languages put to it.
  private static func namesSender(_ word: Substring) -> Bool {
    let bytes = Array(word.utf8)[...]
    guard bytes.count <= 32, let at = bytes.indices.first(where: { stems.begin(bytes[$0...]) })
    else { return false }
    return at <= 12
  }

  /// `s23`, `10`, `g991b`: which of a maker's devices.
  private static func isModel(_ word: Substring) -> Bool {
    let digits = word.utf8.count { $0 >= 48 && $0 <= 57 }
    return digits > 0 && word.utf8.count <= (digits == word.utf8.count ? 2 : 10)
  }

  /// Thai, and Japanese, Chinese and Korean: no blanks between words, or particles joined to them.
  private static func isJoining(_ scalar: Unicode.Scalar) -> Bool {
    (0xE00...0xE7F).contains(scalar.value) || (0x1100...0x11FF).contains(scalar.value)
      || scalar.value >= 0x2E80
  }

  /// Takes such a word apart from its front, the longest piece first.
  private static func kind(ofJoined word: Substring) -> Kind? {
    var found = Kind.filler
    var rest = word
    while let first = rest.unicodeScalars.first {
      guard isJoining(first) else {
        let plain = rest.prefix { !$0.unicodeScalars.contains(where: isJoining) }
        guard !plain.isEmpty, let one = kind(plain) else { return nil }
        if one == .sender { found = .sender }
        rest = rest[plain.endIndex...]
        continue
      }
      if let piece = joinedSenders.first(where: { rest.utf8.starts(with: $0.utf8) }) {
        found = .sender
        rest = Substring(rest.utf8.dropFirst(piece.utf8.count))
      } else if let piece = joinedFillers.first(where: { rest.utf8.starts(with: $0.utf8) }) {
        rest = Substring(rest.utf8.dropFirst(piece.utf8.count))
      } else {
        return nil
      }
    }
    return found
  }

  private static let stems = Phrases([
    "iphon", "ipad", "ipod", "android", "blackberry", "mobil", "smartphon", "smartfon",
    "smarttelefon",
    "fairphone", "telefon", "téléphon", "teléfono", "telefoon", "telefón", "móvil", "movil",
    "galaxy",
    "samsung", "huawei", "xiaomi", "oneplus", "xperia", "motorola", "outlook", "hotmail",
    "protonmail",
    "thunderbird", "bluemail", "airmail", "mailbird", "fairemail", "tutanota", "mailspring",
    "mymail",
    "roundcube", "webmail", "tablet", "apparaat", "apparat", "urządzeni", "zařízen", "zariaden",
    "puhelim", "puhelin", "laittee", "dispozitiv", "телефон", "смартфон", "айфон", "мобиль",
    "мобіль",
    "устройств", "пристро", "яндекс", "почт", "пошт", "планшет", "κινητ", "készülék", "okostelefon",
    "cihaz",
  ])

  private static let senders: Set<String> = [
    "app", "phone", "cellphone", "handset", "imac", "macbook", "surface", "typeapp", "rediffmail",
    "rediffmailng", "cell", "handheld", "device", "devices", "pixel", "nexus", "droid",
    "lumia", "moto", "honor", "redmi", "realme", "oppo", "vivo", "nokia", "sony", "htc", "lg",
    "zte",
    "wiko", "chromebook", "kindle", "windows", "yahoo", "gmail", "aol", "gmx", "proton", "tuta",
    "edison", "spark", "nine", "k", "k9", "mac", "pc", "ios", "ipados", "hey", "superhuman",
    "canary",
    "eudora", "pegasus", "zoho", "mailbox", "sparrow", "freenet", "orange", "sfr", "laposte",
    "libero",
    "virgilio", "movistar", "portable", "handy", "gerät", "appareil", "cellulare", "telefono",
    "telefone", "celular", "telemóvel", "dispositivo", "dispositiu", "toestel", "enhed", "enhet",
    "komórki", "komórka", "мобилен", "טלפון", "נייד", "הטלפון", "הנייד", "الجوال", "جوالي", "جهاز",
    "جهازي", "هاتفي", "الهاتف", "ponsel", "hp", "freenetmail",
  ]

  private static let fillers: Set<String> = [
    // English
    "sent", "from", "via", "with", "using", "through", "by", "composed", "written", "typed", "on",
    "get", "download", "my", "mine", "a", "an", "the", "our", "for", "of", "and", "or", "mail", "e",
    "email", "message", "secure", "encrypted", "free", "client", "application", "s", "t", "pro",
    "max",
    "plus", "mini", "ultra", "se", "xl", "lite", "note", "edge", "fold", "flip", "fe", "beta",
    "wireless",
    "network", "verizon", "vodafone", "telekom", "sprint", "at", "watch", "air", "smart", "aqua",
    "o2", "ee", "optus", "telstra", "metro", "boost", "bell", "rogers", "cellular", "xfinity",
    "connect", "capable", "bouygues", "telecom", "enjoy", "emails", "now", "powered", "google",
    "apple",
    "microsoft", "web", "ru", "go", "ad", "ii", "iii", "sm", "g", "nord", "fire",
    "evolution", "em", "claro", "boxer",
    "workspace", "2g", "3g", "4g", "5g", "lte", "one",
    "la", "los", "os", "die", "this",
    // German, Dutch
    "von", "vom", "meinem", "meiner", "meinen", "mein", "meine", "mit", "aus", "dem", "der", "den",
    "über", "auf", "für", "diese", "nachricht", "wurde", "gesendet", "geschickt", "verschickt",
    "und",
    "sicherer", "sichere", "mobilen", "unterwegs", "beziehen", "herunterladen", "holen", "sie",
    "sich",
    "verzonden", "verstuurd", "vanaf", "vanuit", "mijn", "met", "de", "het", "een", "voor", "dit",
    "bericht", "is", "deze", "beveiligde", "downloaden", "ophalen", "laden",
    // French, Spanish, Catalan, Portuguese, Italian, Romanian
    "envoyé", "depuis", "partir", "avec", "mon", "ma", "mes", "d", "l", "un", "une", "du", "le",
    "pour",
    "sur", "à", "messagerie", "sécurisée", "courrier", "courriel", "télécharger", "obtenez",
    "obtenir",
    "enviado", "enviada", "desde", "con", "través", "mediante", "por", "mi", "una", "el", "para",
    "correo", "electrónico", "seguro", "aplicación", "obtener", "obtén", "enviat", "des", "del",
    "meu",
    "amb", "do", "da", "com", "pelo", "minha", "um", "uma", "o", "aplicativo", "obter", "obtenha",
    "baixar", "inviato", "dal", "dalla", "tramite", "mio", "mia", "su", "per", "posta", "il",
    "usando", "en",
    "scarica", "ottieni", "trimis", "descărcați", "descărcaţi", "pentru", "pe", "din", "cu", "ul",
    "mea",
    // Scandinavian languages, Finnish, Estonian, Baltic languages
    "sendt", "fra", "med", "min", "mit", "mitt", "fran", "från", "för", "skickat", "skickades",
    "på", "till", "til",
    "et", "ett", "post", "hämta", "hent", "skaff", "deg", "få", "lähetetty", "minun", "lataa",
    "hanki", "lle", "versiosta",
    "saadetud", "minu", "ist", "lt", "nosūtīts", "no", "mana", "išsiųsta", "iš", "mano",
    "naudojant",
    // Slavic languages
    "wysłane", "wysłano", "z", "za", "przez", "mojego", "mojej", "pomocą", "dla", "systemu",
    "aplikacji", "aplikację", "aplikace", "aplikácie", "onet", "seznam", "program", "programu",
    "poczty", "poczta", "pošta", "u", "помощью", "pobierz", "odesláno", "odoslané",
    "mého", "mé", "môjho", "pomocí", "pomocou", "ze", "zo", "pro", "pre", "získat", "získajte",
    "отправлено", "из", "с", "со", "через", "от", "моего", "моей", "мой", "для", "на", "приложения",
    "получить", "скачать", "получите", "надіслано", "відправлено", "із", "з", "мого", "моєї",
    "отримати", "изпратено", "моя", "моето", "poslano", "sa", "iz", "mog", "mojeg", "mojega",
    "moga",
    "послато", "са", "мог",
    // Hungarian, Turkish, Greek, Vietnamese, Indonesian
    "elküldve", "küldve", "én", "ile", "küldött", "üzenet", "az", "om", "omról", "emről", "ról",
    "ről",
    "beszerzése", "letöltése", "gönderildi", "gönderen", "umdan", "dan", "den", "tan", "ten",
    "için",
    "edinin", "indirin", "akıllı", "uygulaması", "uygulamasını", "uygulamasından", "u",
    "alkalmazásból", "στάλθηκε", "από", "το", "τον", "μου", "με", "την", "για", "αποστολή", "được",
    "đã", "gửi", "từ",
    "của", "tôi", "cho", "dikirim", "dari", "di", "saya",
    // Hebrew, Arabic, Persian
    "נשלח", "שולח", "מ", "מה", "מן", "שלי", "أُرسلت", "أرسلت", "أرسل", "مرسل", "تم", "الإرسال", "من",
    "الـ", "ال", "ارسال", "شده", "از",
  ]

  private static let joinedSenders: [String] = [
    "手机", "手機", "携帯", "スマートフォン", "スマホ", "アイフォン", "邮箱", "郵箱", "邮件", "郵件", "客户端",
    "平板", "电脑", "電腦", "安卓", "電子郵件", "电子邮件", "小米", "华为", "荣耀", "三星", "苹果", "휴대폰", "휴대전화", "스마트폰",
    "모바일", "삼성", "앱", "아이폰", "갤럭시", "โทรศัพท์", "มือถือ",
  ]
  private static let joinedFillers: [String] = [
    "发自", "發自", "来自", "來自", "我的", "从", "從", "由", "通过", "使用", "发送", "發送", "傳送", "送出",
    "获取", "取得", "下载", "下載", "版", "的", "用", "网易", "新浪", "腾讯", "大师", "移动", "奇摩", "应用", "自", "メール",
    "네이버", "บน", "から", "より",
    "送信", "されました", "しました", "を", "入手", "の", "私", "에서", "으로", "로", "보냄", "보낸", "메일",
    "메시지", "입니다", "전송", "나의", "내", "용", "받기", "다운로드", "ส่งจาก", "ของ", "ฉัน",
  ]
}
