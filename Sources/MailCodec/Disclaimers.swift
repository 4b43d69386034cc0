/// Paragraphs that a company's mail server puts below every mail: `This email is confidential …`.
enum Disclaimers {
  static let linesMax = 30
  /// A short one is somebody's sentence.
  static let bytesMin = 60
  private static let bytesRead = 1_000

  /// Whether a paragraph begins like one and also speaks of confidence or of its addressee.
  static func matches(_ paragraph: ArraySlice<UInt8>) -> Bool {
    guard paragraph.count >= bytesMin else { return false }
    var inner = MailLines.trim(paragraph.prefix(bytesRead))
    while let first = inner.first, first == 42 || first == 95 || first == 91 || first == 32 {
      inner = inner.dropFirst()
    }
    let text = Array(LowerCase.words(inner).utf8)
    return starts.begin(text[...]) && words.stand(in: text[...])
  }

  private static let starts = Phrases([
    "this e-mail", "this email", "this message", "this communication", "this transmission",
    "the information ", "the contents of this", "the content of this", "confidential", "disclaimer",
    "privileged", "important notice", "important:", "notice:", "legal notice", "if you are not",
    "if you have received", "diese e-mail", "diese email", "diese mail", "diese nachricht",
    "der inhalt dieser", "die information", "vertraulich", "wichtiger hinweis",
    "haftungsausschluss",
    "sollten sie nicht", "wenn sie nicht", "ce message", "ce courriel", "ce mail", "cet e-mail",
    "cet email", "les informations", "avis de confidentialité", "avertissement", "este mensaje",
    "este correo", "la información", "aviso legal", "aviso de confidencialidad", "confidencialidad",
    "questo messaggio", "questa e-mail", "questa email", "le informazioni", "il presente messaggio",
    "il contenuto", "avviso di riservatezza", "esta mensagem", "este e-mail", "este email",
    "a informação", "as informações", "aviso de", "dit bericht", "dit e-mailbericht", "deze e-mail",
    "deze email", "de informatie", "de inhoud", "ta wiadomość", "niniejsza wiadomość",
    "treść tej wiadomości", "treść niniejszej", "это сообщение", "данное сообщение",
    "настоящее сообщение", "это письмо", "информация", "це повідомлення", "tato zpráva",
    "tento e-mail", "obsah této", "táto správa", "detta meddelande", "detta e-post", "denna e-post",
    "denne e-mail", "denne mail", "denne meddelelse", "denne meldingen", "denne e-posten",
    "tämä viesti", "tämä sähköposti", "bu e-posta", "bu elektronik posta", "bu mesaj",
    "acest mesaj", "acest e-mail", "ez az üzenet", "ez az e-mail", "このメール", "本メール", "此邮件",
    "本邮件", "本電子郵件", "이 메일", "본 메일",
  ])

  private static let words = Phrases([
    "confidential", "privileged", "intended recipient", "intended solely", "intended only",
    "intended for", "addressee", "vertraulich", "bestimmt", "adressat", "confidentiel",
    "destinataire", "confidencial", "destinatari", "destinatário", "riservat", "vertrouwelijk",
    "geadresseerde", "poufn", "adresata", "adresatem", "конфиденциал", "адресат", "конфіденційн",
    "důvěrn", "dôvern", "konfidentiell", "fortrolig", "konfidensiel", "luottamuksell", "gizli",
    "confidențial", "bizalmas", "機密", "秘密", "保密", "机密", "기밀",
  ])
}
