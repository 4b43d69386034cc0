import SessionScripts

@testable import PhoneCodec

/// Our side of a FastAGI talk in a `.session` file, with a router in the file's own words. Comments
/// say what it wishes and what it must have been told:
///
/// - `# on <news>: <wish>; <wish>` the first such line whose news begins the told line is used,
///   once
/// - `# told: <news>` all of them, in order
///
/// News and wishes are written as in `describe` and `wish(_:)`; `+3s` in the file is the news `3
/// s`.
final class ConnectionSide: ScriptedSide {
  struct Reaction { var news: String, wishes: [String] }

  private var connection: AGIConnection
  private var reactions: [Reaction]
  private(set) var told: [String] = []
  private(set) var hasClosed = false
  private(set) var closes = 0
  /// How many rings and refusals the router wished.
  private(set) var rings = 0
  private(set) var refusals = 0

  init(
    _ script: SessionScript, keyring: AGIKeyring = .forTests, limits: FastAGICodec.Limits = .init()
  ) {
    connection = AGIConnection(keyring: keyring, limits: limits)
    reactions = script.comments.filter { $0.hasPrefix("on ") }.map { line in
      let parts = line.dropFirst(3).split(separator: ": ", maxSplits: 1)
      let wishes = parts.count > 1 ? parts[1].split(separator: ";") : []
      return Reaction(
        news: String(parts.first ?? ""), wishes: wishes.map { $0.trimming { $0 == " " } })
    }
  }

  static func expected(_ script: SessionScript) -> [String] {
    script.comments.filter { $0.hasPrefix("told: ") }.map { String($0.dropFirst(6)) }
  }

  func received(_ bytes: [UInt8]) -> [UInt8] { run(connection.received(bytes)) }
  func peerClosed() -> [UInt8] { run(connection.peerClosed()) }
  func waited(seconds: Int) -> [UInt8] { react(to: "\(seconds) s") }

  private func run(_ outputs: [AGIOutput]) -> [UInt8] {
    var bytes: [UInt8] = []
    for output in outputs {
      switch output {
      case .write(let line): bytes += line
      case .close:
        hasClosed = true
        closes += 1
      case .told(let news):
        let text = describe(news)
        told.append(text)
        bytes += react(to: text)
      }
    }
    return bytes
  }

  private func react(to news: String) -> [UInt8] {
    guard let index = reactions.firstIndex(where: { news.hasPrefix($0.news) }) else { return [] }
    return reactions.remove(at: index).wishes.flatMap { text in
      let wished = wish(text)
      if case .ring = wished { rings += 1 }
      if wished == .refuse { refusals += 1 }
      return run(connection.wish(wished))
    }
  }
}

extension AGIKeyring {
  static var forTests: AGIKeyring {
    var keyring = AGIKeyring()
    try? keyring.add(phoneSystem: "main", secret: "0123456789abcdef0123")
    try? keyring.add(phoneSystem: "branch", secret: "fedcba98765432100123")
    return keyring
  }
}

extension StringProtocol {
  func trimming(_ isDropped: (Character) -> Bool) -> String {
    var rest = self[...].drop(while: isDropped)
    while let last = rest.last, isDropped(last) { rest = rest.dropLast() }
    return String(rest)
  }
}

/// `ring PJSIP/agent1 10 offer42`, `wait`, `announce sound-name 3`, `finish served`, …
func wish(_ text: String) -> AGIWish {
  let words = text.split(separator: " ").map(String.init)
  func word(_ index: Int) -> String { index < words.count ? words[index] : "" }
  switch word(0) {
  case "wait": return .wait
  case "ring":
    guard let device = AGIDevice(word(1)), let offer = AGIOffer(word(3)) else { break }
    return .ring(AGIRing(device: device, offer: offer, timeoutSeconds: Int(word(2)) ?? 0))
  case "stop":
    guard let offer = AGIOffer(word(1)) else { break }
    return .stopRinging(offer)
  case "announce":
    return .announce(
      words.dropFirst().compactMap { word in
        if let number = Int(word) { return .number(number) }
        return AGISound(word).map { .sound($0) }
      })
  case "probe": return .probe
  case "finish":
    guard let ending = AGIEnding(rawValue: word(1)) else { break }
    return .finish(ending)
  case "accept": return .accept
  case "refuse": return .refuse
  default: break
  }
  preconditionFailure("a session file has no such wish: \(text)")
}

func describe(_ news: AGINews) -> String {
  switch news {
  case .callArrived(let arrival): "arrived \(describe(arrival))"
  case .ringEnded(let offer, let outcome): "ring \(offer) \(outcome)"
  case .announced: "announced"
  case .stillThere: "still there"
  case .callEnded(let end): "ended \(end)"
  case .deviceAnswered(let offer, let arrival): "answered \(offer) on \(arrival.channel)"
  case .bridged(let offer): "bridged \(offer)"
  case .deviceLost(let offer): "lost \(offer)"
  case .hangupReported(let arrival): "hangup of \(describe(arrival))"
  case .refused(let refusal): "refused \(refusal)"
  }
}

private func describe(_ arrival: AGIArrival) -> String {
  let last = arrival.lastRing.map { " last \($0)" } ?? ""
  return "\(arrival.phoneSystem) \(arrival.uniqueID) from \(arrival.callerNumber ?? "nobody") "
    + "to \(arrival.dialled ?? "nobody")\(last)"
}
