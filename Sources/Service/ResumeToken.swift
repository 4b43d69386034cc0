import Model
import System
import Wire

/// Proof that a browser was in a conversation before: a signed, expiring capability for that one
/// conversation. The bot
/// keeps it where its customer comes back to (a cookie, the app) and sends it with its next
/// session.
///
/// - Shape: hex of 16 bytes conversation, 8 bytes expiry in milliseconds, 16 bytes of an HMAC over
///   both and the workspace.
struct ResumeToken: Sendable {
  var workspace: WorkspaceID
  var key: HMACKey

  func make(_ conversation: ConversationID, until: Int64) -> String {
    let what = Self.what(conversation, until)
    return Hex.encode(what + key.sign(signed(what), truncatedTo: 16))
  }

  /// nil for a token that is not ours, was changed, or is over.
  func conversation(of token: String, now: Int64) -> ConversationID? {
    guard let bytes = Hex.decode(token), bytes.count == 40 else { return nil }
    let what = Array(bytes[..<24])
    guard key.verify(Array(bytes[24...]), of: signed(what)) else { return nil }
    do throws(WireError) {
      return try ByteReader.readAll(what) { r throws(WireError) in
        let conversation: ConversationID = try r.id()
        return try r.fixed(Int64.self) > now ? conversation : nil
      }
    } catch { return nil }
  }

  private static func what(_ conversation: ConversationID, _ until: Int64) -> [UInt8] {
    var w = ByteWriter(reserving: 24)
    w.id(conversation)
    w.fixed(until)
    return w.bytes
  }

  /// The identities' key signs these too; the first byte, which no kind of identity has, keeps the
  /// two apart.
  private func signed(_ what: [UInt8]) -> [UInt8] {
    var w = ByteWriter(reserving: 32)
    w.uint8(0x52)
    w.fixed(workspace.raw)
    w.raw(what)
    return w.bytes
  }
}
