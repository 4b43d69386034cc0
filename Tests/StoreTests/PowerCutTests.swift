import Records
import CPowerCut
import Foundation
import Model
import Testing

@testable import Store

/// Records everything that a busy store writes, then cuts the power at many points of it: of what
/// was not synced, each 512-byte sector is kept or lost by itself, in any order. Whatever was
/// acknowledged must be there.
///
/// `THROUGHLINE_POWER_CUTS=10000` cuts that often.
struct `A power cut` {
  let folder = TemporaryFolder()
  static let cuts = Int(ProcessInfo.processInfo.environment["THROUGHLINE_POWER_CUTS"] ?? "") ?? 20

  @Test func `loses nothing that was acknowledged, at any point`() throws {
    let blobs = RecordingDisk()
    let (base, operations) = try record(commits: 120, blobs)
    #expect(operations.count > 1_000)
    var random = SplitMix(state: 11)
    // In order, so that each goes on from where the one before was.
    let points = (0..<Self.cuts).map { _ in Int(random.next() % UInt64(operations.count + 1)) }
      .sorted()
    var recovered: Set<Int64> = []
    var disk = PoweredDisk(base)
    var folder = BlobFolder()
    var played = 0
    for (number, point) in points.enumerated() {
      for operation in operations[played..<point] {
        disk.play(operation)
        if operation.kind == TL_NOTE { folder.play(blobs.operation(operation.offset)) }
      }
      played = point
      let place = "\(self.folder.path)/cut"
      let cut = disk.cut(&random)
      try cut.write(to: place)
      try folder.cut(&random).write(from: "\(self.folder.path)/recorded", to: place)
      recovered.insert(try check(place, cut, "cut \(number) after operation \(point)"))
      try FileManager.default.removeItem(atPath: place)
      if Self.cuts > 100, number % (Self.cuts / 20) == 0 {
        print("\(number) of \(Self.cuts) power cuts")
      }
    }
    #expect(
      recovered.count > min(Self.cuts, 120) / 3, "the points are spread over the whole recording")
  }

  @Test(arguments: [BlobOperation.Kind.syncFile, .syncFolder])
  func `a blob folder that is not synced is caught, so that this test can fail`(
    _ lie: BlobOperation.Kind
  ) throws {
    let blobs = RecordingDisk()
    let (base, operations) = try record(commits: 40, blobs)
    blobs.forget(lie)
    var random = SplitMix(state: 3)
    var losses = 0
    for _ in 0..<10 {
      let place = "\(folder.path)/cut"
      try PoweredDisk(base, operations).cut(&random).write(to: place)
      var kept = BlobFolder()
      for operation in operations where operation.kind == TL_NOTE {
        kept.play(blobs.operation(operation.offset))
      }
      try kept.cut(&random).write(from: "\(folder.path)/recorded", to: place)
      let store = try SQLiteStore(folder: place)
      let reader = try SQLiteReader(store)
      for hash in try reader.blobHashes(WorkspaceID(1)) {
        do throws(StoreFault) { _ = try store.blobs.read(hash, WorkspaceID(1)) } catch {
          losses += 1
        }
      }
      store.close()
      try FileManager.default.removeItem(atPath: place)
    }
    #expect(losses > 10)
  }

  @Test func `a disk that lies about syncing is caught, so that this test can fail`() throws {
    let blobs = RecordingDisk()
    let (base, recorded) = try record(commits: 40, blobs)
    let operations = recorded.filter { $0.kind != TL_SYNC }
    var random = SplitMix(state: 5)
    var losses = 0
    for _ in 0..<20 {
      let disk = PoweredDisk(base, operations).cut(&random)
      let place = "\(folder.path)/cut"
      try disk.write(to: place)
      if try !isWhole(place, disk) { losses += 1 }
      try FileManager.default.removeItem(atPath: place)
    }
    #expect(losses > 10)
  }

  // MARK: Recording

  /// Recording is of the whole process: one at a time.
  static let turn = NSLock()

  /// A new file gets its name when it is whole and synced: what is recorded begins there.
  private func record(
    commits: Int64, _ disk: RecordingDisk
  ) throws -> (base: [UInt8], [Operation]) {
    try Self.turn.withLock {
      let place = "\(folder.path)/recorded"
      try SQLiteStore(folder: place).close()
      let base = try Data(contentsOf: URL(fileURLWithPath: "\(place)/throughline.sqlite"))
      #expect(tl_record_start("\(place)/throughline.sqlite", nil) == 0)
      var policy = CheckpointPolicy()
      policy.pages = 60  // So that the log is moved and begun anew many times.
      let store = try SQLiteStore(folder: place, checkpointing: policy, disk: disk)
      let workspace = try store.addWorkspace(named: "demo").id
      tl_record_mark(0)
      for position in 1...commits {
        var commit = Self.commit(workspace, position)
        if position % 3 == 0 {
          // Some bytes come twice.
          let bytes = Samples.bytes(
            Int(position / 6), count: 100 + Int(position) * 53 % 2_000 / 6 * 6)
          commit.blobs = [Samples.blob(Int(position), conversation: nil)]
          commit.blobs[0].hash = try store.blobs.write(bytes, workspace)
        }
        try store.commit([commit])
        tl_record_mark(position)
      }
      let count = tl_record_stop()
      store.close()
      return (Array(base), (0..<count).map { Operation(tl_record_at($0)) })
    }
  }

  private static func commit(_ workspace: WorkspaceID, _ position: Int64) -> Commit {
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(position)]
    commit.entries = [
      Samples.entry(position, customer: Int(position % 7), count: 200 + Int(position) * 37 % 3_000)
    ]
    commit.customers = [Samples.customer(Int(position % 7))]
    commit.work = [
      OpenWorkRow(kind: 1, key: [UInt8(position % 11)], value: position % 3 == 0 ? nil : [1, 2, 3])
    ]
    commit.keys = [KeyRow(space: .call, key: [1], value: Samples.bytes(Int(position)))]
    return commit
  }

  // MARK: Checking

  private func check(_ place: String, _ disk: PoweredDisk, _ name: String) throws -> Int64 {
    let store = try SQLiteStore(folder: place)
    defer { store.close() }
    guard let acknowledged = disk.acknowledged else { return -1 }  // Cut before the first commit.
    let workspace = WorkspaceID(1)
    let reader = try SQLiteReader(store)
    let head = try reader.head(workspace)
    #expect(head.position >= acknowledged && head.position <= acknowledged + 1, "\(name)")
    #expect(head.entry.raw == head.position, "\(name)")
    #expect(try IntegrityCheck.recent(reader, workspace, from: .start).findings == [], "\(name)")
    #expect(try IntegrityCheck.file(reader) == [], "\(name)")
    // A row is never without its bytes.
    let hashes = try reader.blobHashes(workspace)
    for hash in hashes { #expect(try store.blobs.size(hash, workspace) != nil, "\(name)") }
    for hash in hashes { _ = try store.blobs.read(hash, workspace) }
    if head.position >= 3 { #expect(!hashes.isEmpty) }
    if head.position > 0 {
      #expect(try reader.key(workspace, .call, [1]) == Samples.bytes(Int(head.position)), "\(name)")
    }
    // And it goes on.
    try store.commit([Self.commit(workspace, head.position + 1)])
    return head.position
  }

  private func isWhole(_ place: String, _ disk: PoweredDisk) throws -> Bool {
    do {
      let store = try SQLiteStore(folder: place)
      defer { store.close() }
      let reader = try SQLiteReader(store)
      let head = try reader.head(WorkspaceID(1))
      return try head.position == disk.acknowledged && IntegrityCheck.file(reader) == []
        && IntegrityCheck.recent(reader, WorkspaceID(1), from: .start).findings == []
    } catch is StoreFault { return false }
  }
}

struct Operation {
  var kind: Int
  var file: Int
  var offset: Int64
  var bytes: [UInt8]
  init(_ recorded: tl_recorded) {
    kind = Int(recorded.kind)
    file = Int(recorded.file)
    offset = recorded.offset
    bytes = Array(UnsafeBufferPointer(start: recorded.bytes, count: Int(recorded.count)))
  }
}

/// What a database's three files hold and those of the index, and what of it was synced.
struct PoweredDisk {
  private var files = [[UInt8]?](repeating: nil, count: names.count)
  private var waiting = [[Operation]](repeating: [], count: names.count)
  /// The last commit that had returned; nil before the store was ready.
  private(set) var acknowledged: Int64?
  private static let names = [
    "throughline.sqlite", "throughline.sqlite-wal", "throughline.sqlite-journal",
    "search.sqlite", "search.sqlite-wal", "search.sqlite-journal",
  ]

  /// - Parameters:
  ///   - base: the main file as it was when the recording began.
  ///   - index: that of the index, where it is recorded, too.
  init(_ base: [UInt8], index: [UInt8]? = nil, _ operations: [Operation] = []) {
    files[0] = base
    files[3] = index
    for operation in operations { play(operation) }
  }

  mutating func play(_ operation: Operation) {
    switch operation.kind {
    case Int(TL_MARK): acknowledged = operation.offset
    case Int(TL_NOTE): break
    case Int(TL_SYNC):
      for earlier in waiting[operation.file] { apply(earlier) }
      waiting[operation.file] = []
    case Int(TL_REMOVE):
      // With its folder synced, or soon lost either way: SQLite does not rely on the other case.
      files[operation.file] = nil
      waiting[operation.file] = []
    default: waiting[operation.file].append(operation)
    }
  }

  /// After the power came back: of what was not synced, some writes whole, some not at all, some
  /// torn.
  func cut(_ random: inout SplitMix) -> PoweredDisk {
    var after = self
    for lost in waiting.joined() {
      let fate = random.next() % 4
      if fate == 0 { continue }
      after.apply(lost, sectors: fate == 1 ? .max : random.next())
    }
    return after
  }

  /// Of 64 sectors, those with a bit arrive.
  private mutating func apply(_ operation: Operation, sectors: UInt64 = .max) {
    var file = files[operation.file] ?? []
    files[operation.file] = nil  // So that it is changed where it stands.
    defer { files[operation.file] = file }
    let start = Int(operation.offset)
    if operation.kind == Int(TL_TRUNCATE) {
      if start < file.count { file.removeLast(file.count - start) }
      return
    }
    var at = start
    let end = start + operation.bytes.count
    while at < end {
      let next = sectors == .max ? end : min(end, (at / 512 + 1) * 512)
      if sectors >> UInt64(at / 512 % 64) & 1 == 1 {
        if file.count < next { file.append(contentsOf: repeatElement(0, count: next - file.count)) }
        file.replaceSubrange(at..<next, with: operation.bytes[(at - start)..<(next - start)])
      }
      at = next
    }
  }

  func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, bytes) in zip(Self.names, files) {
      if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
    }
  }
}
