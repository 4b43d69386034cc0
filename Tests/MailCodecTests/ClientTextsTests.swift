import Testing

@testable import MailCodec

struct `What mail programs add comes off` {
  private func own(_ body: String) -> String { `Own words`.normal(OwnWords(body).own) }

  /// Breaks a line at spaces, as mail programs do when they send plain text.
  private func wrapped(_ line: String, at width: Int) -> String {
    var lines: [String] = []
    for word in line.split(separator: " ") {
      if let last = lines.last, last.count + word.count < width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n")
  }

  @Test(arguments: ClientTexts.introductions.map(\.name))
  func `an introduction goes with the quote that it introduces`(_ name: String) throws {
    let line = try #require(ClientTexts.introductions.first { $0.name == name }).line
    for intro in [line, wrapped(line, at: 60)] {
      #expect(own("Yes please.\n\n\(intro)\n\n> Shall we?\n> Help\n") == "Yes please.")
    }
    #expect(own("\(line)\n> Shall we?\n> Help\n\nYes please.\n") == "Yes please.")
    guard ClientTexts.quotesUnmarked(name) else { return }
    for intro in [line, wrapped(line, at: 60), wrapped(line, at: 44)] {
      #expect(own("Yes please.\nAnn\n\n\(intro)\n\nShall we?\nHelp\n") == "Yes please.\nAnn")
    }
  }

  @Test(arguments: ClientTexts.headers.map(\.name))
  func `a quoted mail's header goes with all that is below`(_ name: String) throws {
    let lines = try #require(ClientTexts.headers.first { $0.name == name }).lines
    for above in ["", "________________________________\n", "-----Original Message-----\n", "\n\n"]
    {
      #expect(
        own("It came today.\n\nAnn\n\n\(above)\(lines)\n\nShall we?\n\nHelp\n")
          == "It came today.\n\nAnn")
    }
    #expect(own("\(lines)\n\nShall we?\n") == "Shall we?", "with nothing above, only it goes")
  }

  @Test(arguments: ClientTexts.clientLines)
  func `a telephone's or program's line is no word of its owner's`(_ line: String) {
    #expect(own("Yes please.\n\n\(line)\n") == "Yes please.")
    let quote =
      "\n\nOn Fri, Nov 27, 2026 at 10:00 AM Help <help@shop.example> wrote:\n\n> Shall we?\n"
    #expect(own("Yes please.\n\n\(line)\(quote)") == "Yes please.")
  }

  @Test(arguments: ClientTexts.disclaimers)
  func `a disclaimer is nobody's words, whole or wrapped`(_ text: String) {
    #expect(own("Yes please.\n\nAnn\n\n\(text)\n") == "Yes please.\n\nAnn")
    #expect(own("Yes please.\n\nAnn\n\n\(wrapped(text, at: 60))\n") == "Yes please.\n\nAnn")
    #expect(own(text) == text, "alone it is all that was said")
  }

  @Test(arguments: ClientTexts.lookalikes.map(\.name))
  func `words that only look like it stay`(_ name: String) throws {
    let body = try #require(ClientTexts.lookalikes.first { $0.name == name }).body
    #expect(own(body) == `Own words`.normal(body))
  }

  @Test(arguments: TakenForAnother.telephones)
  func `a sentence that only begins or ends as a telephone's line is its author's`(_ line: String) {
    for body in [line, "Hello,\n\n\(line)\n", "\(line)\n\nAnn\n"] {
      #expect(own(body) == `Own words`.normal(body))
    }
  }

  @Test(arguments: TakenForAnother.whole.map(\.name))
  func `what only looks like a quote or a signature is its author's`(_ name: String) throws {
    let body = try #require(TakenForAnother.whole.first { $0.name == name }).body
    #expect(own(body) == `Own words`.normal(body))
  }

  @Test(arguments: TakenForAnother.parts.map(\.name))
  func `of what was added nothing but that comes off`(_ name: String) throws {
    let mail = try #require(TakenForAnother.parts.first { $0.name == name })
    #expect(own(mail.body) == mail.own)
  }

  @Test func `what was forwarded is kept where its author wrote below it`() {
    let words = OwnWords(
      "> Begin forwarded message:\n>\n> From: a@carrier.example\n> Subject: Parcel\n>\n> It is here.\n\nMine?\n"
    )
    #expect(words.own == "Mine?")
    #expect(words.quoted.hasSuffix("> It is here."))
  }

  @Test(arguments: ClientTexts.mails.map(\.name))
  func `whole mails come apart`(_ name: String) throws {
    let mail = try #require(ClientTexts.mails.first { $0.name == name })
    #expect(own(mail.body) == mail.own)
  }

  @Test func `a forward without a comment gives what was forwarded, also behind marks`() {
    for mark in ["", "> "] {
      let header =
        "From: Carrier <a@carrier.example>\n\(mark)Subject: Parcel\n\(mark)To: ann@home.example\n"
      for title in ["\(mark)Begin forwarded message:", "---------- Forwarded message ---------"] {
        let body = "\(title)\n\(mark)\n\(mark)\(header)\(mark)\n\(mark)Your parcel is here.\n"
        #expect(own(body).hasSuffix("\(mark)Your parcel is here."), "\(body)")
        #expect(!own(body).contains("carrier.example"), "\(body)")
      }
    }
  }

  @Test func `what is written below a forward that stands behind marks is its author's`() {
    let body =
      "> Begin forwarded message:\n>\n> From: a@carrier.example\n> Subject: Parcel\n>\n> It is here.\n\nIs this mine?\n"
    #expect(own(body) == "Is this mine?")
  }

  @Test func `the end of a quoted line that was wrapped off its mark is quoted`() {
    let long = "> " + String(repeating: "lorem ipsum ", count: 6)
    #expect(
      own("Yes.\n\nOn 2026-11-27 at 10:00, Ann <a@x.example> wrote:\n\(long)\ndolor\n> sit\n")
        == "Yes.")
    #expect(own("> Which one?\nthe tall one\n> Which colour?\nblue") == "the tall one\nblue")
  }

  @Test func `words on the line of an introduction are their author's`() {
    for glue in [" ", "--- ", "  - "] {
      let body =
        "Yes.\nPlease come\(glue)On Wed, Apr 4, 2012 at 3:59 PM, Bob <bob@x.example> wrote:\n> Hi"
      #expect(own(body) == "Yes.\nPlease come")
    }
    let whole = "I asked you on 4 April, and Bob <bob@x.example> wrote:\nnothing"
    #expect(own(whole) == whole)
  }

  /// What a hostile mail may repeat: each look ahead and back is bounded, and nothing traps.
  @Test(arguments: [
    "______\n", "Sent via web\n> c\n", "-- \n", "\n", "> ", "On 27 Nov 2026 at 10:00 Ann <\n",
    "[\n",
  ])
  func `nothing is lost of a mail that only repeats itself`(_ line: String) {
    let body = String(repeating: line, count: 2_000)
    let words = OwnWords(body)
    #expect(words.fragments.flatMap { words.body[$0.range] } == Array(body.utf8))
  }
}
