import Model
import System
import Wire

/// Everything that a server's clients ever sent and heard: what the server must still stand by
/// after any crash.
struct CrashLedger: Sendable {
  enum What: Sendable {
    case open, say, handoff, end, accept, decline, reply, note, transfer, handBack, close
  }

  /// One request that changes something.
  struct Send: Sendable {
    var what: What
    var cycle: Int
    /// Index into `talks`; nil until the session is open.
    var talk: Int?
    /// Whose token: index into the world's tokens.
    var holder: Int
    var target: String
    var body: String?
    var key: String?
    /// Found in one message of the whole run and in no other.
    var text: String?
    var aCase: String?
    /// nil: no answer came before the server was gone.
    var status: Int?
    var answer: [UInt8] = []
    /// The cycle after which it was sent again, since no answer had come.
    var repeatedIn: Int?

    var isAcknowledged: Bool { status.map { (200..<300).contains($0) } ?? false }
  }

  struct Talk: Sendable {
    var conversation: String
    var customer: String
    var session: String?
  }

  struct Mail: Sendable {
    var id: String
    var from: String
    var text: String
    var isAcknowledged = false
  }

  /// A call at Asterisk.
  struct Call: Sendable {
    var unique: String
    var number: String
    /// It was told to wait with music, or more.
    var isTaken = false
    /// How often an answered device was told to be bridged.
    var talks = 0
    var isServed = false
    /// Served, or hung up: it never comes back.
    var isOver = false
    /// How the last ring ended, as the dialplan says when the call comes back.
    var dialStatus = ""
    var answeredTime = ""
  }

  var cycle = 0
  var sends: [Send] = []
  var talks: [Talk] = []
  var talkOf: [String: Int] = [:]
  var mails: [Mail] = []
  var calls: [Call] = []
  var pairs: [Pair] = []
  /// How often two were made one, or two again.
  var decisions = 0
  /// Entries pushed to an agent's stream, in order: one list for each stream and conversation.
  var pushed: [(customer: String, conversation: String, entries: [Int64])] = []
  /// Hashes of entries that some answer or stream showed, by customer.
  var shown: [String: [Int64: Digest256]] = [:]
  /// Who owned a conversation in an epoch, as answers and entries said.
  var owners: [String: [Int64: String]] = [:]
  var violations: [String] = []
  /// Timelines that came with an offer and were counted and summed up again.
  var timelines = 0
  /// Answers, pushes and acknowledgements heard.
  var heard = 0

  mutating func violated(_ sentence: String) {
    if violations.count < 50 { violations.append("cycle \(cycle): \(sentence)") }
  }

  // MARK: - Sending and hearing

  mutating func begin(_ send: Send) -> Int {
    sends.append(send)
    sends[sends.count - 1].cycle = cycle
    return sends.count - 1
  }

  mutating func talk(_ conversation: String, customer: String, session: String? = nil) -> Int {
    if let known = talkOf[conversation] { return known }
    talks.append(Talk(conversation: conversation, customer: customer, session: session))
    talkOf[conversation] = talks.count - 1
    return talks.count - 1
  }

  mutating func answered(_ index: Int, _ status: Int, _ body: [UInt8]) {
    heard += 1
    sends[index].status = status
    sends[index].answer = body
    // The server says that it recorded nothing; the request may come again.
    if status >= 500 {
      return violated(
        "\(sends[index].target) was answered \(status): \(String(decoding: body.prefix(200), as: UTF8.self))"
      )
    }
    guard sends[index].isAcknowledged else { return }
    if let conversation = JSONPick.find("conversation", in: body) {
      owner(in: body, of: conversation, "an answer")
    }
  }

  /// Notes who owns the conversation in which epoch; two owners of one epoch are the fault we look
  /// for.
  mutating func owner(in json: [UInt8], of conversation: String, _ told: String) {
    guard let start = JSONPick.position(after: "\"owner\":", in: json) else { return }
    let rest = Array(json[start...].prefix(300))
    guard let kind = JSONPick.find("kind", in: rest),
      let epoch = JSONPick.number("epoch", in: rest),
      kind != "closed", kind != "unrouted"
    else { return }
    let owner = "\(kind) \(JSONPick.find("name", in: rest) ?? "")"
    if let known = owners[conversation]?[epoch] {
      if known != owner {
        violated("\(conversation), epoch \(epoch): \(told) names \(owner), another named \(known)")
      }
    } else {
      owners[conversation, default: [:]][epoch] = owner
    }
  }

  /// Notes entries that were shown, as events or a timeline.
  mutating func saw(_ entries: [CrashEntry], of customer: String) {
    for entry in entries {
      if let told = entry.told, told != Hex.encode(entry.hash.bytes) {
        violated("entry \(entry.id) of \(customer) does not have the hash it was given with")
      }
      if let known = shown[customer]?[entry.id], known != entry.hash {
        violated("entry \(entry.id) of \(customer) was shown with two contents")
      }
      shown[customer, default: [:]][entry.id] = entry.hash
      if let conversation = entry.conversation {
        owner(in: entry.bytes, of: conversation, "entry \(entry.id)")
      }
    }
  }
}

/// One entry as the server sent it.
struct CrashEntry: Sendable {
  var id: Int64
  var bytes: [UInt8]
  /// Over exactly these bytes.
  var hash: Digest256
  /// The hash that it was given with, where it was given with one.
  var told: String?
  var text: String? { JSONPick.find("text", in: bytes) }
  /// A message of the customer.
  var isCustomers: Bool {
    JSONPick.find("kind", in: bytes) == "message"
      && JSONPick.position(after: "\"author\":{\"kind\":\"customer\"", in: bytes) != nil
  }
  var conversation: String? { JSONPick.find("conversation", in: bytes) }

  /// The objects of the array that follows `"<name>":`; in a timeline each is wrapped with its
  /// hash.
  static func all(_ name: String, in json: [UInt8]) -> [CrashEntry] {
    guard var at = JSONPick.position(after: "\"\(name)\":[", in: json) else { return [] }
    var out: [CrashEntry] = []
    while at < json.count, json[at] != UInt8(ascii: "]") {
      guard json[at] == UInt8(ascii: "{"), let end = JSONPick.end(ofObjectAt: at, in: json) else {
        at += 1
        continue
      }
      var object = Array(json[at..<end])
      var told: String?
      if let inner = JSONPick.position(after: "\"entry\":{", in: Array(object.prefix(120))) {
        told = JSONPick.find("hash", in: Array(object.prefix(inner)))
        object = Array(object[(inner - 1)..<(object.count - 1)])
      }
      if let id = JSONPick.number("entry", in: object) {
        out.append(CrashEntry(id: id, bytes: object, hash: SHA256.hash(object), told: told))
      }
      at = end
    }
    return out
  }
}
