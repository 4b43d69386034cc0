import Model
import Records
import RuleFiles
import Rules
import Synchronization
import Wire

/// One version of a workspace's rules as it is kept: every file, and who made it apply, when and
/// how. So a past case
/// can be explained by the rules that routed it, and any version can apply again.
struct RuleVersion: Sendable, Equatable {
  /// Codes are stored: append only.
  enum Origin: UInt8, Sendable {
    /// Read from the rules folder, at the start or by a reload.
    case folder = 1
    /// Sent to the running server.
    case sent
    /// An earlier version again.
    case rollback

    var name: String {
      switch self {
      case .folder: "folder"
      case .sent: "sent"
      case .rollback: "rollback"
      }
    }
  }

  var number: UInt32 = 0
  /// The folder on disk as it was when it last applied: a fingerprint of what is read of it. While
  /// it is the same, what was sent or rolled back to goes on to apply.
  var folder: [UInt8]
  var origin: Origin
  /// `start`, `SIGHUP`, a local user such as `local:ann` (`administrator` where the system does not
  /// tell who), or a token's holder such as `admin:ann`.
  var by: String
  var at: Instant
  var note = ""
  /// The version that a rollback went back to.
  var earlier: UInt32?
  /// Texts by path; nil for a version that an older program kept only the fingerprint of.
  var files: [String: String]?

  private static let format: UInt8 = 2

  var encoded: [UInt8] {
    var out = ByteWriter()
    out.uint8(Self.format)
    out.blob(folder)
    out.uint8(origin.rawValue)
    out.string(by)
    out.signed(at.milliseconds)
    out.string(note)
    out.optional(earlier) { $0.varint(UInt64($1)) }
    out.array((files ?? [:]).sorted { $0.key < $1.key }) {
      $0.string($1.key)
      $0.string($1.value)
    }
    return out.bytes
  }

  /// Of a row of configuration.
  init(_ row: (version: UInt32, bytes: [UInt8])) throws(StoreFault) {
    // Before versions were kept whole, a row held the SHA-256 of the folder and nothing else.
    if row.bytes.count == 32 {
      self.init(
        number: row.version, folder: row.bytes, origin: .folder, by: "",
        at: Instant(milliseconds: 0), files: nil)
      return
    }
    do throws(WireError) {
      self = try ByteReader.readAll(row.bytes) { r throws(WireError) in
        let start = r.offset
        guard try r.uint8() == Self.format else { throw WireError.badValue(offset: start) }
        let folder = try r.blob()
        let at = r.offset
        guard let origin = Origin(rawValue: try r.uint8()) else {
          throw WireError.badValue(offset: at)
        }
        var version = RuleVersion(
          number: row.version, folder: folder, origin: origin, by: try r.string(),
          at: Instant(milliseconds: try r.signed()), files: [:])
        version.note = try r.string()
        version.earlier = try r.optional { r throws(WireError) in try r.uint32() }
        let files = try r.array(each: 2) { r throws(WireError) in
          (path: try r.string(), text: try r.string())
        }
        version.files = Dictionary(files.map { ($0.path, $0.text) }) { first, _ in first }
        return version
      }
    } catch {
      throw StoreFault.corrupt(what: "version \(row.version) of the rules: \(error)")
    }
  }

  init(
    number: UInt32 = 0, folder: [UInt8], origin: Origin, by: String, at: Instant, note: String = "",
    earlier: UInt32? = nil, files: [String: String]?
  ) {
    self.number = number
    self.folder = folder
    self.origin = origin
    self.by = by
    self.at = at
    self.note = note
    self.earlier = earlier
    self.files = files
  }

  /// The rules that it holds, checked again.
  func load(_ workspace: String) -> WorkspaceFolder.Loaded? {
    files.map { WorkspaceFolder.load(files: $0, name: workspace) }
  }
}

/// What is still asked of versions that no longer apply: read again from their kept files when a
/// case that they routed is looked at, or told something while it waits, and then remembered.
final class EarlierRules: Sendable {
  struct Kept: Sendable {
    /// What its rules were called.
    var names: [String] = []
    /// What its steps say.
    var texts: [String] = []
  }
  private let workspace: WorkspaceID
  private let name: String
  private let known = Mutex<[UInt32: Kept]>([:])

  init(_ workspace: WorkspaceID, _ name: String) {
    self.workspace = workspace
    self.name = name
  }

  func of(_ version: UInt32, _ reads: any StoreReader) throws(StoreFault) -> Kept {
    if let kept = known.withLock({ $0[version] }) { return kept }
    let loaded = try reads.ruleVersion(workspace, version)?.load(name)
    let kept =
      loaded?.workspace.map { checked in
        Kept(names: checked.rules.rules.map(\.name), texts: RulePlanner.texts(of: checked))
      } ?? Kept()
    if loaded?.workspace == nil {
      Log.fault(
        "reading version \(version) of the rules of \(name) again, so that its cases are told nothing while they wait",
        loaded?.rendered ?? "it was not kept")
    }
    known.withLock { $0[version] = kept }
    return kept
  }
}

extension StoreReader {
  /// Nil where a workspace has no such version, or none at all.
  func ruleVersion(_ workspace: WorkspaceID, _ number: UInt32? = nil) throws(StoreFault)
    -> RuleVersion?
  {
    guard let row = try configuration(workspace, version: number) else { return nil }
    return try RuleVersion(row)
  }
}
