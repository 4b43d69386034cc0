import Foundation
import SessionScripts
import Testing

@testable import WebCodec

struct SessionTests {
  @Test(arguments: ["http", "smuggling", "websocket", "deflate"])
  func `every session plays the same however it is cut`(_ folder: String) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Sessions/\(folder)")
    let scripts = try SessionScript.all(in: root, lineEnd: [13, 10])
    #expect(scripts.count > 40)
    for script in scripts {
      if let problem = SessionPlayer.play(script, { WebSide() }) {
        Issue.record("\(folder)/\(problem)")
      }
    }
  }

  @Test func `a session that expects another answer fails`() throws {
    let text = "C: GET / HTTP/1.1\nC: Host: a\nC: \nS: HTTP/1.1 404 Not Found\n"
    let script = try SessionScript(name: "wrong", text: text, lineEnd: [13, 10])
    #expect(SessionPlayer.play(script) { WebSide() } != nil)
  }
}
