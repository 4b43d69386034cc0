/// What people wrote, and what it was taken for once. Each text here came out in part, or empty.
enum TakenForAnother {
  /// Sentences that begin or end as the lines of telephones and mail programs do.
  static let telephones: [String] = [
    "내 휴대폰이 고장났어요", "通过手机下单失败，请帮我", "Von meinem PC aus geht die Bestellung nicht",
    "From my iPhone I cannot log in", "Envoyé avec Chronopost, le téléphone n'est jamais arrivé",
    "Get Outlook for iOS on my phone does not work, please help",
    "Sent from my phone twice and charged twice", "Sent via the app, but no answer came",
    "Outlook for Android keeps crashing", "Outlook for iOS", "Outlook für iOS stürzt ab",
    "Von meinem Handy habe ich keinen Zugriff",
    "Von unterwegs kann ich mein Telefon nicht erreichen",
    "Gesendet mit DHL, das Handy kam nie an", "Verzonden met PostNL, mijn telefoon is kwijt",
    "Enviado por error desde mi teléfono, perdón, cancele el pedido",
    "Inviato da Milano, il telefono è rotto", "Envoyé depuis Paris, mon téléphone est cassé",
    "Enviado de Lisboa, o telefone chegou partido", "Отправлено с почты вчера, телефон не пришёл",
    "Wysłane z Krakowa, telefon nie dotarł", "Skickat från Malmö, telefonen kom aldrig fram",
    "来自手机的订单没有收到", "下载手机软件失败", "我的 iPhone 坏了", "내 아이폰이 안 켜져요",
    "携帯から送信できません", "Typed on my phone, the order page is blank",
    "Diese Nachricht wurde von meinem Android-Gerät nicht gesendet, warum?",
    "Sent with love from my phone to yours", "iPhone 12", "From my iPhone", "Von meinem Handy",
    "My phone", "Mein Handy",
    "Sent from my iPhone. The lamp is dark.", "Sent from my iPhone and never arrived",
    "Lähetetty puhelin ei tullut perille", "Galaxy S23 kırık gönderildi",
    "App herunterladen geht nicht", "Get Outlook on my new phone", "Get Outlook for my Mac",
    "Download Outlook for my Mac?", "Download Outlook for Mac?",
    "Sent by mistake from my phone, sorry.", "Enviado por error desde mi celular",
    "Gesendet mit Fehler vom Handy", "Sent from my phone, please ignore",
    "Sent from my office in Berlin", "SENT FROM MY ACCOUNT TWICE", "Sent from my House. Cancel It",
    "Sent from my new phone by mistake", "Sent from my phone. Please ignore this message",
  ]

  static let whole: [(name: String, body: String)] = [
    (
      "two dashes between items",
      "Two orders:\n--\n1234 red lamp\n--\n5678 blue lamp\n\nCancel one.\n"
    ),
    ("two dashes, and no sentence", "Red lamp\n--\nGreen lamp\n--\nBlue lamp\n"),
    ("two dashes before a sentence", "It is dark.\n\n--\n\nSecond: the chair is broken, too.\n"),
    ("two dashes before words", "It is dark.\n\n--\nplease also send the invoice again\n"),
    ("two dashes before a question", "It is dark.\n—\nWhen do you come?\n"),
    ("two dashes before three words", "It is dark\n--\nAlso the chair\n"),
    ("two dashes before a wish", "It is dark.\n--\nPlease unsubscribe me from your letters.\n"),
    ("two dashes, a name, then words", "It is dark.\n--\nAnn\n\nplease also send the invoice\n"),
    ("two dashes, a name, then a sentence", "It is dark.\n--\nAnn\nThe chair is broken, too.\n"),
    ("two dashes before a number", "Red lamp\n--\n5678 blue lamp\n"),
    ("two dashes below a colon", "New address:\n--\nAnn Lee\nElm Street 5\n1234 Town\n"),
    (
      "a rule over links",
      "These fail:\n==========\nhttps://shop.example/cart\nhttps://shop.example/pay\n"
    ),
    ("a rule over links, no colon", "Hello\n----------\nhttps://shop.example/cart\n"),
    ("underscores at the top", "____________________\nmy lamp is dark\n"),
    ("an item in a list", "Please take off my order:\n\n-Lamp\n"),
    ("items in a list", "Please take off\n-Chair\n\n-Lamp\n"),
    ("a mailbox's From", "It came on Monday.\n\n>From the beginning it was dark. Take it back.\n"),
    ("a mailbox's From at the top", ">From here on I want mail only.\n"),
    ("an angry face", ">:( It is still dark.\n\nSend somebody.\n"),
    ("another face", "Dark again\n>.<\nHelp\n"),
    ("devices before marks", "PC> does not start\nTV> works\n"),
    (
      "telling of a mail",
      "Hello,\nyour colleague Bob <bob@shop.example> wrote on 3 March 2025:\nIt ships tomorrow.\nIt did not.\n"
    ),
    (
      "telling of a mail by its day",
      "Hello,\nOn 3 March 2025 at 10:00 Bob <bob@shop.example> wrote:\nIt ships tomorrow.\nIt did not.\n"
    ),
    (
      "telling of a mail in a sentence",
      "It is dark, though On Mon, May 3, 2024 at 10:00 AM, Bob <bob@shop.example> wrote:\nIt works.\nIt does not.\n"
    ),
    (
      "a chat below a colon",
      "My chat with you:\n\nBob <bob@shop.example> wrote at 10:00 on 3 March 2025:\nYou get a refund.\n\nAnn wrote at 10:01:\nThanks.\n\nNothing came.\n"
    ),
    (
      "above this line",
      "Photo 1\n(the crack is above this line)\nPhoto 2 shows the same.\nPlease take it back.\n"
    ),
    (
      "a title over a journey",
      "Please book\n\n----- Journey -----\nFrom: Berlin\nTo: Hamburg\nDate: Monday\n\nThank you\n"
    ),
  ]

  /// Of these, something is no word of its author's.
  static let parts: [(name: String, body: String, own: String)] = [
    (
      "below a telephone's line", "Cancel it.\n\nSent from my iPhone\n\nAnd 4711, too.\n",
      "Cancel it.\nAnd 4711, too."
    ),
    ("all below it", "Sent from my iPhone\n\nWhere is 4711?\n", "Where is 4711?"),
    (
      "right below it", "Cancel it.\n\nSent from my iPhone\nWhere is 4711?\n",
      "Cancel it.\nWhere is 4711?"
    ),
    (
      "between it and a quote",
      "Hi\n\nSent from my iPhone\n\nYes, do.\n\nOn Mon, Mar 3, 2025 at 10:00 AM Shop <help@shop.example> wrote:\n> Shall we?\n",
      "Hi\nYes, do."
    ),
    (
      "an order right below it", "Cancel it.\n\nSent from my iPhone\nOrder 4711001\n",
      "Cancel it.\nOrder 4711001"
    ),
    (
      "a link right below it", "See\n\nSent from my iPhone\nhttps://a.example/1\n",
      "See\nhttps://a.example/1"
    ),
    ("a number below it", "Cancel it.\n\nSent from my iPhone\n+49 170 1234567\n", "Cancel it."),
    ("an apology on it", "Cancel it.\n\nSent from my iPhone, please excuse typos\n", "Cancel it."),
    ("only what may be one", "Sent from my Hillside\n", "Sent from my Hillside"),
    ("what may be one at the end", "Dark.\nSent from my Nothing Two\n", "Dark."),
    ("only a telephone's line", "Sent from my iPhone\n", ""),
    ("only a signature", "-- \nAnn Lee\nSent from my iPhone\n", "Ann Lee"),
    ("only a rule", "--\n____\n", ""),
    (
      "two dashes, then a slogan",
      "Dark.\n\n--\nThis email has been checked for viruses by Avast antivirus software.\nwww.avast.com\n",
      "Dark."
    ),
    (
      "two dashes, a name, a slogan",
      "Dark.\n--\nAnn Lee\nHome Ltd\nPlease consider the environment before printing this email.\n",
      "Dark."
    ),
    (
      "two dashes, then a name in small letters",
      "Dark.\n\n--\nann lamp\nhead of customer care\nhome inc\n", "Dark."
    ),
    ("two dashes, then a name", "It is dark.\n\n--\nAnn Lee\nTel. 555 0100\n", "It is dark."),
    (
      "a list's footer below a name",
      "It is dark.\n--\nAnn\n--\nYou are on the lamps mailing list: lamps@list.example\n",
      "It is dark."
    ),
    (
      "a quote that begins as mailboxes write",
      "Yes.\n\nOn Mon, Mar 3, 2025 at 10:00 AM Shop <help@shop.example> wrote:\n>From here on\n",
      "Yes."
    ),
    ("a quote around it", "> one\n>From two\n> three\nYes.\n", "Yes."),
    (
      "a help desk's line", "Yes.\n\n[Please reply above this line]\n\nYour request is 4711.\n",
      "Yes."
    ),
    (
      "QQ in English",
      "OK.\n\n------------------ Original ------------------\nFrom:  \"Shop\"<help@shop.example>;\nDate:  Mon, Mar 3, 2025 10:00 AM\nTo:  \"Ann\"<ann@home.example>;\n\nShall we?\n",
      "OK."
    ),
    (
      "a title that nobody knows",
      "OK.\n\n------- Xyzzy -------\nFrom: Shop <help@shop.example>\nTo: ann@home.example\nSubject: Lamp\n\nShall we?\n",
      "OK."
    ),
    (
      "NetEase",
      "Yes.\n\n---- Replied Message ----\n| From | Shop<help@shop.example> |\n| Date | 03/03/2025 10:00 |\n| To | Ann<ann@home.example> |\n| Subject | Re: Lamp |\nShall we?\n",
      "Yes."
    ),
    (
      "NetEase in Chinese",
      "好的。\n\n---- 回复的原邮件 ----\n| 发件人 | Shop<help@shop.example> |\n| 日期 | 2025年03月03日 10:00 |\n| 收件人 | Ann<ann@home.example> |\n| 主题 | Re: 灯 |\n可以吗？\n",
      "好的。"
    ),
    (
      "T-Online's title",
      "Ja.\n\n----- Original Nachricht ----\nVon:     help@shop.example\nAn:      ann@home.example\nDatum:   30.05.2017 16:17\nBetreff: Lampe\n\nWollen wir?\n",
      "Ja."
    ),
    (
      "several wrote",
      "Sí.\n\nEl 19/03/2025 11:34, Tienda <help@shop.example> escribieron:\n\n¿Vamos?\n",
      "Sí."
    ),
    (
      "GMX forwards",
      "> Gesendet: Montag, 03. März 2025 um 10:00 Uhr\n> Von: \"Bob\" <bob@home.example>\n> An: ann@home.example\n> Betreff: Lampe\n> Sie ist dunkel.\n",
      "> Sie ist dunkel."
    ),
    (
      "a mail within a quote, and nothing written",
      "> Hello\n>\n> Von: \"Bob\" <bob@home.example>\n> An: ann@home.example\n> Betreff: Lampe\n> Ja.\n",
      ""
    ),
    (
      "GMX, answered below",
      "> Gesendet: Montag, 03. März 2025 um 10:00 Uhr\n> Von: \"Shop\" <help@shop.example>\n> An: ann@home.example\n> Betreff: Lampe\n> Wollen wir?\n\nJa.\n",
      "Ja."
    ),
    (
      "a quote right below words",
      "Mine.\nOn Mon, May 3, 2024 at 10:00 AM, Shop <help@shop.example> wrote:\nold words\nmore\n",
      "Mine."
    ),
    (
      "a quote right below a name",
      "It is dark.\n\nRegards,\nAnn\nOn Mon, May 3, 2024 at 10:00 AM, Shop <help@shop.example> wrote:\nold\n",
      "It is dark.\n\nRegards,\nAnn"
    ),
    (
      "a quote below a colon",
      "It is dark. See below:\n\nOn Mon, May 3, 2024 at 10:00 AM, Shop <help@shop.example> wrote:\nold words\n",
      "It is dark. See below:"
    ),
    (
      "a quote in German right below words",
      "Mine.\nShop <help@shop.example> schrieb am Fr., 28. Apr. 2017 um 11:53 Uhr:\nold words\n",
      "Mine."
    ),
    (
      "a quote on the line of words",
      "Mine. On Mon, May 3, 2024 at 10:00 AM, Shop <help@shop.example> wrote:\nold words\n",
      "Mine."
    ),
  ]
}
