import Continuity
import Model
import Records
import Routing

/// Turns facts into what a case needs: the workspace's rule set, seen from the writer.
public protocol Planner: Sendable {
  func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned
  /// A text that a step sends to the customer, by its number in the rule version: that which routed
  /// the case, which may apply no more.
  func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) throws(StoreFault)
    -> String?
  /// What a caller hears who has waited too long in this queue and leaves a message.
  func prompt(ofQueue name: String) -> String?
  /// Why a queue gives a case back to its bot after `max_wait`.
  func handBack(ofQueue name: String) -> String?
  /// What rules ask beyond what is at hand.
  var asks: AskedFacts { get }
  /// When who returns continues the same conversation, and the like.
  var continuity: ContinuityRules { get }
}

/// What a rule may know when it decides. Personal values among them are kept in a row of their own.
public struct RouteFacts: Hashable, Sendable {
  public var channel: Channel
  public var bot: String?
  public var customer: CustomerID
  public var isNewCustomer: Bool
  public var profile: CustomerProfile
  public var handoff: HandoffFacts?
  public var mail: MailFacts?
  public var call: CallLine?
  public var gathered = GatheredFacts()
  public init(
    channel: Channel, bot: String?, customer: CustomerID, isNewCustomer: Bool,
    profile: CustomerProfile,
    handoff: HandoffFacts? = nil, mail: MailFacts? = nil, call: CallLine? = nil
  ) {
    self.channel = channel
    self.bot = bot
    self.customer = customer
    self.isNewCustomer = isNewCustomer
    self.profile = profile
    self.handoff = handoff
    self.mail = mail
    self.call = call
  }
}

public enum Planned: Sendable {
  /// `facts` are the bytes that are kept, so that *explain* can show what the rule saw.
  /// - Parameters:
  ///   - prompt: a caller hears it, leaves a message, and the case waits without them; nil for a
  ///     case that waits with its customer.
  ///   - tags: what the conversation is filed under from then on.
  case route(
    Need, prompt: String? = nil, rule: UInt32, ruleVersion: UInt32, facts: [UInt8],
    tags: [String] = [])
  case action(RuleAction, rule: UInt32, ruleVersion: UInt32)
}
