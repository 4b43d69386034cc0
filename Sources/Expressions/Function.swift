/// The functions of the language. Methods and plain functions of one name are one function; which
/// arguments it
/// takes is in `Signatures` for the checker and in `Evaluation+….swift` for evaluating.
enum Function: String, CaseIterable, Sendable {
  case not = "!_", negate = "-_"
  case add = "_+_", subtract = "_-_", multiply = "_*_", divide = "_/_", modulo = "_%_"
  case less = "_<_", lessOrEqual = "_<=_", greater = "_>_", greaterOrEqual = "_>=_"
  case equal = "_==_", notEqual = "_!=_", contained = "@in"
  case size, int, uint, double, string, bytes, bool, timestamp, duration, type, dyn
  case startsWith, endsWith, contains, matches
  case getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getFullYear, getHours, getMilliseconds,
    getMinutes
  case getMonth, getSeconds
  case charAt, indexOf, lastIndexOf, lowerAscii, upperAscii, replace, split, substring, trim, join,
    format,
    reverse
  case quote = "strings.quote"
  case slice, flatten, sort, distinct, first, last
  case sortByKeys = "@sortByAssociatedKeys"
  case range = "lists.range"
  case setsContains = "sets.contains", setsEquivalent = "sets.equivalent", setsIntersects =
    "sets.intersects"
  case base64Encode = "base64.encode", base64Decode = "base64.decode"
  case greatest = "math.greatest", least = "math.least", ceil = "math.ceil", floor = "math.floor"
  case round = "math.round", trunc = "math.trunc", abs = "math.abs", sign = "math.sign", sqrt =
    "math.sqrt"
  case isNaN = "math.isNaN", isInf = "math.isInf", isFinite = "math.isFinite"
  case bitAnd = "math.bitAnd", bitOr = "math.bitOr", bitXor = "math.bitXor", bitNot = "math.bitNot"
  case bitShiftLeft = "math.bitShiftLeft", bitShiftRight = "math.bitShiftRight"
  case optionalOf = "optional.of", optionalNone = "optional.none"
  case optionalOfNonZero = "optional.ofNonZeroValue", optionalUnwrap = "optional.unwrap"
  case hasValue, value, or, orValue, unwrapOpt
  case ip, cidr, isIP, isCIDR, family, isUnspecified, isLoopback, isGlobalUnicast,
    isLinkLocalMulticast
  case isLinkLocalUnicast, containsIP, containsCIDR, masked, isMask, prefixLength
  case isCanonical = "ip.isCanonical"
  case regexReplace = "regex.replace", regexExtract = "regex.extract", regexExtractAll =
    "regex.extractAll"

  static let named: [String: Function] = Dictionary(
    allCases.map { ($0.rawValue, $0) }, uniquingKeysWith: { first, _ in first })
}

/// One way to call a function.
public struct Overload: Sendable, Hashable {
  public var name: String
  /// Called as `first.name(rest)`.
  public var isMember: Bool
  public var parameters: [Type]
  public var result: Type

  public init(name: String, isMember: Bool, parameters: [Type], result: Type) {
    self.name = name
    self.isMember = isMember
    self.parameters = parameters
    self.result = result
  }

  /// Reads `name(int, A): A` or `list<A>.name(int): A`.
  init(signature: String) {
    var reader = TypeReader(signature)
    var receiver: Type?
    let open = signature.utf8.firstIndex(of: UInt8(ascii: "(")) ?? signature.utf8.endIndex
    var name = String(signature[..<open])
    // A receiver is told apart by a capital type variable or a type's name before the last dot.
    if let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) {
      let before = String(name[..<dot])
      if Overload.receivers.contains(where: {
        before == $0 || ($0.hasSuffix("<") && before.hasPrefix($0))
      })
        || before.utf8.count == 1
      {
        var own = TypeReader(before)
        receiver = own.type()
        name = String(name[name.utf8.index(after: dot)...])
      }
    }
    reader.at = signature.utf8.distance(from: signature.utf8.startIndex, to: open)
    var parameters = receiver.map { [$0] } ?? []
    _ = reader.take(UInt8(ascii: "("))
    while !reader.take(UInt8(ascii: ")")), reader.at < reader.text.count {
      parameters.append(reader.type())
      _ = reader.take(UInt8(ascii: ","))
    }
    _ = reader.take(UInt8(ascii: ":"))
    self.init(name: name, isMember: receiver != nil, parameters: parameters, result: reader.type())
  }

  private static let receivers = [
    "string", "bytes", "list<", "map<", "timestamp", "duration", "optional<", "net.IP", "net.CIDR",
  ]
}

/// Every overload, as the specification and its extensions have them.
enum Signatures {
  static let all: [String: [Overload]] = Dictionary(
    grouping: text.split(separator: "\n").flatMap { line in expand(String(line)) }, by: \.name)

  /// `T` stands for each type listed behind `for`.
  private static func expand(_ line: String) -> [Overload] {
    guard let at = line.range(of: " for ") else { return [Overload(signature: line)] }
    return line[at.upperBound...].split(separator: " ").map { type in
      Overload(
        signature: line[..<at.lowerBound].split(separator: "T", omittingEmptySubsequences: false)
          .joined(separator: String(type)))
    }
  }

  private static let text = """
    !_(bool): bool
    -_(T): T for int double duration
    _+_(T, T): T for int uint double string bytes duration
    _+_(list<A>, list<A>): list<A>
    _+_(timestamp, duration): timestamp
    _+_(duration, timestamp): timestamp
    _-_(T, T): T for int uint double duration
    _-_(timestamp, timestamp): duration
    _-_(timestamp, duration): timestamp
    _*_(T, T): T for int uint double
    _/_(T, T): T for int uint double
    _%_(T, T): T for int uint
    _==_(A, A): bool
    _!=_(A, A): bool
    @in(A, list<A>): bool
    @in(A, map<A, B>): bool
    size(T): int for string bytes list<A> map<A,B>
    T.size(): int for string bytes list<A> map<A,B>
    int(T): int for int uint double string timestamp duration
    uint(T): uint for uint int double string
    double(T): double for double int uint string
    string(T): string for string int uint double bool bytes timestamp duration net.IP net.CIDR
    bytes(T): bytes for bytes string
    bool(T): bool for bool string
    timestamp(T): timestamp for timestamp string int
    duration(T): duration for duration string int
    type(A): type
    dyn(A): dyn
    string.startsWith(string): bool
    string.endsWith(string): bool
    string.contains(string): bool
    string.matches(string): bool
    matches(string, string): bool
    timestamp.getT(): int for Date DayOfMonth DayOfWeek DayOfYear FullYear Hours Milliseconds Minutes Month Seconds
    timestamp.getT(string): int for Date DayOfMonth DayOfWeek DayOfYear FullYear Hours Milliseconds Minutes Month Seconds
    duration.getT(): int for Hours Milliseconds Minutes Seconds
    string.charAt(int): string
    string.indexOf(string): int
    string.indexOf(string, int): int
    string.lastIndexOf(string): int
    string.lastIndexOf(string, int): int
    string.lowerAscii(): string
    string.upperAscii(): string
    string.replace(string, string): string
    string.replace(string, string, int): string
    string.split(string): list<string>
    string.split(string, int): list<string>
    string.substring(int): string
    string.substring(int, int): string
    string.trim(): string
    string.reverse(): string
    string.format(list<dyn>): string
    list<string>.join(): string
    list<string>.join(string): string
    strings.quote(string): string
    list<A>.slice(int, int): list<A>
    list<A>.flatten(): list<dyn>
    list<A>.flatten(int): list<dyn>
    list<T>.sort(): list<T> for int uint double bool string bytes timestamp duration
    list<A>.distinct(): list<A>
    list<A>.reverse(): list<A>
    list<A>.first(): optional<A>
    list<A>.last(): optional<A>
    lists.range(int): list<int>
    sets.contains(list<A>, list<A>): bool
    sets.equivalent(list<A>, list<A>): bool
    sets.intersects(list<A>, list<A>): bool
    base64.encode(bytes): string
    base64.decode(string): bytes
    math.ceil(double): double
    math.floor(double): double
    math.round(double): double
    math.trunc(double): double
    math.sqrt(T): double for double int uint
    math.abs(T): T for int uint double
    math.sign(T): T for int uint double
    math.isNaN(double): bool
    math.isInf(double): bool
    math.isFinite(double): bool
    math.bitAnd(T, T): T for int uint
    math.bitOr(T, T): T for int uint
    math.bitXor(T, T): T for int uint
    math.bitNot(T): T for int uint
    math.bitShiftLeft(T, int): T for int uint
    math.bitShiftRight(T, int): T for int uint
    optional.of(A): optional<A>
    optional.none(): optional<A>
    optional.ofNonZeroValue(A): optional<A>
    optional.unwrap(list<optional<A>>): list<A>
    list<optional<A>>.unwrapOpt(): list<A>
    optional<A>.hasValue(): bool
    optional<A>.value(): A
    optional<A>.or(optional<A>): optional<A>
    optional<A>.orValue(A): A
    ip(string): net.IP
    cidr(string): net.CIDR
    isIP(string): bool
    isCIDR(string): bool
    ip.isCanonical(string): bool
    net.IP.family(): int
    net.IP.isT(): bool for Unspecified Loopback GlobalUnicast LinkLocalMulticast LinkLocalUnicast
    net.CIDR.containsIP(T): bool for net.IP string
    net.CIDR.containsCIDR(T): bool for net.CIDR string
    net.CIDR.ip(): net.IP
    net.CIDR.masked(): net.CIDR
    net.CIDR.isMask(): bool
    net.CIDR.prefixLength(): int
    regex.replace(string, string, string): string
    regex.replace(string, string, string, int): string
    regex.extract(string, string): optional<string>
    regex.extractAll(string, string): list<string>
    """ + orders

  private static let orders: String = {
    let numbers = ["int", "uint", "double"]
    let mixed = numbers.flatMap { a in numbers.map { b in (a, b) } }
    let same = ["bool", "string", "bytes", "timestamp", "duration"].map { ($0, $0) }
    return ["_<_", "_<=_", "_>_", "_>=_"]
      .flatMap { name in (mixed + same).map { "\n\(name)(\($0.0), \($0.1)): bool" } }.joined()
  }()
}

extension String {
  /// `range(of:)` without Foundation.
  func range(of text: String) -> Range<String.Index>? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
      at = index(after: at)
    }
    return nil
  }
}
