import Foundation

/// One talk on the wire, as a `.session` file tells it.
///
/// - `# …` a comment; the first ones name the case and its source.
/// - `C: …` a line that the client (the peer) sends; `S: …` a line that we answer.
/// - `C+ …` and `S+ …` the same without a line end, for bytes that are no lines.
/// - `+30s` time passes; `C: <close>` the peer closes; `S: <close>` we close.
/// - Escapes: `\r \n \t \0 \\ \xHH`. A lone `S: *` accepts any one line.
public struct SessionScript: Sendable {
  public enum Step: Sendable, Equatable {
    case peer([UInt8])
    case ours([UInt8])
    case anyLine
    case wait(seconds: Int)
    case peerCloses
    case weClose
  }

  public var name: String
  public var comments: [String] = []
  public var steps: [Step] = []

  /// - Parameter lineEnd: what ends a `C:` or `S:` line, such as CRLF for SMTP and LF for FastAGI.
  public init(name: String, text: String, lineEnd: [UInt8]) throws {
    self.name = name
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.hasPrefix("#") {
        comments.append(String(line.dropFirst().drop { $0 == " " }))
      } else if line.isEmpty {
        continue
      } else if line.hasPrefix("+"), line.hasSuffix("s"), let n = Int(line.dropFirst().dropLast()) {
        steps.append(.wait(seconds: n))
      } else if line == "C: <close>" {
        steps.append(.peerCloses)
      } else if line == "S: <close>" {
        steps.append(.weClose)
      } else if line == "S: *" {
        steps.append(.anyLine)
      } else {
        let isLine = line.dropFirst().first == ":"
        let body = line.dropFirst(line.dropFirst(2).first == " " ? 3 : 2)
        guard line.first == "C" || line.first == "S", isLine || line.dropFirst().first == "+" else {
          throw Malformed(name: name, line: number + 1, text: String(line))
        }
        let bytes = try Self.unescape(body, name: name, line: number + 1) + (isLine ? lineEnd : [])
        steps.append(line.first == "C" ? .peer(bytes) : .ours(bytes))
      }
    }
  }

  public struct Malformed: Error, CustomStringConvertible {
    let name: String, line: Int, text: String
    public var description: String { "\(name):\(line): not a session line: \(text)" }
  }

  /// Every `.session` file below `folder`, by name.
  public static func all(in folder: URL, lineEnd: [UInt8]) throws -> [SessionScript] {
    let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var files: [URL] = []
    while let url = found?.nextObject() as? URL {
      if url.pathExtension == "session" { files.append(url) }
    }
    return try files.sorted { $0.path < $1.path }.map {
      try SessionScript(
        name: $0.deletingPathExtension().lastPathComponent,
        text: String(contentsOf: $0, encoding: .utf8),
        lineEnd: lineEnd)
    }
  }

  static func unescape(_ text: Substring, name: String, line: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "r"): bytes.append(13)
      case UInt8(ascii: "n"): bytes.append(10)
      case UInt8(ascii: "t"): bytes.append(9)
      case UInt8(ascii: "0"): bytes.append(0)
      case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "x"):
        guard rest.count >= 2,
          let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        else { throw Malformed(name: name, line: line, text: String(text)) }
        bytes.append(value)
        rest = rest.dropFirst(2)
      default: throw Malformed(name: name, line: line, text: String(text))
      }
    }
    return bytes
  }
}
