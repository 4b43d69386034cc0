import Foundation
import System

/// A customer's timeline as an agent received it, and its proof made again from nothing but the
/// received bytes: the SHA-256 of every entry's exact bytes, summed up modulo 2^256.
struct ReceivedTimeline {
  struct Entry {
    var hash: String
    var bytes: [UInt8]
    var fields: [String: Any]

    var kind: String { fields["kind"] as? String ?? "" }
    var channel: String { fields["channel"] as? String ?? (kind == "journey" ? "shop" : "–") }
    var author: String { (fields["author"] as? [String: Any])?["kind"] as? String ?? "" }
    var text: String { fields["text"] as? String ?? "" }
    var conversation: String? { fields["conversation"] as? String }
  }

  var count = 0
  var sum = ""
  var entries: [Entry] = []
  var hasOlder = false

  /// Finds `"timeline":{"count":…,"hash":"…","entries":[{"hash":"…","entry":{…}}…],"older":…}` in
  /// an answer. Quotes inside of strings are escaped, so that no customer's words can look like it.
  init(in answer: [UInt8]) throws {
    var scan = Scan(answer)
    guard scan.skip(past: "\"timeline\":{\"count\":") else {
      throw Peer.Fault("the answer holds no timeline")
    }
    count = Int(scan.digits()) ?? -1
    guard scan.take(",\"hash\":\"") else { throw Peer.Fault("the timeline has no hash") }
    sum = scan.text(64)
    guard scan.take("\",\"entries\":[") else { throw Peer.Fault("the timeline has no entries") }
    while scan.take("{\"hash\":\"") {
      let hash = scan.text(64)
      guard scan.take("\",\"entry\":") else { throw Peer.Fault("an entry is missing") }
      let bytes = scan.value()
      let object = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
      entries.append(Entry(hash: hash, bytes: bytes, fields: object as? [String: Any] ?? [:]))
      guard scan.take("}") else { throw Peer.Fault("an entry has no end") }
      _ = scan.take(",")
    }
    guard scan.take("],\"older\":") else { throw Peer.Fault("the timeline has no end") }
    hasOlder = !scan.take("null")
  }

  /// What is wrong with the proof; empty where everything agrees.
  var faults: [String] {
    var faults: [String] = []
    if hasOlder { faults.append("older entries were left out") }
    if count != entries.count {
      faults.append("it says \(count) entries and holds \(entries.count)")
    }
    var total = [UInt8](repeating: 0, count: 32)
    for entry in entries {
      let digest = SHA256.hash(entry.bytes).bytes
      if Self.hex(digest) != entry.hash { faults.append("an entry's bytes do not have its hash") }
      Self.add(digest, to: &total)
    }
    if Self.hex(total) != sum { faults.append("the entries' hashes do not sum up to its hash") }
    return faults
  }

  var channels: [String] {
    var seen: [String] = []
    for entry in entries where entry.channel != "–" && !seen.contains(entry.channel) {
      seen.append(entry.channel)
    }
    return seen
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }

  /// Both are 256-bit numbers, the most significant byte first.
  private static func add(_ digest: [UInt8], to total: inout [UInt8]) {
    var carry: UInt16 = 0
    for index in total.indices.reversed() {
      let here = UInt16(total[index]) + UInt16(digest[index]) + carry
      total[index] = UInt8(truncatingIfNeeded: here)
      carry = here >> 8
    }
  }
}

/// Steps through JSON text without changing a byte of it.
private struct Scan {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func skip(past mark: String) -> Bool {
    guard let found = bytes[at...].firstRange(of: Array(mark.utf8)) else { return false }
    at = found.upperBound
    return true
  }

  mutating func take(_ mark: String) -> Bool {
    guard bytes[at...].starts(with: mark.utf8) else { return false }
    at += mark.utf8.count
    return true
  }

  mutating func digits() -> String {
    let digits = bytes[at...].prefix { (48...57).contains($0) }
    at += digits.count
    return String(decoding: digits, as: UTF8.self)
  }

  mutating func text(_ count: Int) -> String {
    let text = bytes[at...].prefix(count)
    at += text.count
    return String(decoding: text, as: UTF8.self)
  }

  /// One whole value: an object, or what stands up to the next comma or brace.
  mutating func value() -> [UInt8] {
    let start = at
    var depth = 0
    var isText = false
    while at < bytes.count {
      let byte = bytes[at]
      if isText {
        if byte == UInt8(ascii: "\\") {
          at += 1
        } else if byte == UInt8(ascii: "\"") {
          isText = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isText = true
      } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        depth += 1
      } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
        if depth == 0 { break }
        depth -= 1
      }
      at += 1
    }
    at = min(at, bytes.count)
    return Array(bytes[start..<at])
  }
}
