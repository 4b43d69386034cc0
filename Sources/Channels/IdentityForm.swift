import Foundation
import MailCodec
import Model
import PhoneNumbers
import System
import Wire

/// The normal form of identities, and the keyed hash under which they are looked up.
public enum IdentityForm {
  /// nil for what cannot be one (`flaw` says why). Email: without a leading `mailto:`, in lower case,
  /// since no provider of note distinguishes it, composed (NFC), the domain as DNS holds it; anything
  /// more (dots, tags) is a provider's rule, which the workspace states. What has letters that nobody
  /// sees is none: it would look like another's. Phone: E.164, but what stands for no number. Chat and external ids: as they are.
  public static func normalise(
    _ kind: IdentityKind, _ raw: String, _ rules: EmailRules = EmailRules(),
    e164: (String) -> String?
  ) -> Identity? {
    switch kind {
    case .email:
      guard case .sides(let local, let domain) = address(raw) else { return nil }
      return Identity(
        kind: .email,
        value: rules.normal(local: composed(local), domain: EmailRules.domain(domain)))
    case .phone:
      return e164(raw).flatMap {
        PhoneNumbers.isPlaceholder($0) ? nil : Identity(kind: .phone, value: $0)
      }
    case .chat, .external:
      return idFlaw(raw) == nil ? Identity(kind: kind, value: raw) : nil
    }
  }

  /// Why something cannot be an identity, as whoever sent it reads it; nil where that is not known
  /// here, or it can be one.
  public static func flaw(_ kind: IdentityKind, _ raw: String) -> String? {
    switch kind {
    case .email: if case .flawed(let why) = address(raw) { why } else { nil }
    case .phone:
      "no number of the default region, nor in the form +15551234567; what stands for a withheld one (0000000000, "
        + "1234567890) is nobody's"
    case .chat, .external: idFlaw(raw)
    }
  }

  private static func idFlaw(_ raw: String) -> String? {
    if raw.isEmpty { return "it is empty" }
    if raw.utf8.count > idBytesMax { return "it is longer than \(idBytesMax) bytes" }
    return raw.unicodeScalars.first { !isSeen($0) || $0.value < 0x20 || $0.value == 0x7F }
      .map { "it has \(hidden($0)), which nobody sees" }
  }
  private static let idBytesMax = 256

  /// What mail came from whose author has an address that cannot be one. It is kept as it reads, with
  /// a picture of each letter that nobody sees, and so is nobody's who can be reached; it proves
  /// nothing.
  public static func unusable(_ address: String) -> Identity {
    var value = ""
    for scalar in LowerCase.address(address).unicodeScalars {
      let isShown = isSeen(scalar) && scalar.value > 0x20 && scalar.value != 0x7F
      let next = isShown ? String(scalar) : "<\(hidden(scalar))>"
      guard value.utf8.count + next.utf8.count <= addressBytesMax else { break }
      value += next
    }
    return Identity(kind: .email, value: value)
  }

  private static func hidden(_ scalar: Unicode.Scalar) -> String {
    let hex = String(scalar.value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
  }

  /// How earlier versions, which did not compose, knew a domain only as it was spelled, and took what
  /// is refused today, may have kept the same identity. Looked up beside the normal form; almost always
  /// none.
  public static func earlier(
    _ kind: IdentityKind, _ raw: String, _ rules: EmailRules = EmailRules()
  ) -> [Identity] {
    if kind == .phone {
      return PhoneNumbers.isPlaceholder(raw) ? [Identity(kind: .phone, value: raw)] : []
    }
    guard let normal = normalise(kind, raw, rules, e164: { _ in nil }) else {
      let kept = kind == .email ? LowerCase.address(raw) : raw
      // They knew an address by its one @ and a dot behind it.
      let sides = kept.split(separator: "@", omittingEmptySubsequences: false)
      let wasTaken = kind != .email || sides.count == 2 && sides[1].dropFirst().contains(".")
      return !wasTaken || kept.isEmpty || kept.utf8.count > idBytesMax
        ? [] : [Identity(kind: kind, value: kept)]
    }
    guard kind == .email, case .sides(let local, let domain) = address(raw) else { return [] }
    let whole = LowerCase.address(raw)
    var found: [Identity] = []
    if whole.hasPrefix(scheme), let at = whole.lastIndex(of: "@") {
      found.append(
        Identity(kind: .email, value: rules.normal(local: String(whole[..<at]), domain: domain)))
    }
    guard !raw.utf8.allSatisfy({ $0 < 0x80 }) || domain.contains("xn--") else { return found }
    for spelling in [domain, MailDomain.unicode(EmailRules.domain(domain))].compactMap({ $0 }) {
      let one = Identity(kind: .email, value: rules.normal(local: local, domain: spelling))
      // Compared byte by byte: Swift holds composed and decomposed letters for equal.
      if !(found + [normal]).contains(where: { $0.value.utf8.elementsEqual(one.value.utf8) }) {
        found.append(one)
      }
    }
    return found
  }

  private enum Address {
    /// In small letters.
    case sides(local: String, domain: String)
    case flawed(String)
  }

  /// RFC 6068: what a link says before an address. People copy it along.
  private static let scheme = "mailto:"
  /// RFC 5321 §4.5.3.1.3, without the brackets of a path.
  private static let addressBytesMax = 254

  private static func address(_ raw: String) -> Address {
    var text = LowerCase.address(raw)
    if text.hasPrefix(scheme) { text.removeFirst(scheme.count) }
    if let scalar = text.unicodeScalars.first(where: {
      !isSeen($0) || $0.value < 0x21 || $0.value == 0x7F
    }) {
      return .flawed("it has \(scalar == " " ? "a blank" : "\(hidden(scalar)), which nobody sees")")
    }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let local = parts.first, let domain = parts.last, !local.isEmpty else {
      return .flawed("an address is name@domain.example, with one @")
    }
    let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count > 1, !labels.contains(where: \.isEmpty) else {
      return .flawed("its domain must have names parted by single dots, such as home.example")
    }
    guard text.utf8.count <= addressBytesMax else {
      return .flawed("it is longer than \(addressBytesMax) bytes")
    }
    // RFC 5321 §4.1.2: none of these stands in an address but inside quotes.
    let isQuoted = local.count > 1 && local.hasPrefix("\"") && local.hasSuffix("\"")
    if let odd = text.unicodeScalars.first(where: { #"<>()[]:;,\"#.unicodeScalars.contains($0) }),
      !isQuoted && !(domain.hasPrefix("[") && domain.hasSuffix("]"))
    {
      return .flawed("it has \"\(odd)\", which no address has")
    }
    return .sides(local: String(local), domain: String(domain))
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
