import Sockets

/// One line of an Asterisk, call after call: callers wait, are rung through, talk, and hang up at
/// any moment. A call
/// that a dead router let go of comes back with it, as the shipped dialplan does.
final class CrashCall {
  private let address: SocketAddress
  private unowned let world: CrashWorld
  private var call = 0
  private var line: CrashLine?
  private var leg: CrashLine?
  private var device: String?

  init(_ address: SocketAddress, _ world: CrashWorld) {
    (self.address, self.world) = (address, world)
    begin()
  }

  private var known: CrashLedger.Call {
    get { world.ledger.calls[call] }
    set { world.ledger.calls[call] = newValue }
  }

  private func begin() {
    guard !world.isOver else { return }
    call = world.takeCall()
    let number = call
    line = open(
      "wait", ["dialstatus=\(known.dialStatus)", "answeredtime=\(known.answeredTime)", "cause=0"],
      heard: { [weak self] in self?.heard($0) }, ended: { [weak self] in self?.lineEnded() })
    // Whoever waits too long hangs up.
    after(30 + Int(world.random.next() % 400)) { [self] in
      guard call == number, device == nil, known.isTaken, !known.isOver else { return }
      hangUp("HANGUP")
    }
  }

  private func open(
    _ script: String, _ arguments: [String], heard: @escaping (String) -> Void,
    ended: @escaping () -> Void
  ) -> CrashLine {
    CrashLine(
      address, script, known.unique, from: known.number, [BenchFolder.phoneSecret] + arguments,
      on: world.loop,
      heard: heard, ended: ended)
  }

  private func after(_ milliseconds: Int, _ then: @escaping () -> Void) {
    world.loop.after(milliseconds: milliseconds) { [weak self] _ in
      guard let self, !world.isOver else { return }
      then()
    }
  }

  // MARK: - What the router says

  private func heard(_ command: String) {
    world.ledger.heard += 1
    if command.hasPrefix("SET MUSIC") {
      known.isTaken = true
      line?.say("200 result=0")
    } else if command.hasPrefix("EXEC Dial ") {
      ring(command)
    } else if command == "GET VARIABLE DIALSTATUS" {
      line?.say("200 result=1 (\(known.dialStatus))")
    } else if command == "GET VARIABLE ANSWEREDTIME" {
      line?.say("200 result=1 (\(known.answeredTime))")
    } else if command == "GET VARIABLE HANGUPCAUSE" {
      line?.say("200 result=1 (17)")
    } else if command.hasPrefix("SET VARIABLE THROUGHLINE_END ") {
      let ending = String(command.dropFirst(29))
      if ending != "served" { world.ledger.violated("call \(known.unique) was ended as \(ending)") }
      if known.talks == 0 {
        world.ledger.violated("call \(known.unique) was served and never bridged")
      }
      (known.isServed, known.isOver) = (true, true)
      line?.say("200 result=1")
      next()
    } else if command == "CHANNEL STATUS" {
      line?.say("200 result=6")
    } else {
      world.ledger.violated("call \(known.unique) was told \"\(command)\"")
      line?.say("510 Invalid or unknown command")
    }
  }

  /// The router is gone, or the call is: what was not heard to its end comes back in the next life.
  private func lineEnded() {
    line = nil
    leg?.close()
  }

  private func next() {
    line?.hears { _ in }  // its end is no longer this call's
    line = nil
    begin()
  }

  private func hangUp(_ text: String) {
    known.isOver = true
    line?.say(text)
    // What the router still asks of this line is answered by a dead channel.
    let last = known
    line?.answerOut { $0.hasSuffix("DIALSTATUS") ? last.dialStatus : last.answeredTime }
    line = nil
    // Asterisk's hangup handler tells it once more, on a connection of its own.
    _ = open("hangup", ["end="], heard: { _ in }, ended: {})
    next()
  }

  // MARK: - A ring

  private func ring(_ command: String) {
    guard let mark = JSONPick.position(after: "gmU(tl-offer^", in: Array(command.utf8)),
      command.hasSuffix(")")
    else {
      return world.ledger.violated("call \(known.unique) was told \"\(command)\"")
    }
    let offer = String(decoding: Array(command.utf8)[mark...].dropLast(), as: UTF8.self)
    let device = String(command.dropFirst(10).prefix { $0 != "," })
    if known.talks > 0 {
      world.ledger.violated("call \(known.unique) has spoken with an agent and rings at \(device)")
    }
    if !world.busy.insert(device).inserted {
      world.ledger.violated("\(device) rings for two calls at once")
    }
    self.device = device
    // Should the router die now, the ring ends by itself.
    (known.dialStatus, known.answeredTime) = ("NOANSWER", "")
    switch world.random.next() % 100 {
    case 0..<8: after(5) { [self] in returns("CANCEL", "", hangsUp: true) }
    case 8..<11: returns("BUSY", "")
    case 11..<14: returns("NOANSWER", "")
    default: after(5 + Int(world.random.next() % 30)) { [self] in pickUp(offer) }
    }
  }

  /// The device was picked up: its leg asks whether it may be bridged.
  private func pickUp(_ offer: String) {
    var isBridged = false
    leg = open("answered", [offer]) { [weak self] command in
      guard let self else { return }
      world.ledger.heard += 1
      if command.hasPrefix("SET VARIABLE GOSUB_RESULT"), !command.hasSuffix("CONTINUE") {
        isBridged = true
        known.talks += 1
        (known.dialStatus, known.answeredTime) = ("ANSWER", "3")
      }
      leg?.say("200 result=1")
    } ended: { [weak self] in
      guard let self, line != nil else { return }
      leg = nil
      guard isBridged else { return returns("ANSWER", "") }
      after(5 + Int(world.random.next() % 50)) { [self] in
        returns("ANSWER", "3", hangsUp: world.random.chance(20))
      }
    }
  }

  /// `Dial` returns.
  private func returns(_ status: String, _ time: String, hangsUp: Bool = false) {
    if let device { world.busy.remove(device) }
    device = nil
    (known.dialStatus, known.answeredTime) = (status, time)
    if hangsUp { hangUp("200 result=-1\nHANGUP") } else { line?.say("200 result=0") }
  }
}

extension CrashLine {
  /// Answers as a dead channel does, until the other side closes.
  func answerOut(_ value: @escaping (String) -> String) {
    hears { [weak self] command in
      if command.hasPrefix("GET VARIABLE") {
        self?.say("200 result=1 (\(value(command)))")
      } else {
        self?.say(
          command.hasPrefix("EXEC")
            ? "200 result=-1" : "511 Command Not Permitted on a dead channel")
      }
    }
  }
}
