import Testing

extension TestServer {
  /// Name and secret of the demo's Asterisk.
  var phoneSecret: String {
    get throws { try #require(running?.edge.fastAGISecrets.first).secret }
  }

  func caller(_ unique: String = "1795.7") throws -> AGIPeer {
    try AGIPeer(port: port("fastagi"), script: "wait", arguments: [phoneSecret], unique: unique)
  }

  /// A call that is on disk and hears music.
  func waitingCaller(_ unique: String = "1795.7", reader: String) async throws -> AGIPeer {
    let before = try await count("waiting", by: reader)
    let caller = try caller(unique)
    #expect(try await caller.until("SET MUSIC") != nil)
    try caller.say("200 result=0")
    try await eventually("the call waits") { try await count("waiting", by: reader) > before }
    return caller
  }

  /// The device was picked up.
  func leg(_ offer: String) throws -> AGIPeer {
    try AGIPeer(
      port: port("fastagi"), script: "answered", arguments: [phoneSecret, offer], unique: "1795.9",
      number: "201")
  }

  /// A count of cases over all queues.
  func count(_ what: String, by token: String) async throws -> Int {
    try await call("GET", "/v1/queues", by: token)["queues"].elements.reduce(0) {
      $0 + ($1[what].int ?? 0)
    }
  }
}

extension AGIPeer {
  /// Answers every command until the device rings, and names the offer.
  func ring(dial: String = "", talked: Bool = true) async throws -> String {
    let line = try #require(try await until("EXEC Dial", dial: dial, talked: talked))
    let rest = try #require(line.range(of: "tl-offer^")).upperBound
    return String(line[rest...].prefix { $0 != ")" })
  }
}
