/// One address of a header: `Ann Lee <ann@home.example>`.
///
/// - Shape: `local` without its quotes, `domain` in lower case; `name` is decoded, empty ones are
///   nil.
public struct MailAddress: Hashable, Sendable {
  public var name: String?
  public var local: String
  public var domain: String

  public init(name: String? = nil, local: String, domain: String) {
    self.name = name
    self.local = local
    self.domain = domain
  }

  /// `local@domain`, the local part quoted where it must be.
  public var address: String {
    if Self.isDotAtom(Array(local.utf8)) { return "\(local)@\(domain)" }
    var text = "\""
    for scalar in local.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { text += "\\" }
      text.unicodeScalars.append(scalar)
    }
    return text + "\"@\(domain)"
  }

  /// Reads `local@domain` without a name; nil for anything else.
  public init?(address: String) {
    guard let path = SMTPPath(mailbox: Array(address.utf8)), let domain = path.domain else {
      return nil
    }
    self.init(local: path.local, domain: domain)
  }

  /// RFC 5322 §3.2.3 dot-atom, with RFC 6532's UTF-8.
  static func isDotAtom(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, first != 46, bytes.last != 46 else { return false }
    var last: UInt8 = 0
    for byte in bytes {
      if byte == 46 ? last == 46 : !isAtomText(byte) { return false }
      last = byte
    }
    return true
  }

  static func isAtomText(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, 128...255: true
    case 33, 35, 36, 37, 38, 39, 42, 43, 45, 47, 61, 63, 94, 95, 96, 123, 124, 125, 126: true
    default: false
    }
  }

  /// A domain in lower case, or an address literal (RFC 5321 §4.1.2, §4.1.3); nil for anything
  /// else.
  static func domain(_ bytes: ArraySlice<UInt8>) -> String? {
    guard !bytes.isEmpty, bytes.count <= 255 else { return nil }
    if bytes.first == 91 {
      let inner = bytes.dropFirst().dropLast()
      guard bytes.last == 93, !inner.isEmpty,
        inner.allSatisfy({
          ($0 >= 48 && $0 <= 58) || $0 == 46 || $0 == 45 || asciiUpper($0) != $0
            || ($0 >= 65 && $0 <= 90)
        })
      else { return nil }
      return String(decoding: bytes, as: UTF8.self)
    }
    for label in bytes.split(separator: 46, omittingEmptySubsequences: false) {
      guard !label.isEmpty, label.count <= 63, label.first != 45, label.last != 45,
        label.allSatisfy({
          $0 == 45 || $0 >= 128 || ($0 >= 48 && $0 <= 57) || ($0 | 32 >= 97 && $0 | 32 <= 122)
        })
      else { return nil }
    }
    return LowerCase.address(String(decoding: bytes, as: UTF8.self))
  }
}

/// Why a list of addresses was refused. Ambiguous ones are refused, not guessed (CVE-2023-27043).
public enum MailAddressFault: Error, Equatable, Sendable {
  case badCharacter(offset: Int)
  case unclosed(offset: Int)
  case notAnAddress(offset: Int)
  /// An unquoted name that is itself another address: `a@x <b@y>`.
  case ambiguousName(offset: Int)
  case tooMany
}

extension MailAddress {
  public static let listCountMax = 1_000

  /// Reads an address list as it stands in the header, before encoded words are decoded (RFC 2047
  /// §6.2: else an encoded comma would make a second address).
  /// - Shape: mailboxes and groups (RFC 5322 §3.4), comments and obsolete routes included; empty
  ///   elements are skipped (§4.4). A group's name is dropped, its members stay.
  /// - Parameter decode: decodes the encoded words of a name.
  public static func list(
    _ header: String, decode: (String) -> String = { $0 }
  ) throws(MailAddressFault) -> [MailAddress] {
    var parser = AddressListParser(bytes: Array(header.utf8))
    return try parser.parse(decode)
  }
}

struct AddressListParser {
  enum Token: Equatable {
    case atom([UInt8]), quoted([UInt8]), literal([UInt8])
    case special(UInt8)
  }

  let bytes: [UInt8]
  var at = 0
  var spaced = false
  var comment: [UInt8] = []

  init(bytes: [UInt8]) { self.bytes = bytes }

  struct Piece {
    var token: Token
    var offset: Int
    var spaceBefore: Bool
  }

  mutating func parse(_ decode: (String) -> String) throws(MailAddressFault) -> [MailAddress] {
    var found: [MailAddress] = []
    var run: [Piece] = []
    var inGroup = false
    while let piece = try next() {
      switch piece.token {
      case .special(44):
        try Self.finish(&run, comment, decode, at: piece.offset, into: &found)
        comment = []
      case .special(58) where !inGroup && !run.contains(where: { $0.token == .special(60) }):
        // The name of a group ends here (RFC 5322 §3.4).
        guard !run.isEmpty, !run.contains(where: { $0.token == .special(64) }) else {
          throw .notAnAddress(offset: piece.offset)
        }
        run = []
        comment = []
        inGroup = true
      case .special(59) where inGroup:
        try Self.finish(&run, comment, decode, at: piece.offset, into: &found)
        comment = []
        inGroup = false
      default: run.append(piece)
      }
      if found.count > MailAddress.listCountMax { throw .tooMany }
    }
    guard !inGroup else { throw .unclosed(offset: at) }
    try Self.finish(&run, comment, decode, at: at, into: &found)
    return found
  }

  private static func finish(
    _ run: inout [Piece], _ comment: [UInt8], _ decode: (String) -> String, at offset: Int,
    into found: inout [MailAddress]
  ) throws(MailAddressFault) {
    defer { run = [] }
    guard let first = run.first else { return }
    guard let open = run.firstIndex(where: { $0.token == .special(60) }) else {
      guard let (local, domain) = mailbox(run[...]) else {
        throw .notAnAddress(offset: first.offset)
      }
      // A trailing comment is the name in mail of the old kind: `ann@x (Ann)`.
      let name = decode(String(decoding: comment, as: UTF8.self))
      found.append(MailAddress(name: name.isEmpty ? nil : name, local: local, domain: domain))
      return
    }
    guard run.last?.token == .special(62) else { throw .unclosed(offset: run[open].offset) }
    var inner = run[(open + 1)..<(run.count - 1)]
    if inner.first?.token == .special(64) {
      // RFC 5322 §4.4 obs-route: `<@relay:ann@x>`, ignored.
      guard let colon = inner.firstIndex(where: { $0.token == .special(58) }) else {
        throw .notAnAddress(offset: run[open].offset)
      }
      inner = inner[(colon + 1)...]
    }
    guard let (local, domain) = mailbox(inner) else {
      throw .notAnAddress(offset: run[open].offset)
    }
    let name = try phrase(run[..<open], sameAs: "\(local)@\(domain)", decode)
    found.append(MailAddress(name: name.isEmpty ? nil : name, local: local, domain: domain))
  }

  private static func phrase(
    _ pieces: ArraySlice<Piece>, sameAs address: String, _ decode: (String) -> String
  ) throws(MailAddressFault) -> String {
    var text: [UInt8] = []
    var isAddressLike = false
    for piece in pieces {
      if piece.spaceBefore, !text.isEmpty { text.append(32) }
      switch piece.token {
      case .atom(let word), .quoted(let word): text += word
      case .special(46): text.append(46)  // RFC 5322 §4.1 obs-phrase
      case .special(64):
        // Unquoted `ann@x <ann@x>` is common though illegal; it may pass only when both are the
        // same.
        text.append(64)
        isAddressLike = true
      default: throw .badCharacter(offset: piece.offset)
      }
    }
    let plain = String(decoding: text, as: UTF8.self)
    if isAddressLike, plain.lowercased() != address.lowercased() {
      throw .ambiguousName(offset: pieces.first?.offset ?? 0)
    }
    return decode(plain)
  }

  private static func mailbox(_ pieces: ArraySlice<Piece>) -> (String, String)? {
    guard let sign = pieces.firstIndex(where: { $0.token == .special(64) }),
      sign > pieces.startIndex
    else {
      return nil
    }
    var local: [UInt8] = []
    var wordNext = true
    for piece in pieces[..<sign] {
      switch piece.token {
      case .atom(let word), .quoted(let word):
        guard wordNext else { return nil }
        local += word
        wordNext = false
      case .special(46):
        guard !wordNext else { return nil }
        local.append(46)
        wordNext = true
      default: return nil
      }
    }
    guard !wordNext, !local.isEmpty, local.count <= 64 else { return nil }
    var name: [UInt8] = []
    for piece in pieces[(sign + 1)...] {
      switch piece.token {
      case .atom(let word), .literal(let word): name += word
      case .special(46): name.append(46)
      default: return nil
      }
      // White space inside a domain is obsolete and a way to hide another one.
      if piece.spaceBefore, name.count > 1, piece.offset != pieces[sign + 1].offset { return nil }
    }
    guard let domain = MailAddress.domain(name[...]) else { return nil }
    return (String(decoding: local, as: UTF8.self), domain)
  }

  private mutating func next() throws(MailAddressFault) -> Piece? {
    spaced = false
    while at < bytes.count {
      let byte = bytes[at]
      let start = at
      switch byte {
      case 32, 9, 13, 10:
        spaced = true
        at += 1
      case 40:
        try skipComment()
        spaced = true
      case 34:
        return Piece(token: .quoted(try delimited(by: 34)), offset: start, spaceBefore: spaced)
      case 91:
        let inner = try delimited(by: 93)
        return Piece(token: .literal([91] + inner + [93]), offset: start, spaceBefore: spaced)
      case 60, 62, 64, 44, 58, 59, 46:
        at += 1
        return Piece(token: .special(byte), offset: start, spaceBefore: spaced)
      default:
        while at < bytes.count, MailAddress.isAtomText(bytes[at]) { at += 1 }
        guard at > start else { throw .badCharacter(offset: start) }
        return Piece(token: .atom(Array(bytes[start..<at])), offset: start, spaceBefore: spaced)
      }
    }
    return nil
  }

  private mutating func delimited(by end: UInt8) throws(MailAddressFault) -> [UInt8] {
    let start = at
    var inner: [UInt8] = []
    at += 1
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == end { return inner }
      if byte == 92, at < bytes.count {
        inner.append(bytes[at])
        at += 1
      } else if byte != 13 && byte != 10 {
        inner.append(byte)
      }
    }
    throw .unclosed(offset: start)
  }

  private mutating func skipComment() throws(MailAddressFault) {
    let start = at
    var depth = 0
    comment = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case 40: depth += 1
      case 41: depth -= 1
      case 92 where at < bytes.count:
        comment.append(bytes[at])
        at += 1
      default: comment.append(byte)
      }
      if depth == 0 { return }
    }
    throw .unclosed(offset: start)
  }
}
