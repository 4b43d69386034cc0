import Model
import Wire

/// That two records are one person, with the story of it. It stands in the profiles of both; taking
/// it back is all that a split does, and so nothing is lost by either.
public struct Link: Hashable, Sendable {
  /// In order of their ids.
  public var records: (CustomerID, CustomerID) { (first, second) }
  private let first: CustomerID
  private let second: CustomerID
  /// Keyed hashes of the identities that were asserted together, or of the one whose claim an agent
  /// confirmed; where that is several people's, the key of the claim. Empty where an agent joined them.
  public var identities: [[UInt8]]
  /// Oldest first; the last one says how it is now.
  public private(set) var story: [Step]

  public struct Step: Hashable, Sendable {
    public enum What: UInt8, Hashable, Sendable {
      case joined = 1
      /// An agent took them apart: from then on no assertion joins them, only an agent.
      case parted
      /// They were joined by an identity that turned out to be several people's.
      case partedAsShared
      /// They were asserted together while they hung together by others: nothing joins by it, until
      /// one of those others is taken back.
      case assertedToo
    }
    public var what: What
    /// Such as `agent:ann` or `bot:robin`.
    public var by: String
    public var reason: String
    public var at: Instant
    public init(_ what: What, by: String, reason: String, at: Instant) {
      self.what = what
      self.by = by
      self.reason = reason
      self.at = at
    }
  }

  /// The first stays for ever, and the latest.
  public static let stepsMax = 16

  public init(_ a: CustomerID, _ b: CustomerID, identities: [[UInt8]] = [], _ step: Step) {
    (first, second) = a < b ? (a, b) : (b, a)
    self.identities = identities
    story = [step]
  }

  public var isActive: Bool { story.last?.what == .joined }
  /// Whether an agent said that these are two people.
  public var keepsApart: Bool { story.last?.what == .parted }

  /// Whether it was taken back since one of its identities is several people's.
  public var isPartedAsShared: Bool { story.last?.what == .partedAsShared }

  /// Whether it only waits to join, when nothing else does.
  public var isSpare: Bool { story.last?.what == .assertedToo }

  /// What tells it from others.
  struct Pair: Hashable {
    var first: CustomerID
    var second: CustomerID
  }
  var pair: Pair { Pair(first: first, second: second) }

  public func isSame(as other: Link) -> Bool { pair == other.pair }
  public func joins(_ a: CustomerID, _ b: CustomerID) -> Bool {
    (first, second) == (a < b ? (a, b) : (b, a))
  }
  public func other(than record: CustomerID) -> CustomerID { record == first ? second : first }

  public mutating func happened(_ step: Step) {
    story.append(step)
    if story.count > Self.stepsMax { story.remove(at: 1) }
  }

  /// Why identities of ours are joined that a source named in one breath: nobody's own words.
  public static let assertedTogether = "asserted together"

  /// Of whoever was erased, the other's half tells when they were joined and parted, and not why:
  /// that is told of both.
  /// - Parameter range: when; nil for always.
  public mutating func forgetReasons(in range: ClosedRange<Instant>?) {
    for index in story.indices
    where range?.contains(story[index].at) ?? true && story[index].reason != Self.assertedTogether {
      story[index].reason = ""
    }
  }

  /// Takes words out of why they were joined or parted, where an entry tells just that.
  mutating func take(_ redaction: Redaction, from entry: [UInt8]) {
    for index in story.indices where JSONText.holds(story[index].reason, in: entry) {
      story[index].reason = redaction.text(story[index].reason)
    }
  }

  func encode(into w: inout ByteWriter) {
    w.id(first)
    w.id(second)
    w.array(identities) { $0.blob($1) }
    w.array(story) {
      $0.uint8($1.what.rawValue)
      $0.string($1.by)
      $0.string($1.reason)
      $0.signed($1.at.milliseconds)
    }
  }

  init(from r: inout ByteReader) throws(WireError) {
    first = try r.id()
    second = try r.id()
    identities = try r.array { r throws(WireError) in try r.blob() }
    story = try r.array(each: 4) { r throws(WireError) in
      let at = r.offset
      guard let what = Step.What(rawValue: try r.uint8()) else {
        throw WireError.badValue(offset: at)
      }
      return Step(
        what, by: try r.string(), reason: try r.string(), at: Instant(milliseconds: try r.signed()))
    }
  }
}
