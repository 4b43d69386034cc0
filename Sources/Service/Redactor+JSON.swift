import Continuity
import Model
import WebCodec

/// Words in JSON of whatever shape: names and strings, and whole numbers that are card numbers.
extension Redactor {
  func json(_ value: JSONValue) -> JSONValue {
    switch value {
    case .null, .bool: value
    case .string(let words): .string(text(words))
    case .int(let number): isCardNumber("\(number)") ? .string(text("\(number)")) : value
    // One with a fraction is a share or a place, whatever its digits come to.
    case .number(let digits): isCardNumber(digits) ? .string(text(digits)) : value
    case .array(let values): .array(values.map(json))
    case .object(let object): .object(JSONObject(members(object.members)))
    }
  }

  /// Names that become alike are told apart, so that none of the values is lost.
  func members(_ members: [JSONObject.Member]) -> [JSONObject.Member] {
    var names = DistinctNames()
    return members.map { .init(names.own(text($0.name)), json($0.value)) }
  }
}
