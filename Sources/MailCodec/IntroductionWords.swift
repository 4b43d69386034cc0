/// The words that introductions of quotes are made of, by language.
enum IntroductionWords {
  /// Begin an introduction, or stand before its day.
  static let openers: Set<String> = [
    "on", "at", "le", "am", "el", "il", "em", "no", "a", "de", "op", "den", "på", "kl", "dnia", "w",
    "dne", "dňa", "dana", "v", "в", "у", "на", "la", "pe", "în", "ob", "στις", "vào", "lúc", "ngày",
    "pada", "on:", "op:", "בתאריך", "ביום", "في", "در", "ที่", "เมื่อ", "เมื่อวันที่", "ในวันที่",
  ]

  /// The same where the language joins them to what follows.
  static let prefixes = ["在", "于", "於", "ב-"]

  /// Begin one that names its author first: `Wiadomość napisana przez Ann …`.
  static let nouns: Set<String> = [
    "wiadomość", "kontakt", "lietotājs", "missatge", "zitat", "quoting",
  ]

  /// Days of the week, whole and as mail programs shorten them.
  static let days: Set<String> = [
    // English, German, Dutch
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday",
    "friday", "saturday", "sunday", "mo", "di", "mi", "do", "fr", "sa", "so", "montag", "dienstag",
    "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "ma", "wo", "vr", "za", "zo",
    "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag",
    // French, Italian, Spanish, Portuguese, Catalan, Romanian
    "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "lundi", "mardi", "mercredi", "jeudi",
    "vendredi", "samedi", "dimanche", "gio", "sab", "dom", "lunedì", "martedì", "mercoledì",
    "giovedì", "venerdì", "sabato", "domenica", "mié", "mie", "jue", "vie", "sáb", "lunes",
    "martes",
    "miércoles", "jueves", "viernes", "sábado", "domingo", "seg", "ter", "qua", "qui", "sex",
    "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "segunda",
    "terça", "quarta", "quinta", "sexta", "dl", "dt", "dc", "dj", "dv", "ds", "dg", "joi", "vin",
    "sâm", "luni", "marți", "miercuri", "vineri", "sâmbătă", "duminică",
    // Scandinavian languages, Finnish, Estonian
    "mån", "tis", "ons", "tors", "tor", "fre", "lör", "sön", "man", "tir", "tirs", "lør", "søn",
    "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag", "mandag", "tirsdag",
    "lørdag", "søndag", "ti", "ke", "to", "pe", "la", "su", "maanantai", "tiistai", "keskiviikko",
    "torstai", "perjantai", "lauantai", "sunnuntai", "e", "t", "k", "n", "r", "l", "p",
    "mán", "þri", "mið", "fim", "fös", "lau",
    // Polish, Czech, Slovak, Slovenian, Croatian, Serbian
    "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "poniedziałek", "wtorek", "środa", "czwartek",
    "piątek", "sobota", "niedziela", "po", "út", "st", "čt", "pá", "so", "ne", "pondělí", "úterý",
    "středa", "čtvrtek", "pátek", "neděle", "ut", "št", "pi", "pondelok", "utorok", "streda",
    "štvrtok", "piatok", "nedeľa", "tor", "sre", "čet", "pet", "ned", "uto", "sri", "sub", "pon",
    // Russian, Ukrainian, Bulgarian, Serbian
    "пн", "вт", "ср", "чт", "пт", "сб", "вс", "понедельник", "вторник", "среда", "четверг",
    "пятница", "суббота", "воскресенье", "нд", "понеділок", "вівторок", "середа", "четвер",
    "п'ятниця", "пʼятниця", "субота", "неділя", "нед", "пон", "уто", "сре", "чет", "пет", "суб",
    // Hungarian, Turkish, Greek, Lithuanian, Latvian, Vietnamese, Indonesian
    "h", "k", "sze", "cs", "szo", "v", "pzt", "sal", "çar", "per", "cum", "cmt", "paz", "δευ",
    "τρί",
    "τετ", "πέμ", "παρ", "σάβ", "κυρ", "pr", "an", "tr", "kt", "pn", "št", "sk", "pirmd", "otrd",
    "trešd", "ceturtd", "piektd", "sestd", "svētd", "th", "cn", "sen", "sel", "rab", "kam", "jum",
    "min",
  ]

  /// The first word of a line in small letters, without the full stop of a shortened one.
  static func first(_ line: ArraySlice<UInt8>) -> String {
    var word = line.prefix(40).split(whereSeparator: { $0 == 32 || $0 == 44 }).first ?? []
    while let last = word.last, last == 46 { word = word.dropLast() }
    return String(decoding: word, as: UTF8.self).lowercased()
  }

  /// "wrote" as mail programs say it.
  private static let verbs: [[UInt8]] = [
    "wrote", "writes", "sent", "a écrit", "à écrit", "écrivait", "écrit", "schrieb",
    "hat geschrieben", "geschrieben", "escribió", "escribio", "escribiste", "escribieron",
    "ha escrito",
    "escreveu",
    "ha scritto", "scrisse", "scritto", "schreef", "geschreven", "skrev", "skrev følgende",
    "skrev följande", "skrifaði", "kirjoitti", "napisał", "napisała", "napisał(a)", "napisał/a",
    "napisana przez", "pisze", "napsal", "napsala", "napsal(a)", "napísal", "napísala",
    "napísal(a)", "píše", "írta", "ezt írta", "написал", "написал(а)", "написал(-а)", "написала",
    "написали", "пишет",
    "пише", "написав", "написав(-ла)", "написала(в)", "написа", "написао", "написао/ла", "yazdı",
    "şunu yazdı", "şunları yazdı", "a scris", "va escriure", "ha escrit", "έγραψε", "đã viết",
    "viết", "menulis", "napisao", "napisao/la", "napisala", "napisao je", "napisala je",
    "je napisao", "je napisala",
    "je napisal", "je napisal/-a", "napisal", "idatzi du", "Missatge de", "Zitat von", "Quoting",
    "rakstīja", "rašė", "kirjutas", "写道",
    "寫道", "写", "來信", "来信", "のメール", "のメッセージ", "さんは書きました", "書きました", "作成", "님이 작성",
    "작성", "작성한 메시지", "님이 쓴 메시지", "เขียนว่า", "เขียน", "ने लिखा", "כתב", "כתב/ה", "כתבה", "כתב\u{200F}",
    "كتب", "كتب/كتبت", "كتبت", "نوشت",
  ].map { Array($0.utf8) }

  private static let verbsByFirst: [[[UInt8]]] = (0..<256).map { first in
    verbs.filter { $0.first.map(Int.init) == first }
  }

  static func verbs(startingWith byte: UInt8) -> [[UInt8]] { verbsByFirst[Int(byte)] }
}
