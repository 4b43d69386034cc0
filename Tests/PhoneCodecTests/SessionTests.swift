import Foundation
import SessionScripts
import Testing

@testable import PhoneCodec

struct `FastAGI sessions` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "Sessions")

  static func scripts() -> [SessionScript] {
    do {
      return try SessionScript.all(in: folder, lineEnd: [10])
    } catch {
      Issue.record("the sessions cannot be read: \(error)")
      return []
    }
  }

  @Test(arguments: scripts()) func `play the same, cut anywhere`(_ script: SessionScript) {
    var sides: [ConnectionSide] = []
    let problem = SessionPlayer.play(script) {
      let side = ConnectionSide(script)
      sides.append(side)
      return side
    }
    #expect(problem == nil)
    #expect(!sides.isEmpty)
    let expected = ConnectionSide.expected(script)
    #expect(!expected.isEmpty, "\(script.name) does not say what the router is told")
    if let odd = sides.first(where: { $0.told != expected }) {
      Issue.record("\(script.name): told \(odd.told), not \(expected)")
    }
    #expect(sides.allSatisfy { $0.closes <= 1 })
  }

  @Test func `are there`() { #expect(Self.scripts().count >= 20) }

  /// A peer may vanish at any byte: the accounts close all the same, each exactly once.
  @Test(arguments: scripts()) func `end every call and every ring once, wherever the peer vanishes`(
    _ script: SessionScript
  ) {
    let bytes = script.steps.flatMap { step -> [UInt8] in
      if case .peer(let bytes) = step { bytes } else { [] }
    }
    // Every byte of the talk; of the header block, whose lines are all alike, now and then one.
    let talk = bytes.firstRange(of: [10, 10])?.upperBound ?? 0
    for cut in Array(stride(from: 0, to: talk, by: 41)) + Array(talk...bytes.count) {
      let side = ConnectionSide(script)
      _ = side.received(Array(bytes[..<cut]))
      _ = side.peerClosed()
      func count(_ news: String) -> Int { side.told.count { $0.hasPrefix(news) } }
      let answeredEnds = count("bridged ") + count("lost ") + side.refusals
      if count("arrived ") != count("ended ") || count("ring ") != side.rings
        || count("answered ") > answeredEnds
        || side.closes > 1
      {
        Issue.record("\(script.name) cut at \(cut): \(side.told)")
        return
      }
    }
  }
}
