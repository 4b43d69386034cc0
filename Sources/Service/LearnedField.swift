import WebCodec

/// A field as a bot gives it. `{value, confidence, source}` says how sure the bot is and where it
/// has it from; anything
/// else, also an object that has a `value` and neither of the two, is the value itself.
public struct LearnedField: Equatable {
  public var value: JSONValue
  var confidence: JSONValue?
  /// Where the bot has it from, in its own words.
  var origin: String?

  public init(_ given: JSONValue) {
    guard let inner = given["value"], given["confidence"] != nil || given["source"] != nil else {
      value = given
      return
    }
    value = inner
    confidence = given["confidence"]
    origin = given["source"]?.string
  }
}
