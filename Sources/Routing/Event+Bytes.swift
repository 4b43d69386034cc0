import Model
import Wire

// The first byte names the kind of the event *and* the version of its encoding: a changed encoding
// takes a new code, and the old one is still read. Codes are append only; `EventBytesTests` pins
// one example of each.
extension Event {
  public func encode(into out: inout ByteWriter) {
    switch self {
    case .configured(let a):
      out.uint8(47)
      a.writeWhole(&out)
    case .started:
      out.uint8(2)
    case .conversationOpened(let a, let b, let c):
      out.uint8(3)
      out.put(a)
      out.put(b)
      out.put(c)
    case .conversationReopened(let a, let b, let c, let d, let e):
      out.uint8(4)
      out.put(a)
      out.put(b)
      out.put(c)
      out.put(d)
      out.putOptional(e)
    case .conversationMoved(let a, let b):
      out.uint8(5)
      out.put(a)
      out.put(b)
    case .conversationClosed(let a, let b):
      out.uint8(6)
      out.put(a)
      out.putOptional(b)
    case .sessionOpened(let a, let b, let c, let d):
      out.uint8(7)
      out.put(a)
      out.put(b)
      out.put(c)
      out.putOptional(d)
    case .sessionEnded(let a, let b):
      out.uint8(8)
      out.put(a)
      out.put(b)
    case .entryRecorded(let a, let b, let c, let d, let e):
      out.uint8(9)
      out.put(a)
      out.put(b)
      out.putOptional(c)
      out.put(d)
      out.put(e)
    case .ownerChanged(let a, let b, let c):
      out.uint8(10)
      out.put(a)
      out.put(b)
      out.put(c)
    case .caseQueued(let a, let b, let c, let d, let e, let f, let g):
      out.uint8(34)
      out.put(a)
      out.put(b)
      out.put(c)
      out.put(d)
      out.put(e)
      e.writeMore(&out)
      out.put(f)
      out.put(g)
    case .stepTaken(let a, let b):
      out.uint8(12)
      out.put(a)
      out.put(b)
    case .preferenceEnded(let a):
      out.uint8(13)
      out.put(a)
    case .caseAccepted(let a, let b):
      out.uint8(14)
      out.put(a)
      out.put(b)
    case .caseWrappingUp(let a, let b, let c):
      out.uint8(15)
      out.put(a)
      out.put(b)
      out.putOptional(c)
    case .caseParked(let a, let b, let c):
      out.uint8(16)
      out.put(a)
      out.put(b)
      out.put(c)
    case .caseResumed(let a, let b):
      out.uint8(17)
      out.put(a)
      out.put(b)
    case .caseClosed(let a, let b):
      out.uint8(18)
      out.put(a)
      out.put(b)
    case .offerMade(let a, let b, let c, let d, let e, let f):
      out.uint8(19)
      out.put(a)
      out.put(b)
      out.put(c)
      out.put(d)
      out.put(e)
      out.put(f)
    case .offerEnded(let a, let b):
      out.uint8(20)
      out.put(a)
      out.put(b)
    case .statusSet(let a, let b, let c):
      out.uint8(44)
      out.put(a)
      out.put(b)
      out.putOptional(c)
    case .presenceRenewed(let a, let b):
      out.uint8(22)
      out.put(a)
      out.put(b)
    case .presenceLost(let a):
      out.uint8(23)
      out.put(a)
    case .notResponding(let a):
      out.uint8(24)
      out.put(a)
    case .backOffSet(let a, let b, let c):
      out.uint8(25)
      out.put(a)
      out.putOptional(b)
      out.put(c)
    case .nextAsked(let a, let b, let c):
      out.uint8(26)
      out.put(a)
      out.put(b)
      out.put(c)
    case .nextEnded(let a, let b):
      out.uint8(27)
      out.put(a)
      out.put(b)
    case .streamOpened(let a, let b):
      out.uint8(28)
      out.put(a)
      out.put(b)
    case .streamClosed(let a, let b):
      out.uint8(29)
      out.put(a)
      out.put(b)
    case .sessionResumed(let a):
      out.uint8(30)
      out.put(a)
    case .backOffEnded(let a, let b):
      out.uint8(31)
      out.put(a)
      out.putOptional(b)
    case .caseRequeued(let a, let b):
      out.uint8(32)
      out.put(a)
      out.put(b)
    case .queueOpened(let a):
      out.uint8(35)
      out.put(a)
    case .queueClosed(let a):
      out.uint8(36)
      out.put(a)
    case .caseOverflowed(let a, let b, let c):
      out.uint8(37)
      out.put(a)
      out.put(b)
      out.put(c)
    case .botFellSilent(let a):
      out.uint8(38)
      out.put(a)
    case .statusDeferred(let a, let b, let c):
      out.uint8(45)
      out.put(a)
      out.putOptional(b)
      out.putOptional(c)
    case .channelsChosen(let a, let b):
      out.uint8(40)
      out.put(a)
      out.put(b)
    case .consultStarted(let a, let b, let c):
      out.uint8(41)
      out.put(a)
      out.put(b)
      out.put(c)
    case .consultEnded(let a, let b):
      out.uint8(42)
      out.put(a)
      out.put(b)
    case .channelStatusSet(let a, let b, let c, let d):
      out.uint8(46)
      out.put(a)
      out.put(b)
      out.put(c)
      out.putOptional(d)
    case .caseHeld(let a, let b, let c):
      out.uint8(48)
      out.put(a)
      out.put(b)
      out.put(c)
    case .holdEnded(let a, let b, let c):
      out.uint8(49)
      out.put(a)
      out.put(b)
      out.put(c)
    }
  }

  /// - Errors: `WireError.badValue` for a code that this version does not know.
  public static func decode(_ bytes: inout ByteReader) throws(WireError) -> Event {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: return .configured(try bytes.get())
    case 2: return .started
    case 3:
      return .conversationOpened(try bytes.get(), customer: try bytes.get(), owner: try bytes.get())
    case 4:
      return .conversationReopened(
        try bytes.get(), customer: try bytes.get(),
        owner: try bytes.get(), epoch: try bytes.get(), lastAgent: try bytes.getOptional())
    case 5: return .conversationMoved(try bytes.get(), customer: try bytes.get())
    case 6: return .conversationClosed(try bytes.get(), lastAgent: try bytes.getOptional())
    case 7:
      return .sessionOpened(
        try bytes.get(), try bytes.get(), try bytes.get(), bot: try bytes.getOptional())
    case 8: return .sessionEnded(try bytes.get(), try bytes.get())
    case 9:
      return .entryRecorded(
        try bytes.get(), try bytes.get(),
        session: try bytes.getOptional(), author: try bytes.get(), visibility: try bytes.get())
    case 10: return .ownerChanged(try bytes.get(), to: try bytes.get(), epoch: try bytes.get())
    case 11:
      return .caseQueued(
        try bytes.get(), try bytes.get(), try bytes.get(),
        try bytes.get(), need: try bytes.get(), age: try bytes.get(), by: try bytes.get())
    case 12: return .stepTaken(try bytes.get(), index: try bytes.get())
    case 13: return .preferenceEnded(try bytes.get())
    case 14: return .caseAccepted(try bytes.get(), try bytes.get())
    case 15:
      return .caseWrappingUp(try bytes.get(), try bytes.get(), until: try bytes.getOptional())
    case 16: return .caseParked(try bytes.get(), try bytes.get(), until: try bytes.get())
    case 17: return .caseResumed(try bytes.get(), try bytes.get())
    case 18: return .caseClosed(try bytes.get(), try bytes.get())
    case 19:
      return .offerMade(
        try bytes.get(), try bytes.get(), try bytes.get(),
        seat: try bytes.get(), until: try bytes.get(), passedOver: try bytes.get())
    case 20: return .offerEnded(try bytes.get(), try bytes.get())
    case 21: return .statusSet(try bytes.get(), try bytes.get())
    case 22: return .presenceRenewed(try bytes.get(), until: try bytes.get())
    case 23: return .presenceLost(try bytes.get())
    case 24: return .notResponding(try bytes.get())
    case 25: return .backOffSet(try bytes.get(), try bytes.getOptional(), until: try bytes.get())
    case 26: return .nextAsked(try bytes.get(), try bytes.get(), until: try bytes.get())
    case 27: return .nextEnded(try bytes.get(), try bytes.get())
    case 28: return .streamOpened(try bytes.get(), try bytes.get())
    case 29: return .streamClosed(try bytes.get(), try bytes.get())
    case 30: return .sessionResumed(try bytes.get())
    case 31: return .backOffEnded(try bytes.get(), try bytes.getOptional())
    case 32: return .caseRequeued(try bytes.get(), try bytes.get())
    case 33: return .configured(try RoutingConfiguration.readWhole(&bytes, version: 2))
    case 34:
      let (id, conversation, session): (CaseID, ConversationID, SessionID) = (
        try bytes.get(), try bytes.get(), try bytes.get()
      )
      let channel: Channel = try bytes.get()
      var need: Need = try bytes.get()
      try need.readMore(&bytes)
      return .caseQueued(
        id, conversation, session, channel, need: need, age: try bytes.get(), by: try bytes.get())
    case 35: return .queueOpened(try bytes.get())
    case 36: return .queueClosed(try bytes.get())
    case 37: return .caseOverflowed(try bytes.get(), to: try bytes.get(), try bytes.get())
    case 38: return .botFellSilent(try bytes.get())
    case 39: return .statusDeferred(try bytes.get(), try bytes.getOptional())
    case 40: return .channelsChosen(try bytes.get(), try bytes.get())
    case 41: return .consultStarted(try bytes.get(), with: try bytes.get(), until: try bytes.get())
    case 43: return .configured(try RoutingConfiguration.readWhole(&bytes, version: 3))
    case 42: return .consultEnded(try bytes.get(), try bytes.get())
    case 44:
      return .statusSet(try bytes.get(), try bytes.get(), reason: try bytes.getOptional())
    case 45:
      return .statusDeferred(
        try bytes.get(), try bytes.getOptional(), reason: try bytes.getOptional())
    case 46:
      return .channelStatusSet(
        try bytes.get(), try bytes.get(), try bytes.get(), reason: try bytes.getOptional())
    case 48: return .caseHeld(try bytes.get(), try bytes.get(), until: try bytes.get())
    case 49: return .holdEnded(try bytes.get(), try bytes.get(), try bytes.get())
    case 47: return .configured(try RoutingConfiguration.readWhole(&bytes, version: 4))
    default: throw WireError.badValue(offset: at)
    }
  }
}
