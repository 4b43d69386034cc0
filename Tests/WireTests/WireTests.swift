import SessionScripts
import Testing

@testable import Wire

struct `Wire` {
  @Test func `what is written reads back the same`() throws {
    var writer = ByteWriter()
    writer.varint(300)
    writer.signed(-5)
    writer.signed(.min)
    writer.string("grüße")
    writer.fixed(UInt32(7))
    writer.optional(nil as UInt64?) { $0.varint($1) }
    writer.array([1, 2, 3] as [UInt64]) { $0.varint($1) }
    try ByteReader.readAll(writer.bytes) { reader throws(WireError) in
      #expect(try reader.varint() == 300)
      #expect(try reader.signed() == -5)
      #expect(try reader.signed() == .min)
      #expect(try reader.string() == "grüße")
      #expect(try reader.fixed(UInt32.self) == 7)
      #expect(try reader.optional { r throws(WireError) in try r.varint() } == nil)
      #expect(try reader.array { r throws(WireError) in try r.varint() } == [1, 2, 3])
    }
  }

  @Test func `every cut of an encoding is an error and never a trap`() {
    var writer = ByteWriter()
    writer.array(["one", "two"]) { $0.string($1) }
    for cut in 0..<writer.bytes.count {
      #expect(throws: WireError.self) {
        try ByteReader.readAll(Array(writer.bytes[..<cut])) { r throws(WireError) in
          try r.array { r throws(WireError) in try r.string() }
        }
      }
    }
  }

  @Test func `a count that lies cannot make us allocate`() {
    var writer = ByteWriter()
    writer.varint(.max)
    #expect(throws: WireError.truncated(offset: 0)) {
      try ByteReader.readAll(writer.bytes) { r throws(WireError) in try r.count() }
    }
  }

  @Test func `an overlong varint is refused`() {
    #expect(throws: WireError.overlong(offset: 0)) {
      try ByteReader.readAll([UInt8](repeating: 0xFF, count: 11)) { r throws(WireError) in
        try r.varint()
      }
    }
  }

  @Test func `a buffer gives its bytes back in order however they came`() {
    var buffer = ByteBuffer()
    var taken: [UInt8] = []
    let all = (0..<20_000).map { UInt8(truncatingIfNeeded: $0) }
    for start in stride(from: 0, to: all.count, by: 700) {
      buffer.append(all[start..<min(start + 700, all.count)])
      taken += buffer.take(333)
    }
    taken += buffer.take(.max)
    #expect(taken == all)
    #expect(buffer.isEmpty && buffer[0] == nil && buffer[-1] == nil)
  }

  @Test func `text forms read back and refuse what is not canonical`() {
    let bytes: [UInt8] = [0, 255, 17, 62, 63]
    for n in 0...bytes.count {
      let part = Array(bytes[..<n])
      #expect(Hex.decode(Hex.encode(part)) == part)
      #expect(Base64.decode(Base64.encode(part)) == part)
      #expect(Base64.decode(Base64.encode(part, .url), .url) == part)
    }
    #expect(Base64.decode("QR==") == nil)
    #expect(Base64.decode("Q===") == nil)
    #expect(Hex.decode("abc") == nil)
  }
}

struct `JSON text` {
  @Test(arguments: ["", "Jo \"the lamp\" Doe", "a\\b/c", "tab\tline\n\u{1}", "grüße 🪔", "\u{7F}"])
  func `a string is read as it was written`(_ text: String) {
    var json: [UInt8] = []
    JSONText.append(text, to: &json)
    #expect(JSONText.string(json) == text)
  }

  @Test(
    arguments: [
      (#""\u00e9\ud83e\ude94\/""#, "é🪔/"), (#""\ud83e""#, nil), (#""\ud83e\u0041""#, nil),
      (#""\x""#, nil), (#""\""#, nil),
      ("\"a\nb\"", nil), ("\"", nil), ("12", nil), ("null", nil), (#""a"b""#, nil),
      (#""\u12""#, nil),
    ] as [(String, String?)])
  func `other writers' escapes are read, and what is no text is none`(
    _ json: String, _ text: String?
  ) {
    #expect(JSONText.string(Array(json.utf8)) == text)
  }
}
