import Model
import Wire

/// Why an identity is taken for a customer's: who said so, by what means and when, and what people
/// decided about it.
public struct Evidence: Hashable, Sendable {
  public struct Item: Hashable, Sendable {
    /// Who said so, such as `bot:robin` or `agent:ann`.
    public var source: String
    /// By what: `assertion`, `verification`, `dmarc`, `reply_address`, `caller_number`,
    /// `confirmation`, …
    public var means: String
    /// What was checked, in the words of whoever did; empty where nothing was said.
    public var detail: String
    public var assurance: Assurance
    public var at: Instant
    /// Whether a mail came from the address, however well it was proven.
    public var isOfMail: Bool { Self.meansOfMail.contains(means) }
    private static let meansOfMail: Set = ["dmarc", "reply_address", "from_header"]

    public init(
      source: String, means: String, detail: String = "", assurance: Assurance, at: Instant
    ) {
      self.source = source
      self.means = means
      self.detail = detail
      self.assurance = assurance
      self.at = at
    }
  }

  public enum Standing: UInt8, Hashable, Sendable {
    case plain = 0
    /// Of several people, such as a family's phone or `info@`: it never joins.
    case shared
    /// Claimed, and an agent has said that it is not this customer's.
    case rejected
    /// Claimed, and an agent has said that it is.
    case confirmed
  }

  /// Oldest first.
  public private(set) var items: [Item]
  public var standing = Standing.plain
  /// Who decided the standing, and when.
  public var decided: Item?

  /// Why it was decided so, in the words of whoever did; empty where nothing was said. Older programs
  /// kept the words in the place of the means.
  public var reason: String {
    guard let decided else { return "" }
    let isOlder = decided.detail.isEmpty && Decision(rawValue: decided.means) == nil
    return isOlder ? decided.means : decided.detail
  }

  /// What people decide about an identity, as it stands in the means.
  public enum Decision: String, Sendable {
    case confirmation, verification, rejection, sharing, unsharing
  }

  /// The first stays for ever, and the latest.
  public static let itemsMax = 8

  public init(_ item: Item) { items = [item] }

  /// Adds what was said now; the same source by the same means counts once.
  public mutating func heard(_ item: Item) {
    func same(_ known: Item) -> Bool {
      (known.source, known.means, known.detail, known.assurance) == (
        item.source, item.means, item.detail, item.assurance
      )
    }
    guard !items.contains(where: same) else { return }
    items.append(item)
    guard items.count > Self.itemsMax else { return }
    // What the identity's assurance rests on is the last to go.
    let strongest = items.map(\.assurance).max()
    items.remove(at: items.indices.dropFirst().first { items[$0].assurance != strongest } ?? 1)
  }

  public var encoded: [UInt8] {
    var out = ByteWriter()
    func put(_ item: Item) {
      out.string(item.source)
      out.string(item.means)
      out.string(item.detail)
      out.uint8(item.assurance.rawValue)
      out.signed(item.at.milliseconds)
    }
    out.uint8(3)
    out.count(items.count)
    for item in items { put(item) }
    out.uint8(standing.rawValue)
    out.bool(decided != nil)
    if let decided { put(decided) }
    return out.bytes
  }

  /// - Parameter assurance: the row's, for evidence of the first format, which did not say.
  public init(decoding bytes: [UInt8], assurance: Assurance) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      let version = try r.uint8()
      guard version >= 2 else {
        return Evidence(
          Item(
            source: try r.string(), means: "", assurance: assurance,
            at: Instant(milliseconds: try r.signed())))
      }
      func item(_ r: inout ByteReader) throws(WireError) -> Item {
        let source = try r.string()
        let means = try r.string()
        let detail = version >= 3 ? try r.string() : ""
        let at = r.offset
        guard let assurance = Assurance(rawValue: try r.uint8()) else {
          throw WireError.badValue(offset: at)
        }
        return Item(
          source: source, means: means, detail: detail, assurance: assurance,
          at: Instant(milliseconds: try r.signed()))
      }
      let at = r.offset
      let items = try r.array(each: 4) { r throws(WireError) in try item(&r) }
      guard let first = items.first else { throw WireError.badValue(offset: at) }
      var evidence = Evidence(first)
      evidence.items = items
      let place = r.offset
      guard let standing = Standing(rawValue: try r.uint8()) else {
        throw WireError.badValue(offset: place)
      }
      evidence.standing = standing
      evidence.decided = try r.optional { r throws(WireError) in try item(&r) }
      return evidence
    }
  }
}
