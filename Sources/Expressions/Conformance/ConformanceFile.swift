/// Runs cases of the language's conformance suite, one JSON object a line.
///
/// - Shape: `expr`, and optionally `name`, `section`, `bindings`, `type_env`, `container`,
///   `disable_check`, `check_only`; `expect` holds `value`, `error` or `deduced_type`. A value is
///   an object with one key, its kind: `{"int": "5"}`; 64-bit numbers are text, bytes base64, maps
///   lists of pairs.
public enum ConformanceFile {
  public struct Failure: Sendable {
    public var name: String
    public var expression: String
    public var expected: String
    public var got: String
  }

  public static func run(
    _ text: String, zone: @escaping @Sendable (String) -> ZoneTable?
  ) -> (passed: Int, failures: [Failure]) {
    var passed = 0
    var failures: [Failure] = []
    // Some editors begin a text with a byte order mark.
    let text =
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    for (index, line) in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }).enumerated() {
      guard !line.allSatisfy(\.isWhitespace) else { continue }
      guard let json = Json.parse(line), let expression = json["expr"]?.text else {
        failures.append(
          .init(
            name: "line \(index + 1)", expression: "", expected: "a case", got: "unreadable JSON"))
        continue
      }
      let name = [json["section"]?.text, json["name"]?.text].compactMap(\.self).joined(
        separator: "/")
      if let failure = ConformanceCase(json, zone).failure(expression) {
        failures.append(
          .init(name: name, expression: expression, expected: failure.expected, got: failure.got))
      } else {
        passed += 1
      }
    }
    return (passed, failures)
  }
}

private struct ConformanceCase {
  let json: Json
  var environment: Environment
  var slots: [Value?]

  init(_ json: Json, _ zone: @escaping @Sendable (String) -> ZoneTable?) {
    self.json = json
    var variables: [Environment.Variable] = []
    var overloads: [String: [Overload]] = [:]
    for declared in json["type_env"]?.elements ?? [] {
      guard let name = declared["name"]?.text else { continue }
      if let type = declared["type"] { variables.append(.init(name, Self.type(type))) }
      for overload in declared["overloads"]?.elements ?? [] {
        overloads[name, default: []].append(
          Overload(
            name: name, isMember: overload["instance"]?.isTrue ?? false,
            parameters: (overload["params"]?.elements ?? []).map(Self.type),
            result: overload["result"].map(Self.type) ?? .dyn))
      }
    }
    let bindings = json["bindings"]?.members ?? []
    for (name, _) in bindings where !variables.contains(where: { $0.name == name }) {
      variables.append(.init(name, .dyn))
    }
    environment = Environment(variables: variables, zone: zone)
    environment.container = json["container"]?.text ?? ""
    environment.overloads = overloads
    slots = variables.map { variable in
      bindings.first { $0.0 == variable.name }.flatMap { name, given in
        given["unknown"] == nil ? Self.value(given) : .unknown(name)
      }
    }
  }

  func failure(_ expression: String) -> (expected: String, got: String)? {
    guard let expect = json["expect"] else { return ("an expectation", "none in the case") }
    let unchecked = json["disable_check"]?.isTrue ?? false
    let compiled =
      unchecked
      ? Expression.compileUnchecked(expression, environment)
      : Expression.compile(expression, environment)
    let program: Program
    switch compiled {
    case .success(let made): program = made
    case .failure(let failure):
      if expect["error"] != nil { return nil }
      let told = failure.diagnostics.map { $0.rendered(in: expression) }.joined(separator: "\n")
      return (shown(expect), told)
    }
    if let wanted = expect["deduced_type"] {
      let type = Self.type(wanted)
      if program.type != type { return ("type \(type)", "type \(program.type)") }
      if json["check_only"]?.isTrue ?? false { return nil }
    }
    let result = program.evaluate(slots, budget: 10_000_000)
    if expect["unknown"] != nil {
      return result.isUnknown ? nil : ("an unknown value", "\(result)")
    }
    if expect["error"] != nil {
      return result.isError && !result.isUnknown ? nil : (shown(expect), "\(result)")
    }
    guard let wanted = expect["value"].flatMap(Self.value) else {
      return expect["deduced_type"] == nil ? (shown(expect), "a case without a value") : nil
    }
    return result == wanted ? nil : ("\(wanted)", "\(result)")
  }

  private func shown(_ expect: Json) -> String {
    if let value = expect["value"].flatMap(Self.value) { return "\(value)" }
    if let errors = expect["error"]?.elements {
      return "an error: " + errors.compactMap(\.text).joined(separator: ", ")
    }
    return "a type"
  }

  static func value(_ json: Json) -> Value? {
    guard let (kind, held) = json.members?.first else { return nil }
    switch kind {
    case "null": return .null
    case "bool": return .bool(held.isTrue)
    case "int": return held.text.flatMap { Int64($0) }.map(Value.int)
    case "uint": return held.text.flatMap { UInt64($0) }.map(Value.uint)
    case "double":
      switch held.text {
      case "NaN": return .double(.nan)
      case "Infinity": return .double(.infinity)
      case "-Infinity": return .double(-.infinity)
      case let text: return text.flatMap { Double($0) }.map(Value.double)
      }
    case "string": return held.text.map(Value.string)
    case "bytes": return held.text.flatMap { Base64.decode($0) }.map(Value.bytes)
    case "type": return held.text.map(Value.type)
    case "timestamp": return held.text.flatMap { Timestamp($0) }.map(Value.timestamp)
    case "duration": return held.text.flatMap { Span($0) }.map(Value.duration)
    case "list":
      let elements = (held.elements ?? []).map(value)
      return elements.contains { $0 == nil } ? nil : .list(elements.compactMap(\.self))
    case "map":
      var builder = MapBuilder()
      for pair in held.elements ?? [] {
        guard let pair = pair.elements, pair.count == 2, let key = value(pair[0]),
          let value = value(pair[1]),
          builder.add(key, value) == nil
        else { return nil }
      }
      return .map(builder.map)
    case "optional":
      if case .null = held { return .optional(.none) }
      return value(held).map { .optional(OptionalValue($0)) }
    default: return nil
    }
  }

  /// Messages that the language has a type of its own for.
  private static let wellKnown: [String: Type] = [
    "google.protobuf.Timestamp": .timestamp, "google.protobuf.Duration": .duration,
    "google.protobuf.Any": .dyn,
    "google.protobuf.Value": .dyn, "google.protobuf.Struct": .map(.string, .dyn),
    "google.protobuf.ListValue": .list(.dyn), "google.protobuf.BoolValue": .wrapper(.bool),
    "google.protobuf.Int32Value": .wrapper(.int), "google.protobuf.Int64Value": .wrapper(.int),
    "google.protobuf.UInt32Value": .wrapper(.uint), "google.protobuf.UInt64Value": .wrapper(.uint),
    "google.protobuf.FloatValue": .wrapper(.double),
    "google.protobuf.DoubleValue": .wrapper(.double),
    "google.protobuf.StringValue": .wrapper(.string),
    "google.protobuf.BytesValue": .wrapper(.bytes),
  ]

  static func type(_ json: Json) -> Type {
    if let name = json.text {
      switch name {
      case "null", "null_type": return .null
      case "google.protobuf.Timestamp": return .timestamp
      case "google.protobuf.Duration": return .duration
      case "any": return .dyn
      default:
        var reader = TypeReader(name)
        return reader.type()
      }
    }
    guard let (kind, held) = json.members?.first else { return .dyn }
    switch kind {
    case "list": return .list(type(held))
    case "map":
      let parts = held.elements ?? []
      return parts.count == 2 ? .map(type(parts[0]), type(parts[1])) : .map(.dyn, .dyn)
    case "type": return .type
    case "wrapper": return .wrapper(type(held))
    case "param": return .param(held.text ?? "T")
    case "abstract": return .abstract(held.text ?? "", (json["params"]?.elements ?? []).map(type))
    case "message" where Self.wellKnown[held.text ?? ""] != nil:
      return Self.wellKnown[held.text ?? ""] ?? .dyn
    case "function", "message": return .object(held.text ?? "")
    default: return .dyn
    }
  }
}
