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
  /// Delivers with Debian's `swaks` and answers the code of the last reply to the message.
  func deliver(_ letter: Letter, to recipient: String? = nil, over dialect: String = "smtp")
    async throws -> Int
  {
    let folder = try TemporaryFolder()
    try folder.write("letter.eml", letter.source)
    let run = try await Peer.run(
      "/usr/bin/swaks",
      [
        "--server", "127.0.0.1", "--port", String(port(dialect)), "--protocol",
        dialect == "lmtp" ? "LMTP" : "ESMTP",
        "--from", letter.sender ?? letter.address, "--to", recipient ?? letter.to, "--data",
        "@\(folder.path)/letter.eml",
        "--timeout", "20", "--helo", "home.example", "--no-strip-from",
      ])
    // swaks marks replies that it takes with "<-", others with "<**".
    let replies = run.lines.compactMap { line -> Int? in
      let words = line.trimmingCharacters(in: .whitespaces).split(separator: " ")
      guard words.count > 1, words[0] == "<-" || words[0] == "<**" || words[0] == "<~" else {
        return nil
      }
      return Int(words[1].prefix(3))
    }.filter { $0 != 221 && $0 != 354 }
    guard let last = replies.last else {
      throw Socket.Fault(description: "swaks said nothing: \(run.lines.suffix(5))")
    }
    return last
  }
}
