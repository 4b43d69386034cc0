import Wire

/// A reply address that only we can make: `reply+<token>@mail.example`, a signed and expiring
/// capability for one (conversation, recipient).
///
/// - Shape: the token is base32 (RFC 4648 §6 alphabet in lower case, unpadded) of 36 bytes:
///   conversation (16), recipient hash (4), expiry in minutes since 1970 (4), MAC (12). 58 digits,
///   so that `reply+` and the token are exactly the 64 bytes that a local part may have (RFC 5321
///   §4.5.3.1.1).
/// - The recipient hash only tells whom it was for; the MAC (96 bits) covers the recipient's whole
///   address, so that a token shown to another sender is refused whatever they claim.
/// - Case: mailers may fold the case of a local part; base32 survives that, base64 would not.
public struct ReplyAddress: Equatable, Sendable {
  public static let prefix = "reply+"
  static let macBytes = 12
  static let domainLabel = Array("throughline reply address 1\0".utf8)

  public struct Conversation: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64
    public init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }
  }

  public enum Fault: Error, Equatable, Sendable {
    /// No reply address at all: an ordinary one.
    case notOurs
    case malformed
    /// Signed with another key, changed, or shown by a sender that it was not made for.
    case badSignature
    case expired
  }

  /// Keyed hash over the given bytes; at least 12 bytes, such as HMAC-SHA-256.
  public typealias MAC = ([UInt8]) -> [UInt8]

  public var conversation: Conversation
  /// Milliseconds since 1970, rounded up to the minute.
  public var expires: Int64

  public init(conversation: Conversation, expires: Int64) {
    self.conversation = conversation
    self.expires = expires
  }

  /// The local part for `recipient` (`local@domain`; compared in lower case).
  public func localPart(recipient: String, mac: MAC) -> String {
    let minutes = UInt32(clamping: (max(expires, 0) / 60_000) + (expires % 60_000 > 0 ? 1 : 0))
    var bytes = Self.bytes(conversation.high) + Self.bytes(conversation.low)
    let hash = mac(Self.domainLabel + [0] + LowerCase.address(recipient).utf8)
    bytes += hash.prefix(4)
    bytes += Self.bytes(minutes)
    bytes += Self.sign(bytes, recipient, mac)
    return Self.prefix + Base32.encode(bytes)
  }

  /// Reads and proves a local part that came in mail from `sender`.
  public static func verify(
    localPart: String, sender: String, now: Int64, mac: MAC
  ) throws(Fault) -> ReplyAddress {
    let utf8 = Array(localPart.utf8)
    guard utf8.count > prefix.utf8.count, utf8.map(asciiLower).starts(with: prefix.utf8) else {
      throw .notOurs
    }
    guard utf8.count <= 64, let bytes = Base32.decode(utf8[prefix.utf8.count...]),
      bytes.count == 24 + macBytes
    else { throw .malformed }
    let signed = Array(bytes[..<24])
    guard equalInConstantTime(Array(bytes[24...]), sign(signed, sender, mac)) else {
      throw .badSignature
    }
    func number(_ range: Range<Int>) -> UInt64 { signed[range].reduce(0) { $0 << 8 | UInt64($1) } }
    let expires = Int64(number(20..<24)) * 60_000
    // Told apart from a bad signature only to who holds a good one.
    guard now < expires else { throw .expired }
    return ReplyAddress(
      conversation: Conversation(high: number(0..<8), low: number(8..<16)), expires: expires)
  }

  private static func sign(_ bytes: [UInt8], _ recipient: String, _ mac: MAC) -> [UInt8] {
    let full = mac(domainLabel + [1] + bytes + LowerCase.address(recipient).utf8)
    // A hash too short to sign with must not sign at all: it then matches nothing.
    return full.count >= macBytes
      ? Array(full.prefix(macBytes)) : Array(repeating: 0, count: macBytes + 1)
  }

  private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }

  /// Looks at every byte whatever the first ones say.
  static func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for (x, y) in zip(a, b) { difference |= x ^ y }
    return difference == 0
  }
}

/// Base32 of RFC 4648 §6 in lower case without padding; reads both cases, refuses what is not
/// canonical.
enum Base32 {
  private static let digits = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var group: UInt32 = 0
    var bits: UInt32 = 0
    for byte in bytes {
      group = group << 8 | UInt32(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        text.append(digits[Int(group >> bits & 31)])
      }
      group &= (1 << bits) - 1
    }
    if bits > 0 { text.append(digits[Int(group << (5 - bits) & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var group: UInt32 = 0
    var bits: UInt32 = 0
    for byte in text {
      let digit: UInt32
      switch asciiLower(byte) {
      case let letter where letter >= 97 && letter <= 122: digit = UInt32(letter - 97)
      case let figure where figure >= 50 && figure <= 55: digit = UInt32(figure - 50 + 26)
      default: return nil
      }
      group = group << 5 | digit
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: group >> bits))
        group &= (1 << bits) - 1
      }
    }
    return bits < 5 && group == 0 ? bytes : nil
  }
}
