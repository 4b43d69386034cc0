import MailCodec

/// The addresses of the web, of mail and of telephones that a text names or leads to, each in a form in
/// which plain text and HTML write it alike.
struct LinkTargets {
  static let schemes = ["http://", "https://", "mailto:", "tel:"]

  private var targets: Set<String> = []

  init(_ text: Substring) {
    var rest = text.utf8
    while let start = rest.firstIndex(where: { !Self.ends($0) }) {
      let behind = rest[start...]
      let isInBrackets = start > text.startIndex && text.utf8[text.utf8.index(before: start)] == 60
      var end = behind.firstIndex(where: Self.ends) ?? rest.endIndex
      // Programs break long ones over lines.
      if isInBrackets, Self.schemes.contains(where: { behind.starts(with: $0.utf8) }),
        let close = behind.prefix(Self.bytesMax * 4).firstIndex(where: { $0 == 62 || $0 == 60 })
      {
        end = close
      }
      add(behind[..<end])
      rest = rest[end...]
    }
  }

  /// The lines of its author's own words in which one text leads to where the other does not.
  static func lines(of text: String, notIn other: String) -> String {
    let led = LinkTargets(text[...])
    guard !led.targets.isEmpty else { return "" }
    let said = LinkTargets(other[...])
    guard !led.targets.isSubset(of: said.targets) else { return "" }
    let lines = OwnWords(text).own.split(whereSeparator: \.isNewline)
    return lines.filter { !LinkTargets($0).targets.isSubset(of: said.targets) }
      .joined(separator: "\n")
  }

  private static func ends(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...32, 34, 40, 41, 60, 62, 91, 93: true
    default: false
    }
  }

  /// `HTMLText` shows little more of one.
  private static let bytesMax = 900

  private mutating func add(_ written: Substring.UTF8View) {
    var address = written.filter { $0 > 32 }.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }[...]
    func drop(_ prefix: String) -> Bool {
      guard address.starts(with: prefix.utf8) else { return false }
      address = address.dropFirst(prefix.utf8.count)
      return true
    }
    if drop("cid:") { return }
    let isPhone = drop("tel:")
    if drop("mailto:") { address = address.prefix { $0 != 63 } }
    guard isPhone || address.contains(64) || address.firstRange(of: "://".utf8) != nil else {
      return
    }
    if drop("https://") || drop("http://") { _ = drop("www.") }
    address = address.prefix(Self.bytesMax)
    while let last = address.last, last < 128, !Self.isLetter(last) { address.removeLast() }
    if !address.isEmpty { targets.insert(String(decoding: address, as: UTF8.self)) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte >= 48 && byte <= 57 || byte >= 97 && byte <= 122
  }
}
