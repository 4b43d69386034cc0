/// Unknown values: what an evaluation over part of the facts gives where the rest would decide.
///
/// An absent fact is an error: the case has none. An unknown one has a value that nobody has told
/// yet. Both are carried on alike, but where a value could still decide, an unknown outweighs an
/// error, since the error may yet not matter; everywhere else the error outweighs it, since nothing
/// that becomes known can mend it.
/// Source: cel-spec, `proto/cel/expr/eval.proto`, `ExprValue.unknown`.
extension Value {
  /// Put into a slot for a fact that may be anything.
  public static func unknown(_ name: String) -> Value { .error(EvaluationError(unknown: [name])) }

  public var isUnknown: Bool {
    if case .error(let error) = self { error.kind == .unknown } else { false }
  }

  /// What would have to be known; empty for anything but an unknown.
  public var needs: [String] {
    if case .error(let error) = self { error.needs } else { [] }
  }

  /// Of two errors in a call's arguments: the first that is not merely unknown.
  @inline(never)
  static func strict(_ a: Value, _ b: Value) -> Value {
    guard a.isUnknown else { return a }
    if b.isUnknown { return merged(a, b) }
    return b.isError ? b : a
  }

  /// Of two errors beside one another in `&&`, `||`, `all` or `exists`: the unknown one.
  @inline(never)
  static func undecided(_ a: Value?, _ b: Value) -> Value {
    guard let a else { return b }
    if a.isUnknown, b.isUnknown { return merged(a, b) }
    return b.isUnknown ? b : a
  }

  private static func merged(_ a: Value, _ b: Value) -> Value {
    let new = b.needs.filter { !a.needs.contains($0) }
    return new.isEmpty ? a : .error(EvaluationError(unknown: (a.needs + new).sorted()))
  }
}
