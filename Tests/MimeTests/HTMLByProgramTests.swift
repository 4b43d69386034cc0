import Testing

@testable import MailCodec
@testable import Mime

/// Mail without a plain part, in the form that each program gives it; written for these tests.
struct `HTML as mail programs write it` {
  struct Mail: Sendable {
    var program: String
    var html: String
    var own: String
  }

  @Test(arguments: mails.map(\.program))
  func `own words are told from what was quoted`(_ program: String) throws {
    let mail = try #require(Self.mails.first { $0.program == program })
    #expect(OwnWords(HTMLText.plain(mail.html)).own == mail.own, "\(HTMLText.plain(mail.html))")
  }

  @Test func `what stands below a thread of many turns is read`() {
    let quotes = String(repeating: "<div><div><blockquote type=\"cite\">", count: 150)
    let ends = String(repeating: "</blockquote></div></div>", count: 150)
    let words = OwnWords(HTMLText.plain("\(quotes)Shall we?\(ends)<p>Yes please.</p>"))
    #expect(words.own == "Yes please.")
  }

  @Test func `marks inside marks are read all the same`() {
    let mark = "<div class=\"gmail_signature\"><div style=\"border-top:solid\">"
    let deep = "<p>Yes please.</p>" + String(repeating: mark, count: 2_000)
    #expect(OwnWords(HTMLText.plain(deep)).own == "Yes please.")
  }

  static let mails: [Mail] = [
    Mail(
      program: "gmail",
      html: #"""
        <div dir="ltr">Yes please.<div><br></div></div><br>\#
        <div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On \#
        Fri, Nov 27, 2026 at 10:00 AM Help &lt;<a \#
        href="mailto:help@shop.example">help@shop.example</a>&gt; wrote:<br>\#
        </div>\#
        <blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid \#
        rgb(204,204,204);padding-left:1ex">Shall we?<br>\#
        </blockquote></div>
        """#,
      own: "Yes please."),
    Mail(
      program: "gmail in a language that nobody here reads",
      html: #"""
        <div dir="ltr">Yes please.</div><br>\#
        <div class="gmail_quote"><div dir="ltr" class="gmail_attr">Xyz 27 qwe 2026 asd Help \#
        &lt;help@shop.example&gt; zxc:<br>\#
        </div><blockquote class="gmail_quote">Shall we?</blockquote></div>
        """#,
      own: "Yes please."),
    Mail(
      program: "gmail inline",
      html: #"""
        <div dir="ltr"><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Fri, Nov \#
        27, 2026 at 10:00 AM Help &lt;help@shop.example&gt; wrote:<br>\#
        </div><blockquote class="gmail_quote">Which one?<br></blockquote>\#
        <div>The tall one.</div><blockquote class="gmail_quote">Which colour?</blockquote>\#
        <div>Blue.</div></div></div>
        """#,
      own: "The tall one.\nBlue."),
    Mail(
      program: "gmail forward with words",
      html: #"""
        <div dir="ltr">Is this yours?<br><br>\#
        <div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded \#
        message ---------<br>\#
        From: <strong class="gmail_sendername">Carrier</strong> <span>&lt;<a \#
        href="mailto:a@carrier.example">a@carrier.example</a>&gt;</span><br>\#
        Date: Fri, Nov 27, 2026 at 10:00 AM<br>Subject: Parcel<br>\#
        To: &lt;ann@home.example&gt;<br></div><br><br>Your parcel is here.</div></div>
        """#,
      own: "Is this yours?"),
    Mail(
      program: "gmail forward alone",
      html: #"""
        <div dir="ltr"><br><br>\#
        <div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded \#
        message ---------<br>\#
        From: Carrier &lt;a@carrier.example&gt;<br>Date: Fri, Nov 27, 2026 at 10:00 AM<br>\#
        Subject: Parcel<br>To: &lt;ann@home.example&gt;<br></div><br><br>\#
        Your parcel is here.</div></div>
        """#,
      own: "Your parcel is here."),
    Mail(
      program: "gmail indents own words",
      html: #"""
        <div dir="ltr">I want<div><br></div>\#
        <blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>two lamps</div>\#
        </blockquote>Thank you</div>
        """#,
      own: "I want\n\ntwo lamps\n\nThank you"),
    Mail(
      program: "gmail signature",
      html: #"""
        <div dir="ltr">Yes please.<br clear="all"><div><br></div>\#
        <span class="gmail_signature_prefix">-- </span><br>\#
        <div dir="ltr" class="gmail_signature"><div dir="ltr">Ann Lee</div></div></div>
        """#,
      own: "Yes please."),
    Mail(
      program: "yahoo",
      html: #"""
        <html><body><div class="ydp1-yahoo-style-wrap"><div dir="ltr">Yes please.</div>\#
        </div>\#
        <div id="yahoo_quoted_123" class="yahoo_quoted"><div><div>On Friday, November 27, \#
        2026 at 10:00:00 AM GMT+1, Help &lt;help@shop.example&gt; wrote: </div>\#
        <div><br></div><div>Shall we?</div></div></div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "thunderbird",
      html: #"""
        <html><body><div class="moz-cite-prefix">On 11/27/26 10:00, Help wrote:<br></div>\#
        <blockquote type="cite" cite="mid:1@shop.example"><p>Shall we?</p></blockquote>\#
        <p>Yes please.</p>\#
        <pre class="moz-signature" cols="72">-- \#nAnn Lee</pre></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "thunderbird in any language",
      html: #"""
        <html><body><p>Yes please.</p>\#
        <div class="moz-cite-prefix">2026. 11. 27 qwe Help asd<br></div>\#
        <blockquote type="cite"><p>Shall we?</p></blockquote></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook web",
      html: #"""
        <html><body><div class="elementToProof">Yes please.</div>\#
        <div id="appendonsend"></div>\#
        <hr style="display:inline-block;width:98%" tabindex="-1">\#
        <div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>From:</b> Help \#
        &lt;help@shop.example&gt;<br>\#
        <b>Sent:</b> Friday, November 27, 2026 10:00 AM<br>\#
        <b>To:</b> Ann Lee &lt;ann@home.example&gt;<br>\#
        <b>Subject:</b> Re: Lamp</font><div>&nbsp;</div></div><div>Shall we?</div>\#
        </body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook web in any language",
      html: #"""
        <html><body><div>Yes please.</div><div id="appendonsend"></div><hr tabindex="-1">\#
        <div id="divRplyFwdMsg" dir="ltr"><b>Qwe:</b> Help<br><b>Rty:</b> 27 2026<br>\#
        <b>Uio:</b> Ann<br><b>Pas:</b> Re: Lamp</div><div>Shall we?</div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook desktop",
      html: #"""
        <html><body lang=EN-GB>\#
        <div class=WordSection1><p class=MsoNormal>Yes please.<o:p></o:p></p>\#
        <p class=MsoNormal><o:p>&nbsp;</o:p></p>\#
        <div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm \#
        0cm'><p class=MsoNormal><b><span lang=EN-US>From:</span></b><span lang=EN-US> Help \#
        &lt;help@shop.example&gt; <br>\#
        <b>Sent:</b> 27 November 2026 10:00<br><b>To:</b> Ann Lee<br>\#
        <b>Subject:</b> RE: Lamp<o:p></o:p></span></p></div></div>\#
        <p class=MsoNormal>Shall we?<o:p></o:p></p></div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook 2010 in any language",
      html: #"""
        <html><body><div class=WordSection1><p class=MsoNormal>Yes please.</p>\#
        <div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in"><p \#
        class=MsoNormal><b>Qwe:</b> Help [mailto:help@shop.example]<br>\#
        <b>Rty:</b> 27 2026<br></p></div><p class=MsoNormal>Shall we?</p></div>\#
        </body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook for mac and new",
      html: #"""
        <html><body><div>Yes please.</div>\#
        <div id="mail-editor-reference-message-container"><div class="WordSection1"><div \#
        style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in"><p \#
        class="MsoNormal"><b>From: </b>Help &lt;help@shop.example&gt;<br>\#
        <b>Date: </b>Friday, 27 November 2026 at 10:00<br>\#
        <b>To: </b>Ann &lt;ann@home.example&gt;<br><b>Subject: </b>Re: Lamp</p></div>\#
        <p>Shall we?</p></div></div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook mobile",
      html: #"""
        <html><body><div dir="ltr">Yes please.</div>\#
        <div id="ms-outlook-mobile-signature" dir="ltr"><div><br></div>\#
        Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div>\#
        <hr style="display:inline-block;width:98%" tabindex="-1">\#
        <div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Help &lt;help@shop.example&gt;<br>\#
        <b>Sent:</b> Friday, November 27, 2026 10:00:00 AM<br><b>To:</b> Ann<br>\#
        <b>Subject:</b> Re: Lamp</div><div>Shall we?</div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook forward alone",
      html: #"""
        <html><body><div><br></div><hr tabindex="-1">\#
        <div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Carrier &lt;a@carrier.example&gt;<br>\#
        <b>Sent:</b> Friday, November 27, 2026 10:00 AM<br><b>To:</b> Ann<br>\#
        <b>Subject:</b> Parcel</div><div>Your parcel is here.</div></body></html>
        """#,
      own: "Your parcel is here."),
    Mail(
      program: "hotmail",
      html: #"""
        <html><body class="hmmessage"><div dir="ltr">Yes please.<br><br>\#
        <div><hr id="stopSpelling">Date: Fri, 27 Nov 2026 10:00:00 +0100<br>\#
        From: help@shop.example<br>To: ann@home.example<br>Subject: Re: Lamp<br><br>\#
        Shall we?</div></div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook express",
      html: #"""
        <div>Yes please.</div>\#
        <blockquote style="BORDER-LEFT: #000000 2px solid"><div>----- Original Message ----- \#
        </div>\#
        <div style="BACKGROUND: #e4e4e4"><b>From:</b> Help </div><div><b>To:</b> Ann</div>\#
        <div>Shall we?</div></blockquote>
        """#,
      own: "Yes please."),
    Mail(
      program: "outlook 2003",
      html: #"""
        <div>Yes please.</div>\#
        <div class="OutlookMessageHeader" dir="ltr" align="left"><hr tabindex="-1">\#
        <b>Von:</b> Help <br><b>Gesendet:</b> 27. November 2026 10:00<br><b>An:</b> Ann<br>\#
        </div><div>Shall we?</div>
        """#,
      own: "Yes please."),
    Mail(
      program: "proton",
      html: #"""
        <div style="font-family: Arial">Yes please.</div>\#
        <div class="protonmail_signature_block"><div \#
        class="protonmail_signature_block-proton">Sent with <a \#
        href="https://proton.me/">Proton Mail</a> secure email.</div>\#
        </div>\#
        <div class="protonmail_quote">On Friday, November 27th, 2026 at 10:00 AM, Help \#
        &lt;help@shop.example&gt; wrote:<br>\#
        <blockquote class="protonmail_quote" type="cite">Shall we?</blockquote><br></div>
        """#,
      own: "Yes please."),
    Mail(
      program: "apple mail",
      html: #"""
        <html><body>Yes please.<br><div><br>\#
        <blockquote type="cite"><div>On Nov 27, 2026, at 10:00 AM, Help \#
        &lt;help@shop.example&gt; wrote:</div>\#
        <br class="Apple-interchange-newline"><div>Shall we?</div></blockquote></div>\#
        </body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "ios",
      html: #"""
        <html><body dir="auto">Yes please<br><br><div dir="ltr">Sent from my iPhone</div>\#
        <div dir="ltr"><br>\#
        <blockquote type="cite">On 27 Nov 2026, at 10:00, Help &lt;help@shop.example&gt; \#
        wrote:<br>\#
        <br></blockquote></div><blockquote type="cite"><div dir="ltr">Shall we?</div>\#
        </blockquote></body></html>
        """#,
      own: "Yes please"),
    Mail(
      program: "gmx",
      html: #"""
        <html><body>\#
        <div style="font-family: Verdana;font-size: 12.0px;"><div>Ja, gerne.</div>\#
        <div><div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; \#
        border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px \#
        0;"><b>Gesendet:</b>&nbsp;Freitag, 27. November 2026 um 10:00 \#
        Uhr<br/><b>Von:</b>&nbsp;Help<br/><b>An:</b>&nbsp;ann@gmx.example<br/><b>Betreff:</b>&nbsp;Lampe</div>\#
        <div name="quoted-content">Wollen wir?</div></div></div></div></body></html>
        """#,
      own: "Ja, gerne."),
    Mail(
      program: "samsung",
      html: #"""
        <html><body><div dir="auto">Yes please.</div>\#
        <div id="composer_signature" dir="auto"><div \#
        style="font-size:12px;color:#575757">Sent from my Galaxy</div>\#
        </div><div><br></div><div align="left"><div>-------- Original message --------</div>\#
        <div>From: Help &lt;help@shop.example&gt; </div>\#
        <div>Date: 27/11/2026  10:00  (GMT+01:00) </div><div>To: ann@home.example </div>\#
        <div>Subject: Re: Lamp </div></div><div>Shall we?</div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "zimbra",
      html: #"""
        <html><body><div>Yes please.</div><hr id="zwchr" data-marker="__DIVIDER__">\#
        <div data-marker="__HEADERS__"><b>From: </b>"Help" &lt;help@shop.example&gt;<br>\#
        <b>To: </b>"Ann"<br><b>Sent: </b>Friday, November 27, 2026 10:00:00 AM<br>\#
        <b>Subject: </b>Re: Lamp<br></div><div>Shall we?</div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "spark",
      html: #"""
        <html><body><div name="messageBodySection"><div dir="auto">Yes please.</div></div>\#
        <div name="messageSignatureSection"><br><div>Ann Lee</div></div>\#
        <div name="messageReplySection">On 27 Nov 2026, 10:00 +0100, Help \#
        &lt;help@shop.example&gt;, wrote:<br>\#
        <blockquote type="cite">Shall we?</blockquote></div></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "mail.ru",
      html: #"""
        <html><body><div>Yes please.<br></div>\#
        <blockquote style="border-left:1px solid #0857A6;margin:10px;padding:0 0 0 \#
        10px;">Пятница, 27 ноября 2026, 10:00 +03:00 от Help &lt;help@shop.example&gt;:<br>\#
        <div>Shall we?</div></blockquote></body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "lotus notes",
      html: #"""
        <html><body><font size=2>Yes please.</font><br><br><br>\#
        <font size=1 color=#5f5f5f>Von: &nbsp; &nbsp; &nbsp; &nbsp;</font><font \#
        size=1>&quot;Help&quot; &lt;help@shop.example&gt;</font><br>\#
        <font size=1>An: &nbsp; &nbsp; &nbsp; &nbsp;</font><font \#
        size=1>ann@home.example</font><br>\#
        <font size=1>Datum: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1>27.11.2026 \#
        10:00</font><br>\#
        <font size=1>Betreff: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1>Re: \#
        Lampe</font><br>\#
        <hr noshade><br>Wollen wir?</body></html>
        """#,
      own: "Yes please."),
    Mail(
      program: "own line above a table",
      html: #"""
        <html><body><p>Hello</p>\#
        <div style="border-top: solid 1px #ccc"><b>Order</b> 4711</div><p>Where is it?</p>\#
        </body></html>
        """#,
      own: "Hello\n\nOrder 4711\n\nWhere is it?"),
    Mail(
      program: "own bold question below a line",
      html: #"""
        <html><body><p>Hello</p><hr><p><b>Question:</b> where is it?</p></body></html>
        """#,
      own: "Hello\n\n--------------------\n\nQuestion: where is it?"),
    Mail(
      program: "windows mail",
      html: #"""
        <html><body><div>Yes please.</div><div data-signatureblock="true"><br></div>\#
        <div style="padding-top: 5px; border-top-color: rgb(229, 229, 229); border-top-width: \#
        1px; border-top-style: solid;"><div><font><b>От:</b>&nbsp;<a \#
        href="mailto:help@shop.example">Help</a><br>\#
        <b>Отправлено:</b>&nbsp;27 2026<br><b>Кому:</b>&nbsp;Ann</font></div></div>\#
        <div>Shall we?</div></body></html>
        """#,
      own: "Yes please."),
  ]
}
