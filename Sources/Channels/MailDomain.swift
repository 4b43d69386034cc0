import CIdn2

/// A mail domain's two spellings: as people write it, and as DNS holds it (RFC 5890 §2.3.2.1).
enum MailDomain {
  /// `bücher.example` as `xn--bcher-kva.example`; nil for what is no such domain. Letters that only
  /// look like others (`ﬁ`, `K` of U+212A) are not taken for them here: two domains would be one.
  /// - Parameter domain: in small letters, composed (NFC).
  static func ascii(_ domain: String) -> String? {
    guard !domain.utf8.allSatisfy({ $0 < 0x80 }) else { return domain }
    guard let made = spelled(domain, tl_domain_to_ascii),
      let back = spelled(made, tl_domain_to_unicode), back.utf8.elementsEqual(domain.utf8)
    else { return nil }
    return made
  }

  /// `xn--bcher-kva.example` as `bücher.example`; nil where that is none.
  static func unicode(_ domain: String) -> String? {
    guard domain.contains("xn--") else { return nil }
    return spelled(domain, tl_domain_to_unicode)
  }

  private static func spelled(
    _ domain: String, _ spell: (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int) -> Int32
  ) -> String? {
    // DNS holds 253 bytes; each letter is at most four bytes of UTF-8.
    let room = 1_024
    guard domain.utf8.count < room, !domain.utf8.contains(0) else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { out in
      guard let start = out.baseAddress, domain.withCString({ spell($0, start, room) }) == 1 else {
        return nil
      }
      return String(validatingCString: start)
    }
  }
}
