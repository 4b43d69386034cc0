import Expressions
import Model
import Rules

/// A stated fact that no case has: what is tried on it shows nothing about any.
struct ImpossibleFact {
  /// As a condition names it.
  var path: String
  var message: String
  var hint: String?

  /// Without a channel nothing is known of what every case has there.
  static let withoutChannel = ImpossibleFact(
    path: Fact.sessionChannel.name, message: "`\(Fact.sessionChannel.name)` is not given",
    hint:
      "it is one of \(WorkspaceReader.channels.joined(separator: ", ")), and what else a case has follows from it"
  )

  /// Behind what is told of each.
  static let sentence = ": there is no case like this"
}

extension Facts {
  /// - Parameters:
  ///   - skills: nil where they could not be read.
  ///   - serving: how many agents serve a queue; nil where that could not be read.
  func impossible(
    _ about: WorkspaceConfiguration, skills: Set<String>?, serving: (String) -> Int?
  ) -> [ImpossibleFact] {
    strangers() + numbers() + queueNumbers() + available(serving) + events() + flags()
      + texts(about)
      + (skills.map { wishes($0.sorted()) } ?? [])
  }

  /// Skills that no bot can ask for.
  private func wishes(_ skills: [String]) -> [ImpossibleFact] {
    guard case .list(let wanted)? = self[.handoffSkills] else { return [] }
    return wanted.compactMap { wish in
      guard case .string(let name) = wish,
        let problem = TextForm.skills(skills).problem(name, .equals, defaultRegion: "")
      else { return nil }
      return .init(
        path: Fact.handoffSkills.name,
        message: "`\(Fact.handoffSkills.name)` never holds \"\(name)\", which is no skill",
        hint: problem.hint)
    }
  }

  /// What the channel never brings.
  private func strangers() -> [ImpossibleFact] {
    guard case .string(let channel)? = self[.sessionChannel],
      WorkspaceReader.channels.contains(channel)
    else { return [] }
    return Fact.allCases.compactMap { fact in
      let channels = fact.declaration.channels
      guard let value = self[fact], !value.isUnknown, !channels.isEmpty, !channels.contains(channel)
      else { return nil }
      return .init(
        path: fact.name, message: "`\(fact.name)` is always absent on the channel \(channel)",
        hint: "it is there on \(channels.joined(separator: ", ")) only")
    }
  }

  private func texts(_ about: WorkspaceConfiguration) -> [ImpossibleFact] {
    let bots = about.bots.map(\.name).sorted()
    let forms: [(Fact, TextForm?)] =
      [
        (.sessionBot, bots.isEmpty ? nil : .among(bots)),
        (.customerAssurance, .among(Fact.assurances)),
      ]
      + Fact.allCases.map { ($0, TextForm(of: $0)) }
    var found = forms.compactMap { fact, form -> ImpossibleFact? in
      guard case .string(let text)? = self[fact],
        let problem = form?.problem(text, .equals, defaultRegion: about.defaultRegion)
      else { return nil }
      return .init(
        path: fact.name, message: "`\(fact.name)` is never \"\(text)\"", hint: problem.hint)
    }
    guard case .list(let named)? = self[.mailTo], !about.mailAddresses.isEmpty else { return found }
    for case .string(let text) in named {
      guard
        let problem = TextForm.addresses(about.mailAddresses).problem(
          text, .equals, defaultRegion: about.defaultRegion)
      else { continue }
      found.append(
        .init(
          path: Fact.mailTo.name, message: "none of `mail_addresses` is \"\(text)\"",
          hint: problem.hint))
    }
    return found
  }

  private func numbers() -> [ImpossibleFact] {
    Fact.allCases.compactMap { fact in
      guard case .int(let number)? = self[fact], var range = fact.declaration.range else {
        return nil
      }
      // Only a mail is among them when rules are asked about it.
      if fact == .conversationMessages, case .string(let channel)? = self[.sessionChannel] {
        range =
          channel == Channel.email.name
          ? range.lowerBound + 1...range.upperBound : range.lowerBound...range.upperBound - 1
      }
      return ImpossibleFact(fact.name, number, range)
    }
  }

  private func queueNumbers() -> [ImpossibleFact] {
    guard case .map(let queues)? = self[.queues] else { return [] }
    var found: [ImpossibleFact] = []
    for case (.string(let name), .map(let queue)) in zip(queues.keys, queues.values) {
      for case (.string(let field), .int(let number)) in zip(queue.keys, queue.values) {
        guard let range = Fact.premises.fieldRanges["queue.\(field)"] else { continue }
        let path = "\(Fact.queues.name).\(name).\(field)"
        if let one = ImpossibleFact(path, number, range) { found.append(one) }
      }
    }
    return found
  }

  /// More agents than there are.
  private func available(_ serving: (String) -> Int?) -> [ImpossibleFact] {
    guard case .map(let queues)? = self[.queues] else { return [] }
    return zip(queues.keys, queues.values).compactMap { key, queue in
      guard case .string(let name) = key, case .map(let fields) = queue,
        case .int(let stated)? = fields.find(text: "available_agents"), let most = serving(name),
        stated > most
      else { return nil }
      let field = "\(Fact.queues.name).\(name).available_agents"
      return .init(
        path: field, message: "`\(field)` is never \(stated)",
        hint: most == 1
          ? "one agent serves it" : "\(most == 0 ? "no" : String(most)) agents serve it")
    }
  }

  /// A clock of somebody else's may be ahead of ours by so much; what is told of later is refused.
  private static let aheadSeconds: Int64 = 86_400

  private func events() -> [ImpossibleFact] {
    guard case .list(let events)? = self[.customerEvents] else { return [] }
    let name = Fact.customerEvents.name
    var found: [ImpossibleFact] = []
    if events.count > Fact.eventsMax {
      found.append(
        .init(
          path: name, message: "`\(name)` never holds \(events.count)",
          hint: "a case sees the newest \(Fact.eventsMax)"))
    }
    if case .timestamp(let now)? = self[.now] {
      let isAhead = events.contains { event in
        guard case .map(let fields) = event, case .timestamp(let at)? = fields.find(text: "at")
        else { return false }
        return at.seconds - now.seconds > Self.aheadSeconds
      }
      if isAhead {
        found.append(
          .init(
            path: name, message: "`\(name)` never holds what comes more than a day after `now`",
            hint: nil))
      }
    }
    let needed = ["kind", "at"]
    let isWhole = events.allSatisfy { event in
      guard case .map(let fields) = event else { return true }
      return needed.allSatisfy { fields.find(text: $0) != nil }
    }
    if !isWhole {
      found.append(
        .init(path: name, message: "every one of `\(name)` has `kind` and `at`", hint: nil))
    }
    return found
  }

  private func flags() -> [ImpossibleFact] {
    var found: [ImpossibleFact] = []
    if self[.mailAutomatic] == .bool(true) {
      found.append(
        .init(
          path: Fact.mailAutomatic.name,
          message: "`\(Fact.mailAutomatic.name)` is never true where rules are asked",
          hint: "automatic mail is kept in the timeline, and no case is made"))
    }
    if case .string(let channel)? = self[.sessionChannel] {
      for (slot, values) in Fact.premises.valuesAt.sorted(by: { $0.key < $1.key }) {
        guard let fact = Fact(rawValue: slot), let only = values[channel],
          let stated = self[fact], stated != only, !stated.isUnknown
        else { continue }
        found.append(
          .init(
            path: fact.name,
            message: "`\(fact.name)` is never \(stated) on the channel \(channel)",
            hint: "there it is \(only)"))
      }
    }
    return found
  }
}

extension ImpossibleFact {
  fileprivate init?(_ path: String, _ number: Int64, _ range: ClosedRange<Int64>) {
    guard !range.contains(number) else { return nil }
    self.path = path
    message = "`\(path)` is never \(number)"
    hint =
      number < range.lowerBound
      ? "it is \(range.lowerBound) at least" : "it is counted up to \(range.upperBound)"
  }
}
