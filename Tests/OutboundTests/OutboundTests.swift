import Arrivals
import Testing

@testable import Outbound
@testable import Sockets

@Suite struct SMTPClientTests {
  let client = SMTPClient(Outbound())

  private func mail(_ url: String, to recipients: String...) -> MailSubmission {
    var mail = MailSubmission(
      smarthost: url, name: "router.example", sender: "help@shop.example", recipients: recipients,
      message: Array("Subject: hello\r\n\r\n.one\r\n..two\r\nthree\r\n".utf8))
    mail.security = .none
    return mail
  }

  private func send(_ mail: MailSubmission) async throws -> MailOutcome {
    let outcomes = Arrivals<MailOutcome>()
    client.send(mail) { outcomes.arrive($0) }
    return try await outcomes.next()
  }

  @Test func `a message arrives whole, lines that begin with dots included`() async throws {
    let host = try FakeSmarthost()
    let outcome = try await send(mail(host.url, to: "ann@home.example", "bob@home.example"))
    #expect(outcome == .delivered(code: 250, text: "250 2.0.0 queued as 17"))
    #expect(
      host.messages == [
        FakeSmarthost.Message(
          sender: "help@shop.example", recipients: ["ann@home.example", "bob@home.example"],
          lines: ["Subject: hello", "", ".one", "..two", "three"])
      ])
    await host.stop()
  }

  @Test func `automatic mail goes out under the null sender`() async throws {
    let host = try FakeSmarthost()
    var automatic = mail(host.url, to: "ann@home.example")
    automatic.sender = ""
    _ = try await send(automatic)
    #expect(host.messages.map(\.sender) == [""])
    await host.stop()
  }

  @Test func `what the smarthost says decides whether trying again has sense`() async throws {
    let host = try FakeSmarthost()
    let later = try await send(mail(host.url, to: "later@home.example"))
    #expect(later == .temporaryFailure(code: 451, text: "451 4.2.0 try later"))
    let never = try await send(mail(host.url, to: "nobody@home.example"))
    #expect(never == .permanentFailure(code: 550, text: "550 5.1.1 nobody here"))
    let mixed = try await send(mail(host.url, to: "ann@home.example", "nobody@home.example"))
    #expect(mixed == .permanentFailure(code: 550, text: "550 5.1.1 nobody here"))
    #expect(host.messages.isEmpty)
    await host.stop()
    let full = try FakeSmarthost(greeting: "421 too busy")
    guard case .temporaryFailure(421, _) = try await send(mail(full.url, to: "ann@home.example"))
    else {
      Issue.record("a smarthost that is too busy is no temporary failure")
      return
    }
    await full.stop()
  }

  @Test func `whether it refuses the mail or us decides, too`() async throws {
    let closed = try FakeSmarthost(greeting: "554 no mail here")
    let greeted = try await send(mail(closed.url, to: "ann@home.example"))
    #expect(greeted == .unwelcome(code: 554, text: "554 no mail here"))
    await closed.stop()
    let host = try FakeSmarthost()
    var wrong = mail(host.url, to: "ann@home.example")
    wrong.credentials = .init(user: "shop", password: "of last year")
    let unknown = try await send(wrong)
    #expect(unknown == .unwelcome(code: 535, text: "535 5.7.8 who are you"))
    var stranger = mail(host.url, to: "ann@home.example")
    stranger.sender = "stranger@shop.example"
    let asked = try await send(stranger)
    #expect(asked == .unwelcome(code: 530, text: "530 5.7.0 authenticate first"))
    var banned = mail(host.url, to: "ann@home.example")
    banned.sender = "banned@shop.example"
    let refused = try await send(banned)
    #expect(refused == .permanentFailure(code: 550, text: "550 5.7.1 not from you"))
    let spam = try await send(mail(host.url, to: "spam@home.example"))
    #expect(spam == .permanentFailure(code: 554, text: "554 5.7.1 it reads like spam"))
    #expect(host.messages.isEmpty)
    await host.stop()
  }

  @Test(
    arguments: [
      ("smtp://127.0.0.1:25", true), ("smtps://mx.example", true), ("smtp://[::1]:2525/", true),
      ("127.0.0.1:25", false), ("foo", false), ("http://x", false), ("smtp://", false),
      ("smtp://mx:99999", false), ("smtp://mx:", false), ("smtp://a b", false),
      ("smtp://user:secret@mx", false), ("smtp://mx/path", false),
    ])
  func `a smarthost is a scheme, a host and a port`(_ url: String, _ isOne: Bool) {
    #expect((MailSubmission.fault(inSmarthost: url) == nil) == isOne)
  }

  @Test func `a smarthost that is away, silent or gone in the middle leaves no verdict`()
    async throws
  {
    let host = try FakeSmarthost()
    var silent = mail(host.url, to: "silence@home.example")
    silent.timeouts.totalMilliseconds = 200
    for each in [silent, mail(host.url, to: "hangup@home.example")] {
      guard case .connectionFailure = try await send(each) else {
        Issue.record("\(each.recipients) had a verdict")
        continue
      }
    }
    await host.stop()
    guard case .connectionFailure = try await send(mail(host.url, to: "ann@home.example")) else {
      Issue.record("nobody listened, and yet there was a verdict")
      return
    }
    let mute = try FakeSmarthost(greeting: nil)
    var unanswered = mail(mute.url, to: "ann@home.example")
    unanswered.timeouts.totalMilliseconds = 200
    guard case .connectionFailure = try await send(unanswered) else {
      Issue.record("a smarthost that never spoke gave a verdict")
      return
    }
    await mute.stop()
  }

  @Test func `one slow message delays no other`() async throws {
    let host = try FakeSmarthost()
    let slow = Arrivals<MailOutcome>()
    var silent = mail(host.url, to: "silence@home.example")
    silent.timeouts.totalMilliseconds = 600_000
    client.send(silent) { slow.arrive($0) }
    // Libcurl blocks while it waits for the answer to DATA: behind the silent one none would be
    // delivered before it has ended. Looked at where they end, since a test's task may wait for long.
    let others = Arrivals<(MailOutcome, isBefore: Bool)>()
    for _ in 0..<20 {
      client.send(mail(host.url, to: "ann@home.example")) { others.arrive(($0, slow.isEmpty)) }
    }
    for _ in 0..<20 {
      guard case (.delivered, true) = try await others.next(withinSeconds: 300) else {
        Issue.record("not delivered, or after the silent one")
        break
      }
    }
    #expect(host.messages.count == 20)
    await host.stop()
    guard case .connectionFailure = try await slow.next() else {
      Issue.record("the silent one had a verdict")
      return
    }
  }

  @Test(arguments: [
    "ann@home.example>\r\nRCPT TO:<eve@evil.example", "a b@home.example", "a\0@home.example", "",
  ])
  func `an address that could end its command is never sent`(_ address: String) async throws {
    guard case .malformed = try await send(mail("smtp://127.0.0.1:1", to: address)) else {
      Issue.record("\(address) was sent")
      return
    }
  }

  @Test(arguments: ["a\nb\r\n", "a\rb\r\n", "a\r\n\n", "a\r", "a\r\r\n"])
  func `a message with a bare CR or LF is never sent`(_ text: String) async throws {
    var bare = mail("smtp://127.0.0.1:1", to: "ann@home.example")
    bare.message = Array(text.utf8)
    #expect(
      try await send(bare) == .malformed("the message has a CR or LF that is not part of CR LF"))
  }

  @Test func `past the bound of waiting messages a sender is told so at once`() async throws {
    let host = try FakeSmarthost(greeting: nil)
    var limits = Outbound.Limits()
    (limits.mailsActiveMax, limits.waitingMax) = (1, 2)
    let narrow = SMTPClient(Outbound(limits))
    let outcomes = Arrivals<MailOutcome>()
    var stuck = mail(host.url, to: "ann@home.example")
    stuck.timeouts.totalMilliseconds = 300
    for _ in 0..<10 { narrow.send(stuck) { outcomes.arrive($0) } }
    var busy = 0
    for _ in 0..<10 { if try await outcomes.next() == .busy { busy += 1 } }
    #expect((7...8).contains(busy))
    await host.stop()
  }
}

@Suite struct WebhookClientTests {
  let client = WebhookClient(Outbound())

  private func post(_ call: WebhookCall) async throws -> WebhookOutcome {
    let outcomes = Arrivals<WebhookOutcome>()
    client.post(call) { outcomes.arrive($0) }
    return try await outcomes.next()
  }

  @Test func `a call arrives with its headers and body, and its answer comes back`() async throws {
    let web = try FakeWeb(status: 202, body: "thanks")
    var call = WebhookCall(
      url: "http://127.0.0.1:\(web.port)/hook", headers: [("X-Id", "42"), ("X-None", "")],
      body: Array("the end".utf8))
    call.mayReachPrivateAddresses = true
    #expect(try await post(call) == .answered(status: 202, body: Array("thanks".utf8)))
    let request = try await web.requests.next()
    #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
    #expect(request.contains("\r\nX-Id: 42\r\n") && request.contains("\r\nX-None:\r\n"))
    #expect(request.contains("\r\nContent-Length: 7\r\n") && request.hasSuffix("\r\n\r\nthe end"))
    #expect(!request.contains("Expect:"))
    await web.stop()
  }

  @Test func `a redirect is an answer, not an invitation`() async throws {
    let web = try FakeWeb(status: 302, body: "", headers: "Location: http://127.0.0.1:1/\r\n")
    var call = WebhookCall(url: "http://127.0.0.1:\(web.port)/", body: Array("end".utf8))
    call.mayReachPrivateAddresses = true
    #expect(try await post(call) == .answered(status: 302, body: []))
    await web.stop()
  }

  @Test func `of a long answer only the allowed bytes are kept`() async throws {
    let web = try FakeWeb(status: 200, body: String(repeating: "x", count: 300_000))
    var call = WebhookCall(url: "http://127.0.0.1:\(web.port)/", body: Array("end".utf8))
    call.mayReachPrivateAddresses = true
    call.responseBytesMax = 10
    #expect(try await post(call) == .answered(status: 200, body: Array("xxxxxxxxxx".utf8)))
    await web.stop()
  }

  @Test(arguments: [
    "http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://0x7f000001:1/",
    "http://2130706433:1/",
    "http://0.0.0.0:1/", "http://[::ffff:127.0.0.1]:1/", "http://10.1.2.3:1/",
    "http://169.254.169.254/",
  ])
  func `an address that is not the public internet is not connected to, however it is written`(
    _ url: String
  ) async throws {
    #expect(try await post(WebhookCall(url: url, body: [])) == .forbiddenAddress)
  }

  @Test(arguments: ["file:///etc/passwd", "gopher://x/", "http://a b/", "http://a/\r\nX: y"])
  func `what is no HTTP URL is refused`(_ url: String) async throws {
    guard case .malformed = try await post(WebhookCall(url: url, body: [])) else {
      Issue.record("\(url) was called")
      return
    }
  }

  @Test(arguments: [("A\r\nB", "c"), ("A", "b\r\nC: d"), ("", "x"), ("A:", "x"), ("A", "b\0")])
  func `a header that would make two is refused`(_ name: String, _ value: String) async throws {
    let call = WebhookCall(url: "http://192.0.2.1/", headers: [(name, value)], body: [])
    guard case .malformed = try await post(call) else {
      Issue.record("\(name) was sent")
      return
    }
  }
}
