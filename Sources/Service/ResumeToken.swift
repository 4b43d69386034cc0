import Model
import Pipeline
import System
import Wire

/// Proof that a browser was in a conversation before: a signed, expiring capability for what the
/// customer record that it came by took part in of that one conversation. The bot keeps it where its
/// customer comes back to (a cookie, the app) and sends it with its next session.
///
/// - Shape: hex of 16 bytes conversation, 16 bytes customer record, 8 bytes expiry in milliseconds,
///   16 bytes of an HMAC over all three and the workspace. Those of an older program have no record.
struct ResumeToken: Sendable {
  var workspace: WorkspaceID
  var key: HMACKey

  func make(_ what: OpenSession.Resumption, until: Int64) -> String {
    var w = ByteWriter(reserving: 40)
    w.id(what.conversation)
    if let customer = what.customer { w.id(customer) }
    w.fixed(until)
    return Hex.encode(w.bytes + key.sign(signed(w.bytes), truncatedTo: 16))
  }

  /// nil for a token that is not ours, was changed, or is over.
  func resumption(of token: String, now: Int64) -> OpenSession.Resumption? {
    guard let bytes = Hex.decode(token), [40, 56].contains(bytes.count) else { return nil }
    let what = Array(bytes.dropLast(16))
    guard key.verify(Array(bytes.suffix(16)), of: signed(what)) else { return nil }
    do throws(WireError) {
      return try ByteReader.readAll(what) { r throws(WireError) in
        let conversation: ConversationID = try r.id()
        let customer: CustomerID? = r.remaining > 8 ? try r.id() : nil
        return try r.fixed(Int64.self) > now ? .init(conversation, customer) : nil
      }
    } catch { return nil }
  }

  /// The identities' key signs these too; the first byte, which no kind of identity has, keeps the
  /// two apart.
  private func signed(_ what: [UInt8]) -> [UInt8] {
    var w = ByteWriter(reserving: 56)
    w.uint8(0x52)
    w.fixed(workspace.raw)
    w.raw(what)
    return w.bytes
  }
}
