import Glibc
import Model
import Records
import System

extension SQLiteStore {
  public struct Restored: Sendable, Equatable {
    /// Erasures that the backup did not know, carried out again.
    public var erasuresRepeated = 0
    /// Where the folder's former files lie now; nil where there were none.
    public var replaced: String?
    /// What is damaged in what was restored; empty unless that was allowed.
    public var damaged: [String] = []
    /// How many receipts there are of workspaces, by name, that the backup does not have: nobody of
    /// theirs came back, and nothing keeps these receipts.
    public var receiptsOfOthers: [String: Int] = [:]
  }

  /// What whoever restores has said they take upon themselves.
  public struct RestoreConsent: Sendable {
    /// That receipts of erasures cannot be read in the folder that is replaced.
    public var lostErasures = false
    /// That what is restored is damaged itself.
    public var damage = false
    public init(lostErasures: Bool = false, damage: Bool = false) {
      self.lostErasures = lostErasures
      self.damage = damage
    }
  }

  /// Puts a backup in a data folder's place. Nobody else may have the folder open.
  ///
  /// ```
  /// restoring/  ◄─ copied, checked, erased again, redacted again (`also`) ─┐ cut off here: the folder
  /// RESTORING   ◄─ written: from here on nobody opens the folder           ┘ is as it was
  /// replaced-<time>/ ◄─ what was there     ─┐ cut off here: whoever opens the folder next goes on
  /// the folder ◄─ what was in restoring/   ─┘ from where it stopped (`HalfRestored.finish`)
  /// ```
  /// So at no moment does anything stand in the folder's place from which the receipts of the folder
  /// that is replaced, and those handed in, were not carried out: a backup never brings an erased
  /// person back.
  /// - Parameter also: what else is to be done to what was restored, before it takes the place of
  ///   what was there.
  /// - Errors: nothing has changed then, unless it is one of the last renames that failed.
  public static func restore(
    _ backup: String, to folder: String,
    receipts given: [(workspace: String, receipt: ErasureReceipt)],
    consent: RestoreConsent = RestoreConsent(), at: Instant, _ forms: ErasedForms,
    also: (SQLiteStore, ReplacedFolder?) throws(StoreFault) -> Void = { _, _ in }
  ) throws(StoreFault) -> Restored {
    try restore(
      backup, to: folder, receipts: given, consent: consent, at: at, forms, also: also,
      reached: { _ in })
  }

  /// - Parameter reached: called before each step after which the folder is no longer what it was.
  static func restore(
    _ backup: String, to folder: String,
    receipts given: [(workspace: String, receipt: ErasureReceipt)], consent: RestoreConsent,
    at: Instant, _ forms: ErasedForms,
    also: (SQLiteStore, ReplacedFolder?) throws(StoreFault) -> Void,
    reached: (HalfRestored.Step) throws(StoreFault) -> Void
  ) throws(StoreFault) -> Restored {
    guard !Folders.isInside(backup, folder) else {
      throw .failed(
        doing: "restore \(backup)",
        why:
          "it lies in the data folder \(folder) itself, which is to be replaced: move it out first")
    }
    try Folders.make(folder)
    try HalfRestored.finish(folder)
    guard Files.exists("\(backup)/\(FolderBackup.manifest)") else {
      throw .failed(
        doing: "restore \(backup)",
        why: "it has no file \(FolderBackup.manifest), so that it is no backup or was not finished")
    }
    let old = try ReplacedFolder(folder)
    if let lost = old?.lost.first, !consent.lostErasures {
      throw .failed(
        doing: "restore \(backup)",
        why:
          "the receipts of erasures in \(folder) cannot all be read (\(lost)), so that whoever was "
          + "erased since the backup might come back: hand in receipts that were kept elsewhere "
          + "(--erasures FILE), or say --accept-lost-erasures")
    }
    var restored = Restored()
    do throws(StoreFault) {
      restored.damaged = try build(backup, beside: folder, consent) {
        store throws(StoreFault) in
        old?.know(try store.reader().workspaces())
        let names = Dictionary(
          (old?.workspaces ?? []).map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let own = (old?.receipts ?? []).compactMap { found in
          names[found.workspace].map { (workspace: $0, receipt: found.receipt) }
        }
        try store.repeatErasures(given + own, at: at, forms, &restored)
        try also(store, old)
      }
    } catch {
      // Its own failure would only hide the first one, and the next start tidies up again.
      do throws(StoreFault) { try HalfRestored.discard(folder) } catch {}
      throw error
    }
    let aside = old == nil ? nil : "replaced-\(at.milliseconds)"
    old?.close()
    try HalfRestored.takePlace(in: folder, aside, reached)
    restored.replaced = aside.map { "\(folder)/\($0)" }
    return restored
  }

  /// Makes all of what is to stand in the folder's place, durably, beside it; answers what is damaged
  /// in it.
  private static func build(
    _ backup: String, beside folder: String, _ consent: RestoreConsent,
    _ change: (SQLiteStore) throws(StoreFault) -> Void
  ) throws(StoreFault) -> [String] {
    let place = HalfRestored.place(folder)
    try copy(backup, to: place)
    let store = try SQLiteStore(folder: place)
    let damaged: [String]
    do throws(StoreFault) {
      damaged = try store.damaged()
      if let first = damaged.first, !consent.damage {
        throw .corrupt(
          what: "the backup \(backup) is damaged itself (\(first)"
            + (damaged.count > 1 ? ", and \(damaged.count - 1) findings more" : "")
            + "): restore an older one, or say --even-damaged")
      }
      try change(store)
      try store.leaveNothing()
    } catch {
      store.close()
      throw error
    }
    store.close()
    try HalfRestored.settle(place)
    return damaged
  }

  /// Every row, and rows against each other, and the blobs.
  func damaged() throws(StoreFault) -> [String] {
    let reader = try SQLiteReader(self)
    var found = try IntegrityCheck.file(reader)
    for workspace in try reader.workspaces() {
      found += try IntegrityCheck.whole(reader, workspace.id, blobs: blobs).findings.map {
        "\(workspace.name): \($0)"
      }
    }
    return found
  }

  /// Blobs first and the rows last, under their name only when they are whole.
  private static func copy(_ backup: String, to folder: String) throws(StoreFault) {
    try Folders.removeAll(folder)
    try Folders.make("\(folder)/blobs")
    let target = BlobFiles(folder: "\(folder)/blobs")
    let source = BlobFiles(folder: "\(backup)/blobs")
    for workspace in try Folders.names(in: source.folder) {
      guard let number = UInt32(workspace) else { continue }
      for shelf in try Folders.names(in: "\(source.folder)/\(workspace)") {
        for name in try Folders.names(in: "\(source.folder)/\(workspace)/\(shelf)") {
          guard let hash = Digest(hex: name) else { continue }
          // One that is damaged is left out, and missed by the check of what was copied.
          do throws(StoreFault) {
            let bytes = try source.read(hash, WorkspaceID(number))
            _ = try target.write(bytes, WorkspaceID(number))
          } catch {
            guard case .corrupt = error else { throw error }
          }
        }
      }
    }
    try Folders.copy(MainFile.path(backup), to: MainFile.path(folder))
  }

  private func repeatErasures(
    _ receipts: [(workspace: String, receipt: ErasureReceipt)], at: Instant, _ forms: ErasedForms,
    _ restored: inout Restored
  ) throws(StoreFault) {
    let reader = try SQLiteReader(self)
    let workspaces = try reader.workspaces()
    var strangers: [String: Set<String>] = [:]
    for (name, receipt) in receipts where !workspaces.contains(where: { $0.name == name }) {
      strangers[name, default: []].insert(Self.key(receipt))
    }
    restored.receiptsOfOthers = strangers.mapValues(\.count)
    for workspace in workspaces {
      var known = Set(try reader.erasures(workspace.id).filter { $0.done != nil }.map(Self.key))
      for (name, receipt) in receipts
      where name == workspace.name && known.insert(Self.key(receipt)).inserted {
        _ = try erase(
          workspace.id, receipt.customers, at: receipt.at, by: receipt.by, upTo: receipt.upTo, forms
        )
        restored.erasuresRepeated += 1
      }
    }
  }

  private static func key(_ receipt: ErasureReceipt) -> String {
    "\(receipt.at) \(receipt.customers.map(\.description).sorted())"
  }
}

/// A restore that is at its last steps, the renames, or was cut off there.
///
/// The file `RESTORING` says where what was there goes. While it stands nothing in the folder is to be
/// opened, and whoever comes next, be it a server, the doctor or another restore, does what is left:
/// each step finds by itself whether it was done.
enum HalfRestored {
  /// In their order; each may be the last that was reached.
  enum Step: CaseIterable {
    case marking, movingFileAside, movingCompanionsAside, movingBlobsAside, placingBlobs,
      removingIndex, placingFile, tidying, unmarking
  }

  static func marker(_ folder: String) -> String { "\(folder)/RESTORING" }
  static func place(_ folder: String) -> String { "\(folder)/restoring" }

  static func isUnderWay(_ folder: String) -> Bool { Files.exists(marker(folder)) }

  /// Does what a restore that was cut off has left to do. Answers whether there was something.
  @discardableResult
  static func finish(_ folder: String) throws(StoreFault) -> Bool {
    guard isUnderWay(folder) else {
      // Cut off before it had changed anything: what it had made may hold whom an erasure took.
      try discard(folder)
      return false
    }
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try Files.read(marker(folder), bytesMax: 4_096) } catch {
      throw .failed(doing: "finish a restore of \(folder)", why: "\(error)")
    }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count >= 2, words.first == "replaced", !words[1].contains("/") else {
      throw .failed(
        doing: "finish a restore of \(folder)", why: "\(marker(folder)) cannot be read")
    }
    try move(folder, words[1] == "nothing" ? nil : String(words[1])) { _ in }
    return true
  }

  /// Takes away what a restore has made beside the folder.
  static func discard(_ folder: String) throws(StoreFault) {
    guard Files.exists(place(folder)) else { return }
    try Folders.removeAll(place(folder))
    try Folders.sync(folder: folder)
  }

  /// Leaves nothing in the place but the rows, in one file, and the blobs.
  static func settle(_ place: String) throws(StoreFault) {
    if let size = try Folders.size(MainFile.path(place) + "-wal"), size > 0 {
      throw .failed(doing: "restore into \(place)", why: "its write-ahead log is not empty")
    }
    for companion in MainFile.companions { try Folders.remove(MainFile.path(place) + companion) }
    try SearchFile.remove(place)
    try RealDisk().sync(file: MainFile.path(place))
    try Folders.sync(folder: place)
  }

  /// - Parameter aside: a name in the folder; nil where nothing was there.
  static func takePlace(
    in folder: String, _ aside: String?, _ reached: (Step) throws(StoreFault) -> Void
  ) throws(StoreFault) {
    try reached(.marking)
    do throws(SystemError) {
      try Files.writeAtomically(
        Array("replaced \(aside ?? "nothing")\n".utf8), to: marker(folder))
    } catch { throw .failed(doing: "restore into \(folder)", why: "\(error)") }
    try move(folder, aside, reached)
  }

  private static func move(
    _ folder: String, _ aside: String?, _ reached: (Step) throws(StoreFault) -> Void
  ) throws(StoreFault) {
    let new = place(folder)
    // Moved last, so that it stands there for as long as anything is left to be moved.
    if Files.exists(MainFile.path(new)) {
      if let aside {
        try moveAside(
          folder, "\(folder)/\(aside)", hasBlobs: Files.exists("\(new)/blobs"), reached)
      } else {
        for companion in MainFile.companions {
          try Folders.remove(MainFile.path(folder) + companion)
        }
      }
      try reached(.placingBlobs)
      try Folders.move("\(new)/blobs", to: "\(folder)/blobs")
      try reached(.removingIndex)
      // It would tell of what is not there any more.
      try SearchFile.remove(folder)
      try Folders.sync(folder: folder)
      try reached(.placingFile)
      try Folders.move(MainFile.path(new), to: MainFile.path(folder))
      try Folders.sync(folder: folder)
    }
    try reached(.tidying)
    try Folders.removeAll(new)
    try Folders.sync(folder: folder)
    try reached(.unmarking)
    try Folders.remove(marker(folder))
    try Folders.sync(folder: folder)
  }

  private static func moveAside(
    _ folder: String, _ aside: String, hasBlobs: Bool,
    _ reached: (Step) throws(StoreFault) -> Void
  ) throws(StoreFault) {
    try Folders.make(aside)
    try reached(.movingFileAside)
    try Folders.move(MainFile.path(folder), to: MainFile.path(aside))
    try reached(.movingCompanionsAside)
    // Left behind, they would be taken for those of the file that comes.
    for companion in MainFile.companions {
      try Folders.move(MainFile.path(folder) + companion, to: MainFile.path(aside) + companion)
    }
    try reached(.movingBlobsAside)
    // Once the new ones have taken their place they are no longer those that were there.
    if hasBlobs { try Folders.move("\(folder)/blobs", to: "\(aside)/blobs") }
    try Folders.sync(folder: aside)
    try Folders.sync(folder: folder)
  }
}
