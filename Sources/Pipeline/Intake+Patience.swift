/// What becomes of a request while storage is away.
public enum Patience: Sendable {
  /// It is refused, and whoever asked hears so: they can ask again.
  case none
  /// It tells of something that has happened outside and that nobody will tell again. It is decided
  /// when storage is back; whoever waits for its answer hears "unavailable" meanwhile.
  case kept
  /// As `kept`, and whoever waits hears the answer then.
  case waits
}

extension Intake {
  public var patience: Patience {
    switch self {
    case .bridgeEnded: .waits
    case .endSession(_, _, by: nil), .callEnded, .callNews(_, .hungUp), .deviceLost, .failOffer,
      .outboxDelivered,
      .outboxDelayed, .outboxFailed, .configure:
      .kept
    // `start` is asked for anew by whoever rebuilds, and empties the seats that `endNext` and
    // `closeStream` give back.
    case .start, .tick, .read, .outcome, .standing, .openSession, .say, .handoff, .endSession,
      .mail, .call, .callFact, .rejoin,
      .callNews, .acceptByDevice, .journey, .aboutCustomer, .joinConversations, .tag, .redact,
      .blob, .setStatus, .setChannelStatus, .renew, .next, .endNext, .openStream, .closeStream,
      .accept, .decline, .agentSays, .transfer, .handBack, .wrapUp, .close,
      .onCase, .finish, .chooseChannels:
      .none
    }
  }
}
