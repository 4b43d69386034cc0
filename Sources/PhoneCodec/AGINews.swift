/// What a FastAGI connection wants done, in order.
public enum AGIOutput: Equatable, Sendable {
  case write([UInt8])
  case close
  case told(AGINews)
}

/// What the router learns from a connection.
///
/// After `callArrived` there is exactly one `callEnded` on that connection, and every ring that was
/// asked for has exactly one `ringEnded` before it.
public enum AGINews: Equatable, Sendable {
  /// A call is there and hears nothing yet: answer with `wait`, `ring`, `announce` or `finish`.
  case callArrived(AGIArrival)
  case ringEnded(AGIOffer, AGIRingOutcome)
  /// The announcements were played, and music plays again.
  case announced
  /// The answer to `probe`: the caller is still there.
  case stillThere
  case callEnded(AGICallEnd)

  /// A rung device was picked up and waits, not yet bridged: answer with `accept` or `refuse`.
  case deviceAnswered(AGIOffer, AGIArrival)
  /// The acceptance has reached the phone system: caller and agent hear each other now.
  case bridged(AGIOffer)
  /// The device hung up, or its connection broke, before it was bridged, also after `accept`: they
  /// never spoke.
  case deviceLost(AGIOffer)

  /// The hangup handler says that a call is over. Often the call's own connection has said so
  /// already.
  case hangupReported(AGIArrival)

  /// The connection never became one of the above. For the log; nothing is told to the peer.
  case refused(AGIRefusal)
}

/// How a ring ended.
public enum AGIRingOutcome: Equatable, Sendable {
  /// Caller and agent were bridged, and one of them has hung up.
  case answered
  /// The device was answered and not bridged: the offer was refused there, or the router could not
  /// be asked. DIALSTATUS says ANSWER all the same; ANSWEREDTIME is empty then.
  case dropped
  case notAnswered
  case busy
  /// Not registered, not reachable, not a device. The cause is Q.850's number, where Asterisk has
  /// one.
  case unavailable(cause: Int?)
  /// The caller hung up while it rang.
  case cancelled
  /// It was never dialled: another wish took its place, or the call was over.
  case notRung
  /// The connection broke while it rang or they spoke. The call may come back.
  case lost

  /// - Parameter answeredTime: nil where it was not asked for; then ANSWER counts as bridged.
  /// - Source: Asterisk's documentation of Dial, `DIALSTATUS` and `ANSWEREDTIME`.
  public init(dialStatus: String, answeredTime: String? = nil, cause: Int? = nil) {
    switch dialStatus {
    case "ANSWER": self = answeredTime?.isEmpty == true ? .dropped : .answered
    case "NOANSWER": self = .notAnswered
    case "BUSY": self = .busy
    case "CANCEL": self = .cancelled
    // CHANUNAVAIL, CONGESTION, DONTCALL, TORTURE, INVALIDARGS, and whatever a later Asterisk adds.
    default: self = .unavailable(cause: cause == 0 ? nil : cause)
    }
  }
}

public enum AGICallEnd: Equatable, Sendable {
  case hungUp
  /// The router was done with it; the dialplan goes on with what the ending names.
  case finished(AGIEnding)
  /// The connection closed and no hang-up was seen. The call may come back within its grace.
  case lost
  case broken(AGIError)
}

/// Why the router lets a call go: the value of `THROUGHLINE_END`, by which the shipped dialplan
/// goes on.
public enum AGIEnding: String, CaseIterable, Sendable {
  /// It spoke with somebody: hang up.
  case served
  /// Let the caller leave a message.
  case message
  /// Outside hours: say so and hang up.
  case closed
  /// This router cannot help: use the phone system's own queue.
  case local
}

public enum AGIRefusal: Error, Equatable, Sendable {
  case wrongSecret
  case unknownScript(String)
  case missingField(String)
  /// The `answered` script's argument is no offer.
  case badOffer
  case broken(AGIError)
  /// Closed before its header block was complete.
  case incomplete
}

/// What the router asks of a connection.
public enum AGIWish: Equatable, Sendable {
  // Of a call's own connection:
  /// Music until something else is asked.
  case wait
  case ring(AGIRing)
  /// The offer is no longer good. A ring under way cannot be stopped from here: the answered leg is
  /// refused.
  case stopRinging(AGIOffer)
  case announce([AGIAnnouncement])
  /// Asks whether the caller is still there, for a call that has been quiet for long.
  case probe
  case finish(AGIEnding)
  // Of an answered device's connection:
  case accept
  case refuse
}

public struct AGIRing: Equatable, Sendable {
  public var device: AGIDevice
  public var offer: AGIOffer
  public var timeoutSeconds: Int
  /// What is shortened to less is not rung.
  static let heardSeconds = 5

  /// - Parameter timeoutSeconds: at least 1; how long the device rings. A ring cannot be cut short,
  ///   so the offer's own timeout should not be shorter; while it waits to be sent, see
  ///   `AGIConnection.shortenRing`.
  public init(device: AGIDevice, offer: AGIOffer, timeoutSeconds: Int) {
    self.device = device
    self.offer = offer
    self.timeoutSeconds = max(1, timeoutSeconds)
  }
}

public enum AGIAnnouncement: Equatable, Sendable {
  case sound(AGISound)
  case number(Int)
}
