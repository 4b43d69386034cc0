/// What other languages call something that has another name here.
extension Checker {
  /// The form for a method that there is not; nil where nobody is known to call it so.
  ///
  /// - Parameter target: what it is called on, as it is written.
  static func otherMethod(_ name: String, on target: String) -> String? {
    switch name.lowercased() {
    case "lower", "tolower", "lowercase", "tolowercase", "downcase": "\(target).lowerAscii()"
    case "upper", "toupper", "uppercase", "touppercase", "upcase": "\(target).upperAscii()"
    case "len", "length", "count": "size(\(target))"
    case "empty", "isempty", "isblank": "size(\(target)) == 0"
    case "strip": "\(target).trim()"
    case "include", "includes", "has": "\(target).contains(…)"
    case "match", "search", "test", "regex": "\(target).matches(…)"
    case "tostring", "str": "string(\(target))"
    case "toint", "tonumber", "parseint": "int(\(target))"
    case "hour", "gethour", "hours": "\(target).getHours(\"Europe/Berlin\")"
    case "weekday", "dayofweek", "getday": "\(target).getDayOfWeek(\"Europe/Berlin\")"
    case "exist", "isset", "defined": "has(\(target))"
    default: nil
    }
  }

  /// The form for a method that goes over a list, and is another macro here: what stands in its
  /// brackets speaks of an element that has no name yet.
  static func otherFold(_ name: String, on target: String) -> String? {
    switch name.lowercased() {
    case "any", "some", "anysatisfy", "find": "\(target).exists(e, …)"
    case "every", "each", "allsatisfy": "\(target).all(e, …)"
    case "none": "!\(target).exists(e, …)"
    case "select", "where": "\(target).filter(e, …)"
    case "collect": "\(target).map(e, …)"
    default: nil
    }
  }

  /// The form for a function that there is not.
  static func otherFunction(_ name: String, _ arguments: [String]) -> String? {
    let all = arguments.joined(separator: ", ")
    switch name.lowercased() {
    case "not": return "!(\(all))"
    case "exists", "isset", "defined": return "has(\(all))"
    case "float", "number", "decimal": return "double(\(all))"
    case "date", "datetime", "time": return "timestamp(\(all))"
    case "any", "every", "some", "all": return nil
    default:
      guard let first = arguments.first else { return nil }
      return otherMethod(name, on: first)
    }
  }
}
