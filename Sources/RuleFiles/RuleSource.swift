import Foundation

/// Where a workspace's files come from: a folder on disk, or texts that somebody sent or that were
/// kept.
public enum RuleSource: Sendable {
  case folder(URL)
  /// Texts by their path below the workspace, such as `rules/10-vip.yaml`.
  case files(name: String, [String: String])

  /// - Units: bytes of all texts of one workspace together.
  public static let bytesMax = 16 << 20
  static let filesMax = 2 * WorkspaceFolder.filesMax + tops.count
  static let tooLarge = "these rules are larger than \(bytesMax >> 20) MB"

  /// The workspace's name.
  var name: String {
    switch self {
    case .folder(let url): url.lastPathComponent
    case .files(let name, _): name
    }
  }

  /// What lies at the top, or in a folder below it; sorted.
  func names(in folder: String = "") -> [String] {
    switch self {
    case .folder(let url):
      let below = folder.isEmpty ? url : url.appending(path: folder)
      return ((try? FileManager.default.contentsOfDirectory(atPath: below.path)) ?? []).sorted()
    case .files(_, let files):
      let prefix = folder.isEmpty ? "" : folder + "/"
      let below = files.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
      return Set(below.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
    }
  }

  /// Whether a path names something below the workspace, and in one way only.
  static func isBelow(_ path: String) -> Bool {
    path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
      !["", ".", ".."].contains($0)
    }
  }

  func has(_ path: String) -> Bool {
    switch self {
    case .folder(let url): FileManager.default.fileExists(atPath: url.appending(path: path).path)
    case .files(_, let files): files[path] != nil
    }
  }

  /// The version that rules of these texts have, which is that of a folder which holds the same.
  public static func version(of files: [String: String]) -> String {
    var version = ContentVersion()
    for (path, text) in read(from: files) where !path.hasPrefix("tests/") {
      version.add(path, text)
    }
    return version.text
  }

  /// Of these texts those that something is read from, in the order in which it is: rules, what they
  /// name, and their tests. Whatever else lies in a folder changes nothing.
  public static func read(from files: [String: String]) -> [(path: String, text: String)] {
    let below = ["rules/", "tests/"].flatMap { folder in
      files.keys.filter { $0.hasPrefix(folder) && $0.hasSuffix(".yaml") }.sorted()
    }
    return (tops + below).compactMap { path in
      files[path].map { (path, SourceText.withoutMark($0)) }
    }
  }
  static let tops = ["workspace.yaml", "hours.yaml", "skills.yaml", "queues.yaml", "agents.yaml"]

  /// Every file that rules are read from, so that they can be kept and read again as they were.
  /// What cannot be read is left out: checking the folder tells of it.
  public static func texts(in folder: String) -> [String: String] {
    let source = RuleSource.folder(URL(filePath: folder, directoryHint: .isDirectory))
    let findings = Findings()
    var found: [String: String] = [:]
    var bytes = 0
    let tops = source.names().filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
    let below = ["rules", "tests"].flatMap { name in
      source.names(in: name).filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.map {
        "\(name)/\($0)"
      }
    }
    // What nothing reads comes last: it must not take the room of what counts.
    let strangers = tops.filter { !Self.tops.contains($0) }
    for path in Self.tops.filter(tops.contains) + below + strangers where found.count < filesMax {
      guard let text = YamlFile.text(source, path, findings)?.text,
        bytes + text.utf8.count <= bytesMax
      else { continue }
      bytes += text.utf8.count
      found[path] = text
    }
    return found
  }
}
