/// The syntax tree: nodes in one array, a node's number is its id.
public struct Syntax: Sendable {
  public typealias NodeID = Int

  public indirect enum Node: Sendable {
    /// Stands where the source was wrong, so that the rest can still be read.
    case invalid
    case literal(Value)
    /// `absolute` is written with a leading dot and never means a comprehension's variable.
    case name(String, absolute: Bool)
    case select(NodeID, field: String, optional: Bool)
    case has(NodeID, field: String)
    case index(NodeID, NodeID, optional: Bool)
    case call(String, [NodeID])
    case member(NodeID, String, [NodeID])
    case list([NodeID], optional: Set<Int>)
    case map([(key: NodeID, value: NodeID)], optional: Set<Int>)
    case message(String, [(field: String, value: NodeID)])
    case and([NodeID])
    case or([NodeID])
    case conditional(NodeID, NodeID, NodeID)
    case fold(Fold)
    /// `cel.bind(name, value, body)`.
    case bind(String, NodeID, NodeID)
    /// `target.optMap(name, body)`, or `optFlatMap`.
    case optionalMap(NodeID, String, NodeID, flat: Bool)
    /// `cel.block([values], body)`.
    case block([NodeID], NodeID)
  }

  /// A macro that visits a list or a map.
  public struct Fold: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
      case all, exists, existsOne, existsOneOld, map, filter, transformList, transformMap,
        transformMapEntry
      case sortBy
    }
    public var kind: Kind
    public var range: NodeID
    public var variable: String
    /// The second variable of the two-variable forms.
    public var second: String?
    public var filter: NodeID?
    public var body: NodeID
  }

  /// Bytes of the source.
  public struct Extent: Sendable, Hashable {
    public var start: Int
    public var end: Int
  }

  public internal(set) var nodes: [Node] = []
  public internal(set) var extents: [Extent] = []
  public internal(set) var root: NodeID = 0
  var depths: [Int] = []

  /// Nodes below one another. Evaluation, checking and printing recurse, so this bounds their
  /// stack.
  static let depthMax = 200
  /// - Units: bytes of one expression.
  public static let sourceBytesMax = 100_000
  static let nodesMax = 50_000
}

/// A mistake in an expression. Offsets are bytes of its source.
public struct ExpressionDiagnostic: Sendable, Hashable {
  public var start: Int
  public var end: Int
  public var message: String
  public var hint: String?

  public init(start: Int, end: Int, message: String, hint: String? = nil) {
    self.start = start
    self.end = end
    self.message = message
    self.hint = hint
  }
}

extension ExpressionDiagnostic {
  /// One-based line and column (in code points) of an offset, and that line's text.
  public static func place(_ offset: Int, in source: String) -> (
    line: Int, column: Int, text: String
  ) {
    let bytes = Array(source.utf8)
    let at = min(max(offset, 0), bytes.count)
    let start = bytes[..<at].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
    let line = bytes[..<at].count { $0 == 0x0A } + 1
    let column = String(decoding: bytes[start..<at], as: UTF8.self).unicodeScalars.count + 1
    return (line, column, String(decoding: bytes[start..<end], as: UTF8.self))
  }

  /// `line:column: error: message`, the line, a caret, and the hint.
  public func rendered(in source: String) -> String {
    let place = Self.place(start, in: source)
    var text = "\(place.line):\(place.column): error: \(message)\n  \(place.text)\n  "
    text += String(repeating: " ", count: place.column - 1) + "^"
    let length = Self.place(end, in: source)
    if length.line == place.line, length.column > place.column + 1 {
      text += String(repeating: "~", count: length.column - place.column - 1)
    }
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }
}
