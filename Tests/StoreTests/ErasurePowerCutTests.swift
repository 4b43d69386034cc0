import CPowerCut
import Foundation
import Model
import Records
import Testing

@testable import Store

/// Records all that an erasure writes and removes, of the rows, of the index and of attachments, then
/// cuts the power at many points of it. Whoever holds the receipt has a promise: not a byte is there.
///
/// `THROUGHLINE_POWER_CUTS=10000` cuts that often.
struct `A power cut while a person is erased` {
  let folder = TemporaryFolder()

  private struct Recorded {
    var base: [UInt8] = []
    var index: [UInt8] = []
    var operations: [Operation] = []
    var blobs = RecordingDisk()
    /// How many of its calls were made before.
    var earlierBlobs = 0
    var place = ""
  }
  private static let (begun, acknowledged): (Int64, Int64) = (0, 1)

  @Test func `leaves her whole, or an erasure that goes on, or nothing of her`() throws {
    let recorded = try record()
    var random = SplitMix(state: 17)
    let cuts = `A power cut`.cuts
    let points = (0..<cuts).map { _ in Int(random.next() % UInt64(recorded.operations.count + 1)) }
      .sorted()
    var ends: [End: Int] = [:]
    var after = (disk: disk(recorded), blobs: blobs(recorded))
    var played = 0
    // The last one comes when all is done.
    for (number, point) in (points + [recorded.operations.count]).enumerated() {
      play(recorded, played..<point, &after)
      played = point
      let place = "\(folder.path)/cut"
      let cut = after.disk.cut(&random)
      try cut.write(to: place)
      try after.blobs.cut(&random).write(from: recorded.place, to: place)
      let end = try check(place, cut, "cut \(number) after operation \(point)")
      ends[end, default: 0] += 1
      try FileManager.default.removeItem(atPath: place)
    }
    #expect(ends[.erased, default: 0] > 0 && ends[.goesOn, default: 0] > 0, "\(ends)")
  }

  /// A removal that is not made durable, and logs that are not.
  @Test(arguments: [true, false])
  func `is caught where something is not synced, so that this test can fail`(_ isOfBlobs: Bool)
    throws
  {
    var recorded = try record()
    if isOfBlobs {
      recorded.blobs.forget(.syncFolder, from: recorded.earlierBlobs)
    } else {
      recorded.operations.removeAll { $0.kind == TL_SYNC }
    }
    var random = SplitMix(state: 5)
    var left = 0
    for _ in 0..<10 {
      var after = (disk: disk(recorded), blobs: blobs(recorded))
      play(recorded, 0..<recorded.operations.count, &after)
      let place = "\(folder.path)/cut"
      try after.disk.cut(&random).write(to: place)
      try after.blobs.cut(&random).write(from: recorded.place, to: place)
      if try !`An erasure`.holders(of: "Hildegard", in: place).isEmpty { left += 1 }
      try FileManager.default.removeItem(atPath: place)
    }
    #expect(left > 0)
  }

  // MARK: Recording

  private func record() throws -> Recorded {
    try `A power cut`.turn.withLock {
      var recorded = Recorded()
      recorded.place = "\(folder.path)/recorded"
      let main = "\(recorded.place)/throughline.sqlite"
      let index = "\(recorded.place)/search.sqlite"
      let policy = CheckpointPolicy()
      let before = try SQLiteStore(
        folder: recorded.place, checkpointing: policy, disk: recorded.blobs)
      let workspace = try `An erasure`.busy(before, commits: 150)
      before.close()
      recorded.base = Array(try Data(contentsOf: URL(fileURLWithPath: main)))
      recorded.index = Array(try Data(contentsOf: URL(fileURLWithPath: index)))
      recorded.earlierBlobs = recorded.blobs.operations.count
      #expect(tl_record_start(main, index) == 0)
      let store = try SQLiteStore(
        folder: recorded.place, checkpointing: policy, disk: recorded.blobs)
      tl_record_mark(Self.begun)
      let receipt = try store.erase(
        workspace, [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil,
        Samples.blank)
      tl_record_mark(Self.acknowledged)
      let count = tl_record_stop()
      store.close()
      #expect(receipt.entries == 75 && receipt.blobs == 1)
      recorded.operations = (0..<count).map { Operation(tl_record_at($0)) }
      return recorded
    }
  }

  private func disk(_ recorded: Recorded) -> PoweredDisk {
    PoweredDisk(recorded.base, index: recorded.index)
  }

  private func blobs(_ recorded: Recorded) -> BlobFolder {
    var folder = BlobFolder()
    for operation in recorded.blobs.operations[..<recorded.earlierBlobs] { folder.play(operation) }
    return folder
  }

  private func play(
    _ recorded: Recorded, _ range: Range<Int>, _ after: inout (disk: PoweredDisk, blobs: BlobFolder)
  ) {
    for operation in recorded.operations[range] {
      after.disk.play(operation)
      if operation.kind == TL_NOTE { after.blobs.play(recorded.blobs.operation(operation.offset)) }
    }
  }

  // MARK: Checking

  private enum End { case whole, goesOn, erased }

  private func check(_ place: String, _ disk: PoweredDisk, _ name: String) throws -> End {
    // Before anybody opens the folder.
    let isPromised = disk.acknowledged == Self.acknowledged
    if isPromised { #expect(try left(in: place) == [], "\(name)") }
    let store = try SQLiteStore(folder: place)
    defer { store.close() }
    let (workspace, reader) = (WorkspaceID(1), try SQLiteReader(store))
    let receipt = try reader.erasures(workspace).first
    #expect(!isPromised || receipt?.done != nil, "\(name)")
    var end = receipt == nil ? End.whole : .erased
    // As the next start does.
    if let receipt, receipt.done == nil {
      _ = try store.finish(receipt, workspace, at: Samples.at(2_000), Samples.blank)
      #expect(try reader.erasures(workspace).first?.done != nil, "\(name)")
      end = .goesOn
    }
    let left = try left(in: place)
    #expect(end == .whole ? left.count >= 3 : left == [], "\(name): \(left)")
    let report = try IntegrityCheck.whole(reader, workspace, blobs: store.blobs)
    #expect(
      report.findings == [] && report.records == 150 && report.entries == 150,
      "\(name): \(report.findings)")
    #expect(try IntegrityCheck.file(reader) == [], "\(name)")
    #expect(try `An erasure`.holders(of: "Bartholomew", in: place).count >= 3, "\(name)")
    return end
  }

  /// Her name as she wrote it, and as the index has it.
  private func left(in place: String) throws -> [String] {
    try `An erasure`.holders(of: "Hildegard", in: place)
      + `An erasure`.holders(of: "hildegard", in: place)
  }
}
