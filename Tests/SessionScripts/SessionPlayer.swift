/// Our side of a talk, as the player sees it: a codec with just enough around it to answer.
public protocol ScriptedSide {
  /// What we say when the connection opens.
  mutating func opened() -> [UInt8]
  /// What we say to bytes that arrived. They may end anywhere.
  mutating func received(_ bytes: [UInt8]) -> [UInt8]
  /// What we say when time has passed.
  mutating func waited(seconds: Int) -> [UInt8]
  /// What we say when the peer closes its side.
  mutating func peerClosed() -> [UInt8]
  /// Whether we have closed.
  var hasClosed: Bool { get }
}

extension ScriptedSide {
  public mutating func opened() -> [UInt8] { [] }
  public mutating func waited(seconds: Int) -> [UInt8] { [] }
  public mutating func peerClosed() -> [UInt8] { [] }
}

/// Plays a script against a side: whole, byte by byte, and cut in two at every point of each peer
/// step. The result must always be the same.
public struct SessionPlayer {
  public enum Cut: Equatable, CustomStringConvertible {
    case whole, bytewise
    case at(Int)
    public var description: String {
      switch self {
      case .whole: "whole"
      case .bytewise: "byte by byte"
      case .at(let n): "cut after \(n) bytes of each step"
      }
    }
  }

  /// Plays all cuts; the first difference is returned as a sentence, nil when all agree with the
  /// script.
  public static func play(_ script: SessionScript, _ make: () -> any ScriptedSide) -> String? {
    let longest =
      script.steps.map { step in
        if case .peer(let bytes) = step { bytes.count } else { 0 }
      }.max() ?? 0
    let cuts =
      [.whole, .bytewise] + (longest > 1 ? (1..<min(longest, 4_096)).map { Cut.at($0) } : [])
    for cut in cuts {
      if let problem = play(script, cut, make()) { return "\(script.name), \(cut): \(problem)" }
    }
    return nil
  }

  static func play(_ script: SessionScript, _ cut: Cut, _ side: any ScriptedSide) -> String? {
    var side = side
    var said = side.opened()[...]
    func show(_ bytes: some Collection<UInt8>) -> String {
      String(decoding: bytes.prefix(300), as: UTF8.self).debugDescription
    }
    for (index, step) in script.steps.enumerated() {
      let place = "step \(index + 1)"
      switch step {
      case .peer(let bytes):
        switch cut {
        case .whole: said += side.received(bytes)
        case .bytewise: for byte in bytes { said += side.received([byte]) }
        case .at(let n):
          if n < bytes.count {
            said += side.received(Array(bytes[..<n]))
            said += side.received(Array(bytes[n...]))
          } else {
            said += side.received(bytes)
          }
        }
      case .ours(let expected):
        guard said.starts(with: expected) else {
          return "\(place): expected \(show(expected)), got \(show(said))"
        }
        said = said.dropFirst(expected.count)
      case .anyLine:
        guard let end = said.firstIndex(of: 10) else {
          return "\(place): expected a line, got \(show(said))"
        }
        said = said[(end + 1)...]
      case .wait(let seconds): said += side.waited(seconds: seconds)
      case .peerCloses: said += side.peerClosed()
      case .weClose:
        guard side.hasClosed else { return "\(place): expected to close, and it is still open" }
      }
    }
    return said.isEmpty ? nil : "said more than the script: \(show(said))"
  }
}
