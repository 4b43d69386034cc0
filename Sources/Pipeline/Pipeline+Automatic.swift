import Continuity
import Model
import Records
import Routing

/// Words that rules send. Nobody has written them: a mail of them is automatic (RFC 3834), goes only
/// to who wrote to us, and never answers what a machine wrote.
extension Pipeline {
  /// The same text goes to one address once in so long, so that two machines that do not know each
  /// other for one do not go on for ever.
  public static let sameTextAgain = Duration64.seconds(86_400)

  /// Says a text in a conversation like any other words; to who came by mail it is sent.
  /// - Parameters:
  ///   - record: whom it answers; nil for the conversation's.
  ///   - channel: by which the customer came.
  mutating func say(
    _ text: String, in place: ConversationID, to record: CustomerID?, on channel: Channel,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    var members = Members()
    members.text("text", text)
    if channel == .email {
      guard let conversation = try conversationRow(place, reads) else { return }
      guard let about = Self.about(conversation.about) else {
        throw StoreFault.corrupt(what: "what is told of a conversation")
      }
      let whom = record ?? conversation.customer
      guard let line = try mail(of: about, with: whom, reads) else { return }
      let key = key("answered\n\(line.theirs.lowercased())\n\(text)")
      if let last = try value(.answered, key, reads).map(Self.instant),
        turn.at < last + Self.sameTextAgain
      {
        return
      }
      setKey(
        .answered, key,
        Self.keyValue(place) + Self.number(turn.at.milliseconds) + Self.keyValue(whom), &turn)
      let mail = OutgoingMailID(id: newID(turn, purpose: 4), text: text, blobs: [])
      members.text("message_id", send(mail, line, conversation, to: whom, by: nil, &turn))
    }
    try enter(
      .message, .system, .customer, members, place, nil,
      channel: channel == .email ? .email : nil, of: record, &turn, reads)
  }

  /// When it was sent last, behind the conversation that it was sent in.
  private static func instant(_ value: [UInt8]) -> Instant {
    Instant(milliseconds: seen(value).entry.raw)
  }
}
