import Continuity
import Pipeline
import WebCodec

/// What an integration keeps about a customer: `"attributes": { "tier": "gold" }` beside a journey event. A null
/// forgets one.
extension API {
  /// - Units: bytes of one attribute's JSON.
  private static let attributeBytesMax = 1_024

  static func attributes(
    _ fields: inout Fields, _ members: inout Members
  ) throws(APIProblem) -> [CustomerProfile.Attribute] {
    guard let given = try fields.object("attributes") else { return [] }
    guard given.count <= CustomerProfile.attributesMax else {
      throw fields.problem(
        "attributes", "a customer has at most \(CustomerProfile.attributesMax) attributes", type: "too-long")
    }
    var found: [CustomerProfile.Attribute] = []
    for (name, value) in given {
      let json = value == .null ? [] : value.encoded
      guard !name.isEmpty, name.utf8.count <= 64, json.count <= attributeBytesMax else {
        throw fields.problem(
          "attributes", "an attribute has a name of 1 to 64 bytes and at most \(attributeBytesMax) bytes of JSON",
          type: "too-long")
      }
      found.append(.init(name: name, value: json))
    }
    members.raw("attributes", JSONValue.object(JSONObject(given.map { .init($0.name, $0.value) })).encoded)
    return found
  }
}
