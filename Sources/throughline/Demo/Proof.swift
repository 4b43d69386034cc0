import Foundation

/// What must be in a customer's timeline by now, and whether it was, at each handoff.
struct Proof {
  struct Expected {
    var kind: String
    var channel: String
    var author: String
    var text: String
  }

  struct Handoff {
    var to: String
    var by: String
    var entries: Int
    var channels: [String]
    var milliseconds: Double
    var isWhole: Bool
  }

  private(set) var missing: [String] = []
  private(set) var handoffs: [Handoff] = []
  private(set) var expected: [Expected] = []
  /// Conversations of this customer: an entry of another is somebody else's.
  var conversations: Set<String> = []

  mutating func expect(_ kind: String, _ channel: String, _ author: String, _ text: String = "") {
    expected.append(Expected(kind: kind, channel: channel, author: author, text: text))
  }

  mutating func lacks(_ what: String) { missing.append(what) }

  /// Holds a received timeline against its own proof and against what was really said.
  mutating func judge(_ timeline: ReceivedTimeline, of whom: String) -> Bool {
    var faults = timeline.faults
    var rest = timeline.entries[...]
    for item in expected {
      guard let found = rest.firstIndex(where: { Self.is($0, item) }) else {
        faults.append(
          "\(item.kind) on \(item.channel) is not there, or not in its place: \(item.text)")
        continue
      }
      rest = rest[(found + 1)...]
    }
    let strange = timeline.entries.filter {
      $0.conversation.map { !conversations.contains($0) } ?? false
    }
    if !strange.isEmpty { faults.append("\(strange.count) entries belong to somebody else") }
    for fault in faults { missing.append("\(whom)'s timeline: \(fault)") }
    return faults.isEmpty
  }

  mutating func handedOver(_ handoff: Handoff) { handoffs.append(handoff) }

  private static func `is`(_ entry: ReceivedTimeline.Entry, _ item: Expected) -> Bool {
    entry.kind == item.kind && entry.channel == item.channel && entry.author == item.author
      && (item.text.isEmpty || entry.text == item.text)
  }
}
