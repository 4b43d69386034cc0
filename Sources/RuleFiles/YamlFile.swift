import CYaml
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
          "`\(name)` stands twice in this mapping",
          hint: second == nil && !name.utf8.allSatisfy { $0 < 0x80 }
            ? "the other one looks the same, and is written with other characters" : nil)
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

  /// The first `*name` whose `&name` stands before it, as libyaml reads them. One without is YAML's
  /// own error. Nodes come too late: finding keys that stand twice would unfold a bomb.
  private static func firstAlias(_ file: SourceText) -> (Int, Int)? {
    var text = file.text
    guard text.utf8.contains(UInt8(ascii: "*")), text.utf8.contains(UInt8(ascii: "&")) else {
      return nil
    }
    return text.withUTF8 { bytes in
      var parser = yaml_parser_t()
      guard yaml_parser_initialize(&parser) == 1 else { return nil }
      defer { yaml_parser_delete(&parser) }
      yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
      var anchors: Set<String> = []
      while true {
        var event = yaml_event_t()
        // What comes after an error is not read by anybody.
        guard yaml_parser_parse(&parser, &event) == 1 else { return nil }
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_ALIAS_EVENT where anchors.contains(name(event.data.alias.anchor)):
          return (Int(event.start_mark.line) + 1, Int(event.start_mark.column) + 1)
        case YAML_SCALAR_EVENT: anchors.insert(name(event.data.scalar.anchor))
        case YAML_SEQUENCE_START_EVENT: anchors.insert(name(event.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT: anchors.insert(name(event.data.mapping_start.anchor))
        case YAML_STREAM_END_EVENT: return nil
        default: continue
        }
      }
    }
  }

  /// Empty, as no anchor is, where there is none.
  private static func name(_ anchor: UnsafePointer<yaml_char_t>?) -> String {
    anchor.map { String(cString: $0) } ?? ""
  }
}
