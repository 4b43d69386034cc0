import Continuity
import Model
import PhoneCodec
import PhoneNumbers
import Pipeline
import System
import Wire

/// What a workspace must know to take calls.
public struct PhoneChannel: Sendable {
  public var workspace: WorkspaceID
  public var defaultRegion: String
  public var identityKey: HMACKey
  /// Of the workspace, in E.164: a phone system that passes a call on may present one as the caller's.
  public var dialledNumbers: Set<String>
  /// Takes out of a caller's name what must never be written.
  public var redactor = Redactor()

  public init(
    workspace: WorkspaceID, defaultRegion: String, identityKey: HMACKey,
    dialledNumbers: Set<String> = []
  ) {
    self.workspace = workspace
    self.defaultRegion = defaultRegion
    self.identityKey = identityKey
    self.dialledNumbers = dialledNumbers
  }

  /// A call as any phone system tells of it.
  public struct Call: Sendable {
    /// The phone system's name and its own id of the call: together they name it for ever.
    public var system: String
    public var id: String
    public var from: String?
    public var to: String?
    public var name: String?
    public var facts: HandoffFacts
    /// Further JSON members.
    public var members: [UInt8]
    public init(
      system: String, id: String, from: String?, to: String?, name: String? = nil,
      facts: HandoffFacts = HandoffFacts(),
      members: [UInt8] = []
    ) {
      self.system = system
      self.id = id
      self.from = from
      self.to = to
      self.name = name
      self.facts = facts
      self.members = members
    }
  }

  private static let withheld = "anonymous"

  /// What is shown of a caller whose number is none: nil where it says that there is none.
  private static func written(_ number: String) -> String? {
    let plain = number.unicodeScalars.filter { $0.properties.generalCategory != .control }
    let isSpace = \Unicode.Scalar.properties.isWhitespace
    let rest = plain.drop { $0[keyPath: isSpace] }.prefix(80)
    let shown = String(
      String.UnicodeScalarView(rest.reversed().drop { $0[keyPath: isSpace] }.reversed()))
    let nobodys = [withheld, "unknown", "restricted", "unavailable", "private", "withheld"]
    return shown.isEmpty || nobodys.contains(shown.lowercased()) ? nil : shown
  }

  /// How a phone system that speaks FastAGI is called over all workspaces.
  public static func asterisk(_ name: String, of workspace: String) -> String {
    "\(workspace)/\(name)"
  }

  public static func key(system: String, id: String) -> [UInt8] {
    Array(SHA256.hash(Array("\(system)\n\(id)".utf8)).bytes.prefix(16))
  }

  /// The caller's number is what the phone system asserts; one that is nobody's (anonymous, an
  /// extension, 0000000000, one of our own) identifies nobody, and the call is still taken. What the phone system said of it
  /// stands in the timeline all the same: somebody may know whom to call back.
  public func arrival(_ call: Call) -> CallArrival {
    var call = call
    call.name = call.name.map(redactor.text)
    let from = call.from.flatMap {
      IdentityForm.normalise(.phone, $0) { PhoneNumbers.e164($0, defaultRegion: defaultRegion) }
    }.flatMap { dialledNumbers.contains($0.value) ? nil : $0 }
    let to = call.to.map { PhoneNumbers.e164($0, defaultRegion: defaultRegion) ?? $0 } ?? ""
    var claims: [IdentityClaim] = []
    if let from {
      claims.append(
        IdentityClaim(
          identity: from, hash: IdentityForm.hash(from, identityKey), assurance: .asserted,
          source: "phone:\(call.system)", means: "caller_number"))
    }
    var members = Members()
    members.text("event", "arrived")
    members.text("from", from?.value ?? call.from.flatMap(Self.written) ?? Self.withheld)
    members.text("to", to)
    members.text("phone_system", call.system)
    if let name = call.name, !name.isEmpty { members.text("caller_name", name) }
    if !call.facts.reason.isEmpty { members.text("reason", call.facts.reason) }
    var arrival = CallArrival(
      customer: .new(), conversation: .new(),
      session: .new(),
      case: .new(), callKey: Self.key(system: call.system, id: call.id),
      claims: claims,
      from: from?.value ?? Self.withheld, to: to, members: members.bytes + call.members,
      facts: call.facts)
    if let name = call.name, !name.isEmpty {
      // What a phone network says of a number's holder; often a place, or a company.
      arrival.attributes = [.init(name: "caller_name", text: name, source: "phone:\(call.system)")]
    }
    return arrival
  }
}
