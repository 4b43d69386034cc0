import Wire

/// Percent-encoding, RFC 3986 §2.1. Strict: a `%` without two hexadecimal digits, or bytes that are
/// not UTF-8, give nil, never a repaired text.
public enum PercentEncoding {
  public static func decode(_ bytes: UnsafeRawBufferPointer, plusIsSpace: Bool = false) -> String? {
    guard bytes.contains(where: { $0 == 37 || $0 == 43 }) else {
      return String(validating: bytes, as: UTF8.self)
    }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case 37:
        guard let high = rest.next().flatMap(Hex.value), let low = rest.next().flatMap(Hex.value)
        else {
          return nil
        }
        decoded.append(high << 4 | low)
      case 43 where plusIsSpace: decoded.append(32)
      default: decoded.append(byte)
      }
    }
    return String(validating: decoded, as: UTF8.self)
  }

  public static func decode(_ text: String, plusIsSpace: Bool = false) -> String? {
    Array(text.utf8).withUnsafeBytes { decode($0, plusIsSpace: plusIsSpace) }
  }

  /// Escapes all but the unreserved characters (RFC 3986 §2.3).
  public static func encode(_ text: String) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, 45, 46, 95, 126: encoded.append(byte)
      default: encoded += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)
}

/// `name=value&…`, as in a query or an `application/x-www-form-urlencoded` body.
public struct QueryParameters: Sendable, Equatable {
  public struct Pair: Sendable, Equatable {
    public var name: String
    public var value: String
  }
  public var pairs: [Pair]

  public init(pairs: [Pair]) { self.pairs = pairs }

  public init?(parsing bytes: UnsafeRawBufferPointer) {
    pairs = []
    for part in bytes.split(separator: 38) {
      let equals = part.firstIndex(of: 61) ?? part.endIndex
      let name = UnsafeRawBufferPointer(rebasing: part[..<equals])
      let value = UnsafeRawBufferPointer(rebasing: part[equals...].dropFirst())
      guard let name = PercentEncoding.decode(name, plusIsSpace: true),
        let value = PercentEncoding.decode(value, plusIsSpace: true)
      else { return nil }
      pairs.append(Pair(name: name, value: value))
    }
  }

  /// The first value of a parameter.
  public subscript(_ name: String) -> String? { pairs.first { $0.name == name }?.value }
}
