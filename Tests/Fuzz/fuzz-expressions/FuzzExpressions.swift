import Expressions

/// Any bytes as an expression: reading, checking and evaluating never trap and end within the
/// budget; what is printed reads as the same tree; a trace gives the same value; what is known
/// although a fact is not stays so whatever that fact is.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzExpressions {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzExpressions.one(
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
      return 0
    }
  }

  static let environment = Environment(variables: [
    .init("a.text", .string), .init("a.number", .int), .init("a.list", .list(.string)),
    .init("a.map", .map(.string, .dyn)), .init("a.time", .timestamp), .init("x", .dyn),
  ])
  static let slots: [Value?] = [
    .string("héllo"), .int(-3), .list([.string("a"), .string("")]),
    .map(MapValue([("k", .int(5))])),
    .timestamp(Timestamp(milliseconds: 1_795_641_953_120)), nil,
  ]

  static func one(_ source: String) {
    let parsed = Expression.parse(source)
    guard parsed.diagnostics.isEmpty else {
      guard case .failure(let failure) = Expression.compile(source, environment) else {
        fatalError("it compiles, though it cannot be read")
      }
      for diagnostic in failure.diagnostics { _ = diagnostic.rendered(in: source) }
      return
    }
    let again = Expression.parse(parsed.syntax.text)
    // Printing may add brackets, and so reach a limit that the source did not.
    if again.diagnostics.isEmpty, again.syntax != parsed.syntax {
      fatalError("printed, it is another tree")
    }
    _ = Expression.compile(source, environment)
    guard let program = try? Expression.compileUnchecked(source, environment).get() else { return }
    let value = program.evaluate(slots, budget: 20_000)
    let (traced, trace) = program.trace(slots, budget: 20_000)
    guard value.description == traced.description else {
      fatalError("traced, it has another value")
    }
    _ = program.failures((traced, trace))
    _ = program.textDemands()
    _ = program.constantOutcome()
    var conditions = Conditions(steps: 20_000)
    let number = conditions.add(program)
    conditions.file(number)
    _ = conditions.takers(of: number)
    _ = conditions.idleParts(of: number, program)
    _ = program.estimatedCost
    _ = value.description
    one(partly: program)
  }

  static func one(partly program: Program) {
    let partial = program.evaluate(slots.dropLast() + [.unknown("x")], budget: 20_000)
    guard !partial.isError else { return }
    for x in [nil, .int(7), .string("k"), .list([.bool(true)])] as [Value?] {
      let whole = program.evaluate(slots.dropLast() + [x], budget: 40_000)
      guard whole.description == partial.description else {
        fatalError("what was unknown made a difference")
      }
    }
  }
}
