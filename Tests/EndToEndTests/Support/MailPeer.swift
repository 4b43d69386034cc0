import Foundation

/// A message to deliver, and how it went.
struct Letter {
  var from = "Mia Home <mia@home.example>"
  var sender: String?
  var to = "help@shop.example"
  var subject = "My lamp"
  var id = "<\(UUID().uuidString.lowercased())@home.example>"
  var headers: [String] = []
  var text = "Where is my lamp?"

  var address: String {
    from.contains("<") ? String(from.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }) : from
  }
  /// With so many bytes of text in short lines.
  func long(_ bytes: Int) -> Letter {
    var letter = self
    letter.text = String(repeating: "the same words\n", count: bytes / 16)
    return letter
  }

  /// Lines end with CR LF.
  var source: String {
    let head =
      headers + (id.isEmpty ? [] : ["Message-ID: \(id)"]) + [
        "From: \(from)", "To: \(to)", "Subject: \(subject)",
        "Date: Wed, 25 Nov 2026 10:00:00 +0000",
        "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
      ]
    return (head + ["", text, ""]).joined(separator: "\n").replacingOccurrences(
      of: "\n", with: "\r\n")
  }
}

extension TestServer {
  func deliver(_ letter: Letter, to recipient: String? = nil, over dialect: String = "smtp")
    async throws -> Int
  {
    try await deliver(
      Array(letter.source.utf8), from: letter.sender ?? letter.address, to: recipient ?? letter.to,
      over: dialect
    ).code
  }

  /// Delivers a message as it stands, but for its line ends, with Debian's `swaks`.
  /// - Returns: the code and the words of the last reply to it.
  func deliver(
    _ message: [UInt8], from sender: String = "someone@home.example",
    to recipient: String = "help@shop.example", over dialect: String = "smtp"
  ) async throws -> (code: Int, text: String) {
    let folder = try TemporaryFolder()
    let file = folder.path + "/message"
    try Data(Self.asSent(message)).write(to: URL(fileURLWithPath: file))
    let run = try await Peer.run(
      "/usr/bin/swaks",
      [
        "--server", "127.0.0.1", "--port", String(port(dialect)), "--protocol",
        dialect == "lmtp" ? "LMTP" : "ESMTP", "--from", sender, "--to", recipient, "--data",
        "@\(file)", "--timeout", "20", "--helo", "home.example", "--no-data-fixup",
      ])
    // swaks marks replies that it takes with "<-", others with "<**".
    let replies = run.lines.compactMap { line -> (Int, String)? in
      let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      guard words.count > 1, ["<-", "<**", "<~"].contains(words[0]),
        let code = Int(words[1].prefix(3))
      else { return nil }
      return (code, words.dropFirst(2).joined())
    }.filter { $0.0 != 221 && $0.0 != 354 }
    guard let last = replies.last else {
      throw Socket.Fault(description: "swaks said nothing: \(run.lines.suffix(5))")
    }
    return last
  }

  /// Lines end with CR LF, a dot before each line that begins with one (RFC 5321 §4.5.2), and one at
  /// the end.
  private static func asSent(_ message: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for line in message.split(separator: 10, omittingEmptySubsequences: false) {
      if line.first == UInt8(ascii: ".") { out.append(UInt8(ascii: ".")) }
      out += line.last == 13 ? line.dropLast() : line
      out += [13, 10]
    }
    return out + [UInt8(ascii: ".")]
  }
}
