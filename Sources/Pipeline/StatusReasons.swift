import Model
import Records
import Routing
import Wire

/// Why an agent chose a status, in their own words.
public struct StatusReason: Hashable, Sendable {
  /// What events and the machine's state know of it.
  public var id: StatusReasonID
  public var words: String
  public init(id: StatusReasonID, words: String) {
    self.id = id
    self.words = words
  }
}

/// The words of all that an agent is just now: one row an agent, under the agent's number. They are
/// no part of the log, which holds no words, and go when the agent chooses something else: who was
/// at the dentist is nobody's business for ever.
public struct StatusReasons: Hashable, Sendable {
  public private(set) var all: [StatusReason] = []

  public init() {}

  public subscript(id: StatusReasonID?) -> String? {
    id.flatMap { id in all.first { $0.id == id }?.words }
  }

  /// Keeps those of these ids alone, and this one.
  mutating func keep(_ ids: [StatusReasonID], and new: StatusReason?) {
    all.removeAll { !ids.contains($0.id) }
    if let new, ids.contains(new.id), !all.contains(new) { all.append(new) }
  }

  static func key(_ agent: AgentID) -> [UInt8] {
    withUnsafeBytes(of: agent.raw.bigEndian) { Array($0) }
  }

  /// - Errors: `WireError` for bytes that are none of these.
  init(decoding bytes: [UInt8]) throws(WireError) {
    all = try ByteReader.readAll(bytes) { bytes throws(WireError) in
      let at = bytes.offset
      guard try bytes.uint8() == 1 else { throw WireError.badValue(offset: at) }
      var found: [StatusReason] = []
      for _ in 0..<(try bytes.count()) {
        let id = StatusReasonID(high: try bytes.fixed(), low: try bytes.fixed())
        found.append(StatusReason(id: id, words: try bytes.string()))
      }
      return found
    }
  }

  /// Nil where there is nothing to keep.
  var encoded: [UInt8]? {
    if all.isEmpty { return nil }
    var out = ByteWriter()
    out.uint8(1)  // version of this encoding
    out.array(all) { out, reason in
      out.fixed(reason.id.high)
      out.fixed(reason.id.low)
      out.string(reason.words)
    }
    return out.bytes
  }

  /// As they are on disk; what is no longer meant is not found by its id.
  public static func read(
    _ workspace: WorkspaceID, of agent: AgentID, _ reads: any StoreReader
  ) throws(StoreFault) -> StatusReasons {
    try decoded(try reads.key(workspace, .statusReason, key(agent)))
  }

  fileprivate static func decoded(_ bytes: [UInt8]?) throws(StoreFault) -> StatusReasons {
    guard let bytes else { return StatusReasons() }
    do throws(WireError) { return try StatusReasons(decoding: bytes) } catch {
      throw StoreFault.corrupt(what: "the reasons of an agent's status")
    }
  }
}

extension Pipeline {
  /// An agent chooses what they are, and the words of what they are no longer go.
  mutating func choose(
    _ agent: AgentID, _ because: StatusReason?, _ turn: inout Turn, _ reads: any StoreReader,
    _ command: (StatusReasonID?) -> Command
  ) throws(StoreFault) -> Answer {
    let key = StatusReasons.key(agent)
    let before = try StatusReasons.decoded(try value(.statusReason, key, reads))
    var new = because
    // The same words once more are the same reason: nothing changes, and nothing is written.
    if let words = because?.words, let known = before.all.first(where: { $0.words == words }) {
      new = known
    }
    if let refused = try self.command(command(new?.id), &turn, reads) {
      return rejection(refused, nil)
    }
    var after = before
    after.keep(router.agent(agent)?.reasons ?? [], and: new)
    if after != before { setKey(.statusReason, key, after.encoded, &turn) }
    return .done
  }
}
