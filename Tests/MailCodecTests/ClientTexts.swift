/// How mail programs write what they add to a mail, by program and language. Written for these
/// tests, in the form that each program gives it.
enum ClientTexts {
  /// Who quotes an unmarked text under its introduction; the others mark each line.
  static func quotesUnmarked(_ name: String) -> Bool {
    !["tb-", "evolution", "mutt", "roundcube", "horde"].contains { name.hasPrefix($0) }
  }

  static let introductions: [(name: String, line: String)] = [
    ("gmail-en", "On Fri, Nov 27, 2026 at 10:00 AM Ann Lee <ann@home.example> wrote:"),
    ("gmail-en-nnbsp", "On Fri, Nov 27, 2026 at 10:00\u{202F}AM Ann Lee <ann@home.example> wrote:"),
    ("gmail-gb", "On Fri, 27 Nov 2026 at 10:00, Ann Lee <ann@home.example> wrote:"),
    ("gmail-de", "Am Fr., 27. Nov. 2026 um 10:00 Uhr schrieb Ann Lee <ann@home.example>:"),
    ("gmail-de-old", "Ann Lee <ann@home.example> schrieb am Fr., 27. Nov. 2026, 10:00:"),
    ("gmail-fr", "Le ven. 27 nov. 2026 à 10:00, Ann Lee <ann@home.example> a écrit :"),
    ("gmail-es", "El vie, 27 nov 2026 a las 10:00, Ann Lee (<ann@home.example>) escribió:"),
    ("gmail-it", "Il giorno ven 27 nov 2026 alle ore 10:00 Ann Lee <ann@home.example> ha scritto:"),
    ("gmail-it2", "Il ven 27 nov 2026, 10:00 Ann Lee <ann@home.example> ha scritto:"),
    ("gmail-pt-br", "Em sex., 27 de nov. de 2026 às 10:00, Ann Lee <ann@home.example> escreveu:"),
    ("gmail-pt", "Ann Lee <ann@home.example> escreveu (sexta, 27/11/2026 à(s) 10:00):"),
    ("gmail-nl", "Op vr 27 nov 2026 om 10:00 schreef Ann Lee <ann@home.example>:"),
    ("gmail-pl", "pt., 27 lis 2026 o 10:00 Ann Lee <ann@home.example> napisał(a):"),
    ("gmail-ru", "пт, 27 нояб. 2026 г. в 10:00, Ann Lee <ann@home.example>:"),
    ("gmail-uk", "пт, 27 лист. 2026 р. о 10:00 Ann Lee <ann@home.example> пише:"),
    ("gmail-cs", "pá 27. 11. 2026 v 10:00 odesílatel Ann Lee <ann@home.example> napsal:"),
    ("gmail-sk", "pi 27. 11. 2026 o 10:00 Ann Lee <ann@home.example> napísal(a):"),
    ("gmail-sv", "Den fre 27 nov. 2026 kl 10:00 skrev Ann Lee <ann@home.example>:"),
    ("gmail-da", "Den fre. 27. nov. 2026 kl. 10.00 skrev Ann Lee <ann@home.example>:"),
    ("gmail-no", "fre. 27. nov. 2026 kl. 10:00 skrev Ann Lee <ann@home.example>:"),
    ("gmail-fi", "pe 27. marrask. 2026 klo 10.00 Ann Lee (ann@home.example) kirjoitti:"),
    ("gmail-tr", "Ann Lee <ann@home.example>, 27 Kas 2026 Cum, 10:00 tarihinde şunu yazdı:"),
    ("gmail-ja", "2026年11月27日(金) 10:00 Ann Lee <ann@home.example>:"),
    ("gmail-zh", "Ann Lee <ann@home.example> 于2026年11月27日周五 10:00写道："),
    ("gmail-zh-tw", "Ann Lee <ann@home.example> 於 2026年11月27日 週五 上午10:00寫道："),
    ("gmail-ko", "2026년 11월 27일 (금) 오전 10:00, Ann Lee <ann@home.example>님이 작성:"),
    ("gmail-hu", "Ann Lee <ann@home.example> ezt írta (időpont: 2026. nov. 27., P, 10:00):"),
    ("gmail-ro", "vin., 27 nov. 2026 la 10:00, Ann Lee <ann@home.example> a scris:"),
    ("gmail-el", "Στις Παρ 27 Νοε 2026 στις 10:00 π.μ., ο/η Ann Lee <ann@home.example> έγραψε:"),
    ("gmail-bg", "На пт, 27.11.2026 г. в 10:00 Ann Lee <ann@home.example> написа:"),
    ("gmail-hr", "pet, 27. stu 2026. u 10:00 Ann Lee <ann@home.example> napisao je:"),
    ("gmail-sl", "V V pet., 27. nov. 2026 ob 10:00 je oseba Ann Lee <ann@home.example> napisala:"),
    ("gmail-sr", "пет, 27. нов 2026. у 10:00 Ann Lee <ann@home.example> је написао/ла:"),
    ("gmail-lt", "2026-11-27, pn, 10:00 Ann Lee <ann@home.example> rašė:"),
    (
      "gmail-lv",
      "piektd., 2026. g. 27. nov., plkst. 10:00 — lietotājs Ann Lee (<ann@home.example>) rakstīja:"
    ),
    (
      "gmail-et",
      "Kontakt Ann Lee (<ann@home.example>) kirjutas kuupäeval R, 27. november 2026 kell 10:00:"
    ),
    ("gmail-vi", "Vào Th 6, 27 thg 11, 2026 vào lúc 10:00 Ann Lee <ann@home.example> đã viết:"),
    ("gmail-id", "Pada tanggal Jum, 27 Nov 2026 pukul 10.00 Ann Lee <ann@home.example> menulis:"),
    ("gmail-th", "ในวันที่ ศ. 27 พ.ย. 2026 เวลา 10:00 Ann Lee <ann@home.example> เขียนว่า:"),
    (
      "gmail-he",
      "\u{202B}\u{202A}ב-יום ו׳, 27 בנוב׳ 2026 ב-10:00 מאת \u{202A}Ann Lee\u{202C}\u{200F} <\u{202A}ann@home.example\u{202C}\u{200F}>:\u{202C}"
    ),
    (
      "gmail-ar",
      "في الجمعة، ٢٧ نوفمبر ٢٠٢٦ في ١٠:٠٠ ص تمت كتابة ما يلي بواسطة \u{202A}Ann Lee\u{202C}\u{200F} <\u{202A}ann@home.example\u{202C}\u{200F}>:"
    ),
    (
      "gmail-ca", "Missatge de Ann Lee <ann@home.example> del dia dv., 27 de nov. 2026 a les 10:00:"
    ),
    ("gmail-is", "fös., 27. nóv. 2026 kl. 10:00 skrifaði Ann Lee <ann@home.example>:"),
    ("apple-en", "On Nov 27, 2026, at 10:00 AM, Ann Lee <ann@home.example> wrote:"),
    ("apple-gb", "On 27 Nov 2026, at 10:00, Ann Lee <ann@home.example> wrote:"),
    ("apple-de", "Am 27.11.2026 um 10:00 schrieb Ann Lee <ann@home.example>:"),
    ("apple-fr", "Le 27 nov. 2026 à 10:00, Ann Lee <ann@home.example> a écrit :"),
    ("apple-es", "El 27 nov 2026, a las 10:00, Ann Lee <ann@home.example> escribió:"),
    ("apple-it", "Il giorno 27 nov 2026, alle ore 10:00, Ann Lee <ann@home.example> ha scritto:"),
    ("apple-pt", "No dia 27/11/2026, às 10:00, Ann Lee <ann@home.example> escreveu:"),
    ("apple-br", "Em 27 de nov. de 2026, à(s) 10:00, Ann Lee <ann@home.example> escreveu:"),
    (
      "apple-nl",
      "Op 27 nov. 2026, om 10:00 heeft Ann Lee <ann@home.example> het volgende geschreven:"
    ),
    (
      "apple-pl",
      "Wiadomość napisana przez Ann Lee <ann@home.example> w dniu 27 lis 2026, o godz. 10:00:"
    ),
    ("apple-ru", "27 нояб. 2026 г., в 10:00, Ann Lee <ann@home.example> написал(а):"),
    ("apple-uk", "27 лист. 2026 р. о 10:00 Ann Lee <ann@home.example> пише:"),
    ("apple-cs", "27. 11. 2026 v 10:00, Ann Lee <ann@home.example>:"),
    ("apple-sv", "27 nov. 2026 kl. 10:00 skrev Ann Lee <ann@home.example>:"),
    ("apple-da", "Den 27. nov. 2026 kl. 10.00 skrev Ann Lee <ann@home.example>:"),
    ("apple-fi", "Ann Lee <ann@home.example> kirjoitti 27.11.2026 kello 10.00:"),
    ("apple-tr", "Ann Lee <ann@home.example> şunları yazdı (27 Kas 2026 10:00):"),
    ("apple-ja", "2026/11/27 10:00、Ann Lee <ann@home.example>のメール:"),
    ("apple-zh", "在 2026年11月27日，上午10:00，Ann Lee <ann@home.example> 写道："),
    ("apple-zh-tw", "Ann Lee <ann@home.example> 於 2026年11月27日 上午10:00 寫道："),
    ("apple-ko", "2026. 11. 27. 오전 10:00, Ann Lee <ann@home.example> 작성:"),
    ("apple-hu", "Ann Lee <ann@home.example> írta (2026. nov. 27., 10:00):"),
    (
      "apple-ar",
      "في ٢٧\u{200F}/١١\u{200F}/٢٠٢٦، الساعة ١٠:٠٠ ص، كتب/كتبت Ann Lee <ann@home.example>:"
    ),
    ("apple-he", "\u{200F}ב-27 בנוב׳ 2026, בשעה 10:00, \u{200F}Ann Lee <ann@home.example> כתב/ה:"),
    ("apple-th", "เมื่อวันที่ 27 พ.ย. 2569 10:00 Ann Lee <ann@home.example> เขียนว่า:"),
    ("apple-id", "Pada 27 Nov 2026, pukul 10.00, Ann Lee <ann@home.example> menulis:"),
    ("apple-vi", "Vào 10:00, 27 thg 11, 2026, Ann Lee <ann@home.example> đã viết:"),
    ("apple-el", "Στις 27 Νοε 2026, 10:00, ο χρήστης Ann Lee <ann@home.example> έγραψε:"),
    ("apple-ro", "Pe 27 nov. 2026, la 10:00, Ann Lee <ann@home.example> a scris:"),
    ("apple-ca", "El 27 nov. 2026, a les 10:00, Ann Lee <ann@home.example> va escriure:"),
    ("apple-hr", "Dana 27. stu 2026., u 10:00, Ann Lee <ann@home.example> je napisao:"),
    ("proton", "On Friday, November 27th, 2026 at 10:00 AM, Ann Lee <ann@home.example> wrote:"),
    ("proton-de", "Am Freitag, 27. November 2026 um 10:00, Ann Lee <ann@home.example> schrieb:"),
    ("proton-fr", "Le vendredi 27 novembre 2026 à 10:00, Ann Lee <ann@home.example> a écrit :"),
    (
      "proton-es",
      "El viernes, 27 de noviembre de 2026 a las 10:00, Ann Lee <ann@home.example> escribió:"
    ),
    ("proton-ru", "пятница, 27 ноября 2026 г. в 10:00, Ann Lee <ann@home.example> написал(-а):"),
    ("proton-pl", "piątek, 27 listopada 2026 o 10:00, Ann Lee <ann@home.example> napisał(a):"),
    ("proton-nl", "Op vrijdag 27 november 2026 om 10:00 schreef Ann Lee <ann@home.example>:"),
    (
      "yahoo-en",
      "On Friday, November 27, 2026 at 10:00:00 AM GMT+1, Ann Lee <ann@home.example> wrote:"
    ),
    (
      "yahoo-de",
      "Am Freitag, 27. November 2026 um 10:00:00 MEZ hat Ann Lee <ann@home.example> Folgendes geschrieben:"
    ),
    (
      "yahoo-fr",
      "Le vendredi 27 novembre 2026 à 10:00:00 UTC+1, Ann Lee <ann@home.example> a écrit :"
    ),
    (
      "yahoo-es",
      "El viernes, 27 de noviembre de 2026, 10:00:00 CET, Ann Lee <ann@home.example> escribió:"
    ),
    (
      "yahoo-it",
      "Il venerdì 27 novembre 2026 alle ore 10:00:00 CET, Ann Lee <ann@home.example> ha scritto:"
    ),
    (
      "yahoo-br",
      "Em sexta-feira, 27 de novembro de 2026 10:00:00 BRT, Ann Lee <ann@home.example> escreveu:"
    ),
    ("yahoo-ja", "2026年11月27日金曜日 10:00:00 JST、Ann Lee<ann@home.example>さんが書きました:"),
    ("thunderbird-gmx-app", "Am 27.11.26, 10:00 schrieb Ann Lee <ann@home.example>:"),
    ("gmx-app2", "Am 27.11.2026, 10:00, Ann Lee <ann@home.example> schrieb:"),
    ("zoho", "---- On Fri, 27 Nov 2026 10:00:00 +0100 Ann Lee <ann@home.example> wrote ----"),
    ("zoho2", " ---- On Fri, 27 Nov 2026 10:00:00 +0100 ann@home.example wrote ---- "),
    ("spark", "On 27 Nov 2026, 10:00 +0100, Ann Lee <ann@home.example>, wrote:"),
    ("mailru", "Пятница, 27 ноября 2026, 10:00 +03:00 от Ann Lee <ann@home.example>:"),
    ("mailru-old", "Fri, 27 Nov 2026 10:00:00 +0300 от Ann Lee <ann@home.example>:"),
    ("yandex", "27.11.2026, 10:00, \"Ann Lee\" <ann@home.example>:"),
    ("yandex-uk", "27.11.2026, 10:00, Ann Lee <ann@home.example>:"),
    ("k9", "On 27 November 2026 10:00:00 CET, Ann Lee <ann@home.example> wrote:"),
    ("k9-de", "Am 27. November 2026 10:00:00 MEZ schrieb Ann Lee <ann@home.example>:"),
    (
      "outlook-ios-old",
      "On Fri, Nov 27, 2026 at 10:00 AM +0100, \"Ann Lee\" <ann@home.example> wrote:"
    ),
    ("roundcube", "Am 2026-11-27 10:00, schrieb Ann Lee:"),
    ("roundcube-en", "On 2026-11-27 10:00, Ann Lee wrote:"),
    ("horde", "Zitat von Ann Lee <ann@home.example>:"),
    ("horde-en", "Quoting Ann Lee <ann@home.example>:"),
    ("evolution", "On Fri, 2026-11-27 at 10:00 +0100, Ann Lee wrote:"),
    ("evolution-de", "Am Freitag, dem 27.11.2026 um 10:00 +0100 schrieb Ann Lee:"),
    ("mutt", "On Fri, Nov 27, 2026 at 10:00:00AM +0100, Ann Lee wrote:"),
    ("tb-en", "On 11/27/26 10:00, Ann Lee wrote:"),
    ("tb-de", "Am 27.11.26 um 10:00 schrieb Ann Lee:"),
    ("tb-fr", "Le 27/11/2026 à 10:00, Ann Lee a écrit :"),
    ("tb-es", "El 27/11/26 a las 10:00, Ann Lee escribió:"),
    ("tb-it", "Il 27/11/26 10:00, Ann Lee ha scritto:"),
    ("tb-nl", "Op 27-11-2026 om 10:00 schreef Ann Lee:"),
    ("tb-pl", "W dniu 27.11.2026 o 10:00, Ann Lee pisze:"),
    ("tb-ru", "27.11.2026 10:00, Ann Lee пишет:"),
    ("tb-cs", "Dne 27. 11. 26 v 10:00 Ann Lee napsal(a):"),
    ("tb-sv", "Den 2026-11-27 kl. 10:00, skrev Ann Lee:"),
    ("tb-fi", "Ann Lee kirjoitti 27.11.2026 klo 10.00:"),
    ("tb-ja", "On 2026/11/27 10:00, Ann Lee wrote:"),
    ("tb-pt", "Em 27/11/2026 10:00, Ann Lee escreveu:"),
    ("tb-hu", "2026. 11. 27. 10:00 keltezéssel, Ann Lee írta:"),
    ("tb-tr", "27.11.2026 10:00 tarihinde Ann Lee yazdı:"),
    ("tb-da", "Den 27.11.2026 kl. 10.00 skrev Ann Lee:"),
    ("tb-uk", "27.11.26 10:00, Ann Lee пише:"),
  ]

  static let headers: [(name: String, lines: String)] = [
    (
      "ol-en",
      """
      From: Shop Help <help@shop.example>
      Sent: Friday, November 27, 2026 10:00 AM
      To: Ann Lee <ann@home.example>
      Subject: RE: Lamp
      """
    ),
    (
      "ol-en-noaddr",
      """
      From: Shop Help
      Sent: Friday, November 27, 2026 10:00 AM
      To: Ann Lee
      Subject: RE: Lamp
      """
    ),
    (
      "ol-de",
      """
      Von: Shop Help <help@shop.example>
      Gesendet: Freitag, 27. November 2026 10:00
      An: Ann Lee <ann@home.example>
      Betreff: AW: Lampe
      """
    ),
    (
      "ol-fr",
      """
      De : Shop Help <help@shop.example>
      Envoyé : vendredi 27 novembre 2026 10:00
      À : Ann Lee <ann@home.example>
      Objet : RE: Lampe
      """
    ),
    (
      "ol-es",
      """
      De: Shop Help <help@shop.example>
      Enviado: viernes, 27 de noviembre de 2026 10:00
      Para: Ann Lee <ann@home.example>
      Asunto: RE: Lámpara
      """
    ),
    (
      "ol-it",
      """
      Da: Shop Help <help@shop.example>
      Inviato: venerdì 27 novembre 2026 10:00
      A: Ann Lee <ann@home.example>
      Oggetto: R: Lampada
      """
    ),
    (
      "ol-pt",
      """
      De: Shop Help <help@shop.example>
      Enviado: sexta-feira, 27 de novembro de 2026 10:00
      Para: Ann Lee <ann@home.example>
      Assunto: RE: Lâmpada
      """
    ),
    (
      "ol-nl",
      """
      Van: Shop Help <help@shop.example>
      Verzonden: vrijdag 27 november 2026 10:00
      Aan: Ann Lee <ann@home.example>
      Onderwerp: RE: Lamp
      """
    ),
    (
      "ol-pl",
      """
      Od: Shop Help <help@shop.example>
      Wysłane: piątek, 27 listopada 2026 10:00
      Do: Ann Lee <ann@home.example>
      Temat: ODP: Lampa
      """
    ),
    (
      "ol-ru",
      """
      От: Shop Help <help@shop.example>
      Отправлено: 27 ноября 2026 г. 10:00
      Кому: Ann Lee <ann@home.example>
      Тема: RE: Лампа
      """
    ),
    (
      "ol-uk",
      """
      Від: Shop Help <help@shop.example>
      Надіслано: 27 листопада 2026 р. 10:00
      Кому: Ann Lee <ann@home.example>
      Тема: RE: Лампа
      """
    ),
    (
      "ol-cs",
      """
      Od: Shop Help <help@shop.example>
      Odesláno: pátek 27. listopadu 2026 10:00
      Komu: Ann Lee <ann@home.example>
      Předmět: RE: Lampa
      """
    ),
    (
      "ol-sv",
      """
      Från: Shop Help <help@shop.example>
      Skickat: den 27 november 2026 10:00
      Till: Ann Lee <ann@home.example>
      Ämne: SV: Lampa
      """
    ),
    (
      "ol-da",
      """
      Fra: Shop Help <help@shop.example>
      Sendt: 27. november 2026 10:00
      Til: Ann Lee <ann@home.example>
      Emne: SV: Lampe
      """
    ),
    (
      "ol-fi",
      """
      Lähettäjä: Shop Help <help@shop.example>
      Lähetetty: perjantai 27. marraskuuta 2026 10.00
      Vastaanottaja: Ann Lee <ann@home.example>
      Aihe: VS: Lamppu
      """
    ),
    (
      "ol-tr",
      """
      Kimden: Shop Help <help@shop.example>
      Gönderildi: 27 Kasım 2026 Cuma 10:00
      Kime: Ann Lee <ann@home.example>
      Konu: YNT: Lamba
      """
    ),
    (
      "ol-hu",
      """
      Feladó: Shop Help <help@shop.example>
      Elküldve: 2026. november 27., péntek 10:00
      Címzett: Ann Lee <ann@home.example>
      Tárgy: RE: Lámpa
      """
    ),
    (
      "ol-ja",
      """
      差出人: Shop Help <help@shop.example>
      送信日時: 2026年11月27日 10:00
      宛先: Ann Lee <ann@home.example>
      件名: RE: ランプ
      """
    ),
    (
      "ol-zh",
      """
      发件人: Shop Help <help@shop.example>
      发送时间: 2026年11月27日 10:00
      收件人: Ann Lee <ann@home.example>
      主题: 答复: 灯
      """
    ),
    (
      "ol-zh-tw",
      """
      寄件者: Shop Help <help@shop.example>
      寄件日期: 2026年11月27日 上午 10:00
      收件者: Ann Lee <ann@home.example>
      主旨: 回覆: 燈
      """
    ),
    (
      "ol-ko",
      """
      보낸 사람: Shop Help <help@shop.example>
      보낸 날짜: 2026년 11월 27일 금요일 오전 10:00
      받는 사람: Ann Lee <ann@home.example>
      제목: RE: 램프
      """
    ),
    (
      "ol-el",
      """
      Από: Shop Help <help@shop.example>
      Στάλθηκε: Παρασκευή, 27 Νοεμβρίου 2026 10:00
      Προς: Ann Lee <ann@home.example>
      Θέμα: RE: Λάμπα
      """
    ),
    (
      "ol-ro",
      """
      De la: Shop Help <help@shop.example>
      Trimis: vineri, 27 noiembrie 2026 10:00
      Către: Ann Lee <ann@home.example>
      Subiect: RE: Lampă
      """
    ),
    (
      "ol-he",
      """
      מאת: Shop Help <help@shop.example>
      נשלח: יום שישי 27 נובמבר 2026 10:00
      אל: Ann Lee <ann@home.example>
      נושא: RE: מנורה
      """
    ),
    (
      "ol-ar",
      """
      من: Shop Help <help@shop.example>
      تم الإرسال: 27 نوفمبر 2026 10:00
      إلى: Ann Lee <ann@home.example>
      الموضوع: RE
      """
    ),
    (
      "newol-mac",
      """
      From: Shop Help <help@shop.example>
      Date: Friday, 27 November 2026 at 10:00
      To: Ann Lee <ann@home.example>
      Subject: Re: Lamp
      """
    ),
    (
      "gmx",
      """
      Gesendet: Freitag, 27. November 2026 um 10:00 Uhr
      Von: "Shop Help" <help@shop.example>
      An: ann@home.example
      Betreff: Re: Lampe
      """
    ),
    (
      "gmx-en",
      """
      Sent: Friday, November 27, 2026 at 10:00 AM
      From: "Shop Help" <help@shop.example>
      To: ann@home.example
      Subject: Re: Lamp
      """
    ),
    (
      "notes",
      """
      From:   "Shop Help" <help@shop.example>
      To:     ann@home.example
      Date:   27.11.2026 10:00
      Subject:        Re: Lamp
      """
    ),
    (
      "notes-de",
      """
      Von:    "Shop Help" <help@shop.example>
      An:     ann@home.example
      Datum:  27.11.2026 10:00
      Betreff:        Re: Lampe
      """
    ),
    (
      "bold",
      """
      *From:* Shop Help <help@shop.example>
      *Sent:* Friday, November 27, 2026 10:00 AM
      *To:* Ann Lee <ann@home.example>
      *Subject:* RE: Lamp
      """
    ),
  ]

  static let clientLines: [String] = [
    "Baixar o Outlook para iOS", "Pobierz aplikację Outlook dla systemu Android",
    "iOS 版の Outlook を入手", "Yahoo Mail: Search, Organize, Conquer",
    "Sent from my iPhone. Please excuse any typos and my brevity.",
    "Sent from Yahoo Mail. Get the app",
    "Get Outlook for iOS <https://eur01.safelinks.protection.example/?url=\(String(repeating: "x", count: 300))>",
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Enviado a partir do meu iPhone",
    "Inviato da iPhone",
    "Inviato dal mio iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Wysłane z iPhone'a",
    "Wysłano z iPhone’a",
    "Отправлено с iPhone",
    "Надіслано з iPhone",
    "Odesláno z iPhonu",
    "Odoslané z iPhonu",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "iPhone’umdan gönderildi",
    "iPhone'umdan gönderildi",
    "iPhoneから送信",
    "发自我的iPhone",
    "從我的iPhone傳送",
    "나의 iPhone에서 보냄",
    "Trimis de pe iPhone-ul meu",
    "Az iPhone-omról küldve",
    "Poslano s mog iPhonea",
    "Poslano sa mojeg iPhonea",
    "Στάλθηκε από το iPhone μου",
    "נשלח מה-iPhone שלי",
    "\u{202B}أُرسلت من الـ iPhone\u{202C}",
    "Enviat des del meu iPhone",
    "Được gửi từ iPhone của tôi",
    "ส่งจาก iPhone ของฉัน",
    "Dikirim dari iPhone saya",
    "Saadetud minu iPhone'ist",
    "Išsiųsta iš mano iPhone",
    "Nosūtīts no mana iPhone",
    "Изпратено от моя iPhone",
    "Sent from my Galaxy",
    "Von meinem Samsung Galaxy Smartphone gesendet.",
    "Envoyé depuis mon smartphone Samsung Galaxy.",
    "Enviado desde mi smartphone Samsung Galaxy.",
    "Inviato dal mio smartphone Samsung Galaxy.",
    "Verzonden vanaf mijn Samsung Galaxy-smartphone.",
    "Wysłano z mojego smartfonu Samsung Galaxy.",
    "Отправлено с моего смартфона Samsung Galaxy.",
    "Galaxy’den gönderildi",
    "Galaxy에서 보냄",
    "Get Outlook for iOS",
    "Get Outlook for Android<https://aka.ms/AAb9ysg>",
    "Outlook für iOS beziehen",
    "Outlook für Android<https://aka.ms/x> herunterladen",
    "Télécharger Outlook pour iOS",
    "Obtener Outlook para Android",
    "Obter o Outlook para iOS",
    "Scarica Outlook per iOS",
    "Outlook voor Android downloaden",
    "Pobierz program Outlook dla systemu iOS",
    "Hämta Outlook för iOS",
    "Hent Outlook til iOS",
    "Получить Outlook для iOS",
    "获取 Outlook for iOS",
    "取得 iOS 版 Outlook",
    "Outlook for iOS を入手",
    "Sent with Proton Mail secure email.",
    "Sent with [Proton Mail](https://proton.me/) secure email.",
    "Sent from Proton Mail mobile",
    "Sent from Proton Mail for iOS",
    "Gesendet mit Proton Mail sicherer E-Mail.",
    "Envoyé avec la messagerie sécurisée Proton Mail.",
    "Sent from Yahoo Mail on Android",
    "Sent from Yahoo Mail for iPhone",
    "Von Yahoo Mail auf Android gesendet",
    "Gesendet von Yahoo Mail auf Android",
    "Envoyé à partir de Yahoo Mail pour iPhone",
    "Enviado desde Yahoo Mail para iPhone",
    "Inviato da Yahoo Mail su Android",
    "Gesendet mit der GMX Mail App",
    "Gesendet mit der WEB.DE Mail App",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "Sent from Mail for Windows",
    "Gesendet von Mail für Windows",
    "Envoyé à partir de Courrier pour Windows",
    "Enviado desde Correo para Windows",
    "Inviato da Posta per Windows",
    "Verzonden vanuit Mail voor Windows",
    "Отправлено из Почты для Windows",
    "Отправлено из мобильной Почты Mail.ru",
    "Отправлено из мобильной Яндекс.Почты",
    "Sent from Nine",
    "Sent with Spark",
    "Envoyé de ma tablette Samsung",
    "Gesendet von meinem Fairphone",
    "Sent from my BlackBerry 10 smartphone.",
    "Enviado de meu telefone Samsung",
    "发自我的手机",
    "來自我的 Samsung 手機",
    "Von meinem/meiner Galaxy gesendet",
    "Sent from my Verizon, Samsung Galaxy smartphone",
    "Sent from my T-Mobile 4G LTE Device",
    "Sent via BlackBerry from T-Mobile",
    "Sent from my iPhone 12 Pro Max",
    "Sent from my mobile device, please excuse brevity.",
    "Sent with Tutanota, the secure & ad-free mailbox",
    "[Get Outlook for iOS](https://aka.ms/o0ukef)",
    "Android용 Outlook 다운로드",
    "삼성 휴대폰에서 보냄",
    "发送自 Windows 10 版邮件应用",
    "Windows 用 Outlook から送信",
    "Envoyé depuis l'application Mail Orange",
    "Samsung Galaxy akıllı telefonumdan gönderildi.",
    "Odesláno ze zařízení Samsung",
    "Descărcați Outlook pentru Android",
    "Αποστολή από το κινητό μου",
    "Sent via the Samsung Galaxy S10e, an AT&T 5G Evolution capable smartphone",
    "Sent from my BlackBerry 10 smartphone on the Bell network.",
    "Sent from my BlackBerry 10 smartphone on the Rogers network.",
    "Sent from my U.S. Cellular® Smartphone",
    "Sent from my Metro by T-Mobile 4G LTE Android device",
    "Sent from my Boost Mobile Phone.",
    "Sent from my mobile. Please excuse typos.",
    "Sent from my iPhone. Please excuse any spelling or grammatical errors.",
    "Sent from my iPhone - please excuse fat fingers",
    "Sent from my Surface",
    "Sent from my MacBook Pro",
    "Sent from my iMac",
    "Sent from my Apple Watch",
    "Sent with Tutanota, enjoy secure & ad-free emails",
    "Sent from Aqua Mail for Android",
    "Sent from TypeApp for Android",
    "Sent from my Nothing Phone",
    "Sent from my jPhone",
    "Envoyé de mon appareil Samsung de Bouygues Telecom",
    "Outlook voor iOS ophalen",
    "Skickat från E-post för Windows",
    "Wysłane z aplikacji Poczta dla systemu Windows",
    "Odesláno z aplikace Pošta pro Windows",
    "Отправлено с помощью мобильной почты",
    "Windows için Posta ile gönderildi",
    "Az én iPhone-omról küldve",
    "Mobil gesendet",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet. Bitte entschuldigen Sie meine Kürze.",
    "Enviado desde mi dispositivo Android con K-9 Mail. Por favor disculpa mi brevedad.",
    "Verstuurd vanaf mijn Android apparaat met K-9 Mail. Excuseer mijn beknoptheid.",
    "Enviado de meu dispositivo Android usando o K-9 Mail. Por favor, desculpe minha brevidade.",
    "Sent from my SM-G991B",
    "Sent from mobile",
    "Sent from my handset",
    "Sent from my smart phone",
    "Sent via RediffmailNG Mobile",
    "Sent from Rediffmail on Android",
    "Sent from my Vodafone Mobile",
    "Sent from my Telstra Mobile",
    "Sent from my Optus phone",
    "Sent from my EE phone",
    "Sent from O2 mobile",
    "Sent from Xfinity Connect App",
    "Sent from my Motorola Smartphone on the Now Network from Sprint!",
  ]

  static let disclaimers: [String] = [
    "This email and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please delete it.",
    "CONFIDENTIALITY NOTICE: The contents of this email message and any attachments are intended solely for the addressee(s) and may contain confidential and/or privileged information.",
    "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind, vernichten Sie bitte diese Mail.",
    "Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention exclusive de ses destinataires.",
    "Este mensaje y sus archivos adjuntos contienen información confidencial y van dirigidos exclusivamente a su destinatario.",
    "Questo messaggio e i suoi allegati sono riservati e destinati esclusivamente al destinatario indicato.",
    "Esta mensagem e seus anexos são confidenciais e destinam-se exclusivamente ao destinatário.",
    "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde.",
    "Ta wiadomość jest poufna i przeznaczona wyłącznie dla adresata. Jeśli nie jesteś adresatem, usuń ją.",
    "Это сообщение и вложения к нему конфиденциальны и предназначены только для адресата.",
  ]

  /// Own words, whole, that only look like what a mail program adds.
  static let lookalikes: [(name: String, body: String)] = [
    (
      "on-monday",
      """
      On Monday he wrote: it comes tomorrow.
      It did not come.
      """
    ),
    (
      "on-monday2",
      """
      On Monday he wrote:
      it comes tomorrow.
      It did not come.
      """
    ),
    (
      "colleague",
      """
      Hello,

      On 27 November 2026 at 10:00 your colleague wrote:
      "It will come tomorrow."

      It did not come.
      """
    ),
    (
      "colleague2",
      """
      Hello,

      On 27 November 2026 at 10:00 your colleague wrote:

      "It will come tomorrow."

      It did not come.
      """
    ),
    (
      "colleague3",
      """
      Hello,
      On 27 November 2026 at 10:00 your colleague wrote:
      It will come tomorrow.
      It did not come.
      """
    ),
    (
      "deutsch",
      """
      Hallo,

      am 27.11.2026 um 10:00 schrieb Ihr Kollege:
      „Es kommt morgen.“

      Es kam nicht.
      """
    ),
    (
      "travel",
      """
      I need a ticket.

      From: Berlin
      To: Hamburg
      Date: Monday

      Thank you
      """
    ),
    (
      "travel2",
      """
      Hello
      From: Berlin
      To: Hamburg
      Date: 27.11.2026 10:00
      Thank you
      """
    ),
    (
      "travel3",
      """
      Hello

      From: Berlin
      To: Hamburg
      Date: 27.11.2026 10:00

      Thank you
      """
    ),
    (
      "travel4",
      """
      Von: Berlin
      An: Hamburg
      Datum: Montag

      Danke
      """
    ),
    (
      "paste",
      """
      The mail that I had said:
      From: orders@shop.example
      To: ann@home.example
      Date: 24 Nov 2026
      but nothing came.
      """
    ),
    (
      "paste2",
      """
      I got this header
      From: orders@shop.example
      To: ann@home.example
      Date: 24 Nov 2026 10:00
      Subject: Order
      and nothing else.
      """
    ),
    (
      "paste3",
      """
      I got this:
      From: orders@shop.example
      To: ann@home.example
      Date: 24 Nov 2026 10:00
      Subject: Order

      What is it about?
      """
    ),
    (
      "underscores",
      """
      My address:

      _________________
      Home Street 1
      1234 Town
      """
    ),
    (
      "underscores2",
      """
      Name: ________
      ______________________
      Please fill that in for me.
      """
    ),
    (
      "dashes",
      """
      Hello

      ----------
      First item
      ----------
      Second item
      """
    ),
    (
      "ups",
      """
      Sent via UPS yesterday.
      """
    ),
    (
      "ups2",
      """
      Where is my parcel?
      Sent with DHL on Monday.
      """
    ),
    (
      "dhl",
      """
      Wo ist mein Paket?
      Gesendet mit DHL am Montag.
      """
    ),
    (
      "lahe",
      """
      Missä paketti on?
      Lähetetty maanantaina.
      """
    ),
    (
      "inviato",
      """
      Dove è il pacco?
      Inviato da Milano il 3 maggio.
      """
    ),
    (
      "envoye",
      """
      Où est le colis ?
      Envoyé de Paris le 3 mai.
      """
    ),
    (
      "enviado",
      """
      ¿Dónde está?
      Enviado de Madrid el 3 de mayo.
      """
    ),
    (
      "iphone",
      """
      I want to return my iPhone. It was sent from Berlin.
      My phone number is 555 0100.
      """
    ),
    (
      "sentback",
      """
      Sent the phone back on Monday.
      """
    ),
    (
      "order",
      """
      Order: 4711
      Date: 3 May
      Subject: return
      """
    ),
    (
      "arrow",
      """
      Click Settings -> Account -> Delete.
      Nothing happens.
      """
    ),
    (
      "list",
      """
      - one
      - two
      -- three
      """
    ),
    (
      "wroteto",
      """
      On 3 May 2026 at 10:00 I wrote to help@shop.example and got no answer.
      """
    ),
    (
      "wroteto2",
      """
      On 3 May 2026 at 10:00 I wrote to <help@shop.example>, nobody answered:
      why?
      """
    ),
    (
      "mail-in-text",
      """
      My wife Ann Lee <ann@home.example> wrote you on 3 May.
      Please answer her.
      """
    ),
    (
      "timeline",
      """
      2026-11-24 10:00 ordered
      2026-11-25 11:00 paid
      2026-11-26 12:00 nothing
      """
    ),
    (
      "on-order",
      """
      On 3 May 2026 I ordered two lamps.
      They came on 5 May at 10:00.
      ann@home.example is my address.
      """
    ),
    (
      "original",
      """
      The original message: your parcel is on its way.
      It is not.
      """
    ),
    (
      "forward",
      """
      Please forward this message: I am not happy.
      Thank you.
      """
    ),
    (
      "para",
      """
      Für: Anna
      Para: Juan
      A: 1
      """
    ),
    (
      "confid",
      """
      This is confidential: I lost my password.
      Please help.
      """
    ),
    (
      "emaildash",
      """
      Hi

      Ann -- my wife -- will call.

      Bye
      """
    ),
    (
      "quoteurl",
      """
      See https://x.example/?a=1>2

      thanks
      """
    ),
    (
      "quest",
      """
      Questions:
      1) Date: when?
      2) To: whom?
      3) From: where?
      """
    ),
    (
      "qa",
      """
      From: where does it come?
      To: whom do I send it?
      Date: when?
      Subject to change?
      """
    ),
  ]

  static let mails: [(name: String, body: String, own: String)] = [
    (
      "proton-old",
      """
      Yes.

      Sent with [ProtonMail](https://protonmail.com) Secure Email.

      ‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐
      On Friday, November 27, 2026 10:00 AM, Ann Lee <ann@home.example> wrote:

      > Shall we?
      """, "Yes."
    ),
    (
      "proton-mid",
      """
      Yes.

      Sent with [Proton Mail](https://proton.me/) secure email.

      ------- Original Message -------
      On Friday, November 27th, 2026 at 10:00 AM, Ann Lee <ann@home.example> wrote:


      > Shall we?

      """, "Yes."
    ),
    (
      "proton-new",
      """
      Yes.

      Sent with [Proton Mail](https://proton.me/mail/home) secure email.

      On Friday, November 27th, 2026 at 10:00 AM, Ann Lee <ann@home.example> wrote:

      > Shall we?
      >\u{20}

      """, "Yes."
    ),
    (
      "proton-mobile",
      """
      Yes.

      Sent from Proton Mail mobile

      -------- Original Message --------
      On Nov 27, 2026, 10:00, Ann Lee < ann@home.example> wrote:

      > Shall we?
      """, "Yes."
    ),
    (
      "proton-android",
      """
      Yes.

      Sent from Proton Mail Android

      -------- Original Message --------
      On 27/11/2026 10:00, Ann Lee <ann@home.example> wrote:

      Shall we?
      """, "Yes."
    ),
    (
      "yahoo-android",
      """
      Yes.

      Sent from Yahoo Mail on Android\u{20}
      \u{20}
        On Fri, Nov 27, 2026 at 10:00 AM, Ann Lee<ann@home.example> wrote:   Shall we?
      Help \u{20}

      """, "Yes."
    ),
    (
      "greedy",
      """
      On 3 May 2026 I ordered two lamps.
      They came broken.

      On Mon, May 4, 2026 at 10:00 AM Help <help@shop.example> wrote:

      > How can we help?
      """, "On 3 May 2026 I ordered two lamps.\nThey came broken."
    ),
    (
      "greedy2",
      """
      On 3 May 2026 I ordered two lamps
      On Mon, May 4, 2026 at 10:00 AM Help <help@shop.example> wrote:
      > How can we help?
      """, "On 3 May 2026 I ordered two lamps"
    ),
    (
      "greedy3",
      """
      My order is of 27.11.2026
      On Mon, May 4, 2026 at 10:00 AM Help <help@shop.example>
      wrote:
      > How can we help?
      """, "My order is of 27.11.2026"
    ),
    (
      "inter",
      """
      On Mon, May 4, 2026 at 10:00 AM Help <help@shop.example> wrote:
      > Which one?
      The tall one.
      > Which colour?

      Blue.

      > Anything else?

      No.
      Ann
      """, "The tall one.\nBlue.\nNo.\nAnn"
    ),
    (
      "bar",
      """
      On Mon, May 4, 2026 at 10:00 AM Help <help@shop.example> wrote:
      | Which one?
      | Which colour?

      Blue.
      """, "Blue."
    ),
    (
      "bar2",
      """
      On Mon, May 4, 2026 at 10:00 AM Help <help@shop.example> wrote:
      | Which one?
      Tall
      | Which colour?
      Blue.
      """, "Tall\nBlue."
    ),
    (
      "fwd-comment",
      """
      Is this yours?

      ---------- Forwarded message ---------
      From: Carrier <a@carrier.example>
      Date: Fri, Nov 27, 2026 at 10:00 AM
      Subject: Parcel
      To: <ann@home.example>

      Your parcel is here.
      """, "Is this yours?"
    ),
    (
      "outlook-mobile",
      """
      Yes.

      Get Outlook for iOS<https://aka.ms/o0ukef>
      ________________________________
      From: Shop Help <help@shop.example>
      Sent: Friday, November 27, 2026 10:00:00 AM
      To: Ann Lee <ann@home.example>
      Subject: Re: Lamp

      Shall we?
      """, "Yes."
    ),
    (
      "win10",
      """
      Yes.

      Sent from Mail for Windows

      From: Shop Help
      Sent: Friday, November 27, 2026 10:00 AM
      To: Ann Lee
      Subject: Re: Lamp

      Shall we?
      """, "Yes."
    ),
    (
      "samsung",
      """
      Yes.



      Sent from my Galaxy


      -------- Original message --------
      From: Shop Help <help@shop.example>\u{20}
      Date: 27/11/2026  10:00  (GMT+01:00)\u{20}
      To: ann@home.example\u{20}
      Subject: Re: Lamp\u{20}

      Shall we?
      """, "Yes."
    ),
    (
      "samsung-de",
      """
      Ja.


      Von meinem/meiner Galaxy gesendet


      -------- Ursprüngliche Nachricht --------
      Von: Shop Help <help@shop.example>\u{20}
      Datum: 27.11.26  10:00  (GMT+01:00)\u{20}
      An: ann@home.example\u{20}
      Betreff: Re: Lampe\u{20}

      Wollen wir?
      """, "Ja."
    ),
    (
      "gmx-rule",
      """
      Ja.

      --\u{20}
      Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.
      Am 27.11.26, 10:00 schrieb Shop Help <help@shop.example>:

      Wollen wir?
      """, "Ja."
    ),
    (
      "zwei",
      """
      Yes.

      Ann

      On Fri, Nov 27, 2026 at 10:00 AM Help <help@shop.example> wrote:

      > Good.
      >
      > On Thu, Nov 26, 2026 at 9:00 AM Ann <ann@home.example> wrote:
      >
      >> Lamp is broken.
      >>
      >

      --\u{20}
      Ann Lee
      Home Street 1
      """, "Yes.\n\nAnn"
    ),
    (
      "qqmail",
      """
      好的。

      ------------------ 原始邮件 ------------------
      发件人: "Help" <help@shop.example>;
      发送时间: 2026年11月27日(星期五) 上午10:00
      收件人: "Ann"<ann@home.example>;
      主题: 灯

      可以吗？
      """, "好的。"
    ),
    (
      "qqmail with its blanks as in HTML",
      """
      好的。

      ------------------&nbsp;原始邮件&nbsp;------------------
      发件人: "Help" <help@shop.example>;
      发送时间: 2026年11月27日(星期五) 上午10:00

      可以吗？
      """, "好的。"
    ),
    (
      "163",
      """
      好的。

      在 2026-11-27 10:00:00，"Help" <help@shop.example> 写道：

      可以吗？
      """, "好的。"
    ),
    (
      "163b",
      """
      好的。


      At 2026-11-27 10:00:00, "Help" <help@shop.example> wrote:
      >可以吗？
      """, "好的。"
    ),
    (
      "naver",
      """
      네.

      -----Original Message-----
      From: "Help"<help@shop.example>
      To: "Ann"<ann@home.example>;
      Cc:
      Sent: 2026-11-27 (금) 10:00:00 (GMT+09:00)
      Subject: Re: 램프

      할까요?
      """, "네."
    ),
    (
      "freenet",
      """
      Ja.

      ---- ursprüngliche Nachricht ----
      Von: Shop Help <help@shop.example>
      Gesendet: 27.11.2026 10:00
      An: ann@home.example
      Betreff: Lampe

      Wollen wir?
      """, "Ja."
    ),
    (
      "tonline",
      """
      Ja.

      -----Original-Nachricht-----

      Betreff: Re: Lampe

      Datum: 2026-11-27T10:00:00+0100

      Von: "Shop Help" <help@shop.example>

      An: "ann@home.example"




      Wollen wir?
      """, "Ja."
    ),
    (
      "laposte",
      """
      Oui.

      de : "Shop Help" help@shop.example
      envoyé : 27 novembre 2026 à 10:00
      à : ann@home.example
      objet : Re: Lampe

      On y va ?
      """, "Oui."
    ),
    (
      "orange",
      """
      Oui.


      > Message du 27/11/26 10:00
      > De : "Shop Help" <help@shop.example>
      > A : ann@home.example
      > Copie à :\u{20}
      > Objet : Re: Lampe
      >\u{20}
      > On y va ?
      """, "Oui."
    ),
    (
      "free",
      """
      Oui.

      ----- Mail original -----
      De: "Shop Help" <help@shop.example>
      À: "ann" <ann@home.example>
      Envoyé: Vendredi 27 Novembre 2026 10:00:00
      Objet: Re: Lampe

      On y va ?
      """, "Oui."
    ),
    (
      "libero",
      """
      Sì.

      ----Messaggio originale----
      Da: help@shop.example
      Data: 27-nov-2026 10.00
      A: <ann@home.example>
      Ogg: Re: Lampada

      Va bene?
      """, "Sì."
    ),
    (
      "ionos",
      """
      Ja.

      > Shop Help <help@shop.example> hat am 27.11.2026 10:00 CET geschrieben:
      >\u{20}
      > Wollen wir?
      """, "Ja."
    ),
    (
      "ionos2",
      """
      Ja.

      Shop Help <help@shop.example> hat am 27.11.2026 10:00 CET geschrieben:


      Wollen wir?
      """, "Ja."
    ),
    (
      "lotus notes",
      """
      Yes.




      Shop Help <help@shop.example>\u{20}
      27/11/2026 10:00

      To
      Ann Lee <ann@home.example>
      cc

      Subject
      Re: Lamp






      Shall we?

      """, "Yes."
    ),
    (
      "lotus notes in german",
      """
      Ja.




      Shop Help <help@shop.example>\u{20}
      27.11.2026 10:00

      An
      Ann Lee <ann@home.example>
      Kopie

      Thema
      Re: Lamp






      Wollen wir?

      """, "Ja."
    ),
    (
      "crm",
      """
      Yes.

      ##- Please type your reply above this line -##

      Your request (4711) has been updated.
      """, "Yes."
    ),
  ]
}
