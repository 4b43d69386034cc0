import Foundation
import SessionScripts
import Testing

@testable import PhoneCodec

struct `FastAGI sessions` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Sessions")

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
    for cut in 0...bytes.count {
      let side = ConnectionSide(script)
      _ = side.received(Array(bytes[..<cut]))
      _ = side.peerClosed()
      let began = side.told.count { $0.hasPrefix("arrived") || $0.hasPrefix("answered ") }
      let ended = side.told.count { $0.hasPrefix("ended") || $0.hasPrefix("lost ") || $0.hasPrefix("bridged ") }
      if began > ended + (side.hasClosed ? 1 : 0) || side.closes > 1 {
        Issue.record("\(script.name) cut at \(cut): \(side.told)")
        return
      }
    }
  }
}
