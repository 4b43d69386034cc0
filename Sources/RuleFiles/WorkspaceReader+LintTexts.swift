import Expressions
import Rules

/// Texts that a fact can never be, since of what makes it only some come.
extension WorkspaceReader {
  /// - Returns: nil where nothing is known.
  private func form(_ subject: TextUse.Subject) -> TextForm? {
    switch subject {
    case .lowered: return .lowerAscii
    case .raised: return .upperAscii
    case .field: return nil
    case .elements(let slot):
      return Fact(rawValue: slot) == .mailTo && !about.mailAddresses.isEmpty
        ? .addresses(about.mailAddresses) : nil
    case .fact(let slot): return Fact(rawValue: slot).flatMap { form(of: $0) }
    }
  }

  func form(of fact: Fact) -> TextForm? {
    // Whoever has left goes on to be the last agent of those whom they served.
    guard fact != .customerLastAgent else { return nil }
    return TextForm(of: fact) ?? knownTexts(fact).map { .among($0.sorted()) }
  }

  /// - Parameter told: texts of facts of which something has been said already.
  func lintTexts(_ condition: Program, _ section: Section, told: Set<String>) {
    for use in condition.textUses() where !findings.isFull {
      lintLanguageAsTold(use, condition, section)
      if case .fact(let slot) = use.subject, told.contains("\(slot) \(use.text)") { continue }
      guard let form = form(use.subject),
        let problem = form.problem(use.text, use.relation, defaultRegion: about.defaultRegion)
      else { continue }
      let verb = "\(Self.verb(use.relation)) \"\(use.text)\""
      // One that was taken out of the folder may still come: somebody answers an old mail.
      let isAddress = if case .addresses = form { true } else { false }
      report(
        use.node, of: condition, section,
        isAddress
          ? "none of `mail_addresses` \(verb)"
          : "`\(use.written)` \(problem.form), so it never \(verb)",
        hint: problem.hint, severity: .warning)
    }
  }

  /// What bots say of a language stands among the fields as they said it.
  private func lintLanguageAsTold(_ use: TextUse, _ condition: Program, _ section: Section) {
    guard case .field(let slot, "language") = use.subject, use.relation == .equals,
      let fact = Fact(rawValue: slot),
      [.sessionContext, .conversationFields, .handoffFields].contains(fact),
      LanguageTag.isTag(use.text)
    else { return }
    report(
      use.node, of: condition, section,
      "`\(use.written)` is as a bot told it, which may be `de`, `DE` or `de_DE`",
      hint:
        "`\(Fact.conversationLanguage.name)` is in one form always: compare that with \"\(LanguageTag.canonical(use.text))\"",
      severity: .warning)
  }

  private static func verb(_ relation: TextUse.Relation) -> String {
    switch relation {
    case .equals: "is"
    case .startsWith: "begins with"
    case .endsWith: "ends with"
    case .contains: "holds"
    }
  }
}
