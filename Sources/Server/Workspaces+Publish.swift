import Channels
import Continuity
import Model
import Records
import RuleFiles
import Rules
import Service
import System
import Wire

extension Workspaces {
  /// The names that lanes need.
  func publish(
    _ writer: Writer, _ checked: CheckedWorkspace, _ version: UInt32, _ reader: any StoreReader
  ) throws {
    var directory = writer.peek { Directory(writer.workspace, writer.name, $0.router) }
    directory.defaultRegion = checked.workspace.defaultRegion
    directory.ruleVersion = version
    directory.mailAddress = checked.workspace.mailAddresses.first
    directory.dialledNumbers = Set(checked.workspace.dialledNumbers)
    directory.phoneSystems = Set(checked.workspace.phoneSystems.map(\.name))
    directory.asterisks = Set(
      checked.workspace.phoneSystems.filter { $0.api == .fastagi }.map(\.name))
    directory.emailRules = EmailRules(
      checked.workspace.emailProviders.map {
        .init(domains: $0.domains, ignoresDots: $0.ignoresDots, tag: $0.tag)
      })
    directory.mailAddresses = Set(
      checked.workspace.mailAddresses.compactMap {
        IdentityForm.normalise(.email, $0, directory.emailRules, e164: { _ in nil })?.value
      })
    directory.conversationWindow = .milliseconds(checked.workspace.conversationWindowMilliseconds)
    for bot in checked.workspace.bots {
      directory.botsSay[bot.name] = IdentityWord(bot.identityKinds, bot.assurance)
    }
    for integration in checked.workspace.integrations {
      directory.integrationsSay[integration.name] = IdentityWord(
        integration.identityKinds, integration.assurance)
    }
    for status in checked.workspace.statuses {
      guard let at = directory.statuses.firstIndex(where: { $0.name == status.name }) else {
        continue
      }
      directory.statuses[at].title = status.title
      directory.statuses[at].needsReason = status.needsReason
    }
    directory.ruleNames = checked.rules.rules.map(\.name)
    let key = HMACKey(try reader.secret(named: "identity"))
    let redactor = Redactor(
      patterns: checked.workspace.redactions.map { .init(name: $0.name, places: $0.pattern.places) }
    )
    var api = API(
      directory: directory, identityKey: key, blobBytesMax: edge.settings.blobBytesMax,
      e164: Edge.e164)
    api.redactor = redactor
    api.now = { [clock = edge.health.clock] in clock.now }
    let earlier = edge.earlierRules(of: writer.workspace, writer.name)
    api.earlierRuleNames = { version, reads throws(StoreFault) in
      try earlier.of(version, reads).names
    }
    let accesses = edge.accesses
    api.recordAccess = { rows, workspace in accesses.record(rows, workspace) }
    edge.use(api)
    var mail = MailChannel(
      workspace: writer.workspace, addresses: checked.workspace.mailAddresses, identityKey: key,
      replyKey: HMACKey(try reader.secret(named: "reply address")),
      displayNames: Dictionary(checked.agents.map { ($0.name, $0.displayName) }) { first, _ in first
      })
    mail.redactor = redactor
    mail.emailRules = directory.emailRules
    edge.use(mail)
    try edge.use(phones(writer, checked, key, redactor, reader), of: writer.workspace)
    edge.use(checked, for: writer.workspace)
  }

  /// The phone systems of a workspace, each under `<workspace>/<name>`. Where the rules name no
  /// secret, the data folder keeps a random one; `throughline phone` prints it for the dialplan.
  private func phones(
    _ writer: Writer, _ checked: CheckedWorkspace, _ key: HMACKey, _ redactor: Redactor,
    _ reader: any StoreReader
  ) throws -> [String: Edge.PhoneLine] {
    var channel = PhoneChannel(
      workspace: writer.workspace, defaultRegion: checked.workspace.defaultRegion, identityKey: key,
      dialledNumbers: Set(checked.workspace.dialledNumbers))
    channel.redactor = redactor
    var lines: [String: Edge.PhoneLine] = [:]
    for system in checked.workspace.phoneSystems {
      let name = PhoneChannel.asterisk(system.name, of: writer.name)
      let own = Hex.encode(try reader.secret(named: "phone \(name)").prefix(16))
      let given = edge.settings.fastagiSecret
      lines[name] = .init(
        channel: channel, networks: system.networks,
        secret: system.secret ?? (given.isEmpty || system.api != .fastagi ? own : given),
        isFastAGI: system.api == .fastagi)
    }
    return lines
  }
}

extension IdentityWord {
  fileprivate init(_ kinds: [String], _ assurance: WordOfIdentity) {
    let most: Assurance =
      switch assurance {
      case .verified: .verified
      case .asserted: .asserted
      case .claimed: .claimed
      }
    self.init(Set(kinds.compactMap { IdentityKind(name: $0) }), upTo: most)
  }
}
