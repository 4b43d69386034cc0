import Foundation

/// Act 3: a mail, which lands with whom the customer knows, and the answer that leaves.
extension Story {
  func writesMail() throws {
    tell.act(3, "Later still, \(customer) writes a mail")
    let words = Dialogue.bill.words
    let subject = "my last month credit bill charges"
    tell.happens("Cleo waits for a case too, for longer than Ann")
    _ = try stage.cleo.done(
      "PUT", "/v1/agents/me/status", ["status": "available", "lease_seconds": 3_600])
    let cleosPeer = try Peer(port: stage.http)
    let cleo = next(stage.cleo, on: cleosPeer)
    try untilReady(1, in: "returns", for: "email")
    let waiting = next(stage.ann)
    try untilReady(2, in: "returns", for: "email")

    for line in words { says(line, "mail") }
    proof.expect("message", "email", "customer", words.joined(separator: "\n"))
    let watch = Stopwatch()
    try Relay(port: stage.smtp).deliver(
      from: mail, to: "help@shop.example", message(subject, words))
    tell.happens(
      "the relay says dmarc=pass: the sender is proven, so this is the \(customer) of the chat and the shop"
    )
    let (answer, since) = try waiting.value()
    let took = watch.milliseconds - since.milliseconds
    let object = try received(answer.bytes, by: "Ann", how: "mail", after: took, showsAll: true)
    let aCase = try accept(object, stage.ann)
    proof.expect("accepted", "–", "agent")
    cleosPeer.end()
    if case .success = Result(catching: { try cleo.value() }) {
      proof.lacks("the mail was offered to Cleo, too")
    }
    try reply(aCase, subject)
  }

  private func message(_ subject: String, _ words: [String]) -> String {
    """
    Authentication-Results: relay.shop.example; dmarc=pass header.from=music.example
    From: \(customer) <\(mail)>
    To: help@shop.example
    Subject: \(subject)
    Message-ID: \(mailID)
    Date: \(Self.date())
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8

    \(words.joined(separator: "\n"))
    """
  }

  /// RFC 5322 §3.3.
  private static func date() -> String {
    let form = DateFormatter()
    form.locale = Locale(identifier: "en_US_POSIX")
    form.timeZone = TimeZone(secondsFromGMT: 0)
    form.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
    return form.string(from: Date())
  }

  private func reply(_ aCase: String, _ subject: String) throws {
    let words =
      "Dear Mani, that was our mistake: the charge of 6 June came twice. The second goes back today. Ann"
    _ = try stage.ann.done("POST", "/v1/cases/\(aCase)/reply", ["text": words])
    proof.expect("message", "email", "agent", words)
    let watch = Stopwatch()
    let sent = try stage.smarthost.next()
    tell.line()
    tell.says("Ann", "mail", words, .business)
    tell.happens("arrived at the smarthost after \(String(format: "%.1f ms", watch.milliseconds))")
    for name in ["To", "Subject", "In-Reply-To", "Reply-To"] {
      tell.fact(Self.short(name), sent.header(name) ?? "–")
    }
    require(sent.recipient == mail, "the answer left for \(sent.recipient)")
    require(sent.header("Subject") == "Re: " + subject, "the answer's subject is not the thread's")
    require(sent.header("In-Reply-To") == mailID, "the answer does not say which mail it answers")
    require(sent.header("References")?.contains(mailID) == true, "the answer has no References")
    require(sent.header("Message-ID") != nil, "the answer has no Message-ID")
    require(
      sent.header("Reply-To")?.contains("@shop.example") == true,
      "the answer has no signed reply address")
    require(
      sent.body.replacing("\n", with: " ").contains("came twice"),
      "the answer's words did not arrive")
    _ = try stage.ann.done("POST", "/v1/cases/\(aCase)/close")
    proof.expect("closed", "–", "agent")
    tell.happens("Ann closes the case")
  }

  private static func short(_ header: String) -> String {
    switch header {
    case "In-Reply-To": "answers"
    case "Reply-To": "back to"
    default: header.lowercased()
    }
  }
}
