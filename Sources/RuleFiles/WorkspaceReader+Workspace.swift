import Expressions
import Model
import PhoneNumbers
import Rules

extension WorkspaceReader {
  func readWorkspace(_ section: Section) -> WorkspaceConfiguration {
    var made = WorkspaceConfiguration(name: source.name)
    let keys = [
      "title", "mail_addresses", "dialled_numbers", "default_region", "trusted_relays",
      "phone_systems",
      "bots", "integrations",
      "conversation_window", "conversation_subject", "email_providers", "capacity", "retention",
      "redact",
      "bot_silence", "statuses",
    ]
    guard let members = section.members(keys, what: "workspace.yaml") else { return made }
    if let title = members["title"]?.text(what: "title") { made.title = title }
    let errorsBefore = findings.errorsCount
    made.mailAddresses =
      members["mail_addresses"]?.oneOrMore(what: "mail_addresses").compactMap(address) ?? []
    // One that could not be read may be any: nothing is said of those that are not among them.
    if findings.errorsCount > errorsBefore { made.mailAddresses = [] }
    made.dialledNumbers =
      members["dialled_numbers"]?.oneOrMore(what: "dialled_numbers").compactMap(number) ?? []
    if let region = members["default_region"]?.text(what: "default_region") {
      let isRegion = region.utf8.count == 2 && region.utf8.allSatisfy { (0x41...0x5A).contains($0) }
      if !isRegion {
        members["default_region"]?.report("a region is two capitals, such as US or DE")
      } else if !PhoneNumbers.knows(region: region) {
        members["default_region"]?.report(
          "nothing is known of numbers in a region \(region)",
          hint: "regions are those of ISO 3166, such as US, DE or GB")
      } else {
        made.defaultRegion = region
      }
    }
    made.trustedRelays =
      members["trusted_relays"]?.elements(what: "trusted_relays").compactMap(relay) ?? []
    made.phoneSystems =
      members["phone_systems"]?.entries(what: "phone_systems").compactMap(phoneSystem) ?? []
    made.bots = members["bots"]?.entries(what: "bots").map(bot) ?? []
    made.integrations =
      members["integrations"]?.entries(what: "integrations").map(integration) ?? []
    if let window = members["conversation_window"]?.duration(
      60_000...Section.longest, what: "conversation_window")
    {
      made.conversationWindowMilliseconds = window
    }
    made.retention = members["retention"]?.elements(what: "retention").compactMap(retention) ?? []
    made.redactions = members["redact"]?.entries(what: "redact").compactMap(redaction) ?? []
    made.emailProviders =
      members["email_providers"]?.elements(what: "email_providers").compactMap(emailProvider) ?? []
    if let subject = members["conversation_subject"]?.choice(
      WorkspaceConfiguration.SubjectRule.self, what: "conversation_subject")
    {
      made.conversationSubject = subject
    }
    if let capacity = members["capacity"] { readCapacity(capacity, &made.capacity) }
    made.botSilence = members["bot_silence"].flatMap(botSilence)
    if let statuses = members["statuses"] { made.statuses = readStatuses(statuses) }
    return made
  }

  private func botSilence(_ section: Section) -> BotSilence? {
    guard let members = section.members(["after", "queue"], what: "bot_silence") else { return nil }
    guard let after = members["after"], let queue = members["queue"] else {
      section.report(
        "`bot_silence` needs `after` and `queue`", hint: "write { after: 2m, queue: support }")
      return nil
    }
    silenceQueue = queue
    guard let milliseconds = after.duration(1_000...Section.longest, what: "after"),
      let name = queue.text(what: "queue")
    else { return nil }
    return BotSilence(afterMilliseconds: milliseconds, queue: name)
  }

  private func readCapacity(_ section: Section, _ capacity: inout CapacityWeights) {
    guard
      let members = section.members(["chat", "email", "phone", "interruptible"], what: "capacity")
    else { return }
    if let units = members["chat"]?.whole(0...1_000, what: "capacity of a chat") {
      capacity.chat = units
    }
    if let units = members["email"]?.whole(0...1_000, what: "capacity of a mail") {
      capacity.email = units
    }
    if let some = members["interruptible"] {
      for entry in some.oneOrMore(what: "interruptible") {
        guard let name = entry.text(what: "a channel") else { continue }
        if ["chat", "email", "phone"].contains(name) {
          capacity.interruptible.insert(name)
        } else {
          entry.report("`\(name)` is not a channel", hint: "say chat, email or phone")
        }
      }
    }
    guard let phone = members["phone"] else { return }
    if phone.node.scalar?.string == "whole" { return }
    if let units = phone.whole(0...1_000, what: "capacity of a call (or `whole`)") {
      capacity.phone = units
      capacity.phoneIsWhole = false
    }
  }

  private func address(_ section: Section) -> String? {
    guard let text = section.text(what: "a mail address") else { return nil }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !text.contains(" ") else {
      section.report("`\(text)` is not a mail address")
      return nil
    }
    return text.lowercased()
  }

  private func number(_ section: Section) -> String? {
    guard let text = section.text(what: "a number") else { return nil }
    let digits = text.dropFirst()
    guard text.hasPrefix("+"), (7...15).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else {
      section.report(
        "`\(text)` is not a number in E.164",
        hint: "write it in quotes with its country: \"+18005551212\"")
      return nil
    }
    return text
  }

  func network(_ section: Section) -> String? {
    guard let text = section.text(what: "a network") else { return nil }
    if NetworkPrefix(text) != nil { return text }
    if let address = NetworkAddress(text) {
      return text.contains(":") ? "\(address.text)/128" : "\(address.text)/32"
    }
    section.report(
      "`\(text)` is neither an address nor a network", hint: "write it as 10.0.0.0/8 or 127.0.0.1")
    return nil
  }

  private func emailProvider(_ section: Section) -> EmailProvider? {
    guard let members = section.members(["domains", "ignore_dots", "tag"], what: "a mail provider")
    else { return nil }
    let domains =
      members["domains"]?.oneOrMore(what: "domains").compactMap {
        $0.text(what: "a domain")?.lowercased()
      } ?? []
    guard !domains.isEmpty, domains.allSatisfy({ $0.contains(".") && !$0.contains("@") }) else {
      section.report("a mail provider needs `domains`, such as [gmail.com, googlemail.com]")
      return nil
    }
    let tag = members["tag"]?.text(what: "tag")
    if let tag, tag.utf8.count != 1 {
      members["tag"]?.report("a tag begins with one sign, such as \"+\"")
    }
    return EmailProvider(
      domains: domains, ignoresDots: members["ignore_dots"]?.flag(what: "ignore_dots") ?? false,
      tag: tag)
  }

  private func relay(_ section: Section) -> TrustedRelay? {
    guard let members = section.members(["network", "authserv_id"], what: "a trusted relay") else {
      return nil
    }
    guard let place = members["network"], let id = members["authserv_id"] else {
      section.report("a trusted relay needs `network` and `authserv_id`")
      return nil
    }
    guard let network = network(place), let id = id.text(what: "authserv_id") else { return nil }
    return TrustedRelay(network: network, authservID: id)
  }

  private func phoneSystem(_ entry: (name: String, key: Section, value: Section)) -> PhoneSystem? {
    guard let members = entry.value.members(["api", "networks", "secret"], what: "a phone system")
    else {
      return nil
    }
    guard let api = members["api"]?.choice(PhoneSystem.API.self, what: "api") else {
      if members["api"] == nil { entry.key.report("a phone system needs `api`") }
      return nil
    }
    let networks = members["networks"]?.oneOrMore(what: "networks").compactMap(network) ?? []
    let secret = members["secret"]?.text(what: "secret")
    if networks.isEmpty, secret == nil {
      entry.key.report("a phone system needs `networks`, `secret`, or both")
    }
    return PhoneSystem(name: entry.name, api: api, networks: networks, secret: secret)
  }

  private func bot(_ entry: (name: String, key: Section, value: Section)) -> BotConfiguration {
    var made = BotConfiguration(name: entry.name)
    guard !entry.value.isNull,
      let members = entry.value.members(["asserts", "assurance"], what: "a bot")
    else {
      return made
    }
    made.identityKinds =
      members["asserts"]?.oneOrMore(what: "asserts").compactMap(identityKind) ?? []
    if let assurance = members["assurance"]?.choice(WordOfIdentity.self, what: "assurance") {
      made.assurance = assurance
    }
    return made
  }

  private func identityKind(_ section: Section) -> String? {
    guard let name = section.text(what: "a kind") else { return nil }
    guard IdentityKind(name: name) == nil else { return name }
    let known = IdentityKind.allCases.map(\.name)
    let near = Spelling.hint(name, among: known)
    section.report(
      "`\(name)` is no kind of identity",
      hint: near ?? "it is one of \(known.joined(separator: ", "))")
    return nil
  }

  private func integration(_ entry: (name: String, key: Section, value: Section))
    -> IntegrationConfiguration
  {
    checkName(entry)
    var made = IntegrationConfiguration(name: entry.name)
    guard !entry.value.isNull,
      let members = entry.value.members(["asserts", "assurance"], what: "an integration")
    else { return made }
    made.identityKinds =
      members["asserts"]?.oneOrMore(what: "asserts").compactMap(identityKind) ?? []
    if let assurance = members["assurance"]?.choice(WordOfIdentity.self, what: "assurance") {
      made.assurance = assurance
    }
    return made
  }

  // MARK: - Skills

  func readSkills(_ section: Section) {
    let entries = section.entries(what: "skills.yaml")
    if entries.count > Most.skills {
      section.report("there are \(entries.count) skills; \(Most.skills) are allowed")
    }
    for entry in entries {
      skills.append(record(.skill, entry.name) { skill(entry) })
      places["skill \(entry.name)"] = entry.key
    }
  }

  private func skill(_ entry: (name: String, key: Section, value: Section)) -> SkillConfiguration {
    checkName(entry)
    var made = SkillConfiguration(name: entry.name)
    guard !entry.value.isNull,
      let members = entry.value.members(["title", "language"], what: "a skill")
    else { return made }
    if let title = members["title"]?.text(what: "title") { made.title = title }
    made.language = members["language"].flatMap(language)
    if let tag = made.language, let other = skills.first(where: { $0.language == tag }) {
      members["language"]?.report(
        "`\(other.name)` is the skill of the language `\(tag)` already: `language` in a rule adds that one",
        severity: .warning)
    }
    return made
  }

  private func language(_ section: Section) -> String? {
    guard let text = section.text(what: "language") else { return nil }
    let tag = LanguageTag.canonical(text)
    // A tag, or a word that a bot may tell all the same.
    if LanguageTag.isUnknown(tag) {
      section.report(
        "there is no language `\(text)`",
        hint: LanguageTag.meant(by: tag).map { "did you mean `\($0)`?" }
          ?? "codes are those of ISO 639, as `de`, `fr` or `pt-BR`", severity: .warning)
    } else if !LanguageTag.isTag(tag) {
      section.report(
        "`\(text)` is no language's code, so it counts only where a bot tells it letter by letter",
        hint: "codes are as `de`, `fr` or `pt-BR`", severity: .warning)
    }
    return tag
  }

  func checkName(_ entry: (name: String, key: Section, value: Section)) {
    if !PlainName.isPlain(entry.name) { entry.key.report("a name is \(PlainName.shape)") }
  }

  /// `{german: 3}`, or a list of names, each at level 1 or as `german: 3`.
  func needs(_ section: Section, what: String, known: Set<String>?) -> [Plan.SkillNeed] {
    var found: [Plan.SkillNeed] = []
    func take(_ key: Section, _ level: Section?) {
      guard let name = key.reference(known, what: "skill") else { return }
      if found.contains(where: { $0.name == name }) { return key.report("`\(name)` stands twice") }
      guard let level else { return found.append(.init(name: name)) }
      if let level = level.whole(1...10, what: "a skill's level") {
        found.append(.init(name: name, level: level))
      }
    }
    if section.isMapping {
      for entry in section.entries(what: what) { take(entry.key, entry.value) }
      return found
    }
    for element in section.oneOrMore(what: what) {
      if element.isMapping {
        for entry in element.entries(what: what) { take(entry.key, entry.value) }
      } else {
        take(element, nil)
      }
    }
    return found
  }

  // MARK: - Agents

  func readAgents(_ section: Section) {
    let keys = [
      "name", "skills", "queues", "teams", "capacity", "chat_max", "email_max", "phone_max",
      "voice_exclusive",
      "devices", "auto_accept", "mail",
    ]
    for entry in section.entries(what: "agents.yaml") {
      var made = AgentConfiguration(name: entry.name)
      places["agent \(entry.name)"] = entry.key
      record(.agent, entry.name) {
        checkName(entry)
        if let members = entry.value.isNull ? nil : entry.value.members(keys, what: "an agent") {
          readAgent(members, &made)
        }
      }
      agents.append(made)
    }
  }

  /// The machine knows of each agent whether their devices are in use: that one is rung for two is
  /// hardly meant, and looks like a phone that is busy for no reason.
  private func warnOfSharedDevices(_ devices: [Section], _ agent: String) {
    for element in devices {
      guard let name = element.node.scalar?.string else { continue }
      guard let other = deviceHolders.updateValue(agent, forKey: name) else { continue }
      element.report(
        other == agent
          ? "`\(name)` is named twice" : "`\(name)` is a device of `\(other)` already",
        hint: other == agent
          ? nil
          : "a call to one finds it busy while the other talks: give each agent a device of their own",
        severity: .warning)
    }
  }

  private func readAgent(_ members: [String: Section], _ made: inout AgentConfiguration) {
    if let name = members["name"]?.text(what: "name") { made.displayName = name }
    if let skills = members["skills"] {
      made.skills = needs(skills, what: "skills", known: skillNames)
    }
    made.queues =
      members["queues"]?.oneOrMore(what: "queues").compactMap {
        $0.reference(queueNames, what: "queue")
      }
      ?? []
    made.teams =
      members["teams"]?.oneOrMore(what: "teams").compactMap { $0.text(what: "a team") } ?? []
    if let units = members["capacity"]?.whole(0...1_000, what: "capacity") {
      made.capacityUnits = units
    }
    if let most = members["chat_max"]?.whole(0...1_000, what: "chat_max") { made.chatMax = most }
    if let most = members["email_max"]?.whole(0...1_000, what: "email_max") { made.emailMax = most }
    if let most = members["phone_max"]?.whole(0...100, what: "phone_max") { made.phoneMax = most }
    if let exclusive = members["voice_exclusive"]?.flag(what: "voice_exclusive") {
      made.voiceExclusive = exclusive
    }
    if let accept = members["auto_accept"]?.flag(what: "auto_accept") { made.autoAccept = accept }
    if let devices = members["devices"] {
      let all = devices.oneOrMore(what: "devices")
      made.phoneDevices = all.compactMap(device)
      warnOfSharedDevices(all, made.name)
      if made.phoneDevices.count > Most.devices {
        devices.report(
          "an agent has \(Most.devices) devices at most, and this names \(made.phoneDevices.count)")
      }
    }
    if let mail = members["mail"] { made.mailAddress = address(mail) }
  }

  /// A device goes into a command of a phone system: nothing that ends or splits one.
  private func device(_ section: Section) -> String? {
    guard let text = section.text(what: "a device") else { return nil }
    let allowed = text.utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
        || "/_-.@+:".utf8.contains($0)
    }
    guard allowed, !text.isEmpty, text.utf8.count <= 128 else {
      section.report("`\(text)` is not a device", hint: "write it as PJSIP/agent1")
      return nil
    }
    return text
  }
}
