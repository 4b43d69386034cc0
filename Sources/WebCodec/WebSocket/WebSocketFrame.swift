/// Which end of the connection we are; a client masks, a server never does (RFC 6455 §5.1).
public enum WebSocketRole: Sendable { case server, client }

enum WebSocketOpcode: UInt8, Sendable {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10
  var isControl: Bool { rawValue >= 8 }
}

/// A close code that may travel, RFC 6455 §7.4 and its IANA registry.
public struct WebSocketCloseCode: RawRepresentable, Equatable, Hashable, Sendable {
  public let rawValue: UInt16

  /// nil for codes that no frame may carry: reserved ones, such as 1005, and unassigned ones.
  public init?(rawValue: UInt16) {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: self.rawValue = rawValue
    default: return nil
    }
  }

  private init(known: UInt16) { rawValue = known }
  public static let normal = Self(known: 1000)
  public static let goingAway = Self(known: 1001)
  public static let protocolError = Self(known: 1002)
  public static let unsupportedData = Self(known: 1003)
  public static let invalidData = Self(known: 1007)
  public static let policyViolation = Self(known: 1008)
  public static let messageTooBig = Self(known: 1009)
  public static let internalError = Self(known: 1011)
  public static let tryAgainLater = Self(known: 1013)
  /// Another stream took its place: whoever opened both does not open this one again. Of the
  /// application's own (RFC 6455 §7.4.2).
  public static let replaced = Self(known: 4001)
}

/// A masking key, and how far it has been used.
struct WebSocketMask: Sendable {
  private var key: UInt32

  /// - Parameter key: the four bytes as they travel, the first one lowest.
  init(_ key: UInt32) { self.key = key }

  /// Masks or unmasks in place, and keeps the place in the key for the bytes that follow. RFC 6455
  /// §5.3.
  mutating func apply(_ bytes: UnsafeMutableRawBufferPointer) {
    let wide = UInt64(key) << 32 | UInt64(key)
    var at = 0
    while at &+ 8 <= bytes.count {
      let word =
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ wide
      bytes.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self)
      at &+= 8
    }
    while at < bytes.count {
      bytes[at] ^= UInt8(truncatingIfNeeded: key)
      key = key >> 8 | key << 24
      at &+= 1
    }
  }
}
