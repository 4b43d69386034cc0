import Foundation

/// Act 1: a chat with a bot that ends with a human, while others chat too.
extension Story {
  func chat() throws {
    tell.act(1, "\(customer) chats with the shop's bot")
    let others = talkOfOthers()
    let words = Dialogue.order.words
    let opened = try stage.bot.done(
      "POST", "/v1/sessions",
      [
        "channel": "chat", "context": ["page": "/keyboards"],
        "customer": [
          "name": customer,
          "identities": [["kind": "email", "value": mail, "assurance": "asserted"]],
        ],
      ])
    guard let session = opened.json["session"] as? String, let after = opened.json["after"] as? Int,
      let epoch = opened.json["epoch"] as? Int,
      let conversation = opened.json["conversation"] as? String
    else { throw Peer.Fault("the session was not opened") }
    self.session = session
    proof.conversations.insert(conversation)
    let answers = [
      "Hello! I am the shop's bot. What can I do for you?",
      "Gladly. Under which name do you order?",
      "Thank you, Mani. Which instruments, and how many?",
      "And which model is it?",
      "Twenty is an order that one of us confirms. I hand you over, with all that you have told me.",
    ]
    for (said, answer) in zip(words, answers) {
      try customerSays(said)
      try botSays(answer, epoch)
    }
    try customerSays(words[5])
    try others.value()
    tell.happens("meanwhile \(Dialogue.others.count) other customers chat with the same bot")
    let aCase = try handOver(epoch)
    try answer(aCase, after: after, epoch: epoch)
  }

  /// The bot carries the customer's words.
  private func customerSays(_ words: String) throws {
    says(words)
    proof.expect("message", "chat", "customer", words)
    _ = try stage.bot.done(
      "POST", "/v1/sessions/\(session)/messages", ["author": "customer", "text": words])
  }

  private func botSays(_ words: String, _ epoch: Int) throws {
    tell.says("webshop", "chat", words, .business)
    proof.expect("message", "chat", "bot", words)
    _ = try stage.bot.done(
      "POST", "/v1/sessions/\(session)/messages", ["author": "bot", "text": words, "epoch": epoch])
  }

  private func handOver(_ epoch: Int) throws -> String {
    _ = try stage.ann.done(
      "PUT", "/v1/agents/me/status", ["status": "available", "lease_seconds": 3_600])
    let waiting = next(stage.ann)
    try untilReady(1, in: "support", for: "chat")
    let fields: [String: Any] = [
      "name": "mani", "number": 458, "quantity": 20, "model": "psrew 410",
    ]
    let summary = "Mani (458) orders 20 portable keyboards, model psrew 410. To confirm."
    tell.line()
    tell.says("webshop", "chat", "hands over", .business)
    tell.fact("reason", "an order of twenty or more needs a person")
    tell.fact("summary", summary)
    tell.fact("fields", "name mani, number 458, quantity 20, model psrew 410")
    tell.fact("skills", "english")
    proof.expect("handoff", "chat", "bot")
    let watch = Stopwatch()
    _ = try stage.bot.done(
      "POST", "/v1/sessions/\(session)/handoff",
      [
        "reason": "an order of twenty or more needs a person", "summary": summary, "fields": fields,
        "skills": ["english"], "epoch": epoch,
      ])
    let (answer, since) = try waiting.value()
    let took = watch.milliseconds - since.milliseconds
    let object = try received(answer.bytes, by: "Ann", how: "chat", after: took, showsAll: false)
    let handoff = object["handoff"] as? [String: Any] ?? [:]
    require(handoff["summary"] as? String == summary, "Ann did not get the bot's summary")
    require(
      (handoff["fields"] as? [String: Any])?["quantity"] as? Int == 20,
      "Ann did not get the bot's fields")
    return try accept(object, stage.ann)
  }

  private func answer(_ aCase: String, after: Int, epoch: Int) throws {
    proof.expect("accepted", "–", "agent")
    let late = try stage.bot.call(
      "POST", "/v1/sessions/\(session)/messages",
      ["author": "bot", "text": "I am still here!", "epoch": epoch])
    require(
      late.status == 409, "the bot was not refused after the handoff: \(APIClient.sentence(late))")
    tell.happens(
      "the bot tries to go on, and is refused (\(late.status)): ann owns the conversation")
    let words =
      "Hello Mani, Ann here. Twenty psrew 410, under 458: I have ordered them for you. Anything else?"
    _ = try stage.ann.done("POST", "/v1/cases/\(aCase)/reply", ["text": words])
    proof.expect("message", "chat", "agent", words)
    let heard = try hears(words, after: after)
    require(heard, "the bot did not hear Ann's answer")
    tell.says("Ann", "chat", words, .business)
    for thanks in Dialogue.order.words.dropFirst(6) { try customerSays(thanks) }
    _ = try stage.ann.done("POST", "/v1/cases/\(aCase)/close")
    proof.expect("closed", "–", "agent")
    tell.happens("Ann closes the case")
  }

  /// The bot waits for events until the human's words are among them, and brings them to the
  /// customer.
  private func hears(_ words: String, after: Int) throws -> Bool {
    var after = after
    for _ in 0..<20 {
      let page = try stage.bot.done("GET", "/v1/sessions/\(session)/events?after=\(after)&wait=5")
      for event in page.json["events"] as? [[String: Any]] ?? []
      where event["text"] as? String == words {
        return true
      }
      after = page.json["after"] as? Int ?? after
    }
    return false
  }

  /// Seven others with words of their own: none of theirs may stand in this customer's timeline.
  private func talkOfOthers() -> Later<Void> {
    let bot = stage.bot
    return Later {
      let all = Dialogue.others.enumerated().map { number, dialogue in
        Later {
          let opened = try bot.done(
            "POST", "/v1/sessions",
            [
              "customer": [
                "identities": [
                  [
                    "kind": "email", "value": "guest\(number)@home.example",
                    "assurance": "asserted",
                  ]
                ]
              ]
            ])
          let session = opened.json["session"] as? String ?? ""
          for words in dialogue.words {
            _ = try bot.done(
              "POST", "/v1/sessions/\(session)/messages", ["author": "customer", "text": words])
          }
        }
      }
      for one in all { try one.value() }
    }
  }
}
