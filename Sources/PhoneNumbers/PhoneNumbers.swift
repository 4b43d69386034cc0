import CPhoneNumber

/// Phone numbers as identities: what people and phone systems write, to E.164 and back.
///
/// libphonenumber behind a small face. Every call may be made from any thread: the library's one
/// instance never changes after it is made. The first call costs some milliseconds, since it reads
/// the metadata: `prepare()` takes them at start-up. A call costs 25 to 120 microseconds: settle
/// numbers at the edge, once.
public enum PhoneNumbers {
  /// A longer text is no phone number; libphonenumber draws the same line.
  public static let rawBytesMax = 250

  /// The number as `+` and digits, or nil for what is nobody's: `anonymous`, `unknown`, an internal
  /// extension such as `100`, too long, not a number.
  ///
  /// - Shape:  national (`020 7946 0018`), international (`+44…`, and `00…` or `011…` as one dials
  ///   it),
  ///           E.164 without its plus as trunks send it, `tel:` and `sip:` addresses. One with an
  ///           extension (`… ext. 23`) is nobody's: colleagues behind one line would be one person.
  /// - Parameter defaultRegion: two letters (ISO 3166-1) that say whose national form to read, such
  ///   as `GB`.
  public static func e164(_ raw: String, defaultRegion: String) -> String? {
    guard raw.utf8.count <= rawBytesMax else { return nil }
    let text = user(of: raw)
    return fill { out, room in
      withBytes(of: text) { bytes, count in
        throughline_phone_e164(bytes, count, defaultRegion, out, room)
      }
    }
  }

  /// The number for people in a region: `020 7946 0018` for `GB`, `+44 20 7946 0018` for anybody
  /// else. What is no E.164 number comes back as it is.
  public static func display(_ e164: String, in region: String) -> String {
    guard e164.utf8.count <= rawBytesMax else { return e164 }
    let shown = fill { out, room in
      withBytes(of: e164) { bytes, count in
        throughline_phone_display(bytes, count, region, out, room)
      }
    }
    return shown ?? e164
  }

  /// The region an E.164 number belongs to, such as `DE`; nil where it cannot be told.
  public static func region(of e164: String) -> String? {
    guard e164.utf8.count <= rawBytesMax else { return nil }
    return fill { out, room in
      withBytes(of: e164) { bytes, count in throughline_phone_region(bytes, count, out, room) }
    }
  }

  /// Whether an E.164 number is what phone systems send for a caller who has none or withholds it, such
  /// as `+19999999999`: a number, and nobody's identity.
  public static func isPlaceholder(_ e164: String) -> Bool {
    guard e164.utf8.count <= rawBytesMax else { return false }
    return withBytes(of: e164) { bytes, count in throughline_phone_is_placeholder(bytes, count) == 1
    }
  }

  /// Whether national numbers of this region can be read. For whoever checks a configuration.
  public static func knows(region: String) -> Bool { throughline_phone_knows_region(region) == 1 }

  /// Reads the metadata now rather than at the first call.
  public static func prepare() { _ = knows(region: "US") }

  // MARK: - In and out of C

  /// `+4420…` of `sip:+4420…@host;user=phone`; `tel:` is libphonenumber's own business (RFC 3966).
  private static func user(of raw: String) -> Substring {
    let trimmed = raw.drop { $0.isWhitespace }
    guard let scheme = trimmed.firstIndex(of: ":"),
      ["sip", "sips"].contains(trimmed[..<scheme].lowercased())
    else { return trimmed }
    return trimmed[trimmed.index(after: scheme)...].prefix { $0 != "@" && $0 != ";" }
  }

  private static func withBytes<R>(
    of text: some StringProtocol, _ body: (UnsafePointer<CChar>, Int) -> R
  ) -> R {
    let bytes = text.utf8.map { CChar(bitPattern: $0) } + [0]
    return bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else {
        preconditionFailure("no element, and there is one")
      }
      return body(base, buffer.count - 1)
    }
  }

  private static func fill(_ write: (UnsafeMutablePointer<CChar>, Int) -> Int) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { out in
      guard let base = out.baseAddress else { return nil }
      let count = write(base, out.count)
      guard count > 0, count <= out.count else { return nil }
      return String(validating: out[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
