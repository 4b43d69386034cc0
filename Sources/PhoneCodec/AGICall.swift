/// A caller's own connection, from its arrival to its end.
///
/// One command is in flight or none is; the state says which. What the router wishes meanwhile is
/// kept as `next` and done when the command is answered. That the caller is gone shows in three
/// ways: an unasked `HANGUP` line at any moment, a 511 to a command that needs a live channel (SET
/// MUSIC, STREAM FILE, CHANNEL STATUS; EXEC and both VARIABLE commands work on a dead one), or the
/// connection's close. A `200 result=-1` alone proves nothing, and a HANGUP or 511 follows where it
/// matters.
///
/// ```
/// state          input              does                                   next state
/// arrived        wait               SET MUSIC ON                           startingMusic
/// arrived        ring, announce, finish: as waiting
/// waiting        ring               EXEC Dial …,gmU(tl-offer^offer)        ringing
/// waiting        announce           STREAM FILE or SAY NUMBER              announcing
/// waiting        probe              CHANNEL STATUS                         probing
/// waiting        finish             SET VARIABLE THROUGHLINE_END …         finishing
/// startingMusic  reply              (announced)                            waiting, or as `next`
/// says
/// announcing     reply              the next announcement, or SET MUSIC ON announcing or
/// startingMusic
/// probing        reply              stillThere                             waiting, or as `next`
/// says
/// ringing        reply              GET VARIABLE DIALSTATUS                asking(dialStatus)
/// asking         reply: ANSWER      GET VARIABLE ANSWEREDTIME              asking(answeredTime)
///                  unavailable      GET VARIABLE HANGUPCAUSE               asking(cause)
///                  any other        ringEnded, SET MUSIC ON                startingMusic, or as
///                  `next` says
/// finishing      reply              callEnded(finished), close             closed
/// ringing, asking   HANGUP          –                                      the same, caller gone
///                  its last reply:  ringEnded, callEnded(hungUp), close    closed
/// any other      HANGUP, or 511     callEnded(hungUp), close               closed
/// any            peer closes        (ringEnded lost) callEnded, close      closed
/// closed         ring               ringEnded(notRung)                     closed
/// ```
struct AGICall: Equatable, Sendable {
  enum Caller: Equatable { case there, gone }

  /// What the router wants once the command in flight is answered.
  enum Next: Equatable {
    case ring(AGIRing)
    case announce([AGIAnnouncement])
    case finish(AGIEnding)
  }

  enum Question: Equatable {
    case dialStatus
    /// Set when a bridge has ended: tells a talk from a device that was dropped before it.
    case answeredTime(dialStatus: String)
    case cause(dialStatus: String)
  }

  enum State: Equatable {
    case arrived
    case waiting
    case startingMusic(after: AGINews?, next: Next?)
    case announcing(rest: [AGIAnnouncement], next: Next?)
    case probing(next: Next?)
    case ringing(AGIOffer, Caller, next: Next?)
    case asking(Question, AGIOffer, Caller, next: Next?)
    case finishing(AGIEnding)
    case closed
  }

  private(set) var state = State.arrived
  let musicClass: AGISound

  init(musicClass: AGISound) { self.musicClass = musicClass }
}

/// What a machine on a connection wants done.
enum AGIAct: Equatable {
  case command(AGICommand)
  case tell(AGINews)
  case close
}

// MARK: - From the router

extension AGICall {
  mutating func wish(_ wish: AGIWish) -> [AGIAct] {
    switch wish {
    case .wait: wait()
    case .ring(let ring): want(.ring(ring))
    case .announce(let announcements): want(.announce(announcements))
    case .finish(let ending): want(.finish(ending))
    case .stopRinging(let offer): stop(offer)
    case .probe: probe()
    case .accept, .refuse: []
    }
  }

  private mutating func wait() -> [AGIAct] {
    state == .arrived ? startMusic() : []
  }

  private mutating func probe() -> [AGIAct] {
    guard state == .waiting else { return [] }
    state = .probing(next: nil)
    return [.command(.channelStatus)]
  }

  private mutating func want(_ wanted: Next) -> [AGIAct] {
    switch state {
    case .arrived, .waiting: return begin(wanted)
    case .finishing, .closed: return Self.dropped(wanted)
    case .startingMusic, .announcing, .probing, .ringing, .asking:
      return replaceNext(by: Self.stronger(wanted, than: next))
    }
  }

  /// An ending is final; a ring is worth more than words; otherwise the newest wish counts.
  private static func stronger(_ new: Next, than old: Next?) -> (kept: Next, dropped: Next?) {
    switch (new, old) {
    case (_, nil): (new, nil)
    case (_, .finish?), (.announce, .ring?): (old ?? new, new)
    case (_, _): (new, old)
    }
  }

  private mutating func replaceNext(by choice: (kept: Next, dropped: Next?)) -> [AGIAct] {
    next = choice.kept
    return choice.dropped.map(Self.dropped) ?? []
  }

  private static func dropped(_ next: Next) -> [AGIAct] {
    if case .ring(let ring) = next { [.tell(.ringEnded(ring.offer, .notRung))] } else { [] }
  }

  private mutating func stop(_ offer: AGIOffer) -> [AGIAct] {
    guard case .ring(let ring) = next, ring.offer == offer else { return [] }
    next = nil
    return [.tell(.ringEnded(offer, .notRung))]
  }

  /// So much is left to the ring that waits behind the command in flight: its Dial is told of no more. Too little
  /// to be heard is not rung: whoever misses it is taken to be away.
  mutating func shortenRing(toSeconds seconds: Int) -> [AGIAct] {
    guard case .ring(var ring) = next else { return [] }
    guard seconds >= min(ring.timeoutSeconds, AGIRing.heardSeconds) else { return stop(ring.offer) }
    ring.timeoutSeconds = min(ring.timeoutSeconds, seconds)
    next = .ring(ring)
    return []
  }

  private var next: Next? {
    get {
      switch state {
      case .startingMusic(_, let next), .announcing(_, let next), .probing(let next),
        .ringing(_, _, let next),
        .asking(_, _, _, let next):
        next
      case .arrived, .waiting, .finishing, .closed: nil
      }
    }
    set {
      switch state {
      case .startingMusic(let after, _): state = .startingMusic(after: after, next: newValue)
      case .announcing(let rest, _): state = .announcing(rest: rest, next: newValue)
      case .probing: state = .probing(next: newValue)
      case .ringing(let offer, let caller, _): state = .ringing(offer, caller, next: newValue)
      case .asking(let question, let offer, let caller, _):
        state = .asking(question, offer, caller, next: newValue)
      case .arrived, .waiting, .finishing, .closed: break
      }
    }
  }
}

// MARK: - To Asterisk

extension AGICall {
  private mutating func begin(_ wanted: Next) -> [AGIAct] {
    switch wanted {
    case .ring(let ring):
      state = .ringing(ring.offer, .there, next: nil)
      return [.command(.dial(ring))]
    case .announce(let announcements):
      return announce(announcements[...], next: nil)
    case .finish(let ending):
      state = .finishing(ending)
      return [.command(.end(ending))]
    }
  }

  private mutating func announce(_ announcements: ArraySlice<AGIAnnouncement>, next: Next?)
    -> [AGIAct]
  {
    guard let first = announcements.first else { return startMusic(after: .announced) }
    state = .announcing(rest: Array(announcements.dropFirst()), next: next)
    return [.command(.play(first))]
  }

  private mutating func startMusic(after: AGINews? = nil) -> [AGIAct] {
    state = .startingMusic(after: after, next: nil)
    return [.command(.music(musicClass))]
  }

  /// The command in flight was answered and the caller is there.
  private mutating func goOn(_ next: Next?, orElse rest: (inout AGICall) -> [AGIAct]) -> [AGIAct] {
    next.map { begin($0) } ?? rest(&self)
  }
}

// MARK: - From Asterisk

extension AGICall {
  mutating func replied(_ reply: AGIReply) -> [AGIAct] {
    switch state {
    case .arrived, .waiting, .closed: return []  // the codec lets no unasked reply through
    case .ringing(let offer, let caller, let next):
      state = .asking(.dialStatus, offer, caller, next: next)
      return [.command(.variable("DIALSTATUS"))]
    case .asking(let question, let offer, let caller, let next):
      return answered(question, with: reply, offer, caller, next)
    case .finishing(let ending):
      return end(reply == .deadChannel ? .hungUp : .finished(ending))
    case .startingMusic, .announcing, .probing:
      return reply == .deadChannel ? end(.hungUp) : moveOn()
    }
  }

  /// Music plays, something was said, or the caller is there.
  private mutating func moveOn() -> [AGIAct] {
    switch state {
    case .startingMusic(let after, let next):
      let told = after.map { [AGIAct.tell($0)] } ?? []
      state = .waiting
      return told + goOn(next) { _ in [] }
    case .announcing(let rest, let next):
      return goOn(next) { $0.announce(rest[...], next: nil) }
    case .probing(let next):
      state = .waiting
      return [.tell(.stillThere)] + goOn(next) { _ in [] }
    case .arrived, .waiting, .ringing, .asking, .finishing, .closed:
      return []
    }
  }

  private mutating func answered(
    _ question: Question, with reply: AGIReply, _ offer: AGIOffer, _ caller: Caller, _ next: Next?
  ) -> [AGIAct] {
    let outcome: AGIRingOutcome
    switch question {
    case .dialStatus:
      // No DIALSTATUS means that Dial never ran: no such application, or arguments it did not like.
      let status = reply.value ?? ""
      outcome = AGIRingOutcome(dialStatus: status)
      if let more = Self.question(after: outcome, status) {
        state = .asking(more.question, offer, caller, next: next)
        return [.command(more.command)]
      }
    case .answeredTime(let status):
      // An unset variable answers `200 result=0` without a value.
      let time: String? = if case .result(_, let value, _) = reply { value ?? "" } else { nil }
      outcome = AGIRingOutcome(dialStatus: status, answeredTime: time)
    case .cause(let status):
      outcome = AGIRingOutcome(dialStatus: status, cause: reply.value.flatMap { Int($0) })
    }
    if caller == .gone { return end(.hungUp, ring: outcome) }
    return [.tell(.ringEnded(offer, outcome))] + goOn(next) { $0.startMusic() }
  }

  /// What DIALSTATUS leaves open.
  private static func question(
    after outcome: AGIRingOutcome, _ status: String
  ) -> (question: Question, command: AGICommand)? {
    switch outcome {
    case .answered: (.answeredTime(dialStatus: status), .variable("ANSWEREDTIME"))
    case .unavailable: (.cause(dialStatus: status), .variable("HANGUPCAUSE"))
    case .dropped, .notAnswered, .busy, .cancelled, .notRung, .lost: nil
    }
  }

  /// The unasked `HANGUP` line.
  mutating func hungUp() -> [AGIAct] {
    switch state {
    // Dial still owes its reply, and how the ring ended can be read from a dead channel.
    case .ringing(let offer, _, let next): state = .ringing(offer, .gone, next: next)
    case .asking(let question, let offer, _, let next):
      state = .asking(question, offer, .gone, next: next)
    case .closed: break
    // Finishing too: SET VARIABLE would answer 200 on a dead channel, and the ending would serve
    // nobody.
    case .arrived, .waiting, .startingMusic, .announcing, .probing, .finishing: return end(.hungUp)
    }
    return []
  }

  mutating func peerClosed() -> [AGIAct] {
    switch state {
    case .ringing(_, .gone, _), .asking(_, _, .gone, _): end(.hungUp)
    default: end(.lost)
    }
  }

  mutating func broke(_ error: AGIError) -> [AGIAct] { end(.broken(error)) }

  /// Closes every account that is open: the ring, the wish that waited behind it, the call.
  private mutating func end(_ end: AGICallEnd, ring outcome: AGIRingOutcome = .lost) -> [AGIAct] {
    var acts: [AGIAct] = []
    switch state {
    case .closed: return []
    case .ringing(let offer, _, _), .asking(_, let offer, _, _):
      acts = [.tell(.ringEnded(offer, outcome))]
    case .arrived, .waiting, .startingMusic, .announcing, .probing, .finishing: break
    }
    acts += next.map(Self.dropped) ?? []
    state = .closed
    return acts + [.tell(.callEnded(end)), .close]
  }
}
