import HTTPTypes
import Testing

@testable import WebCodec

/// A seeded generator, so that a failure can be had again: SplitMix64.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
  mutating func text(_ count: Int) -> String {
    String(
      String.UnicodeScalarView(
        (0..<count).map { _ in
          let limit: UInt32 = Bool.random(using: &self) ? 0x7F : 0x1FFFF
          return Unicode.Scalar(UInt32.random(in: 0...limit, using: &self)) ?? "x"
        }))
  }
}

struct PropertyTests {
  static func json(_ random: inout Seeded, _ depth: Int) -> JSONValue {
    switch Int.random(in: 0...(depth > 4 ? 4 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .int(.random(in: .min ... .max, using: &random))
    case 3: return .number("\(Int.random(in: 1...999, using: &random)).5e-3")
    case 4: return .string(random.text(.random(in: 0...30, using: &random)))
    case 5:
      return .array(
        (0..<Int.random(in: 0...4, using: &random)).map { _ in json(&random, depth + 1) })
    default:
      let members = (0..<Int.random(in: 0...20, using: &random)).map {
        JSONObject.Member("\($0)" + random.text(3), json(&random, depth + 2))
      }
      return .object(JSONObject(members))
    }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `JSON written and read again is the same`(_ seed: UInt64) throws {
    var random = Seeded(state: seed)
    let value = Self.json(&random, 0)
    #expect(try JSONValue(parsing: value.encoded) == value, "seed \(seed)")
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `a message framed and read again is the same, however cut`(_ seed: UInt64) {
    var random = Seeded(state: seed)
    let isClient = Bool.random(using: &random)
    let size =
      [0, 1, 125, 126, 127, 1_000, 65_535, 65_536, 70_001].randomElement(using: &random) ?? 0
    let payload = random.bytes(size)
    let text = random.text(Int.random(in: 0...60, using: &random))
    let mask = isClient ? UInt32.random(in: 0 ... .max, using: &random) : nil
    var wire: [UInt8] = []
    WebSocketEncoder.binary(payload, mask: mask, into: &wire)
    WebSocketEncoder.text(text, mask: mask, into: &wire)
    WebSocketEncoder.close(.goingAway, text, mask: mask, into: &wire)
    var decoder = WebSocketDecoder(role: isClient ? .server : .client)
    var seen: [WebSocketDecoder.Event] = []
    var rest = wire[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...(wire.count / 3 + 1), using: &random))
      rest = rest.dropFirst(piece.count)
      decoder.append(piece)
      while true {
        let event = decoder.next()
        if event == .needMore { break }
        seen.append(event)
      }
    }
    #expect(
      seen.count == 3 && seen[0] == .message(.binary, payload, isCompressed: false), "seed \(seed)")
    #expect(
      seen.dropFirst().first == .message(.text, Array(text.utf8), isCompressed: false),
      "seed \(seed)")
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `a request encoded and decoded again is the same, and so is its answer`(_ seed: UInt64)
    throws
  {
    var random = Seeded(state: seed)
    let body =
      Bool.random(using: &random) ? random.bytes(.random(in: 0...3_000, using: &random)) : nil
    let path =
      "/" + PercentEncoding.encode(random.text(8).replacing("\0", with: "")) + "?q="
      + PercentEncoding.encode(random.text(5))
    let value = try #require(HeaderValue("v\(seed)"))
    let name = try #require(HTTPField.Name("X-Seed"))
    let sent = HTTPRequestEncoder.encode(
      .put, path, host: HeaderValue(fixed: "a"), [HeaderField(name, value)], body: body)
    var decoder = HTTPRequestDecoder()
    decoder.append(try #require(sent))
    if body?.isEmpty == false {
      guard case .head = decoder.next() else { throw JSONError(.trailingBytes, at: 0) }
    }
    guard case .request(let request) = decoder.next() else {
      throw JSONError(.trailingBytes, at: 0)
    }
    #expect(
      request.method == .put && request.body == body ?? []
        && request.fields.value("x-seed") == "v\(seed)")
    #expect(request.rawPath + "?" + (request.rawQuery ?? "") == path)
    #expect(decoder.isIdle)

    var wire: [UInt8] = []
    let writer = HTTPResponseEncoder.stream(.created, to: request.reply, into: &wire)
    for piece in stride(from: 0, to: request.body.count, by: 700) {
      writer.write(Array(request.body[piece..<min(piece + 700, request.body.count)]), into: &wire)
    }
    writer.end(into: &wire)
    HTTPResponseEncoder.whole(.ok, body: request.body, to: request.reply, into: &wire)
    var client = HTTPResponseDecoder()
    var answers: [IncomingResponse] = []
    for byte in wire {
      client.append([byte])
      while case .response(let response) = client.next() { answers.append(response) }
    }
    #expect(answers.map(\.status) == [201, 200], "seed \(seed)")
    #expect(answers.allSatisfy { $0.body == request.body && $0.keepAlive }, "seed \(seed)")
  }

  @Test(arguments: 0..<400 as Range<UInt64>)
  func `a request with a flipped byte gives the same events however it is cut`(_ seed: UInt64) {
    var random = Seeded(state: seed)
    var wire = Array(
      "POST /a%20b?x=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nT: v\r\n\r\n"
        .utf8)
    wire[Int.random(in: 0..<wire.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    let whole = Self.outline(wire, step: wire.count)
    for step in [1, 2, 3, 7, 31] {
      #expect(Self.outline(wire, step: step) == whole, "seed \(seed), step \(step)")
    }
  }

  static func outline(_ wire: [UInt8], step: Int) -> [String] {
    var decoder = HTTPRequestDecoder()
    var seen: [String] = []
    for start in stride(from: 0, to: wire.count, by: step) {
      decoder.append(wire[start..<min(start + step, wire.count)])
      feeding: while true {
        switch decoder.next() {
        case .needMore: break feeding
        case .head(let request): seen.append("head \(request.rawPath)")
        case .request(let request):
          seen.append("\(request.method) \(request.rawPath) \(request.body) \(request.fields.all)")
        case .failed(let error): return seen + ["\(error.status) \(error.reason)"]
        }
      }
    }
    return seen
  }
}
