import Testing

@testable import WebCodec

struct JSONTests {
  static func parse(_ text: String) throws(JSONError) -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  @Test(arguments: [
    "", " ", "{", "[", "\"", "]", "}", "{]", "[}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]",
    "{\"a\"}",
    "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:2}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
    "{null:1}",
    "tru", "truee", "TRUE", "nul", "nulll", "falsy", "undefined", "NaN", "Infinity", "-Infinity",
    "-", "+1",
    "01",
    "-01", "00", ".5", "1.", "1.e1", "1e", "1e+", "1E-", "0x1", "1_000", "1,0", "--1", "- 1", "1 2",
    "1]",
    "{} {}",
    "\"a", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u 123\"", "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800x\"", "\"\\U0041\"",
    "\"\\'\"",
    "\"a\nb\"", "\"a\tb\"", "\"a\0b\"", "'a'", "// c\n1", "/* c */ 1", "1 // c", "# c\n1",
    "\u{FEFF}1",
    "\u{A0}1",
    "[\u{0B}]", "[\u{0C}1]", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
    "{\"a\":{\"b\":1,\"b\":2}}",
    "[1}",
    "{\"a\":[1}}", "\"\\", "\"\\u", "\"\\ud834\\u", "*", "@", "[\"a\",\n4\n,1,", "{\"a\":\"b\"}#",
    "[\"x\"",
    "[\\n]",
  ])
  func `a malformed text is refused`(_ text: String) {
    #expect(throws: JSONError.self) { try Self.parse(text) }
  }

  @Test(
    arguments: [
      [0x22, 0x80, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xE2, 0x82, 0x22],
      [0x22, 0xED, 0xA0, 0x80, 0x22],
      [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xFF, 0x22], [0x22, 0xF8, 0x22],
      [0xEF, 0xBB, 0xBF, 0x31],
      [0xFF, 0xFE],
      [0x7B, 0x22, 0xE9, 0x22, 0x3A, 0x30, 0x7D], [0x22, 0xC3], [0x00],
      [0x22, 0xE0, 0x80, 0x80, 0x22],
    ] as [[UInt8]])
  func `bytes that are not UTF-8 are refused`(_ bytes: [UInt8]) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
  }

  @Test(arguments: [
    ("null", "null"), (" [ ] ", "[]"), ("{ }", "{}"), ("[1, -2,\t0 ]", "[1,-2,0]"), ("-0", "0"),
    ("1e5", "1e5"),
    ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("9223372036854775808", "9223372036854775808"), ("0.10", "0.10"), ("\"\\u0041\\/\"", "\"A/\""),
    ("\"\\ud834\\udd1e\"", "\"𝄞\""), ("\"\\b\\f\\n\\r\\t\\\"\\\\\"", "\"\\b\\f\\n\\r\\t\\\"\\\\\""),
    ("\"\\u0001\\u001f\"", "\"\\u0001\\u001f\""), ("\"\\u0000\"", "\"\\u0000\""),
    ("\"\u{7F}\"", "\"\u{7F}\""),
    ("{\"b\":1,\"a\":[true,false,{}]}", "{\"b\":1,\"a\":[true,false,{}]}"),
    ("\"grüße 漢字 😀\"", "\"grüße 漢字 😀\""),
    ("{\"\":0}", "{\"\":0}"), ("\"\\u2028\"", "\"\u{2028}\""),
  ])
  func `a text is written again in one form`(_ text: String, _ written: String) throws {
    #expect(String(decoding: try Self.parse(text).encoded, as: UTF8.self) == written)
  }

  @Test func `an error tells where and what was expected`() {
    #expect(throws: JSONError(.expected("a colon"), at: 4)) { try Self.parse("{\"a\"}") }
    #expect(throws: JSONError(.loneSurrogate, at: 2)) { try Self.parse("\"a\\ud800\"") }
    #expect(throws: JSONError(.invalidUTF8, at: 2)) {
      try JSONValue(parsing: [0x22, 0x61, 0xFF, 0x22])
    }
    #expect(throws: JSONError(.duplicateKey("a"), at: 7)) { try Self.parse("{\"a\":1,\"a\":2}") }
    #expect(throws: JSONError(.trailingBytes, at: 2)) { try Self.parse("1 x") }
  }

  @Test func `nesting past the limit is refused, not followed`() throws {
    let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    _ = try Self.parse(deep(64))
    #expect(throws: JSONError(.tooDeep, at: 64)) { try Self.parse(deep(65)) }
    #expect(throws: JSONError(.tooDeep, at: 64)) {
      try Self.parse(String(repeating: "[", count: 1_000_000))
    }
  }

  @Test func `a duplicate among many keys is found`() {
    let keys = (0..<200).map { "\"k\($0)\":0" }.joined(separator: ",")
    #expect(throws: Never.self) { try Self.parse("{\(keys)}") }
    #expect(throws: JSONError.self) { try Self.parse("{\(keys),\"k7\":1}") }
    #expect(throws: JSONError.self) { try Self.parse("{\(keys),\"k150\":1}") }
    #expect(throws: JSONError.self) { try Self.parse("{\(keys),\"k15\\u0030\":1}") }
    #expect(throws: JSONError.self) { try Self.parse("{\(keys),\"\\u006c\":1,\"l\":1}") }
    // In its two Unicode forms a letter is two keys.
    #expect(throws: Never.self) { try Self.parse("{\(keys),\"\u{e9}\":1,\"e\u{301}\":1}") }
    #expect(throws: Never.self) { try Self.parse("[{\(keys)},{\(keys)}]") }
  }

  struct Message: Equatable { var text = "", author = "", seq: Int64 = 0 }

  static func message(_ text: String) throws(JSONError) -> Message {
    try JSONReader.read(Array(text.utf8)) { reader throws(JSONError) in
      var message = Message()
      try reader.object { key, reader throws(JSONError) in
        switch key {
        case "text": message.text = try reader.string(maxBytes: 20)
        case "author":
          message.author = try reader.optional { r throws(JSONError) in try r.string() } ?? ""
        case "seq": message.seq = try reader.int64()
        default: throw reader.unknownField(key)
        }
      }
      return message
    }
  }

  @Test func `a caller reads an object and refuses what it does not know`() throws {
    let read = try Self.message("{\"te\\u0078t\":\"hi\",\"author\":null,\"seq\":-7}")
    #expect(read == Message(text: "hi", author: "", seq: -7))
    #expect(throws: JSONError(.unknownField("x"), at: 1)) { try Self.message("{\"x\":1}") }
    #expect(throws: JSONError(.expected("a string"), at: 8)) { try Self.message("{\"text\":1}") }
    #expect(throws: JSONError(.numberOutOfRange, at: 7)) {
      try Self.message("{\"seq\":9223372036854775808}")
    }
    #expect(throws: JSONError(.expected("a whole number"), at: 7)) {
      try Self.message("{\"seq\":1.5}")
    }
    #expect(throws: JSONError(.badValue("longer than 20 bytes"), at: 8)) {
      try Self.message("{\"text\":\"123456789012345678901\"}")
    }
  }

  @Test func `a double must be finite`() throws {
    let read = { (text: String) throws(JSONError) -> Double in
      try JSONReader.read(Array(text.utf8)) { reader throws(JSONError) in try reader.double() }
    }
    #expect(try read("-1.5e2") == -150)
    #expect(throws: JSONError(.numberOutOfRange, at: 0)) { try read("1e999") }
  }
}
