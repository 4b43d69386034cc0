/// A mailbox of the envelope, as in `RCPT TO:<ann@home.example>`.
///
/// - Shape: `<` [source route `:`] local-part [`@` domain] `>` (RFC 5321 §4.1.2). The local part is
///   held without its quotes; the domain in lower case, an address literal with its brackets.
/// - Units: local part ≤ 64 bytes, domain ≤ 255, path ≤ 256 (RFC 5321 §4.5.3.1.1–3).
public struct SMTPPath: Hashable, Sendable, CustomStringConvertible {
  public let local: String
  /// nil only for `<postmaster>` (RFC 5321 §4.5.1).
  public let domain: String?

  public var isPostmaster: Bool {
    local.utf8.elementsEqual("postmaster".utf8) { asciiLower($0) == $1 }
  }
  public var isASCII: Bool { (local + (domain ?? "")).utf8.allSatisfy { $0 < 128 } }

  /// The address as one writes it, quoted where it must be.
  public var description: String {
    let plain = !local.isEmpty && MailAddress.isDotAtom(Array(local.utf8))
    var text = local
    if !plain {
      text = "\""
      for scalar in local.unicodeScalars {
        if scalar == "\"" || scalar == "\\" { text += "\\" }
        text.unicodeScalars.append(scalar)
      }
      text += "\""
    }
    return domain.map { "\(text)@\($0)" } ?? text
  }

  /// Reads a path in angle brackets; nil for any other form, the null path included.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 3, bytes.count <= 512, bytes.first == 60, bytes.last == 62 else {
      return nil
    }
    var inner = Array(bytes[1..<(bytes.count - 1)])
    if inner.first == 64 {
      // RFC 5321 §4.1.1.3, appendix C: source routes are accepted and ignored.
      guard let colon = inner.firstIndex(of: 58) else { return nil }
      inner.removeFirst(colon + 1)
    }
    self.init(mailbox: inner)
  }

  /// Reads `local@domain` without brackets.
  public init?(mailbox: [UInt8]) {
    guard String(validating: mailbox, as: UTF8.self) != nil, let first = mailbox.first else {
      return nil
    }
    var local: [UInt8] = []
    var at = 0
    if first == 34 {
      at = 1
      var closed = false
      while at < mailbox.count {
        let byte = mailbox[at]
        at += 1
        if byte == 34 {
          closed = true
          break
        }
        if byte == 92 {
          // RFC 5321 §4.1.2 quoted-pairSMTP: a backslash and a printable character.
          guard at < mailbox.count, mailbox[at] >= 32, mailbox[at] != 127 else { return nil }
          local.append(mailbox[at])
          at += 1
        } else {
          guard byte >= 32, byte != 127 else { return nil }
          local.append(byte)
        }
      }
      guard closed else { return nil }
    } else {
      while at < mailbox.count, mailbox[at] != 64 { at += 1 }
      local = Array(mailbox[..<at])
      guard MailAddress.isDotAtom(local) else { return nil }
    }
    guard local.count <= 64 else { return nil }
    let domain: String?
    if at == mailbox.count {
      domain = nil
    } else {
      guard mailbox[at] == 64, let name = MailAddress.domain(mailbox[(at + 1)...]) else {
        return nil
      }
      domain = name
    }
    self.local = String(decoding: local, as: UTF8.self)
    self.domain = domain
  }
}
