import Foundation

/// Asterisk's side of a call over FastAGI, as a real one spoke it (docs/protocols/fastagi.md): it
/// carries out what it is told and says how that went.
struct Asterisk: Sendable {
  let port: UInt16
  let secret: String

  struct Call: Sendable {
    var id = "1795290054.7"
    var from: String
    var name: String
    var to: String
  }

  /// What happened, in order. The story tells it; nothing here knows whom it is about.
  enum Happening: Sendable, Equatable {
    case music
    case rings(device: String)
    case bridged
    case refused
    case hungUp
    case served(String)
  }

  /// One call from its arrival until the router says that it was served.
  /// - Parameter happened: called on the call's thread; while it runs for `.rings`, the phone
  ///   rings.
  func call(_ call: Call, _ happened: (Happening) throws -> Void) throws {
    let caller = try open("wait", call, channel: "PJSIP/trunk-00000007", arguments: [secret])
    var lines = LineReader(caller)
    var dialStatus = ""
    var isBridged = false
    while let line = try lines.next() {
      let words = Self.words(line)
      switch Array(words.prefix(2)) {
      case ["SET", "MUSIC"]:
        try happened(.music)
        try caller.write("200 result=0\n")
      case ["EXEC", "Dial"]:
        isBridged = try dial(words.last ?? "", call, happened)
        dialStatus = "ANSWER"  // so even when the bridge was refused; ANSWEREDTIME tells
        try caller.write("200 result=0\n")
      case ["GET", "VARIABLE"]:
        let values = [
          "DIALSTATUS": dialStatus, "ANSWEREDTIME": isBridged ? "42" : "", "HANGUPCAUSE": "16",
        ]
        let value = values[words.last ?? ""] ?? ""
        try caller.write(value.isEmpty ? "200 result=0\n" : "200 result=1 (\(value))\n")
      case ["SET", "VARIABLE"]:
        try caller.write("200 result=1\n")
        if words.dropFirst(2).first == "THROUGHLINE_END" {
          return try happened(.served(words.last ?? ""))
        }
      case ["CHANNEL", "STATUS"]: try caller.write("200 result=6\n")
      default: try caller.write("510 Invalid or unknown command\n")
      }
    }
    throw Peer.Fault("FastAGI: the router closed the call's connection")
  }

  /// `PJSIP/agent1,20,gmU(tl-offer^offer_…)`: rings, is picked up, and asks the router on a second
  /// connection whether the device may be bridged.
  /// - Returns: whether the two were bridged.
  private func dial(_ arguments: String, _ call: Call, _ happened: (Happening) throws -> Void)
    throws -> Bool
  {
    let parts = arguments.split(separator: ",", maxSplits: 2).map(String.init)
    guard parts.count == 3, let mark = parts[2].firstRange(of: "tl-offer^"), parts[2].hasSuffix(")")
    else {
      throw Peer.Fault("FastAGI: this Dial names no offer: \(arguments)")
    }
    let offer = String(parts[2][mark.upperBound...].dropLast())
    try happened(.rings(device: parts[0]))
    var device = call
    device.id = "1795290057.8"
    let leg = try open(
      "answered", device, channel: "\(parts[0])-00000008", arguments: [secret, offer])
    var lines = LineReader(leg)
    var result = ""
    while let line = try lines.next() {
      let words = Self.words(line)
      if words.prefix(3) == ["SET", "VARIABLE", "GOSUB_RESULT"] { result = words.last ?? "" }
      try leg.write("200 result=1\n")
    }
    guard result.isEmpty else {
      try happened(.refused)
      return false
    }
    try happened(.bridged)
    try happened(.hungUp)
    return true
  }

  private func open(_ script: String, _ call: Call, channel: String, arguments: [String]) throws
    -> Peer
  {
    let peer = try Peer(port: port)
    var block = [
      ("network", "yes"), ("network_script", script),
      ("request", "agi://127.0.0.1:\(port)/\(script)"),
      ("channel", channel), ("language", "en"), ("type", "PJSIP"), ("uniqueid", call.id),
      ("version", "16.28.0~dfsg-0+deb11u10"), ("callerid", call.from), ("calleridname", call.name),
      ("callingpres", "0"), ("callingani2", "0"), ("callington", "0"), ("callingtns", "0"),
      ("dnid", call.to),
      ("rdnis", "unknown"), ("context", "from-outside"), ("extension", call.to), ("priority", "2"),
      ("enhanced", "0.0"), ("accountcode", ""), ("threadid", "140429340411648"),
    ]
    for (index, argument) in arguments.enumerated() { block.append(("arg_\(index + 1)", argument)) }
    try peer.write(block.map { "agi_\($0): \($1)\n" }.joined() + "\n")
    return peer
  }

  /// Words separated by spaces; a quoted word may hold spaces, and a backslash takes the next byte
  /// as it is.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    var isEscaped = false
    var isThere = false
    for character in line {
      if isEscaped {
        word.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
        isThere = true
      } else if character == " " && !isQuoted {
        if isThere || !word.isEmpty { words.append(word) }
        word = ""
        isThere = false
      } else {
        word.append(character)
      }
    }
    if isThere || !word.isEmpty { words.append(word) }
    return words
  }
}
