import Foundation

/// The same condition in a CEL library of Python, if one is at hand.
struct PythonCEL {
  var interpreter: String

  /// Prints `library nanoseconds` a line for each library that can be imported.
  private static let script = """
    from time import process_time_ns as now
    source = '''session.channel == "chat" && customer.attributes.tier == "gold" \
    && conversation.fields.order.total > 100 && "german" in handoff.skills'''
    facts = {"session": {"channel": "chat"},
      "customer": {"known": True, "attributes": {"tier": "gold", "since": 2019}},
      "conversation": {"intent": "return", "fields": {"order": {"total": 120, "country": "de"}}},
      "handoff": {"skills": ["german", "returns"]}}
    def measure(name, work, count):
        assert work(), name + " gave a wrong answer"
        best = None
        for _ in range(5):
            begun = now()
            for _ in range(count): work()
            took = (now() - begun) / count
            best = took if best is None else min(best, took)
        print(name, best)
    try:
        program = __import__('cel').compile(source)
        measure("common-expression-language", lambda: program.execute(facts) is True, 5000)
    except (ImportError, AttributeError): pass
    try:
        celpy = __import__('celpy')
        environment = celpy.Environment()
        program = environment.program(environment.compile(source))
        known = celpy.json_to_cel(facts)
        measure("cel-python", lambda: bool(program.evaluate(known)), 200)
    except ImportError: pass
    """

  func measure() throws -> [(library: String, nanoseconds: Double)] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [interpreter, "-c", Self.script]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw RulesLoad.Fault("\(interpreter) failed; see above")
    }
    let found = text.split(separator: "\n").compactMap { line -> (String, Double)? in
      let words = line.split(separator: " ")
      guard words.count == 2, let value = Double(words[1]) else { return nil }
      return (String(words[0]), value)
    }
    guard !found.isEmpty else {
      throw RulesLoad.Fault(
        "\(interpreter) has no CEL library: install common-expression-language or cel-python, "
          + "or leave --python out"
      )
    }
    return found
  }
}
