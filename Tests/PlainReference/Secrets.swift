import Glibc

/// What was said in two workspaces, each text under a mark of its own, and who may see it: the rules
/// of docs/api.md and docs/continuity.md in the plainest words. It shares no code with what it is held
/// against.
public struct Secrets: Sendable {
  /// Something said, and who may see it.
  public struct Secret: Sendable {
    public var workspace: Int
    /// By whom it came, or whom it answers.
    public var node: Reference.Node
    /// Where it was said; nil outside of any conversation.
    public var conversation: String?
    public var visibility: Visibility
    /// Erased with its person, or taken out: nobody may see it any more.
    public var isGone = false
  }
  public enum Visibility: Sendable { case customer, business, `internal` }

  public struct Session: Sendable {
    public var workspace: Int
    public var bot: String
    public var id: String
    /// By whom it came.
    public var node: Reference.Node
    /// Where it has been: it may be taken out of a conversation when its people are parted.
    public var conversations: Set<String>
    /// Whether the bot was given the history of whoever came.
    public var isProven: Bool
  }

  /// Who asks.
  public struct Reader: Hashable, Sendable {
    public var workspace: Int
    /// A token's scope, as the API calls it.
    public var scope: String
    public var holder: String
    public init(_ workspace: Int, _ scope: String, _ holder: String) {
      (self.workspace, self.scope, self.holder) = (workspace, scope, holder)
    }
  }

  /// Who is whom, in each workspace.
  public var models = [Reference(), Reference()]
  public var sessions: [Session] = []
  public private(set) var secrets: [String: Secret] = [:]
  /// Resume tokens, in the order in which they were given out, so that a seed is a seed.
  public private(set) var tokens: [String] = []
  /// By whom each came that was given out.
  private var browsers: [String: (workspace: Int, node: Reference.Node)] = [:]
  private var count = 0
  private var erasures = 0

  public init() {}

  /// A word that nothing else holds. It is one word for an index, too.
  public mutating func mark(
    _ workspace: Int, _ node: Reference.Node, _ conversation: String?, _ visibility: Visibility
  ) -> String {
    count += 1
    let mark = "mark\(count)end"
    secrets[mark] = Secret(
      workspace: workspace, node: node, conversation: conversation, visibility: visibility)
    return mark
  }

  /// Where it was said is known only now; what was refused was never said.
  public mutating func place(_ mark: String, in conversation: String?) {
    secrets[mark]?.conversation = conversation
  }
  public mutating func belongs(_ mark: String, to node: Reference.Node) {
    secrets[mark]?.node = node
  }
  public mutating func forget(_ mark: String) { secrets[mark] = nil }
  public mutating func takeOut(_ mark: String) { secrets[mark]?.isGone = true }

  // MARK: - What happens

  /// A bot has opened a session.
  /// - Parameters:
  ///   - proven: what it asserted, in its order.
  ///   - resume: the token that came with it.
  ///   - isContinued: whether the server led it to a conversation that there was.
  ///   - gives: the token that the answer holds.
  public mutating func opens(
    _ workspace: Int, _ bot: String, _ session: String, in conversation: String,
    proven: [Reference.Node], resume: String? = nil, isContinued: Bool = false, gives: String?
  ) -> Session {
    // A token of the other workspace says nothing here: nameless people of both have the same names.
    let known = resume.flatMap { browsers[$0] }
    let token = known?.workspace == workspace && isContinued ? known?.node : nil
    let arrival = models[workspace].arrives(proven: proven)
    var node = arrival.node
    if let token {
      // The same browser: whoever was there, or, nameless before, whoever signs in now.
      if !arrival.isProven {
        node = token
      } else if models[workspace].person(token).allSatisfy({ $0.hasPrefix("nobody") }) {
        _ = models[workspace].merges(token, node)
      }
    }
    let opened = Session(
      workspace: workspace, bot: bot, id: session, node: node, conversations: [conversation],
      isProven: arrival.isProven)
    sessions.append(opened)
    if let gives, browsers.updateValue((workspace, node), forKey: gives) == nil {
      tokens.append(gives)
    }
    return opened
  }

  /// A person is erased. Who comes by one of their identities is somebody new from now on; what they
  /// go on to say where they sit is nobody's whom anything leads to.
  /// - Returns: what each was called, and is called now.
  public mutating func erases(_ node: Reference.Node, _ workspace: Int)
    -> [Reference.Node: Reference.Node]
  {
    let person = models[workspace].person(node)
    erasures += 1
    let names = Dictionary(
      uniqueKeysWithValues: person.map { ($0, "nobody, once \($0), erased in \(erasures)") })
    for (mark, secret) in secrets where secret.workspace == workspace {
      guard let name = names[secret.node] else { continue }
      secrets[mark]?.isGone = true
      secrets[mark]?.node = name
    }
    for index in sessions.indices where sessions[index].workspace == workspace {
      sessions[index].node = names[sessions[index].node] ?? sessions[index].node
    }
    for (token, browser) in browsers where browser.workspace == workspace {
      browsers[token]?.node = names[browser.node] ?? browser.node
    }
    models[workspace].renames(names)
    return names
  }

  // MARK: - Who may see it

  /// - Parameters:
  ///   - session: the one that was asked about: a bot may not see in it what another of its sessions
  ///     may.
  ///   - isWhole: whether the answer may tell of the whole customer, and not of the conversation
  ///     alone.
  public func maySee(
    _ mark: String, _ reader: Reader, in session: String? = nil, isWhole: Bool = true
  ) -> Bool {
    guard let secret = secrets[mark] else { return true }
    guard secret.workspace == reader.workspace, !secret.isGone else { return false }
    switch reader.scope {
    case "agent", "supervisor", "admin": return true
    case "bot":
      guard secret.visibility != .internal else { return false }
      return sessions.contains { one in
        guard one.workspace == secret.workspace, one.bot == reader.holder,
          session == nil || session == one.id
        else { return false }
        // What is of another person by now it may not see, wherever it was said.
        guard models[one.workspace].person(one.node).contains(secret.node) else { return false }
        return one.isProven && isWhole
          || secret.conversation.map(one.conversations.contains) ?? false
      }
    default: return false
    }
  }

  /// Whether it is of this person and of nobody else.
  public func isOf(_ mark: String, _ node: Reference.Node, _ workspace: Int) -> Bool {
    secrets[mark].map { models[workspace].person(node).contains($0.node) } ?? true
  }

  /// What is told of a mark where somebody saw it who may not.
  public func story(_ mark: String) -> String {
    guard let secret = secrets[mark] else { return mark }
    return "\(mark): \(secret.visibility) of \(secret.node) in "
      + "\(secret.conversation ?? "no conversation") of workspace \(secret.workspace)"
      + (secret.isGone ? ", erased or taken out" : "")
  }

  /// The marks in an answer, in their order.
  public static func marks(in bytes: [UInt8]) -> [String] {
    var found: [String] = []
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var at = 0
      while let next = memchr(base + at, 109 /* m */, bytes.count - at) {
        let start = base.distance(to: UnsafeRawPointer(next))
        at = start + 1
        guard bytes.count - start > 7, memcmp(next, "mark", 4) == 0 else { continue }
        var end = start + 4
        while end < bytes.count, (48...57).contains(bytes[end]) { end += 1 }
        guard end > start + 4, end + 3 <= bytes.count, memcmp(base + end, "end", 3) == 0 else {
          continue
        }
        at = end + 3
        found.append(String(decoding: bytes[start..<at], as: UTF8.self))
      }
    }
    return found
  }
}
