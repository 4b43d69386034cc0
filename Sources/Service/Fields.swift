import Continuity
import Expressions
import Model
import System
import WebCodec
import Wire

/// The members of one JSON object of a request, read strictly: what is missing, of the wrong kind,
/// too long or unknown is a problem that names the field.
public struct Fields {
  private var members: [(name: String, value: JSONValue)]
  private var taken: Set<String> = []
  private let path: String
  /// Takes out of words what must never be written. Nothing else is touched: of a name that
  /// somebody gave a thing or a person nothing may go, or two of them would be one.
  let redactor: Redactor

  /// Bounds of what a request may hold.
  enum Bound {
    /// Names, ids, short words.
    static let shortBytes = 256
    /// One message.
    static let textBytes = 64 << 10
    static let listCount = 200
  }

  public init(_ body: [UInt8], _ redactor: Redactor = Redactor()) throws(APIProblem) {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: body) } catch {
      throw APIProblem(
        400, "malformed-json", "Malformed JSON", "the body is not the JSON we can read: \(error)")
    }
    try self.init(value, path: "", redactor)
  }

  init(_ request: APIRequest) throws(APIProblem) { try self.init(request.body, request.redactor) }

  /// A call that needs no body may come without one.
  init(orNothing request: APIRequest) throws(APIProblem) {
    try self.init(request.body.isEmpty ? Array("{}".utf8) : request.body, request.redactor)
  }

  init(_ value: JSONValue, path: String, _ redactor: Redactor) throws(APIProblem) {
    guard case .object(let members) = value else {
      throw APIProblem(
        422, "wrong-kind", "Wrong kind", "expected a JSON object", field: path.isEmpty ? nil : path)
    }
    self.members = members.members.map { ($0.name, $0.value) }
    self.path = path
    self.redactor = redactor
  }

  func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  func problem(_ name: String, _ detail: String, type: String = "wrong-value") -> APIProblem {
    APIProblem(422, type, "The request cannot be understood", detail, field: full(name))
  }

  /// Says what is needed, and which member may have been meant for it.
  func lacking(_ name: String, _ detail: String? = nil) -> APIProblem {
    let unknown = members.map(\.name).first {
      !taken.contains($0) && Spelling.nearest($0, among: [name]) != nil
    }
    let hint = unknown.map { "; did you mean \"\(name)\" by \"\($0.prefix(60))\"?" } ?? ""
    return problem(name, (detail ?? "\(name) is required") + hint, type: "missing-field")
  }

  /// The value, nil where it is absent or null.
  mutating func value(_ name: String) -> JSONValue? {
    taken.insert(name)
    guard let found = members.first(where: { $0.name == name }), found.value != .null else {
      return nil
    }
    return found.value
  }

  mutating func optionalText(_ name: String, bytesMax: Int = Bound.shortBytes) throws(APIProblem)
    -> String?
  {
    guard let value = value(name) else { return nil }
    guard case .string(let text) = value else {
      throw problem(name, "\(name) must be a string", type: "wrong-kind")
    }
    guard text.utf8.count <= bytesMax else {
      throw problem(name, "\(name) is longer than \(bytesMax) bytes", type: "too-long")
    }
    return text
  }

  /// What something is called, if it is called anything.
  mutating func optionalName(_ name: String) throws(APIProblem) -> String? {
    value(name) == nil ? nil : try text(name)
  }

  /// - Parameter mayBeEmpty: for a person's or a model's own words, which nothing hangs on.
  mutating func text(
    _ name: String, bytesMax: Int = Bound.shortBytes, mayBeEmpty: Bool = false
  ) throws(APIProblem) -> String {
    guard let text = try optionalText(name, bytesMax: bytesMax) else {
      throw lacking(name)
    }
    guard mayBeEmpty || text.contains(where: { !$0.isWhitespace }) else {
      throw problem(name, "\(name) must not be empty", type: "missing-field")
    }
    return text
  }

  /// What a person or a model says, redacted; its bound is of what came.
  mutating func optionalWords(_ name: String, bytesMax: Int = Bound.shortBytes) throws(APIProblem)
    -> String?
  {
    try optionalText(name, bytesMax: bytesMax).map(redactor.text)
  }

  mutating func words(
    _ name: String, bytesMax: Int = Bound.shortBytes, mayBeEmpty: Bool = false
  ) throws(APIProblem) -> String {
    redactor.text(try text(name, bytesMax: bytesMax, mayBeEmpty: mayBeEmpty))
  }

  mutating func wordsList(_ name: String) throws(APIProblem) -> [String] {
    try texts(name).map(redactor.text)
  }

  /// JSON of whatever shape, of which we know only that people read it.
  mutating func wordsValue(_ name: String) -> JSONValue? { value(name).map(redactor.json) }

  mutating func wordsObject(_ name: String) throws(APIProblem) -> [(
    name: String, value: JSONValue
  )]? {
    try object(name).map { members in
      redactor.members(members.map { .init($0.name, $0.value) }).map { ($0.name, $0.value) }
    }
  }

  /// When something happened that is told now: no year that is a slip of some clock, nothing that
  /// is still to come.
  mutating func pastInstant(_ name: String) throws(APIProblem) -> Instant? {
    guard let text = try optionalText(name) else { return nil }
    guard let at = Instant(rfc3339: text) else {
      throw problem(name, "\(name) must be a time such as 2026-11-25T09:30:00Z")
    }
    // A day ahead is a clock without its time zone, and forgiven.
    let latest = Instant(milliseconds: WallClock.nowMilliseconds) + .seconds(86_400)
    guard at >= Instant(milliseconds: 0), at <= latest else {
      throw problem(name, "\(name) must be from 1970 on and not in the future: \(at)")
    }
    return at
  }

  public mutating func optionalInteger(_ name: String, _ range: ClosedRange<Int64>)
    throws(APIProblem) -> Int64?
  {
    guard let value = value(name) else { return nil }
    guard case .int(let number) = value, range.contains(number) else {
      throw problem(
        name, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// How sure somebody is, from 0 to 1, as it was written.
  mutating func optionalShare(_ name: String) throws(APIProblem) -> [UInt8]? {
    guard let value = value(name) else { return nil }
    guard let share = value.double, (0...1).contains(share) else {
      throw problem(name, "\(name) must be a number from 0 to 1")
    }
    return value.encoded
  }

  public mutating func optionalFlag(_ name: String) throws(APIProblem) -> Bool? {
    guard let value = value(name) else { return nil }
    guard case .bool(let flag) = value else {
      throw problem(name, "\(name) must be true or false", type: "wrong-kind")
    }
    return flag
  }

  public mutating func optionalID<Kind>(_ name: String, _: ID<Kind>.Type = ID<Kind>.self)
    throws(APIProblem) -> ID<Kind>?
  {
    guard let text = try optionalText(name) else { return nil }
    guard let id = ID<Kind>(text) else {
      throw problem(name, "\(name) must be an id such as \(Kind.prefix)_…", type: "malformed-id")
    }
    return id
  }

  mutating func list(_ name: String, countMax: Int = Bound.listCount) throws(APIProblem)
    -> [JSONValue]
  {
    guard let value = value(name) else { return [] }
    guard case .array(let values) = value else {
      throw problem(name, "\(name) must be a list", type: "wrong-kind")
    }
    guard values.count <= countMax else {
      throw problem(name, "\(name) has more than \(countMax) elements", type: "too-long")
    }
    return values
  }

  mutating func objects(_ name: String, countMax: Int = Bound.listCount) throws(APIProblem)
    -> [Fields]
  {
    var result: [Fields] = []
    for (index, value) in try list(name, countMax: countMax).enumerated() {
      result.append(try Fields(value, path: "\(full(name))[\(index)]", redactor))
    }
    return result
  }

  mutating func texts(_ name: String) throws(APIProblem) -> [String] {
    var result: [String] = []
    for value in try list(name) {
      guard case .string(let text) = value, text.utf8.count <= Bound.shortBytes else {
        throw problem(name, "\(name) must be a list of short strings", type: "wrong-kind")
      }
      result.append(text)
    }
    return result
  }

  mutating func object(_ name: String) throws(APIProblem) -> [(name: String, value: JSONValue)]? {
    guard let value = value(name) else { return nil }
    guard case .object(let members) = value else {
      throw problem(name, "\(name) must be an object", type: "wrong-kind")
    }
    return members.members.map { ($0.name, $0.value) }
  }

  public mutating func optional(_ name: String) throws(APIProblem) -> String? {
    try optionalText(name)
  }
  public mutating func finish() throws(APIProblem) { try end() }
  public mutating func required(_ name: String) throws(APIProblem) -> String { try text(name) }
  public func missing(_ name: String) -> APIProblem { lacking(name) }
  public func wrong(_ name: String, _ detail: String) -> APIProblem { problem(name, detail) }

  /// Every member must have been asked for: an unknown one is an error that names the nearest
  /// known.
  mutating func end() throws(APIProblem) {
    guard let unknown = members.first(where: { !taken.contains($0.name) }) else { return }
    let known = taken.sorted()
    throw APIProblem(
      422, "unknown-field", "Unknown field", Self.unknown(unknown.name, among: known),
      field: full(unknown.name))
  }

  /// `"wiat" is not known here; known are after, wait; did you mean "wait"?`
  static func unknown(_ name: String, among known: [String]) -> String {
    let hint = Spelling.nearest(name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
    let all = known.isEmpty ? "nothing is" : "known are \(known.joined(separator: ", "))"
    return "\"\(name.prefix(60))\" is not known here; \(all)\(hint)"
  }
}
