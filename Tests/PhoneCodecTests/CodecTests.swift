import Testing

@testable import PhoneCodec

struct `FastAGI codec` {
  static let opening = "agi_network: yes\nagi_uniqueid: 1.1\n\n"

  static func talking(limits: FastAGICodec.Limits = .init()) throws -> FastAGICodec {
    var codec = FastAGICodec(limits: limits)
    codec.receive(opening.utf8)
    _ = try codec.next()
    return codec
  }

  /// What a codec says about these lines when `CHANNEL STATUS` is in flight.
  static func events(_ text: String, limits: FastAGICodec.Limits = .init()) throws -> [FastAGICodec
    .Event]
  {
    var codec = try talking(limits: limits)
    codec.send(.channelStatus)
    codec.receive(text.utf8)
    var events: [FastAGICodec.Event] = []
    while let event = try codec.next() { events.append(event) }
    return events
  }

  static func reply(_ text: String) throws -> AGIReply? {
    if case .reply(let reply, to: .channelStatus) = try events(text + "\n").first {
      reply
    } else {
      nil
    }
  }

  @Test func `a header block is read in order, empty values and arguments too`() throws {
    var codec = FastAGICodec()
    codec.receive(
      "agi_network: yes\nagi_accountcode: \nagi_rdnis:x: y\nagi_arg_1:  two spaces\nagi_arg_2: \n\n"
        .utf8)
    let fields = [("agi_network", "yes"), ("agi_accountcode", ""), ("agi_rdnis", "x: y")]
    let expected = AGIRequest(
      fields: fields.map { AGIRequest.Field(name: $0.0, value: $0.1) },
      arguments: [" two spaces", ""])
    #expect(try codec.next() == .opened(expected))
    #expect(try codec.next() == nil)
  }

  @Test func `a name in another character set is repaired and the call is not lost`() throws {
    var codec = FastAGICodec()
    codec.receive("agi_calleridname: Bj".utf8)
    codec.receive([0xF6])
    codec.receive("rn\n\n".utf8)
    guard case .opened(let request)? = try codec.next() else {
      throw AGIError.missingColon(offset: 0)
    }
    #expect(request["agi_calleridname"] == "Bj\u{FFFD}rn")
  }

  @Test func `replies of every form are read`() throws {
    #expect(try Self.reply("200 result=0") == .result("0", value: nil, rest: ""))
    #expect(
      try Self.reply("200 result=1 (+44207946001)") == .result("1", value: "+44207946001", rest: "")
    )
    #expect(try Self.reply("200 result=1 ()") == .result("1", value: "", rest: ""))
    #expect(try Self.reply("200 result= (timeout)") == .result("", value: "timeout", rest: ""))
    #expect(try Self.reply("200 result=12*#") == .result("12*#", value: nil, rest: ""))
    #expect(
      try Self.reply("200 result=0 endpos=8000") == .result("0", value: nil, rest: "endpos=8000"))
    #expect(
      try Self.reply("200 result=-1 (hangup) endpos=0")
        == .result("-1", value: "hangup", rest: "endpos=0"))
    #expect(
      try Self.reply("200 result=1 (PJSIP/ann(home))")
        == .result("1", value: "PJSIP/ann(home)", rest: ""))
    #expect(try Self.reply("510 Invalid or unknown command") == .unknownCommand)
    #expect(
      try Self.reply("511 Command Not Permitted on a dead channel or intercept routine")
        == .deadChannel)
    #expect(
      try Self.reply("520 Invalid command syntax.  Proper usage not available.") == .usage([]))
    #expect(
      try Self.reply("520-Invalid\nUsage: X\n\nHANGUP\n520 End of proper usage.")
        == .usage(["Usage: X", "", "HANGUP"]))
    #expect(try Self.reply("503 something new") == .other(code: 503, text: "something new"))
    #expect(try Self.reply("200 result=-1")?.number == -1)
  }

  @Test func `a HANGUP line is itself only when it is the whole line`() throws {
    #expect(try Self.events("HANGUP\n200 result=0\n").count == 2)
    #expect(throws: AGIError.malformedReply(offset: Self.opening.utf8.count)) {
      try Self.events("HANGUP \n")
    }
  }

  @Test(arguments: ["200", "200 ", "200 OK", "20", "x00 result=1", "200result=1", "-1", ""])
  func `what is no reply names where it stood`(_ line: String) {
    #expect(throws: AGIError.malformedReply(offset: Self.opening.utf8.count)) {
      try Self.events(line + "\n")
    }
  }

  @Test func `an error is final`() throws {
    var codec = try Self.talking()
    codec.receive("200 result=0\n".utf8)
    let error = AGIError.unaskedReply(offset: Self.opening.utf8.count)
    #expect(throws: error) { try codec.next() }
    codec.receive("HANGUP\n".utf8)
    #expect(throws: error) { try codec.next() }
  }

  @Test func `one command is in flight and the rest wait, to a limit`() throws {
    var limits = FastAGICodec.Limits()
    limits.queueMax = 2
    var codec = FastAGICodec(limits: limits)
    codec.send(.channelStatus)
    let early = codec.takeOutput()
    #expect(early == [], "nothing is said before the header block is complete")
    codec.receive(Self.opening.utf8)
    _ = try codec.next()
    let first = codec.takeOutput()
    #expect(first == Array("CHANNEL STATUS\n".utf8))
    let taken = ["A", "B", "C"].map { codec.send(.variable($0)) }
    #expect(taken == [true, true, false])
    let held = codec.takeOutput()
    #expect(held == [])
    codec.receive("200 result=6\n200 result=0\n".utf8)
    #expect(try codec.next() == .reply(.result("6", value: nil, rest: ""), to: .channelStatus))
    let second = codec.takeOutput()
    #expect(second == Array("GET VARIABLE A\n".utf8))
    #expect(try codec.next() == .reply(.result("0", value: nil, rest: ""), to: .variable("A")))
    let third = codec.takeOutput()
    #expect(third == Array("GET VARIABLE B\n".utf8))
    #expect(!codec.isIdle)
  }

  @Test func `a line may be as long as the limit and no longer`() throws {
    var limits = FastAGICodec.Limits()
    limits.lineBytesMax = 64
    for (length, fits) in [(62, true), (63, true), (64, false), (65, false), (5_000, false)] {
      var codec = FastAGICodec(limits: limits)
      let line = "agi_x: ".utf8 + [UInt8](repeating: 0x61, count: length - 7)
      codec.receive(line + [10])
      if fits {
        #expect(try codec.next() == nil)
      } else {
        #expect(throws: AGIError.lineTooLong(offset: 0)) { try codec.next() }
      }
    }
    var endless = FastAGICodec(limits: limits)
    endless.receive([UInt8](repeating: 0x61, count: 64))
    #expect(throws: AGIError.lineTooLong(offset: 0)) { try endless.next() }
  }

  @Test func `a header block and a usage text have a last line`() throws {
    var limits = FastAGICodec.Limits()
    limits.headerLinesMax = 3
    limits.usageLinesMax = 2
    var codec = FastAGICodec(limits: limits)
    codec.receive("agi_a: 1\nagi_b: 2\nagi_c: 3\nagi_d: 4\n".utf8)
    #expect(throws: AGIError.tooManyLines(offset: 27)) { try codec.next() }
    let usage = "520-Usage\na\nb\nc\n"
    #expect(throws: AGIError.tooManyLines(offset: Self.opening.utf8.count + 14)) {
      try Self.events(usage, limits: limits)
    }
  }

  @Test(arguments: ["AGI_X: 1", "agi_: ", "agi x: 1", "x: 1", "agi_é: 1", ": "])
  func `a field's name is agi_ and small letters`(_ line: String) throws {
    var codec = FastAGICodec()
    codec.receive((line + "\n").utf8)
    if line == "agi_: " {
      #expect(try codec.next() == nil)
    } else {
      #expect(throws: AGIError.badFieldName(offset: 0)) { try codec.next() }
    }
  }
}

struct `An AGI command` {
  @Test func `quotes what Asterisk would split`() throws {
    #expect(try AGICommand(["EXEC", "NoOp", "a,b"]).line == "EXEC NoOp a,b")
    #expect(
      try AGICommand(["VERBOSE", "asked the router", "1"]).line == #"VERBOSE "asked the router" 1"#)
    #expect(try AGICommand(["SET", "VARIABLE", "X", ""]).line == #"SET VARIABLE X """#)
    #expect(
      try AGICommand(["SET", "VARIABLE", "X", #"a"b\c"#]).line == #"SET VARIABLE X "a\"b\\c""#)
    #expect(try AGICommand(["SET", "VARIABLE", "X", "Zoë"]).line == #"SET VARIABLE X "Zoë""#)
    #expect(try AGICommand(["NOOP"]).bytes == Array("NOOP\n".utf8))
  }

  @Test func `is read back by Asterisk's own splitting as the words it was made of`() throws {
    var random = Seeded(state: 7)
    let alphabet = Array(" \t\"\\ab(),^&${}'é;#".unicodeScalars)
    for _ in 0..<2_000 {
      var words = ["CMD"]
      for _ in 0..<random.below(5) {
        var word = ""
        for _ in 0..<random.below(9) {
          word.unicodeScalars.append(alphabet[random.below(alphabet.count)])
        }
        words.append(word)
      }
      #expect(splitAsAsterisk(try AGICommand(words).line) == words)
    }
  }

  @Test(arguments: ["\n", "\r", "\0", "x\nHANGUP", "\r\n"]) func `cannot hold a line end`(
    _ bad: String
  ) {
    let offset =
      bad.utf8.firstIndex { $0 < 32 }.map { bad.utf8.distance(from: bad.utf8.startIndex, to: $0) }
      ?? -1
    #expect(throws: AGICommand.Refusal.controlCharacter(word: 2, offset: offset)) {
      try AGICommand(["SET", "VARIABLE", bad])
    }
  }

  @Test func `is never longer than Asterisk reads, which would take the rest for another command`()
    throws
  {
    let longest = String(repeating: "x", count: AGICommand.lineBytesMax - 1 - 8)
    #expect(try AGICommand(["VERBOSE", longest]).bytes.count == AGICommand.lineBytesMax)
    #expect(throws: AGICommand.Refusal.tooLong(bytes: AGICommand.lineBytesMax + 1)) {
      try AGICommand(["VERBOSE", longest + "x"])
    }
    #expect(throws: AGICommand.Refusal.empty) { try AGICommand([]) }
    #expect(throws: AGICommand.Refusal.tooManyWords(101)) {
      try AGICommand([String](repeating: "x", count: 101))
    }
  }

  @Test func `rings only what is one device`() {
    for good in [
      "PJSIP/agent1", "SIP/201", "Local/201@agents/n", "PJSIP/trunk/sip:+4420@host:5060",
      "DAHDI/1-1",
    ] {
      #expect(AGIDevice(good)?.description == good)
    }
    for bad in [
      "", "agent1", "/agent1", "PJSIP/", "PJSIP/a&PJSIP/b", "PJSIP/a,60", "PJSIP/a b",
      "PJSIP/a\nHANGUP", "PJSIP/${X}",
      "PJ.SIP/a", "PJSIP/a^b", "PJSIP/a)", "PJSIP/\"", "PJSIP/é",
      "PJSIP/" + String(repeating: "a", count: 128),
    ] { #expect(AGIDevice(bad) == nil) }
  }

  @Test func `names only what is an offer or a sound`() {
    #expect(AGIOffer("01J-_aZ9") != nil)
    for bad in ["", "a^b", "a)", "a b", "a,b", "a\n", "é", String(repeating: "a", count: 65)] {
      #expect(AGIOffer(bad) == nil)
    }
    #expect(AGISound("custom/tl-welcome.v2") != nil)
    for bad in ["", "../etc/passwd", "a/../b", "a b", "a&b", "a\n"] {
      #expect(AGISound(bad) == nil)
    }
  }
}

struct `What goes wrong with an Asterisk` {
  @Test func `is said in sentences`() {
    let faults: [AGIError] = [
      .lineTooLong(offset: 508), .tooManyLines(offset: 508), .missingColon(offset: 508),
      .badFieldName(offset: 508),
      .fieldTwice(offset: 508), .argumentOutOfOrder(offset: 508), .malformedReply(offset: 508),
      .unclosedValue(offset: 508),
      .unaskedReply(offset: 508),
    ]
    let refusals: [AGIRefusal] =
      faults.map { .broken($0) } + [
        .wrongSecret, .unknownScript("wait\u{7}\u{1B}[2J" + String(repeating: "x", count: 200)),
        .missingField("agi_channel"),
        .badOffer, .incomplete,
      ]
    for sentence in refusals.map(\.sentence) {
      #expect(
        !sentence.contains("AGI") && !sentence.contains("offset:") && !sentence.contains("broken("),
        "\(sentence)")
      #expect(
        sentence.contains(" ") && sentence.utf8.count < 200 && !sentence.contains("\u{1B}"),
        "\(sentence)")
    }
    #expect(faults.allSatisfy { $0.sentence.contains("byte 508") })
    #expect(Set(refusals.map(\.sentence)).count == refusals.count)
  }
}

struct `An AGI keyring` {
  @Test func `refuses secrets that protect nothing`() {
    var keyring = AGIKeyring()
    func refusal(_ secret: String) -> AGIKeyring.Refusal? {
      do throws(AGIKeyring.Refusal) {
        try keyring.add(phoneSystem: "main", secret: secret)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal("") == .tooShort(phoneSystem: "main"))
    #expect(refusal("0123456789abcde") == .tooShort(phoneSystem: "main"))
    #expect(refusal("Change-Me-Change-Me") == .placeholder(phoneSystem: "main"))
    #expect(refusal("0123456789,abcdef") == .unusable(phoneSystem: "main"))
    #expect(refusal("0123456789 abcdef") == .unusable(phoneSystem: "main"))
    #expect(refusal("0123456789abcdef") == nil)
    #expect(throws: AGIKeyring.Refusal.shared(phoneSystem: "branch", with: "main")) {
      try keyring.add(phoneSystem: "branch", secret: "0123456789abcdef")
    }
  }

  @Test func `tells whose secret it is, and an empty ring lets nobody in`() {
    #expect(AGIKeyring.forTests.phoneSystem(for: "0123456789abcdef0123") == "main")
    #expect(AGIKeyring.forTests.phoneSystem(for: "fedcba98765432100123") == "branch")
    for wrong in ["", "0123456789abcdef012", "0123456789abcdef01234", "0123456789abcdef0124"] {
      #expect(AGIKeyring.forTests.phoneSystem(for: wrong) == nil)
    }
    #expect(AGIKeyring().phoneSystem(for: "") == nil)
  }
}

/// How Asterisk's `parse_args` splits a line, as its documentation tells: spaces and tabs part words, `"` opens and
/// closes a quoted stretch, `\` takes the next byte as it is.
private func splitAsAsterisk(_ line: String) -> [String] {
  var words: [[UInt8]] = []
  var isQuoted = false, isEscaped = false, isBetween = true
  for byte in line.utf8 {
    let isSpecial = !isEscaped
    isEscaped = false
    switch byte {
    case UInt8(ascii: "\"") where isSpecial:
      isQuoted.toggle()
      if isQuoted, isBetween {
        words.append([])
        isBetween = false
      }
    case UInt8(ascii: " ") where isSpecial && !isQuoted, 9 where isSpecial && !isQuoted:
      isBetween = true
    case UInt8(ascii: "\\") where isSpecial: isEscaped = true
    default:
      if isBetween { words.append([]) }
      isBetween = false
      words[words.count - 1].append(byte)
    }
  }
  return words.map { String(decoding: $0, as: UTF8.self) }
}

struct Seeded {
  var state: UInt64
  mutating func below(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
