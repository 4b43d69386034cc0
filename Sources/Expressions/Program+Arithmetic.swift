/// Arithmetic with what somebody told: JSON writes 90 and 90.5 alike, and here they are numbers of two
/// kinds, which arithmetic does not mix.
public struct LooseArithmetic: Sendable {
  /// The sum, product and so on; the equation of which it is a side where `meant` is all of that.
  public var node: Int
  /// The part whose kind nobody knows, as it is written.
  public var told: String
  /// How the node is written so that it holds for both kinds; nil where nobody can be sure.
  public var meant: String?
  /// Whether `meant` is of whole numbers: what stands behind the point is left out.
  public var isWhole = false
}

extension Program {
  /// Every sum, difference and so on of a part that may be a number of any kind with a number.
  ///
  /// - Parameter isInOrder: whether a source can be read and its types go together. What would not
  ///   be in order is not given as `meant`.
  public func looseArithmetic(isInOrder: (String) -> Bool) -> [LooseArithmetic] {
    guard syntax.nodes.contains(where: ArithmeticSearch.isArithmetic) else { return [] }
    return ArithmeticSearch(self).found(isInOrder)
  }

  /// The source with other words for a part.
  func source(with text: String, for node: Int) -> String {
    let (bytes, extent) = (Array(source.utf8), syntax.extents[node])
    return String(
      decoding: bytes[..<extent.start] + Array(text.utf8) + bytes[extent.end...], as: UTF8.self)
  }
}

private struct ArithmeticSearch {
  private let program: Program
  private let above: [Int]
  /// What the condition asks the type of: its author knows that there are two.
  private let asked: Set<String>
  private var syntax: Syntax { program.syntax }

  init(_ program: Program) {
    self.program = program
    let syntax = program.syntax
    var above = Array(repeating: -1, count: syntax.nodes.count)
    for node in syntax.nodes.indices {
      for child in syntax.children(node) { above[child] = node }
    }
    self.above = above
    asked = Set(
      syntax.nodes.compactMap {
        if case .call("type", let given) = $0, given.count == 1 {
          syntax.text(of: given[0])
        } else {
          nil
        }
      })
  }

  private static let signs: [String: String] = [
    "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%",
  ]
  private static let equations: [String: String] = ["_==_": "==", "_!=_": "!="]
  private static let comparing: Set<String> = ["_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"]
  /// Each way of writing it anew is read: of a condition longer than people write only the sentence
  /// is told.
  ///
  /// - Units: bytes.
  private static let sourceMax = 4_096

  static func isArithmetic(_ node: Syntax.Node) -> Bool {
    if case .call(let name, let sides) = node {
      signs[name] != nil && sides.count == 2
    } else {
      false
    }
  }

  func found(_ isInOrder: (String) -> Bool) -> [LooseArithmetic] {
    var told: Set<Int> = []
    return syntax.nodes.indices.compactMap { node in
      guard let part = loosePart(of: node) else { return nil }
      // Of several in one another the outermost is written anew, with all that is within it.
      var top = node
      while above[top] >= 0, Self.isArithmetic(syntax.nodes[above[top]]) { top = above[top] }
      guard !told.contains(top) else { return nil }
      told.insert(top)
      var found = LooseArithmetic(node: top, told: syntax.text(of: part))
      for way in ways(top) where program.source.utf8.count <= Self.sourceMax {
        let meant = converted(way.node, isWhole: way.isWhole, isTop: true)
        guard isInOrder(program.source(with: meant, for: way.node)) else { continue }
        (found.node, found.meant, found.isWhole) = (way.node, meant, way.isWhole)
        break
      }
      // The other side of an equation is written anew with this one.
      if found.node != top, case .call(_, let sides) = syntax.nodes[found.node] {
        told.formUnion(sides)
      }
      return found
    }
  }

  /// What may be written anew, the best first: the sum by itself, or with the other side of its
  /// equation, since numbers of two kinds can be greater and less than one another, and not equal.
  private func ways(_ top: Int) -> [(node: Int, isWhole: Bool)] {
    var places = [top]
    var kinds = [false, true]
    // Only whole numbers have a rest.
    if case .call("_%_", _) = syntax.nodes[top] { kinds = [true] }
    if above[top] >= 0 {
      switch syntax.nodes[above[top]] {
      case .call(let name, _) where Self.equations[name] != nil: places.append(above[top])
      // A million with a point is `1e+06` as a text.
      case .call("string", _), .index: kinds = [true]
      // What becomes of it nobody sees here.
      case .call("type", _), .list, .map: return []
      default: break
      }
    }
    return kinds.flatMap { kind in places.map { ($0, kind) } }
  }

  /// A part of a sum that may be a number of any kind, where all of it is hardly something else than a
  /// number: `a + b` may join two texts, and `a - b` be of two moments.
  private func loosePart(of node: Int) -> Int? {
    guard Self.isArithmetic(syntax.nodes[node]), case .call(_, let sides) = syntax.nodes[node],
      let part = sides.first(where: isLoose)
    else { return nil }
    let isOfNumbers =
      sides.contains { program.types[$0].isNumber }
      || sides.allSatisfy(isLoose) && isComparedWithNumber(node)
    return isOfNumbers ? part : nil
  }

  private func isComparedWithNumber(_ node: Int) -> Bool {
    guard above[node] >= 0, case .call(let name, let sides) = syntax.nodes[above[node]],
      Self.comparing.contains(name)
    else { return false }
    return sides.contains { $0 != node && program.types[$0].isNumber }
  }

  /// Whether nothing is known of a part's type, though it rests on facts.
  private func isLoose(_ node: Int) -> Bool {
    switch program.types[node] {
    case .dyn, .param: break
    default: return false
    }
    // What is said to be anything is meant so.
    if case .call("dyn", _) = syntax.nodes[node] { return false }
    return !isAsked(node)
  }

  private func isAsked(_ node: Int) -> Bool {
    !asked.isEmpty
      && (asked.contains(syntax.text(of: node)) || syntax.children(node).contains(where: isAsked))
  }

  /// - Parameter isTop: whether it stands where it stood, and so needs no brackets.
  private func converted(_ node: Int, isWhole: Bool, isTop: Bool = false) -> String {
    let text = syntax.text(of: node)
    switch syntax.nodes[node] {
    case .call("_%_", let sides) where sides.count == 2 && !isWhole:
      return "double(\(sides.map { converted($0, isWhole: true) }.joined(separator: " % ")))"
    case .call(let name, let sides) where sides.count == 2:
      guard let sign = Self.signs[name] ?? (isTop ? Self.equations[name] : nil) else { break }
      let isEquation = Self.signs[name] == nil
      let inner = sides.map { converted($0, isWhole: isWhole, isTop: isEquation) }
        .joined(separator: " \(sign) ")
      return isTop ? inner : "(\(inner))"
    case .literal(.int) where !isWhole: return text + ".0"
    case .literal(.uint): return text.dropLast() + (isWhole ? "" : ".0")
    case .literal: return text
    default: break
    }
    let type: Type = isWhole ? .int : .double
    return program.types[node] == type ? text : "\(type)(\(text))"
  }
}

extension Type {
  var isNumber: Bool { self == .int || self == .uint || self == .double }
}
