import MailCodec
import Testing

/// RFC 3676.
struct `Lines that flow` {
  @Test(
    arguments: [
      ("one \ntwo\nthree\n", "one two\nthree\n"),
      ("one \r\ntwo\r\n", "one two\n"),
      // §4.4: a space before the words is stuffing.
      (" From here \n on\n  two\n", "From here on\n two\n"),
      (" > no quote\n", " > no quote\n"),
      // §4.5: only what is quoted as deep flows together.
      ("> one \n> two\n>> deep \n> less\nmine\n", "> one two\n>> deep\n> less\nmine\n"),
      ("> quoted \nmine\n", "> quoted\nmine\n"),
      ("> > one \n> > two\n", "> > one two\n"),
      (">one \n>two\n", ">one two\n"),
      // §4.3: a signature never flows.
      ("words \n-- \nAnn \nLee\n", "words\n-- \nAnn Lee\n"),
      ("> words \n> -- \n> Ann\n", "> words\n> -- \n> Ann\n"),
      ("-- \nAnn\n", "-- \nAnn\n"),
      ("one \n\ntwo\n", "one\n\ntwo\n"),
      ("> one \n>\n> two\n", "> one\n>\n> two\n"),
      ("end ", "end"), ("end \n", "end\n"), ("", ""), (" ", ""), ("> ", "> "), ("\n\n", "\n\n"),
    ] as [(String, String)])
  func `soft breaks are joined, and nothing else`(_ sent: String, _ shown: String) {
    #expect(FlowedText.joined(sent, deletesSpace: false) == shown)
  }

  @Test func `with DelSp the space that marks a soft break goes`() {
    #expect(FlowedText.joined("これは長い \n文です。\n", deletesSpace: true) == "これは長い文です。\n")
    #expect(FlowedText.joined("two  \nwords\n", deletesSpace: true) == "two words\n")
    #expect(FlowedText.joined("> これ \n> は\n-- \nA \n", deletesSpace: true) == "> これは\n-- \nA\n")
  }
}
