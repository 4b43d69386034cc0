/// One `Authentication-Results` header (RFC 8601 §2.2).
public struct AuthenticationResults: Equatable, Sendable {
  public struct Result: Equatable, Sendable {
    /// Such as `dmarc`, in lower case.
    public var method: String
    /// Such as `pass`, in lower case.
    public var value: String
    /// Such as `header.from` → `home.example`; names in lower case.
    public var properties: [(name: String, value: String)]

    public static func == (a: Self, b: Self) -> Bool {
      a.method == b.method && a.value == b.value
        && a.properties.elementsEqual(b.properties) { $0.name == $1.name && $0.value == $1.value }
    }

    public func property(_ name: String) -> String? { properties.first { $0.name == name }?.value }
  }

  public var authservID: String
  public var results: [Result]

  /// Nil when the header is not exactly in its form: half understood is not trusted.
  public init?(_ header: String) {
    guard let tokens = Self.tokens(header) else { return nil }
    var parts = tokens.split(separator: .special(59), omittingEmptySubsequences: false)[...]
    guard let head = parts.popFirst(), (1...2).contains(head.count),
      case .word(let id)? = head.first
    else {
      return nil
    }
    authservID = id.lowercased()
    results = []
    for part in parts where !part.isEmpty {
      if part.count == 1, case .word(let word)? = part.first, word.lowercased() == "none" {
        continue
      }
      guard let result = Self.result(part) else { return nil }
      results.append(result)
    }
  }

  /// What a listed relay says about DMARC for the author's domain.
  public enum DMARC: Equatable, Sendable {
    /// No header, a foreign one on top, or one that does not speak of DMARC.
    case unknown
    case pass
    case fail(String)
    /// It passed, but for another domain than the author's.
    case otherDomain(String)
  }

  /// Judges by the topmost header alone, and only when it bears the configured name: those below
  /// may have come with the message (RFC 8601 §5, §7.1).
  public static func dmarc(fields: [MailField], authservID: String, fromDomain: String) -> DMARC {
    guard let top = fields.first(where: { $0.isNamed("authentication-results") }),
      let header = AuthenticationResults(top.value), header.authservID == authservID.lowercased()
    else { return .unknown }
    let about = header.results.filter { $0.method == "dmarc" }
    guard about.count == 1, let result = about.first else { return .unknown }
    guard result.value == "pass" else { return .fail(result.value) }
    guard let domain = result.property("header.from") else { return .unknown }
    return domain.lowercased() == fromDomain.lowercased() ? .pass : .otherDomain(domain)
  }

  private enum Token: Equatable {
    case word(String)
    case special(UInt8)
  }

  private static func result(_ part: ArraySlice<Token>) -> Result? {
    var pairs: [(String, String)] = []
    var rest = part
    while !rest.isEmpty {
      guard rest.count >= 3, case .word(let name)? = rest.popFirst(),
        rest.popFirst() == .special(61),
        case .word(let value)? = rest.popFirst()
      else { return nil }
      pairs.append((name.lowercased(), value))
    }
    guard let first = pairs.first else { return nil }
    // `method/version`: the version says nothing that matters here (RFC 8601 §2.2).
    let method = first.0.split(separator: "/").first.map(String.init) ?? first.0
    return Result(
      method: method, value: first.1.lowercased(), properties: pairs.dropFirst().map { ($0, $1) })
  }

  private static func tokens(_ header: String) -> [Token]? {
    let bytes = Array(header.utf8)
    guard bytes.count <= 16_384 else { return nil }
    var tokens: [Token] = []
    var word: [UInt8] = []
    var hasWord = false
    func flush(_ tokens: inout [Token], _ word: inout [UInt8], _ hasWord: inout Bool) {
      if hasWord { tokens.append(.word(String(decoding: word, as: UTF8.self))) }
      word = []
      hasWord = false
    }
    var at = 0
    var depth = 0
    var quoted = false
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == 92, quoted || depth > 0 {
        if at < bytes.count, quoted { word.append(bytes[at]) }
        at += 1
      } else if quoted {
        if byte == 34 { quoted = false } else { word.append(byte) }
      } else if depth > 0 {
        if byte == 40 { depth += 1 } else if byte == 41 { depth -= 1 }
      } else {
        switch byte {
        case 34:
          quoted = true
          hasWord = true
        case 40:
          flush(&tokens, &word, &hasWord)
          depth = 1
        case 32, 9, 10, 13: flush(&tokens, &word, &hasWord)
        case 59, 61:
          flush(&tokens, &word, &hasWord)
          tokens.append(.special(byte))
        default:
          word.append(byte)
          hasWord = true
        }
      }
    }
    guard !quoted, depth == 0 else { return nil }
    flush(&tokens, &word, &hasWord)
    return tokens
  }
}
