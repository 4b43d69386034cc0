import Foundation
import Yams

/// Reads one YAML file into nodes, within limits: size, depth, no aliases (so no bomb can unfold).
package enum YamlFile {
  /// - Units: bytes of one file.
  static let bytesMax = 1_048_576
  static let depthMax = 24

  /// The file's text; a missing, oversized or undecodable file is a finding.
  static func text(_ source: RuleSource, _ path: String, _ findings: Findings) -> SourceText? {
    switch source {
    case .folder(let url): return text(url, path, findings)
    case .files(_, let files):
      guard let text = files[path] else {
        findings.add(wholeFile: path, "this file is missing")
        return nil
      }
      guard text.utf8.count <= bytesMax else {
        findings.add(
          wholeFile: path, "this file is larger than 1 MB", hint: "split it into several files")
        return nil
      }
      return SourceText(path: path, text: text)
    }
  }

  package static func text(_ folder: URL, _ path: String, _ findings: Findings) -> SourceText? {
    let url = folder.appending(path: path)
    // Opening a pipe would wait for its other end.
    let kind = try? url.resolvingSymlinksInPath().resourceValues(forKeys: [.isRegularFileKey])
    guard kind?.isRegularFile ?? true else {
      findings.add(wholeFile: path, "this is no file, but a folder, a pipe or a device")
      return nil
    }
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      findings.add(wholeFile: path, "this file cannot be read")
      return nil
    }
    defer { try? handle.close() }  // Only read: there is nothing to lose.
    guard let bytes = try? handle.read(upToCount: bytesMax + 1) ?? Data() else {
      findings.add(wholeFile: path, "this file cannot be read")
      return nil
    }
    guard bytes.count <= bytesMax else {
      findings.add(
        wholeFile: path, "this file is larger than 1 MB", hint: "split it into several files")
      return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      // What cannot be read is shown as U+FFFD, and the first of them is the place.
      let readable = SourceText(path: path, text: String(decoding: bytes, as: UTF8.self))
      let valid = YamlPitfalls.validPrefix(bytes)
      let line = valid.count { $0 == 0x0A } + 1
      let start = valid.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
      let before = String(decoding: valid[start...], as: UTF8.self)
      findings.add(
        readable, line: line, column: before.unicodeScalars.count + 1,
        "this file is not UTF-8 text")
      return nil
    }
    return SourceText(path: path, text: text)
  }

  /// - Returns: nil for an empty document, or when there are findings.
  package static func compose(_ file: SourceText, _ findings: Findings) -> Node? {
    if let (line, column) = firstAlias(file) {
      findings.add(
        file, line: line, column: column, "aliases are not allowed here",
        hint: "write the value out")
      return nil
    }
    do {
      guard let node = try composeTellingKeys(file, findings) else { return nil }
      if let deep = tooDeep(node, 0) {
        findings.add(
          file, line: deep.mark?.line ?? 1, column: deep.mark?.column ?? 1,
          "this file is nested more than \(depthMax) deep")
        return nil
      }
      return node
    } catch let error as YamlError {
      report(error, file, findings)
    } catch {
      findings.add(wholeFile: file.path, "this is not YAML: \(error)")
    }
    return nil
  }

  /// Yams stops at the first mapping with a key that stands twice. Each is told, and the text read
  /// again with that key under another name, so that the next is found.
  private static func composeTellingKeys(_ file: SourceText, _ findings: Findings) throws -> Node? {
    var lines: [String]?
    for round in 0..<duplicatesMax {
      do {
        let node = try Yams.compose(yaml: lines?.joined(separator: "\n") ?? file.text)
        return lines == nil ? node : nil
      } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
        // The mark is that of the first of these names, where it stands first.
        guard let name = duplicates.first else { return nil }
        let second = YamlPitfalls.second(name, file, context.mark)
        let place = second ?? (context.mark.line, context.mark.column)
        findings.add(
          file, line: place.line, column: place.column, length: name.unicodeScalars.count,
          "`\(name)` stands twice in this mapping")
        guard second != nil else { return nil }
        var edited = lines ?? file.lines.map(String.init)
        var scalars = Array(edited[place.line - 1].unicodeScalars)
        let end = place.column - 1 + name.unicodeScalars.count
        guard end <= scalars.count else { return nil }
        scalars.insert(contentsOf: "·\(round)".unicodeScalars, at: end)
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        edited[place.line - 1] = String(text)
        lines = edited
      }
    }
    return nil
  }
  private static let duplicatesMax = 20

  private static func report(_ error: YamlError, _ file: SourceText, _ findings: Findings) {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let before = context.map { "\($0.text) " } ?? ""
      // A text without its closing quote runs to the end of the file: its beginning says more.
      let place = problem.contains("end of stream") ? context?.mark ?? mark : mark
      findings.add(
        file, line: place.line, column: place.column, "this is not YAML: \(before)\(problem)",
        hint: isTab(file, place)
          ? "indent with spaces, not with tabs"
          : YamlPitfalls.hint(file, place.line, place.column, problem))
    case .reader(let problem, _, _, _):
      guard let place = YamlPitfalls.control(file) else {
        return findings.add(wholeFile: file.path, "this is not YAML: \(problem)")
      }
      findings.add(
        file, line: place.line, column: place.column, "this is not YAML: \(problem)")
    default: findings.add(wholeFile: file.path, "this is not YAML: \(error)")
    }
  }

  private static func isTab(_ file: SourceText, _ mark: Mark) -> Bool {
    file.line(mark.line).unicodeScalars.dropFirst(max(mark.column - 1, 0)).first == "\t"
  }

  /// The first node that lies too deep.
  private static func tooDeep(_ node: Node, _ above: Int) -> Node? {
    guard above <= depthMax else { return node }
    switch node {
    case .scalar, .alias: return nil
    case .sequence(let sequence):
      for element in sequence { if let found = tooDeep(element, above + 1) { return found } }
    case .mapping(let mapping):
      for (key, value) in mapping {
        if let found = tooDeep(key, above + 1) ?? tooDeep(value, above + 1) { return found }
      }
    }
    return nil
  }

  /// The first `*name` whose `&name` stands before it. An alias without its anchor is YAML's own
  /// error, so text
  /// without such a pair holds no alias. An alias stands where a value begins; what stands inside a
  /// text (`press *T`, `AT&T`) is neither. Where that is not sure it counts as one.
  private static func firstAlias(_ file: SourceText) -> (Int, Int)? {
    guard file.text.utf8.contains(UInt8(ascii: "*")), file.text.utf8.contains(UInt8(ascii: "&"))
    else { return nil }
    var anchors: Set<[UInt8]> = []
    for (number, line) in file.lines.enumerated() {
      let bytes = Array(line.utf8)
      for at in bytes.indices where bytes[at] == UInt8(ascii: "&") || bytes[at] == UInt8(ascii: "*")
      {
        let name = Array(bytes[(at + 1)...].prefix { isNameByte($0) })
        guard !name.isEmpty else { continue }
        if bytes[at] == UInt8(ascii: "&") {
          if at == 0 || beforeValue.contains(bytes[at - 1]) { anchors.insert(name) }
        } else if beginsValue(bytes, at), anchors.contains(name) {
          return (number + 1, at + 1)
        }
      }
    }
    return nil
  }

  /// What may stand right before a value; the last is the end of a byte order mark, which may begin
  /// a line.
  private static let beforeValue = Set(" \t-:?,[{".utf8).union([0xBF])

  /// Whether before this there is nothing on its line but what a value may follow.
  private static func beginsValue(_ bytes: [UInt8], _ at: Int) -> Bool {
    let before = bytes[..<at].last { $0 != 0x20 && $0 != 0x09 }
    return before.map { beforeValue.contains($0) } ?? true
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || byte == 0x5F || byte == 0x2D
  }
}
