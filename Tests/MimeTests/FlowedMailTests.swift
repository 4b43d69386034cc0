import Testing

@testable import Mime

/// What a mail says in `format=flowed`.
struct `Mail that flows` {
  private func read(_ type: String, _ body: String) -> MailUnderstanding {
    MailUnderstanding(
      bytes: Array("Content-Type: text/plain; charset=utf-8\(type)\n\n\(body)".utf8))
  }

  @Test
  func `soft breaks are none of the author's, and quotes and signature are told apart as ever`() {
    let body = """
      My lamp is dark, \nand so is \nmy house.

      On Fri, 27 Nov 2026 at 10:00, Help \n<help@shop.example> wrote:
      > Shall we \n> call?
      -- \nAnn
      """
    let mail = read("; format=flowed", body)
    #expect(mail.own == "My lamp is dark, and so is my house.")
    #expect(mail.quoted.hasSuffix("> Shall we call?"))
    #expect(mail.signature == "-- \nAnn")
    #expect(read("", body).own == "My lamp is dark, \nand so is \nmy house.")
  }

  @Test func `a blank before what begins like a quote says that it is none`() {
    let body = "Please note:\n > 3 weeks is too long.\n > 2 days are fine.\nAnn\n"
    #expect(
      read("; format=flowed", body).own
        == "Please note:\n > 3 weeks is too long.\n > 2 days are fine.\nAnn")
    #expect(read("", body).own == "Please note:\nAnn")
    #expect(read("; format=flowed", "> Which?\nThe tall one.\n").own == "The tall one.")
  }

  @Test func `right below an introduction a quote is one, with a blank before it or not`() {
    let intro = "On Mon, May 3, 2024 at 10:00 AM, Shop <help@shop.example> wrote:"
    let quote = "\n > old text\n > old text 2\n\nyes\n"
    #expect(read("; format=flowed", intro + quote).own == "yes")
    #expect(read("; format=flowed", "Mine.\n\n\(intro)\n\(quote)").own == "Mine.\nyes")
    #expect(
      read("; format=flowed", "\(intro)\(quote)\n > 3 weeks\n").own == "yes\n\n > 3 weeks",
      "further down the blank says again that it is none")
  }

  @Test func `DelSp takes the space too, however its name is written`() {
    #expect(read("; Format=Flowed; DelSp=\"Yes\"", "これは長い \n文です。").own == "これは長い文です。")
    #expect(read("; format=fixed; delsp=yes", "one \ntwo").own == "one \ntwo")
  }
}
