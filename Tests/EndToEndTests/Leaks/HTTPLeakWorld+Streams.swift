import PlainReference

/// Everybody who may have a stream has one, and subscribes to all that they may hear and to what they
/// may not.
extension HTTPLeakWorld {
  struct Listener {
    /// Which of the callers.
    var caller: Int
    var stream: PatientStream
    /// What was so, and who they were, when less became visible than before: a frame may have been
    /// read then.
    var earlier: (secrets: Secrets, reader: Secrets.Reader)?
  }

  /// Less may be seen than a moment ago. Streams go on, and what they bring may have been read before;
  /// beside them new ones are opened, and whatever these bring was read after.
  func shrank(since before: Secrets) throws {
    for listener in listeners where listener.earlier != nil { listener.stream.close() }
    listeners.removeAll { $0.earlier != nil }
    for index in listeners.indices {
      listeners[index].earlier = (before, callers[listeners[index].caller].reader)
    }
    try listenAnew()
  }

  func listenAnew() throws {
    for (index, caller) in callers.enumerated()
    where !["telephony", "admin"].contains(caller.scope) && caller.reader.holder != "a2" {
      let stream: PatientStream
      do { stream = try PatientStream(port: server.port("http"), token: caller.token) } catch {
        if caller.scope != "nobody" { throw error }
        continue
      }
      if caller.scope == "nobody" { fail("a token that is none has a stream") }
      listeners.append(Listener(caller: index, stream: stream))
    }
    let fresh = listeners.filter { $0.earlier == nil }
    for session in secrets.sessions { subscribe(session.id, fresh) }
    for customer in customers.suffix(60) { follow(customer, fresh) }
  }

  /// By every bot, whosever it is, and now and then by who is none; and so on with customers.
  func subscribe(_ session: String, _ listeners: [Listener]) {
    for listener in listeners
    where callers[listener.caller].scope == "bot" || random.chance(10) {
      listener.stream.say(
        ["type": "subscribe", "session": .text(session), "after": 0])
    }
  }
  func follow(_ customer: String, _ listeners: [Listener]) {
    for listener in listeners
    where callers[listener.caller].scope != "bot" || random.chance(10) {
      listener.stream.say(["type": "follow", "customer": .text(customer), "after": 0])
    }
  }
  private var customers: [String] {
    ids.map(\.text).filter { $0.hasPrefix("cust") }
  }

  /// Looks at what has come.
  func listen() {
    for listener in listeners {
      let caller = callers[listener.caller]
      for frame in listener.stream.heard() {
        let type = frame["type"].text
        var asked = Asked(kind: caller.scope == "bot" ? .botStream : .agentStream)
        if type == "events" { (asked.session, asked.isWhole) = (frame["session"].text, false) }
        look(
          in: Array(frame.bytes), "a frame \(type)", caller, asked, earlier: listener.earlier)
      }
    }
  }

  /// What is on its way comes.
  func hearOut() throws {
    for _ in 0..<10 {
      usleepBriefly()
      listen()
    }
  }

  /// A bot's second token ends while its stream is open. What it was sent before it has; from now on
  /// it is nobody's.
  func revoke() throws {
    let before = secrets
    let told = try administer(
      "/admin/tokens/revoke", ["token": .text(callers[doomed].token)])
    if told.status != 200 { fail("the token is not revoked: \(told)") }
    for index in listeners.indices where listeners[index].caller == doomed {
      listeners[index].earlier = (before, callers[doomed].reader)
    }
    callers[doomed].reader = .init(0, "nobody", "")
  }
}
