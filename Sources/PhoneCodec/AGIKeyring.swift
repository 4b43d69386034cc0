/// The phone systems that may connect, each with the secret that stands as first argument in its
/// dialplan.
///
/// FastAGI has no authentication of its own (architecture.md, "The phone"). A secret says which
/// phone system speaks; whether its address may is the listener's business.
public struct AGIKeyring: Equatable, Sendable {
  public static let secretBytesMin = 16
  /// What the shipped dialplan has in its place, and what other products ship with.
  public static let placeholders = [
    "CHANGE-ME-CHANGE-ME", "changeme", "secret", "password", "ClueCon", "amp111",
  ]

  public enum Refusal: Error, Equatable, Sendable {
    case tooShort(phoneSystem: String)
    case placeholder(phoneSystem: String)
    /// A comma, quote, bracket or control character would not survive the dialplan.
    case unusable(phoneSystem: String)
    case shared(phoneSystem: String, with: String)
  }

  private struct Key: Equatable { var phoneSystem: String, secret: [UInt8] }
  private var keys: [Key] = []

  public init() {}

  /// A system may have two secrets while one replaces the other.
  /// - Errors: a default, short or shared secret is refused (lessons.md 26).
  public mutating func add(phoneSystem: String, secret: String) throws(Refusal) {
    guard !Self.placeholders.contains(where: { $0.lowercased() == secret.lowercased() }) else {
      throw .placeholder(phoneSystem: phoneSystem)
    }
    let bytes = Array(secret.utf8)
    guard bytes.count >= Self.secretBytesMin else { throw .tooShort(phoneSystem: phoneSystem) }
    let isUsable = bytes.allSatisfy {
      $0 > 0x20 && $0 < 0x7F && !",;\"'\\$[]{}()|&^".utf8.contains($0)
    }
    guard isUsable else { throw .unusable(phoneSystem: phoneSystem) }
    if let other = keys.first(where: { $0.secret == bytes && $0.phoneSystem != phoneSystem }) {
      throw .shared(phoneSystem: phoneSystem, with: other.phoneSystem)
    }
    keys.append(Key(phoneSystem: phoneSystem, secret: bytes))
  }

  /// The phone system a secret belongs to. Looks at every key and every byte, whatever differs
  /// first, so that the time taken tells only lengths.
  func phoneSystem(for secret: String) -> String? {
    let given = Array(secret.utf8)
    var found: String?
    for key in keys where Self.areEqual(key.secret, given) { found = key.phoneSystem }
    return found
  }

  static func areEqual(_ expected: [UInt8], _ given: [UInt8]) -> Bool {
    var difference = UInt8(expected.count == given.count ? 0 : 1)
    for (index, byte) in expected.enumerated() {
      difference |= byte ^ (index < given.count ? given[index] : ~byte)
    }
    return difference == 0
  }
}
