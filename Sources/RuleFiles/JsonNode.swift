import WebCodec
import Yams

/// JSON as the nodes that YAML is read into, without their places.
enum JsonNode {
  /// Nil for what is no JSON object, or is nested deeper than YAML may be here.
  static func read(_ text: String) -> Node? {
    guard text.utf8.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") else {
      return nil
    }
    var limits = JSONReader.Limits()
    limits.depthMax = YamlFile.depthMax
    do throws(JSONError) {
      return node(try JSONValue(parsing: Array(text.utf8), limits: limits))
    } catch {
      return nil  // Whoever reads it as YAML is told.
    }
  }

  private static func node(_ value: JSONValue) -> Node {
    switch value {
    case .null: plain("null")
    case .bool(let bool): plain(bool ? "true" : "false")
    case .int(let int): plain(String(int))
    case .number(let text): plain(text)
    case .string(let text): quoted(text)
    case .array(let elements): .sequence(.init(elements.map(node)))
    case .object(let object):
      .mapping(.init(object.members.map { (quoted($0.name), node($0.value)) }))
    }
  }

  private static func plain(_ text: String) -> Node {
    .scalar(.init(text, Tag(.implicit), .plain))
  }
  private static func quoted(_ text: String) -> Node {
    .scalar(.init(text, Tag(.implicit), .doubleQuoted))
  }
}
