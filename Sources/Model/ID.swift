/// A random 128-bit identifier, typed by what it names.
///
/// - Shape: a short prefix, `_`, and 26 digits of Crockford's base32 in lower case: `case_01h…`.
/// - Source: drawn from the operating system's entropy at the edge; the pure targets only carry
///   them.
public struct ID<Kind: IDKind>: Hashable, Sendable, Comparable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// 48 bits of time in milliseconds since 1970, then 80 random bits (as RFC 9562's version 7 has
  /// them, without its six fixed bits).
  ///
  /// Time comes first so that what is made together lies together: rows with random ids fall on
  /// pages all over the store, and each page that a commit touches is written whole (decision 0031).
  public init(at: Instant, random: (UInt64, UInt64)) {
    self.init(high: UInt64(bitPattern: at.milliseconds) << 16 | random.0 & 0xFFFF, low: random.1)
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.high == b.high ? a.low < b.low : a.high < b.high
  }
}

/// What an `ID` names.
public protocol IDKind {
  static var prefix: String { get }
}

public enum ConversationKind: IDKind { public static let prefix = "conv" }
public enum SessionKind: IDKind { public static let prefix = "sess" }
public enum CaseKind: IDKind { public static let prefix = "case" }
public enum CustomerKind: IDKind { public static let prefix = "cust" }
public enum OfferKind: IDKind { public static let prefix = "offer" }
public enum BlobKind: IDKind { public static let prefix = "blob" }
public enum TokenKind: IDKind { public static let prefix = "token" }
public enum MailKind: IDKind { public static let prefix = "mail" }
public enum StatusReasonKind: IDKind { public static let prefix = "reason" }

public typealias ConversationID = ID<ConversationKind>
public typealias SessionID = ID<SessionKind>
public typealias CaseID = ID<CaseKind>
public typealias CustomerID = ID<CustomerKind>
public typealias OfferID = ID<OfferKind>
public typealias BlobID = ID<BlobKind>
public typealias TokenID = ID<TokenKind>
public typealias MailID = ID<MailKind>
/// Why an agent chose a status: the words lie in a row of their own.
public typealias StatusReasonID = ID<StatusReasonKind>

extension ID: CustomStringConvertible, LosslessStringConvertible {
  private static var digits: StaticString { "0123456789abcdefghjkmnpqrstvwxyz" }

  public var description: String {
    let prefix = Kind.prefix
    return String(unsafeUninitializedCapacity: prefix.utf8.count + 27) { out in
      var at = 0
      for byte in prefix.utf8 {
        out[at] = byte
        at += 1
      }
      out[at] = UInt8(ascii: "_")
      at += 1
      // 26 digits of five bits hold 130 bits; the first carries only three.
      var shift = 125
      while shift >= 0 {
        let five: UInt64
        switch shift {
        case 64...: five = high >> UInt64(shift - 64)
        case 60...63: five = high << UInt64(64 - shift) | low >> UInt64(shift)
        default: five = low >> UInt64(shift)
        }
        out[at] = Self.digits.utf8Start[Int(five & 31)]
        at += 1
        shift -= 5
      }
      return at
    }
  }

  /// Reads the text form strictly; nil for another kind's prefix, a wrong length or a foreign
  /// digit.
  public init?(_ description: String) {
    var text = description
    let found: (UInt64, UInt64)? = text.withUTF8 { utf8 in
      let prefix = Kind.prefix.utf8
      guard utf8.count == prefix.count + 27, utf8.starts(with: prefix),
        utf8[prefix.count] == UInt8(ascii: "_")
      else { return nil }
      var high: UInt64 = 0
      var low: UInt64 = 0
      for (index, byte) in utf8[(prefix.count + 1)...].enumerated() {
        guard let digit = Self.value(byte), index > 0 || digit < 8 else { return nil }
        high = high << 5 | low >> 59
        low = low << 5 | digit
      }
      return (high, low)
    }
    guard let found else { return nil }
    self.init(high: found.0, low: found.1)
  }

  private static func value(_ byte: UInt8) -> UInt64? {
    for index in 0..<32 where digits.utf8Start[index] == byte { return UInt64(index) }
    return nil
  }
}
