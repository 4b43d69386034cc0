import HTTPTypes
import Testing
import Wire

@testable import WebCodec

struct PartsTests {
  @Test(arguments: [
    ("[::]", true), ("[::1]:80", true), ("[1:2:3:4:5:6:7:8]", true), ("[1::8]", true),
    ("[1:2:3:4:5:6:7::]", true), ("[::ffff:192.0.2.1]", true), ("[64:ff9b::192.0.2.33]", true),
    ("[1:2:3:4:5:6:1.2.3.4]", true), ("[2001:DB8::a]", true), ("[v1.a:b]", true),
    ("[....]", false), ("[1.2.3.4]", false), ("[:::::]", false), ("[:::]", false), ("[:]", false),
    ("[1:2:3:4:5:6:7:8:9]", false), ("[1:2:3:4:5:6:7]", false), ("[12345::]", false),
    ("[1::2::3]", false), ("[1:2:3:4:5:6:7:8::]", false), ("[::1:]", false), ("[:1::]", false),
    ("[::1.2.3]", false), ("[::1.2.3.256]", false), ("[::1.2.3.04]", false), ("[::g]", false),
    ("[1:2:3:4:5:6:7:1.2.3.4]", false), ("[::1.2.3.4:5]", false), ("[]", false),
    ("[fe80::1%25eth0]", false),
  ])
  func `an address between brackets is an IPv6 address, or one of the future`(
    _ host: String, _ isOne: Bool
  ) {
    let request = Self.request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    #expect((request != nil) == isOne)
  }

  static func request(_ text: String) -> IncomingRequest? {
    var decoder = HTTPRequestDecoder()
    decoder.append(text.utf8)
    if case .request(let request) = decoder.next() { return request }
    return nil
  }

  @Test(arguments: ["a\rb", "a\nb", "a\0b", " a", "a ", "a\u{7F}", "\r\nSet-Cookie: x"])
  func `a header value cannot hold what splits a response`(_ text: String) {
    #expect(HeaderValue(text) == nil)
  }

  @Test func `the caller cannot contradict the framing`() {
    var out: [UInt8] = []
    let fields = [
      HeaderField(.contentLength, HeaderValue(99)),
      HeaderField(.transferEncoding, HeaderValue(fixed: "chunked")),
    ]
    HTTPResponseEncoder.whole(.ok, fields, body: [65], to: ReplyContext(), into: &out)
    #expect(String(decoding: out, as: UTF8.self) == "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nA")
  }

  @Test(arguments: [1, 300, 437, 438, 500, 511, 512, 513, 2_000])
  func `a head of any length has its pieces in their order`(_ length: Int) throws {
    let long = String(repeating: "v", count: length)
    let fields = try ["a", "b", "c"].map { name in
      HeaderField(try #require(HTTPField.Name(name)), try #require(HeaderValue(long + name)))
    }
    var out = Array("before".utf8)
    _ = HTTPResponseEncoder.head(
      .init(code: 404), type: HeaderValue(fixed: "text/plain"), fields, bodyBytes: .max,
      to: ReplyContext(), into: &out)
    let said = """
      beforeHTTP/1.1 404 Not Found\r\na: \(long)a\r\nb: \(long)b\r\nc: \(long)c\r\n\
      content-type: text/plain\r\ncontent-length: 9223372036854775807\r\n\r\n
      """
    #expect(String(decoding: out, as: UTF8.self) == said)
  }

  @Test(arguments: [204, 304]) func `some answers have no content`(_ code: Int) {
    var out: [UInt8] = []
    HTTPResponseEncoder.whole(.init(code: code), body: [65], to: ReplyContext(), into: &out)
    #expect(out.suffix(4) == [13, 10, 13, 10])
    #expect(!String(decoding: out, as: UTF8.self).contains("content-length"))
  }

  @Test func `an answer without a known length ends with the connection in HTTP 1·0`() {
    var out: [UInt8] = []
    let writer = HTTPResponseEncoder.stream(.ok, to: ReplyContext(minorVersion: 0), into: &out)
    writer.write([65, 66], into: &out)
    writer.end(into: &out)
    #expect(
      String(decoding: out, as: UTF8.self) == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nAB")
    #expect(!writer.keepAlive)
  }

  @Test func `a problem names the field`() {
    let problem = Problem(
      type: "urn:throughline:problem:x", title: "T", status: 422, detail: "say \"why\"",
      field: "a.b")
    #expect(
      String(decoding: problem.body, as: UTF8.self)
        == #"{"type":"urn:throughline:problem:x","title":"T","status":422,"detail":"say \"why\"","field":"a.b"}"#
    )
  }

  @Test func `path and query are decoded strictly`() throws {
    let good = try #require(
      Self.request("GET /a%20b/%C3%A4?q=x%2By+z&empty&k= HTTP/1.1\r\nHost: a\r\n\r\n"))
    #expect(good.pathSegments == ["a b", "ä"])
    #expect(good.queryParameters?["q"] == "x+y z")
    #expect(good.queryParameters?["empty"] == "")
    for bad in ["/%", "/%4", "/%GG", "/%FF", "/a%2Fb", "/%00", "/%C3"] {
      let request = try #require(Self.request("GET \(bad) HTTP/1.1\r\nHost: a\r\n\r\n"))
      #expect(request.pathSegments == nil, "\(bad)")
    }
    #expect(Self.request("GET /?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n")?.queryParameters == nil)
  }

  @Test func `the absolute form's authority wins over Host`() {
    #expect(Self.request("GET http://b:1/ HTTP/1.1\r\nHost: a\r\n\r\n")?.host == "b:1")
  }

  @Test func `SHA-1 gives the digests of RFC 3174`() {
    #expect(Hex.encode(SHA1.hash(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    let long = Array(repeating: UInt8(ascii: "a"), count: 1_000)
    #expect(Hex.encode(SHA1.hash(long)) == "291e9a6c66994949b57ba5e650361e98fc36b1ba")
    #expect(Hex.encode(SHA1.hash([])) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
  }

  @Test func `the client is told of a truncated answer`() {
    var client = HTTPResponseDecoder()
    client.append("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc".utf8)
    guard case .needMore = client.next() else { return #expect(Bool(false)) }
    client.peerClosed()
    guard case .failed(let error) = client.next() else { return #expect(Bool(false)) }
    #expect(error.reason == .truncated)
  }

  @Test func `a masked frame is the one of RFC 6455 §5·7`() {
    var out: [UInt8] = []
    WebSocketEncoder.text("Hello", mask: 0x3D21_FA37, into: &out)
    #expect(Hex.encode(out) == "818537fa213d7f9f4d5158")
  }
}
