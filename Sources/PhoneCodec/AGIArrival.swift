/// Who is on the line, as an authenticated header block says it. The secret is not among it.
public struct AGIArrival: Equatable, Sendable {
  /// Whose secret it was. A call is known by this and `uniqueID` together.
  public var phoneSystem: String
  /// Such as `1795290054.7`; the same when the call comes back after the router was away.
  public var uniqueID: String
  public var channel: String
  /// As the phone system wrote it; nil where it knows none. Normalising is the channel's business.
  public var callerNumber: String?
  public var callerName: String?
  /// The caller asked not to be shown. The number may be there all the same.
  public var isCallerRestricted: Bool
  /// The number that was dialled, else the extension.
  public var dialled: String?
  /// Further arguments of the dialplan, each `name=value`.
  public var parameters: [AGIRequest.Field]

  /// How the last ring ended, where the dialplan says so: a router that was away while the call was
  /// inside Dial learns from it, when the call comes back, whether there was a talk.
  public var lastRing: AGIRingOutcome? {
    guard let status = self["dialstatus"], !status.isEmpty else { return nil }
    return AGIRingOutcome(
      dialStatus: status, answeredTime: self["answeredtime"],
      cause: self["cause"].flatMap { Int($0) })
  }

  public subscript(parameter: String) -> String? {
    parameters.first { $0.name == parameter }?.value
  }
}

extension AGIArrival {
  /// - Errors: `.missingField` for a block without the two fields that name the call.
  init(_ request: AGIRequest, phoneSystem: String, arguments: ArraySlice<String>) throws(AGIRefusal)
  {
    guard let uniqueID = request.known("agi_uniqueid") else { throw .missingField("agi_uniqueid") }
    guard let channel = request.known("agi_channel") else { throw .missingField("agi_channel") }
    self.phoneSystem = phoneSystem
    self.uniqueID = uniqueID
    self.channel = channel
    callerNumber = request.known("agi_callerid")
    callerName = request.known("agi_calleridname")
    // Q.931 presentation: bits 6 and 5 of the octet; 01 is "restricted". Asterisk sends the octet
    // in decimal.
    let presentation = request["agi_callingpres"].flatMap { UInt8($0) } ?? 0
    isCallerRestricted = presentation & 0x60 == 0x20
    dialled = request.known("agi_dnid") ?? request.known("agi_extension")
    parameters = arguments.compactMap { argument in
      argument.firstIndex(of: "=").map {
        AGIRequest.Field(
          name: String(argument[..<$0]), value: String(argument[argument.index(after: $0)...]))
      }
    }
  }
}
