import Model
import System
import Wire

/// The normal form of identities, and the keyed hash under which they are looked up.
public enum IdentityForm {
  /// nil for what cannot be one. Email: the domain in lower case, the local part as it is but for ASCII case,
  /// which no provider of note distinguishes; anything more (dots, plus tags) is a provider's rule and would be a
  /// guess. Phone: E.164. Chat and external ids: as they are.
  public static func normalise(_ kind: IdentityKind, _ raw: String, e164: (String) -> String?) -> Identity? {
    switch kind {
    case .email:
      let text = raw.lowercased()
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      guard parts.count == 2, let domain = parts.last, let local = parts.first, !local.isEmpty, domain.contains("."),
        !domain.hasPrefix("."), !domain.hasSuffix("."), text.utf8.count <= 254,
        text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x3C && $0 != 0x3E })
      else { return nil }
      return Identity(kind: .email, value: text)
    case .phone: return e164(raw).map { Identity(kind: .phone, value: $0) }
    case .chat, .external:
      guard !raw.isEmpty, raw.utf8.count <= 256, raw.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
      return Identity(kind: kind, value: raw)
    }
  }

  public static func hash(_ identity: Identity, _ key: HMACKey) -> [UInt8] {
    var message: [UInt8] = [identity.kind.rawValue]
    message += Array(identity.value.utf8)
    return key.sign(message, truncatedTo: 16)
  }
}
