import Testing

@testable import WebCodec

/// Compression, with both ends ours and any cut between them. What others send is in
/// `Sessions/deflate`, and what others make of ours is tried by Autobahn and by PyPI `websockets`.
struct CompressionTests {
  private static func agreement(_ random: inout Seeded) -> PermessageDeflate {
    var agreed = PermessageDeflate()
    agreed.serverKeepsContext = .random(using: &random)
    agreed.clientKeepsContext = .random(using: &random)
    agreed.serverWindowBits = .random(in: 9...15, using: &random)
    agreed.clientWindowBits = .random(in: 8...15, using: &random)
    return agreed
  }

  /// Text that repeats itself, or bytes that do not shrink.
  private static func payload(_ random: inout Seeded) -> [UInt8] {
    let size = [0, 1, 95, 96, 500, 5_000, 70_000].randomElement(using: &random) ?? 0
    if Bool.random(using: &random) { return random.bytes(size) }
    let word = random.text(12)
    return Array(String(repeating: "\(word) \(size) ", count: size / 20 + 1).utf8)
  }

  @Test(arguments: 0..<150 as Range<UInt64>)
  func `messages compressed and expanded again are the same, however cut`(_ seed: UInt64) {
    var random = Seeded(state: seed)
    let agreed = Self.agreement(&random)
    let role: WebSocketRole = .random(using: &random) ? .server : .client
    var compressor = WebSocketCompressor(agreed, role: role)
    var decoder = WebSocketDecoder(role: role == .server ? .client : .server, compression: agreed)
    var sent: [[UInt8]] = []
    var wire: [UInt8] = []
    for _ in 1...6 {
      sent.append(Self.payload(&random))
      let mask = role == .client ? UInt32.random(in: 0 ... .max, using: &random) : nil
      compressor.message(.binary, sent[sent.count - 1], mask: mask, into: &wire)
    }
    var seen: [[UInt8]] = []
    var rest = wire[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...(wire.count / 4 + 1), using: &random))
      rest = rest.dropFirst(piece.count)
      decoder.append(piece)
      while true {
        let event = decoder.next()
        if case .message(.binary, let bytes, _) = event { seen.append(bytes) } else { break }
      }
    }
    #expect(seen == sent, "seed \(seed)")
  }

  /// A client that heeds no agreed window is heard as far as its own message reaches, and refused what
  /// is farther back than what is kept: the same however its bytes are cut.
  @Test(arguments: [9, 12, 15], [true, false])
  func `what a message may refer to does not depend on how it is cut`(_ bits: Int, _ keeps: Bool)
    throws
  {
    var random = Seeded(state: UInt64(bits))
    let part = random.bytes(3_000)
    var agreed = PermessageDeflate()
    (agreed.clientWindowBits, agreed.clientKeepsContext) = (bits, keeps)
    let peer = try #require(Deflater(.raw(windowBits: 15), level: 9))
    var wire: [UInt8] = []
    for message in [part + part, part] {
      let packed = try #require(peer.message(message, keepsContext: true))
      #expect(packed.count < message.count + 100)
      WebSocketEncoder.frame(.binary, isCompressed: true, packed, mask: 7, &wire)
    }
    for size in [wire.count, 4_000, 3_000, 500, 7, 1] {
      var decoder = WebSocketDecoder(compression: agreed)
      var seen: [[UInt8]] = []
      var failure: WebSocketDecoder.Failure?
      for start in stride(from: 0, to: wire.count, by: size) {
        decoder.append(wire[start..<min(start + size, wire.count)])
        loop: while failure == nil {
          switch decoder.next() {
          case .message(_, let bytes, _): seen.append(bytes)
          case .failed(let why): failure = why
          default: break loop
          }
        }
      }
      let hasBoth = keeps && bits > 11
      #expect(seen == (hasBoth ? [part + part, part] : [part + part]), "in pieces of \(size)")
      #expect((failure?.closeCode == .invalidData) == !hasBoth, "in pieces of \(size)")
    }
  }

  @Test func `a kept context makes the second message small, and a forgotten one does not`() {
    let words = Array(
      "The parcel was to arrive on Tuesday, and it is Friday; where is it? Order A-17, by post, to Leipzig."
        .utf8)
    for keeps in [true, false] {
      var agreed = PermessageDeflate()
      (agreed.serverKeepsContext, agreed.clientKeepsContext) = (keeps, keeps)
      var compressor = WebSocketCompressor(agreed)
      var (first, second): ([UInt8], [UInt8]) = ([], [])
      compressor.message(.text, words, into: &first)
      compressor.message(.text, words, into: &second)
      #expect(first.count < words.count)
      #expect(keeps ? second.count < 20 : second == first)
      #expect((agreed.heldBytes > 0) == keeps)
      #expect(agreed.heldBytes < 128 << 10, "the bound on what one connection remembers")
    }
  }

  @Test func `short messages leave as they are, and so do all where nothing was agreed`() {
    var out: [UInt8] = []
    var compressor = WebSocketCompressor(PermessageDeflate())
    compressor.message(
      .text, [UInt8](repeating: 65, count: WebSocketCompressor.bytesMin - 1), into: &out)
    #expect(out[0] == 0x81)
    out = []
    var plain = WebSocketCompressor(nil)
    plain.message(.text, [UInt8](repeating: 65, count: 1_000), into: &out)
    #expect(out[0] == 0x81)
  }

  /// As long as a message may be, and packed no way makes it shorter: stored, in one frame and in
  /// several, or in codes of nine bits.
  @Test(arguments: [4_096, 4_097], [1, 3])
  func `a message as long as it may be is heard however it is packed`(_ size: Int, _ frames: Int)
    throws
  {
    var random = Seeded(state: 1)
    let message = random.bytes(size).map { $0 | 0x90 }  // codes of nine bits, where they are fixed
    let length = [UInt8(size & 0xFF), UInt8(size >> 8)]
    let stored = [0] + length + length.map { ~$0 } + message + [0]
    for packed in [stored, Self.inFixedCodes(message)] {
      var wire: [UInt8] = []
      let cut = packed.count / frames + 1
      for start in stride(from: 0, to: packed.count, by: cut) {
        let part = packed[start..<min(start + cut, packed.count)]
        WebSocketEncoder.frame(
          start == 0 ? .binary : .continuation, isFinal: part.endIndex == packed.count,
          isCompressed: start == 0, Array(part), mask: 7, &wire)
      }
      var decoder = WebSocketDecoder(messageBytesMax: 4_096, compression: PermessageDeflate())
      decoder.append(wire)
      switch decoder.next() {
      case .message(_, let heard, _): #expect(size == 4_096 && heard == message)
      case .failed(let why): #expect(size == 4_097 && why.closeCode == .messageTooBig, "\(why)")
      default: Issue.record("neither")
      }
    }
  }

  /// RFC 1951 §3.2.6, for bytes from 144 on: one block, and the empty one that is left off.
  private static func inFixedCodes(_ bytes: [UInt8]) -> [UInt8] {
    var bits = [false, true, false]
    for byte in bytes {
      let code = 0b1_1001_0000 + Int(byte) - 144
      for place in (0..<9).reversed() { bits.append(code >> place & 1 == 1) }
    }
    bits += [Bool](repeating: false, count: 7 + 3)
    var out = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
    for (place, bit) in bits.enumerated() where bit { out[place / 8] |= 1 << UInt8(place % 8) }
    return out
  }

  @Test func `a message that expands without end stops at its bound and grows no memory`() {
    let bomb =
      Deflater(.raw(windowBits: 15), level: 9)?.message(
        [UInt8](repeating: 0, count: 20 << 20), keepsContext: false) ?? []
    #expect(bomb.count < 100_000)
    var decoder = WebSocketDecoder(messageBytesMax: 1 << 20, compression: PermessageDeflate())
    var wire: [UInt8] = []
    WebSocketEncoder.frame(.binary, isCompressed: true, bomb, mask: 1, &wire)
    decoder.append(wire)
    guard case .failed(let failure) = decoder.next() else { return #expect(Bool(false)) }
    #expect(failure.closeCode == .messageTooBig)
    #expect(decoder.bufferedBytes == 0)
  }

  @Test(arguments: [
    (nil as String?, false), ("gzip", true), ("GZIP", true), ("br, gzip;q=0.5", true),
    ("gzip;q=0", false),
    ("gzip; q=0.000", false), ("*", true), ("*;q=0", false), ("identity", false),
    ("gzip;q=0, *", false),
    ("br;q=1.0, *;q=0.1", true), ("gzip;q=x", false), ("", false), ("x-gzip", true),
    ("X-GZip;q=0", false), ("x-gzip;q=0, *", false), ("x-br", false), ("x-", false),
    ("gzip;q=0.001", true), ("gzip;q=1.000", true), ("gzip;Q=0.5", true), ("gzip;q=1.", true),
    ("gzip;q=2", false), ("gzip;q=1.001", false), ("gzip;q=1.0000", false), ("gzip;q=.5", false),
    ("gzip;q=", false), ("gzip;q=0.5, identity;q=0.5", true), ("gzip;q=0.5, identity", false),
    ("*;q=0.2, identity;q=0.3", false), ("gzip, identity;q=0", true),
  ])
  func `gzip is sent to whoever takes it`(_ field: String?, _ isWelcome: Bool) throws {
    let line = field.map { "Accept-Encoding: \($0)\r\n" } ?? ""
    let request = try #require(PartsTests.request("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n"))
    #expect(request.accepts(coding: "gzip") == isWelcome)
  }
}
