/// One FastAGI connection without its socket, from the first byte to the close. What it is for, its
/// script says:
///
/// ```
/// agi://router:4573/wait,secret,…        a caller's call             AGICall
/// agi://router:4573/answered,secret,offer   a device was picked up   AGIAnswered
/// agi://router:4573/hangup,secret,…      a call is over              hangupReported, close
/// ```
///
/// The first argument is the phone system's secret. A connection without it is closed, and told
/// nothing. Give it what arrives and what the router wishes; do what comes back, in order. Idle
/// time and the time to a complete header block are the listener's limits.
public struct AGIConnection: Equatable, Sendable {
  private enum Talk: Equatable {
    case opening
    case call(AGICall)
    case answered(AGIAnswered)
    case closed
  }

  private let keyring: AGIKeyring
  private let musicClass: AGISound
  private var codec: FastAGICodec
  private var talk = Talk.opening

  public init(
    keyring: AGIKeyring, musicClass: AGISound? = nil,
    limits: FastAGICodec.Limits = FastAGICodec.Limits()
  ) {
    self.keyring = keyring
    self.musicClass = musicClass ?? AGISound.standardMusic
    codec = FastAGICodec(limits: limits)
  }

  public var isClosed: Bool { talk == .closed }

  public mutating func received(_ bytes: some Sequence<UInt8>) -> [AGIOutput] {
    guard talk != .closed else { return [] }
    codec.receive(bytes)
    return understand()
  }

  public mutating func received(_ bytes: UnsafeRawBufferPointer) -> [AGIOutput] {
    guard talk != .closed else { return [] }
    codec.receive(bytes)
    return understand()
  }

  /// The peer closed its side, or the socket broke.
  public mutating func peerClosed() -> [AGIOutput] {
    step { talk in
      switch talk {
      case .opening: Self.refuse(.incomplete, &talk)
      case .call(var call): Self.keep(call.peerClosed(), call, &talk)
      case .answered(var answered): Self.keep(answered.lost(), answered, &talk)
      case .closed: []
      }
    }
  }

  /// What the router wishes. A wish that comes too late does nothing, but every ring is told an
  /// end.
  public mutating func wish(_ wish: AGIWish) -> [AGIOutput] {
    step { talk in
      switch (talk, wish) {
      case (.call(var call), _): return Self.keep(call.wish(wish), call, &talk)
      case (.answered(var answered), _): return Self.keep(answered.wish(wish), answered, &talk)
      case (.opening, .ring(let ring)), (.closed, .ring(let ring)):
        return [.tell(.ringEnded(ring.offer, .notRung))]
      case (.opening, _), (.closed, _): return []
      }
    }
  }

  /// A ring may wait behind the command in flight. Say before bytes are given how long its offer still
  /// lasts: it rings for no longer, and where that is hardly heard not at all.
  public mutating func shortenRing(toSeconds seconds: Int) -> [AGIOutput] {
    step { talk in
      guard case .call(var call) = talk else { return [] }
      return Self.keep(call.shortenRing(toSeconds: seconds), call, &talk)
    }
  }

  // MARK: - From bytes to news

  private mutating func understand() -> [AGIOutput] {
    var outputs: [AGIOutput] = []
    do throws(AGIError) {
      while talk != .closed, let event = try codec.next() { outputs += happened(event) }
    } catch {
      outputs += broke(error)
    }
    let queued = codec.takeOutput()
    return queued.isEmpty ? outputs : outputs + [.write(queued)]
  }

  private mutating func happened(_ event: FastAGICodec.Event) -> [AGIOutput] {
    let (keyring, musicClass) = (keyring, musicClass)
    return step { talk in
      switch (event, talk) {
      case (.opened(let request), .opening):
        return Self.open(request, keyring, musicClass, &talk)
      case (.reply(let reply, _), .call(var call)):
        return Self.keep(call.replied(reply), call, &talk)
      case (.hangup, .call(var call)): return Self.keep(call.hungUp(), call, &talk)
      case (.reply(let reply, _), .answered(var answered)):
        return Self.keep(answered.replied(reply), answered, &talk)
      case (.hangup, .answered(var answered)): return Self.keep(answered.lost(), answered, &talk)
      case (.opened, .call), (.opened, .answered), (.reply, .opening), (.hangup, .opening),
        (_, .closed):
        return []
      }
    }
  }

  private mutating func broke(_ error: AGIError) -> [AGIOutput] {
    step { talk in
      switch talk {
      case .opening: Self.refuse(.broken(error), &talk)
      case .call(var call): Self.keep(call.broke(error), call, &talk)
      case .answered(var answered): Self.keep(answered.lost(), answered, &talk)
      case .closed: []
      }
    }
  }

  private static func open(
    _ request: AGIRequest, _ keyring: AGIKeyring, _ musicClass: AGISound, _ talk: inout Talk
  ) -> [AGIAct] {
    do throws(AGIRefusal) {
      guard let secret = request.arguments.first, let system = keyring.phoneSystem(for: secret)
      else {
        throw .wrongSecret
      }
      let arguments = request.arguments.dropFirst()
      let arrival = try AGIArrival(request, phoneSystem: system, arguments: arguments)
      switch request.script ?? "" {
      case "wait":
        talk = .call(AGICall(musicClass: musicClass))
        return [.tell(.callArrived(arrival))]
      case "answered":
        guard let offer = arguments.first.flatMap(AGIOffer.init) else { throw .badOffer }
        let answered = AGIAnswered(offer: offer, arrival: arrival)
        talk = .answered(answered)
        return answered.opened()
      case "hangup":
        talk = .closed
        return [.tell(.hangupReported(arrival)), .close]
      case let other: throw .unknownScript(other)
      }
    } catch {
      return refuse(error, &talk)
    }
  }

  private static func refuse(_ refusal: AGIRefusal, _ talk: inout Talk) -> [AGIAct] {
    talk = .closed
    return [.tell(.refused(refusal)), .close]
  }

  private static func keep(_ acts: [AGIAct], _ call: AGICall, _ talk: inout Talk) -> [AGIAct] {
    talk = call.state == .closed ? .closed : .call(call)
    return acts
  }

  private static func keep(_ acts: [AGIAct], _ answered: AGIAnswered, _ talk: inout Talk)
    -> [AGIAct]
  {
    talk = answered.state == .closed ? .closed : .answered(answered)
    return acts
  }

  /// Lets the machine act, and turns its acts into outputs; bytes stand where their commands stood.
  private mutating func step(_ act: (inout Talk) -> [AGIAct]) -> [AGIOutput] {
    act(&talk).compactMap { act in
      switch act {
      case .tell(let news): return .told(news)
      case .close: return .close
      case .command(let command):
        // The machines send one command at a time, so the queue is never full.
        codec.send(command)
        let bytes = codec.takeOutput()
        return bytes.isEmpty ? nil : .write(bytes)
      }
    }
  }
}

extension AGISound {
  /// The class that every Asterisk has in its `musiconhold.conf`.
  static let standardMusic = AGISound(trusted: "default")
}
