import Foundation
import Testing

@testable import MailCodec
@testable import Mime

/// HTML that mail programs, relays and people break, and what of it must stand in the text all the same.
struct `HTML as text` {
  struct Row: Sendable {
    var html: String
    var text: String
    var isCut = false
  }

  static let broken: [String: Row] = [
    "two NULs between elements": Row(
      html: "<p>before</p>\0\0<p>be\0hind</p>", text: "before\n\nbehind"),
    "an empty comment": Row(html: "<p>a</p><!--><p>behind</p>", text: "a\n\nbehind"),
    "an empty comment with a dash": Row(html: "<p>a</p><!---><p>behind</p>", text: "a\n\nbehind"),
    "a comment of another end": Row(
      html: "<p>a</p><!-- x > -- --!><p>behind</p>", text: "a\n\nbehind"),
    "a comment without an end": Row(
      html: "<p>a</p><!-- x <p>behind</p><!-- y", text: "a\n\nx\n\nbehind\n\ny"),
    "words for Outlook alone": Row(
      html: "<p>a</p><!--[if mso]><p>hidden</p><![endif]--><p>b</p>", text: "a\n\nb"),
    "words for all but Outlook": Row(
      html: "<p>a</p><!--[if !mso]><!--><p>shown</p><!--<![endif]--><p>b</p>",
      text: "a\n\nshown\n\nb"),
    "Word's lists": Row(
      html:
        "<p class=MsoListParagraph><![if !supportLists]><span>·&nbsp; </span><![endif]>lamp</p>",
      text: "·  lamp"),
    "CDATA": Row(html: "<p>a</p><![CDATA[ 5 < 6 ]]><p>b</p>", text: "a\n\n5 < 6\n\nb"),
    "CDATA without an end": Row(html: "<p>a</p><![CDATA[ 5 <p>b</p>", text: "a\n\n5\n\nb"),
    "what begins like a declaration": Row(html: "<p>the <!lamp> is</p>", text: "the <!lamp> is"),
    "a declaration without an end": Row(html: "<p>a</p><!oops", text: "a\n\n<!oops"),
    "Word's namespaces": Row(html: "<?xml:namespace prefix = o /><p>a<o:p></o:p></p>", text: "a"),
    "a style without an end": Row(html: "<style>p{} <p>behind</p>", text: "p{}\n\nbehind"),
    "a title without an end": Row(
      html: "<head><title>Re: Lamp<body><p>behind</p>", text: "Re: Lamp\n\nbehind"),
    "styles, scripts and titles": Row(
      html:
        "<head><title>t</title><style><!-- <p> --></style></head><script>'</p>'</SCRIPT >words",
      text: "words"),
    "a quote that does not end": Row(
      html: "<p title=\"x>one</p><p>two</p>", text: "x>one\n\ntwo"),
    "a tag in a tag": Row(html: "<p>lamp<blue and <b>dark</b></p>", text: "lamp<blue and dark"),
    "a quote that ends in the words": Row(
      html: "<p title='x\">one</p><p>it's</p>", text: "<p title='x\">one\n\nit's"),
    "a quote that ends in another": Row(
      html: "<a href=\"x>one</a> <b class=\"y\">two</b>", text: "two", isCut: true),
    "a tag that does not end": Row(
      html: "<p>I have a<b. My lamp is dark.", text: "I have a<b. My lamp is dark."),
    "arrows and hearts": Row(
      html: "<p>5 < 6 <- arrow <3 </3 x</p>", text: "5 < 6 <- arrow <3 </3 x"),
    "addresses in brackets": Row(
      html: "<p>Ask <ann@home.example>, see <https://shop.example/a></p>",
      text: "Ask <ann@home.example>, see <https://shop.example/a>"),
    "other addresses in brackets": Row(
      html:
        "<p>Ask <ann+lamp@home.example>, <o'neil@home.example>, <Jo.Müller@home.example>, <mailto:ann@home.example> or <tel:+15550100>.",
      text:
        "Ask <ann+lamp@home.example>, <o'neil@home.example>, <Jo.Müller@home.example>, <mailto:ann@home.example> or <tel:+15550100>."
    ),
    "links in brackets": Row(
      html:
        "<p>See <www.shop.example>, <shop.example/lamps/>, <shop.example/?id=17> and <HTTPS://shop.example/?a=b&amp;c=\"d\"> or </lamps.example/a>",
      text:
        "See <www.shop.example>, <shop.example/lamps/>, <shop.example/?id=17> and <HTTPS://shop.example/?a=b&c=\"d\"> or </lamps.example/a>"
    ),
    "words in brackets": Row(
      html:
        "<p>The <lamp>, order <order-number 17>, of <Ann Lee>, <größe> XL, <i'm sad> <?why?> </rant>",
      text:
        "The <lamp>, order <order-number 17>, of <Ann Lee>, <größe> XL, <i'm sad> <?why?> </rant>"),
    "elements that nobody knows, with an end or with attributes": Row(
      html:
        "<lamp>one</lamp> <x-y z>two</X-Y> <u5:x></u5:x><path d=M0/> <includetail/> three</o:p><br>four<wbr>five<BR/>six<br\\>seven<td\"width=3>eight",
      text: "one two three\nfourfive\nsix\nseven eight"),
    "a script whose value ends in a slash": Row(
      html:
        "one<script src=x/>if (a) {}</script> two<style type=text/css/>p{}</style> three<script src=\"x\"/>b()</script>",
      text: "one two three"),
    "what XML closes in itself": Row(
      html:
        "<title/><p>one</p><script src=\"a\"/><script src=\"b\" /><p>two</p><style/>three<style>p{}</style>",
      text: "one\n\ntwo\n\nthree"),
    "what is for browsers without scripts": Row(
      html: "<p>a</p><noscript>b</noscript><object data=x>c</object><template>d</template>",
      text: "a\n\nb\nc\nd"),
    "the text of drawings": Row(
      html: "<svg><title>no</title><text>one</text><text>two</text></svg>", text: "one\ntwo"),
    "elements of newer HTML": Row(
      html: "<details><summary>sum</summary>det</details><main>m</main><nav>n</nav>",
      text: "sum\ndet\nm\nn"),
    "paragraphs in what stands in a paragraph": Row(
      html: "hello <section><p>one</p><p>two</p></section>", text: "hello\n\none\n\ntwo"),
    "words in the head": Row(
      html: "<head><noscript><p>one</p></noscript><p>two</p></head><body>three",
      text: "one\n\ntwo\n\nthree"),
    "nothing that anybody sees": Row(
      html: "<div style=\"display:none\">hidden</div>", text: "", isCut: true),
  ]

  @Test(arguments: broken.keys.sorted())
  func `nothing that stands there is lost`(_ name: String) throws {
    let row = try #require(Self.broken[name])
    let read = HTMLText(row.html)
    #expect(read.text.trimmingCharacters(in: .whitespacesAndNewlines) == row.text)
    #expect(read.isCut == row.isCut)
  }

  static let links: [String: String] = [
    "<a href=\"https://photos.example/1?a=b&amp;c=d\">this photo</a>, please":
      "this photo <https://photos.example/1?a=b&c=d>, please",
    "<a href='https://www.shop.example/'>shop.example</a>": "shop.example",
    "<a href=\"https://shop.example/a\">https://shop.example/a</a>": "https://shop.example/a",
    "<a href=\"https://else.example/a\">https://shop.example/a</a>":
      "https://shop.example/a <https://else.example/a>",
    "<a href=\"https://bank.example/\">https://mybank.example/login</a>":
      "https://mybank.example/login <https://bank.example/>",
    "<a href=\"http://evil.example\">https://good.example.evil.example.com</a>":
      "https://good.example.evil.example.com <http://evil.example>",
    "<a href=\"https://shop.example\">see www.shop.example.</a>": "see www.shop.example.",
    "<a href=\"https://a.example/\u{202E}x\">here</a>": "here <https://a.example/%E2%80%AEx>",
    "<a href=\"mailto:ann@home.example?subject=x\">Ann@home.example</a>": "Ann@home.example",
    "<a href=\"mailto:reply%2Babc@home.example\">reply+abc@home.example</a>":
      "reply+abc@home.example",
    "<a href=\"mailto:ann@home.example\">Ann</a>": "Ann <mailto:ann@home.example>",
    "<a href=\"tel:+15550100\">(555) 01-00</a>": "(555) 01-00",
    "<a href=\"tel:+15550100\">call</a>": "call <tel:+15550100>",
    "<a href=\"javascript:x()\">a</a> <a href=\"#top\">b</a> <a href=\"cid:c\">c</a> <a>d</a>":
      "a b c d",
    "<a href=\"https://shop.example/1\"></a>x": "x",
    "<a href=\"https://shop.example/1\"><img src=\"cid:a\"></a>x": "x",
    "<a href=\"https://shop.example/1\"><img></a> <a href=\"https://shop.example/1\">Lamp</a>":
      "Lamp <https://shop.example/1>",
    "<a href=\" https://shop.example/a b\n<3> \">it</a>": "it <https://shop.example/a%20b%3C3%3E>",
    "<a href=\"https://shop.example/1\"><p>one</p><p>two</p></a><p>three</p>":
      "one\n\ntwo <https://shop.example/1>\n\nthree",
    "<blockquote>see <a href=\"https://shop.example/1\">this</a></blockquote>":
      "> see this <https://shop.example/1>",
  ]

  @Test(arguments: links.keys.sorted())
  func `where a link leads is said, where its text does not`(_ html: String) {
    let read = HTMLText(html)
    #expect(read.text.trimmingCharacters(in: .newlines) == Self.links[html])
    #expect(!read.isCut)
  }

  @Test func `of a very long target the beginning is shown`() {
    let target = "https://track.example/" + String(repeating: "a", count: 3_000)
    let read = HTMLText("<a href=\"\(target)\">here</a> and there")
    #expect(read.text == "here <\(target.prefix(1_000))…> and there\n")
    #expect(read.isCut)
  }

  /// Telephones set their line above what is written next; Gmail's signature ends, too.
  @Test(arguments: [
    (
      #"<div id="ms-outlook-mobile-signature">Sent from <a href="https://aka.ms/x">Outlook for iOS</a></div><div>Cancel 4711.</div>"#,
      "Cancel 4711.", "-- \nSent from Outlook for iOS <https://aka.ms/x>"
    ),
    (
      #"<div>Yes.<div class="gmail_signature">Ann Lee<br>Home Ltd</div><br><div>PS: to my new account.</div></div>"#,
      "Yes.\nPS: to my new account.", "-- \nAnn Lee\nHome Ltd"
    ),
    (
      #"Yes.<div class="gmail_signature">Ann<div class="moz-signature">Lee</div>Home</div><p>Soon.<div class="gmail_signature">Ann</div>"#,
      "Yes.\nSoon.", "-- \nAnn\n-- \nLee\nHome\n-- \nAnn"
    ),
    (
      #"Yes.<div id="Signature">Ann</div><hr><div id="divRplyFwdMsg"><b>From:</b> Shop</div><p>Shall we?</p>"#,
      "Yes.", "-- \nAnn"
    ),
    (
      #"Yes.<blockquote type="cite">Shall we?<div class="gmail_signature">Shop</div></blockquote><p>Soon.</p>"#,
      "Yes.\nSoon.", ""
    ),
    (
      #"Yes.<a class="gmail_signature" href="https://a.example/">Ann</a>"#, "Yes.",
      "-- \nAnn <https://a.example/>"
    ),
    (
      #"<div>Dark.</div><div class=gmail_signature>Ann<br>&gt;&gt; www.home.example<br>Home<br>Tel 1</div><div>also the cord</div>"#,
      "Dark.\nalso the cord", "-- \nAnn\nHome\nTel 1"
    ),
    (
      #"<div>Dark.</div><div>```</div><div class=gmail_signature>Ann</div><div>```</div><div>cord</div>"#,
      "Dark.\n```\n```\ncord", "-- \nAnn"
    ),
    (
      #"<div>Mine.</div><div class=gmail_signature>Ann</div><p>This email is confidential and intended for the addressee only. If you are not the addressee delete it.</p>"#,
      "Mine.",
      "-- \nAnn\n\n\u{2063}\nThis email is confidential and intended for the addressee only. If you are not the addressee delete it."
    ),
  ])
  func `what stands behind a signature is its author's`(
    _ html: String, _ own: String, _ signature: String
  ) {
    let words = OwnWords(HTMLText.plain(html))
    #expect(words.own == own)
    #expect(words.signature == signature)
    #expect(!words.own.contains("\u{2063}"))
  }

  @Test func `what marks a signature's end is nobody's to see`() {
    let html =
      #"Yes.<div class="gmail_signature">Ann</div><div id="Signature">Home</div><p>Soon.</p>"#
    let mail = MailUnderstanding(bytes: Array("Content-Type: text/html\n\n\(html)".utf8))
    #expect(mail.own == "Yes.\nSoon.")
    #expect(mail.signature == "-- \nAnn\n-- \nHome")
  }

  @Test func `links in words leave signatures and rules what they are`() {
    let long = "https://eur01.safelinks.example/?url=" + String(repeating: "x", count: 300)
    let phone = OwnWords(
      HTMLText.plain("<p>Yes.</p><p>Get <a href=\"\(long)\">Outlook for iOS</a></p>"))
    #expect(phone.own == "Yes." && phone.signature.hasPrefix("Get Outlook for iOS <https"))
    let rule = OwnWords(
      HTMLText.plain("<p>Yes.</p><hr><p>See <a href=\"https://a.example\">this</a>.</p>"))
    #expect(rule.own.hasSuffix("See this <https://a.example>."))
  }

  /// Most are of shops and signatures; some are the photo that all is about.
  @Test func `where a picture leads is the mail, or beside it`() {
    func read(_ html: String) -> MailUnderstanding {
      MailUnderstanding(bytes: Array("Content-Type: text/html\n\n\(html)".utf8))
    }
    let photo = "<a href=\"https://photos.example/1\"><b><img src=\"https://a.example/1\"></b></a>"
    let alone = read("<style>p{}</style><p>\(photo)</p>")
    #expect(alone.own == "<https://photos.example/1>" && alone.quoted.isEmpty)
    #expect(!alone.isTruncated)
    let beside = read("<p>See</p>\(photo)<p>please</p>\(photo)<p>Ann</p>")
    #expect(beside.own == "See\n\nplease\n\nAnn" && beside.quoted == "<https://photos.example/1>")
    let said = read("<p><a href=\"https://photos.example/1\">See</a></p>\(photo)")
    #expect(said.own == "See <https://photos.example/1>" && said.quoted.isEmpty)
    // Nor of what others wrote, nor of what the program set below.
    let quoted = read("<p>See</p><blockquote>\(photo)x</blockquote>")
    #expect(quoted.own == "See" && quoted.quoted == "> \n> x")
    let signed = read("<p>See</p><div class=gmail_signature>Ann \(photo)</div>")
    #expect(signed.own == "See" && signed.signature == "-- \nAnn" && signed.quoted.isEmpty)
    let many = read(
      "<p>See</p>"
        + (1...200).map { "<a href=\"https://photos.example/\($0)/\"><img></a>" }.joined())
    #expect(many.own == "See" && many.isTruncated)
    #expect(many.quoted.split(separator: "\n").count == 100)
  }

  @Test func `a quote begins with nothing that nobody wrote`() {
    func quoted(_ header: String) -> String {
      let html = "<p>Yes.</p>\(header)<p>Shall we?</p>"
      let read = MailUnderstanding(bytes: Array("Content-Type: text/html\n\n\(html)".utf8))
      #expect(read.own == "Yes.")
      return read.quoted
    }
    let marked = "<div id=divRplyFwdMsg><b>Qwe:</b> Help</div>"
    #expect(quoted(marked) == "Qwe: Help\n\nShall we?")
    let written = "<p>-----Original Message-----</p><p>Shall we?</p>"
    #expect(quoted(written).hasPrefix("-----Original Message-----"))
  }

  @Test(arguments: ["div", "blockquote", "font", "table><tr><td", "b><i"])
  func `however deep, no word is lost`(_ element: String) {
    let ends = element.split(separator: "><").reversed().map { "</\($0)>" }.joined()
    for (depth, isClosed) in [(700, true), (700, false), (9_000, true), (30_000, false)] {
      let html =
        "<p>top</p>" + String(repeating: "<\(element)>", count: depth) + "deep"
        + (isClosed ? String(repeating: ends, count: depth) : "") + "<p>bottom</p>"
      let read = HTMLText(html)
      let words = read.text.split { !$0.isLetter }
      #expect(words == ["top", "deep", "bottom"], "\(element) \(depth)")
      #expect(!read.isCut)
    }
  }

  @Test func `pictures and styles take no room from words`() {
    let picture = String(repeating: "A", count: 3 << 20)
    let style = String(repeating: "p { color: red }\n", count: 200_000)
    let html =
      "<style>\(style)</style><p>one</p><img src='data:image/png;base64,\(picture)'><p>two</p>"
    let mail = MimeMessage(bytes: Array("Content-Type: text/html\n\n\(html)".utf8))
    #expect(mail.text == "one\n\ntwo\n" && !mail.isTruncated)
    let words = MimeMessage(
      bytes: Array("Content-Type: text/html\n\n\(String(repeating: "word ", count: 300_000))".utf8))
    #expect(words.text.utf8.count == 1 << 20 && words.isTruncated)
  }

  /// Each end tag without its element is looked for up to the root.
  @Test(.timeLimit(.minutes(1)))
  func `a page that would take libxml2 minutes is read in the time of a page`() {
    let html =
      String(repeating: "<b>", count: 140_000) + "words" + String(repeating: "</i>", count: 140_000)
      + " behind"
    let read = HTMLText(html)
    #expect(read.text.split { !$0.isLetter } == ["words", "behind"])
  }
}
