import Foundation

/// One customer, four channels, one timeline. Everything here goes over sockets, as bots, agents,
/// relays and
/// phone systems would speak; the customers' words are real people's (Dialogues/Dialogue.swift).
final class Story {
  let stage: Stage
  let tell: Narrator
  var proof = Proof()

  let customer = "Mani"
  let mail = "mani@music.example"
  /// As the phone system writes it; the shop knows it in full.
  let callerNumber = "2025550147"
  let phone = "+12025550147"
  /// The chat's session and the mail's own id, for the acts that come back to them.
  var session = ""
  var mailID = "<my-bill-1@music.example>"

  init(_ stage: Stage, _ tell: Narrator) {
    self.stage = stage
    self.tell = tell
  }

  /// Plays all acts. What goes wrong ends the story and is among what is missing.
  func play() {
    do {
      try chat()
      try returnsSomething()
      try writesMail()
      try calls()
    } catch {
      proof.lacks("the story could not go on: \(error)")
    }
  }

  // MARK: - What several acts do

  func says(_ words: String, _ channel: String = "chat") {
    tell.says(customer, channel, words, .customer)
  }

  /// Waits until an agent's question for a case has arrived, so that the time of a handoff is the
  /// router's alone.
  func untilReady(_ count: Int, in queue: String, for channel: String) throws {
    let watch = Stopwatch()
    while watch.milliseconds < 10_000 {
      let reply = try stage.watcher.done("GET", "/v1/queues")
      for found in reply.json["queues"] as? [[String: Any]] ?? []
      where found["name"] as? String == queue {
        let ready = (found["agents"] as? [String: Any])?["ready_for"] as? [String: Int]
        if ready?[channel] ?? 0 >= count { return }
      }
      Thread.sleep(forTimeInterval: 0.005)
    }
    throw Peer.Fault("nobody is ready in the queue \(queue)")
  }

  /// Asks for the next case, as an agent's desk does.
  func next(_ agent: APIClient, on peer: Peer? = nil) -> Later<
    (answer: APIClient.Bytes, at: Stopwatch)
  > {
    Later {
      let reply = try agent.call("POST", "/v1/agents/me/next?wait=30", on: peer)
      guard reply.status == 200 else { throw Peer.Fault("next: \(APIClient.sentence(reply))") }
      return (APIClient.Bytes(reply.bytes), Stopwatch())
    }
  }

  /// What an agent received with a case, judged and told.
  func received(
    _ bytes: [UInt8], by agent: String, how: String, after milliseconds: Double, showsAll: Bool
  )
    throws
    -> [String: Any]
  {
    let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
    if let conversation = object["conversation"] as? String {
      proof.conversations.insert(conversation)
    }
    let timeline = try ReceivedTimeline(in: bytes)
    let isWhole = proof.judge(timeline, of: agent)
    let time = String(format: "%.1f ms", milliseconds)
    tell.line()
    tell.line("   \(tell.paint("▸ \(agent) has the case after \(time)", .bold)), \(why(object))")
    if showsAll { show(timeline) }
    let count = "\(timeline.entries.count) entries on \(timeline.channels.joined(separator: ", "))"
    if isWhole {
      tell.good("\(count): all there; count and hash recomputed, \(timeline.sum.prefix(12))…")
    } else {
      tell.bad("\(count): not complete, see the end")
    }
    proof.handedOver(
      .init(
        to: agent, by: how, entries: timeline.entries.count, channels: timeline.channels,
        milliseconds: milliseconds,
        isWhole: isWhole))
    return object
  }

  private func why(_ object: [String: Any]) -> String {
    let queue = object["queue"] as? String ?? "?"
    let channel = object["channel"] as? String ?? "?"
    let rule = (object["why"] as? [String: Any])?["rule_name"] as? String ?? "none"
    return "\(channel), from the queue \(queue), by the rule \"\(rule)\""
  }

  /// What an agent says has no channel of its own: it stands on its conversation's.
  private func show(_ timeline: ReceivedTimeline) {
    var channels: [String: String] = [:]
    for entry in timeline.entries {
      let conversation = entry.conversation ?? ""
      if entry.channel != "–" { channels[conversation] = entry.channel }
      tell.seen(entry.clock, channels[conversation] ?? entry.channel, entry.sentence)
    }
  }

  func accept(_ object: [String: Any], _ agent: APIClient) throws -> String {
    guard let offer = object["offer"] as? String, let aCase = object["case"] as? String else {
      throw Peer.Fault("the answer names no offer")
    }
    _ = try agent.done("POST", "/v1/offers/\(offer)/accept")
    return aCase
  }

  func require(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds {
      proof.lacks(what())
      tell.bad(what())
    }
  }
}

extension APIClient {
  /// Bytes that another thread hands over.
  struct Bytes: Sendable {
    var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
  }
}

extension ReceivedTimeline.Entry {
  /// `10:15:07`, UTC.
  var clock: String { String((fields["at"] as? String ?? "").dropFirst(11).prefix(8)) }

  /// One line, cut to what a screen holds.
  var sentence: String {
    let author = fields["author"] as? [String: Any]
    let who = author?["name"] as? String ?? (author?["kind"] as? String ?? "")
    let text: String
    switch kind {
    case "message": text = "\(who): \(self.text)"
    case "note": text = "\(who) notes: \(self.text)"
    case "handoff":
      text =
        "\(who) hands over: \(fields["summary"] as? String ?? fields["reason"] as? String ?? "")"
    case "routed": text = "goes to the queue \(fields["queue"] as? String ?? "")"
    case "accepted": text = "\(who) takes over"
    case "closed": text = "\(who) closes the case"
    case "journey": text = "\(fields["event"] as? String ?? "") \(detail)"
    case "call": text = "calls from \(fields["from"] as? String ?? "")"
    case "session_opened": text = "opens a session"
    case "session_ended":
      text = "the session ends (\((fields["reason"] as? String ?? "").replacing("_", with: " ")))"
    default: text = kind.replacing("_", with: " ")
    }
    let line = text.replacing("\n", with: " / ")
    return line.count > 88 ? line.prefix(87) + "…" : line
  }

  private var detail: String {
    let detail = fields["detail"] as? [String: Any] ?? [:]
    return detail.keys.sorted().map { "\($0) \(detail[$0] ?? "")" }.joined(separator: ", ")
  }
}
