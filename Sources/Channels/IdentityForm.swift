import Foundation
import MailCodec
import Model
import System
import Wire

/// The normal form of identities, and the keyed hash under which they are looked up.
public enum IdentityForm {
  /// nil for what cannot be one. Email: in lower case, since no provider of note distinguishes it,
  /// composed (NFC), the domain as DNS holds it; anything more (dots, tags) is a provider's rule,
  /// which the workspace states. An address with letters that nobody sees is none: it would look
  /// like another's. Phone: E.164. Chat and external ids: as they are.
  public static func normalise(
    _ kind: IdentityKind, _ raw: String, _ rules: EmailRules = EmailRules(),
    e164: (String) -> String?
  ) -> Identity? {
    switch kind {
    case .email:
      guard let (local, domain) = address(raw) else { return nil }
      return Identity(
        kind: .email,
        value: rules.normal(local: composed(local), domain: EmailRules.domain(domain)))
    case .phone: return e164(raw).map { Identity(kind: .phone, value: $0) }
    case .chat, .external:
      guard !raw.isEmpty, raw.utf8.count <= 256, raw.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
      else { return nil }
      return Identity(kind: kind, value: raw)
    }
  }

  /// How earlier versions, which did not compose and knew a domain only as it was spelled, may have
  /// kept the same identity. Looked up beside the normal form; almost always none.
  public static func earlier(
    _ kind: IdentityKind, _ raw: String, _ rules: EmailRules = EmailRules()
  ) -> [Identity] {
    guard kind == .email, let (local, domain) = address(raw),
      !raw.utf8.allSatisfy({ $0 < 0x80 }) || domain.contains("xn--"),
      let normal = normalise(kind, raw, rules, e164: { _ in nil })
    else { return [] }
    var found: [Identity] = []
    for spelling in [domain, MailDomain.unicode(EmailRules.domain(domain))].compactMap({ $0 }) {
      let one = Identity(kind: .email, value: rules.normal(local: local, domain: spelling))
      // Compared byte by byte: Swift holds composed and decomposed letters for equal.
      if !(found + [normal]).contains(where: { $0.value.utf8.elementsEqual(one.value.utf8) }) {
        found.append(one)
      }
    }
    return found
  }

  /// The two sides of an address in small letters; nil for what is none.
  private static func address(_ raw: String) -> (local: String, domain: String)? {
    let text = LowerCase.address(raw)
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let domain = parts.last, let local = parts.first, !local.isEmpty,
      domain.contains("."),
      !domain.hasPrefix("."), !domain.hasSuffix("."), text.utf8.count <= 254,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x3C && $0 != 0x3E }),
      text.unicodeScalars.allSatisfy(isSeen)
    else { return nil }
    return (String(local), String(domain))
  }

  /// One way of writing each letter (NFC), but no letter beyond ASCII made one of ASCII: U+212A
  /// KELVIN SIGN would be a `K`, and two mailboxes one.
  static func composed(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { !$0.isASCII }) else { return text }
    let composed = text.precomposedStringWithCanonicalMapping
    let isKept = text.unicodeScalars.allSatisfy {
      $0.isASCII || String($0).precomposedStringWithCanonicalMapping.utf8.contains { $0 >= 0x80 }
    }
    return isKept ? composed : text
  }

  /// Whether a reader can see that it is there: no blank, mark of direction, joiner or the like.
  private static func isSeen(_ scalar: Unicode.Scalar) -> Bool {
    guard !scalar.isASCII else { return true }
    if scalar.properties.isDefaultIgnorableCodePoint { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator, .surrogate,
      .privateUse, .unassigned:
      return false
    default: return true
    }
  }

  public static func hash(_ identity: Identity, _ key: HMACKey) -> [UInt8] {
    var message: [UInt8] = [identity.kind.rawValue]
    message += Array(identity.value.utf8)
    return key.sign(message, truncatedTo: 16)
  }
}

/// What a workspace says of mail providers: which addresses of theirs reach one mailbox.
public struct EmailRules: Hashable, Sendable {
  public struct Provider: Hashable, Sendable {
    /// In lower case; the first stands for all.
    public var domains: [String]
    public var ignoresDots: Bool
    /// What follows it in a local part does not tell mailboxes apart.
    public var tag: String?
    public init(domains: [String], ignoresDots: Bool = false, tag: String? = nil) {
      self.domains = domains
      self.ignoresDots = ignoresDots
      self.tag = tag
    }
  }
  private var byDomain: [String: Provider] = [:]

  public init(_ providers: [Provider] = []) {
    for provider in providers {
      for domain in provider.domains { byDomain[Self.domain(domain)] = provider }
    }
  }

  /// One spelling of a domain in small letters.
  static func domain(_ domain: String) -> String {
    let composed = IdentityForm.composed(domain)
    return MailDomain.ascii(composed) ?? composed
  }

  func normal(local: String, domain: String) -> String {
    guard let provider = byDomain[domain], let first = provider.domains.first else {
      return "\(local)@\(domain)"
    }
    var name = local
    if let tag = provider.tag, let at = name.firstRange(of: tag)?.lowerBound, at > name.startIndex {
      name = String(name[..<at])
    }
    if provider.ignoresDots, name.contains(where: { $0 != "." }) { name.removeAll { $0 == "." } }
    return "\(name)@\(Self.domain(first))"
  }
}
