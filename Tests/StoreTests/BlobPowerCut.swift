import CPowerCut
import Foundation
import Model
import Records
import Synchronization

@testable import Store

/// One call to the disk that holds the blobs.
struct BlobOperation: Sendable {
  enum Kind: Sendable { case makeFolder, write, syncFile, move, syncFolder, remove }
  var kind: Kind
  var path: String
  var target = ""
  var bytes: [UInt8] = []
}

/// Does what it is asked, and records it at its place among what SQLite does.
final class RecordingDisk: BlobDisk {
  private let real = RealDisk()
  private let recorded = Mutex<[BlobOperation]>([])

  private func note(_ operation: BlobOperation) {
    let number = recorded.withLock { recorded in
      recorded.append(operation)
      return recorded.count - 1
    }
    tl_record_note(Int64(number))
  }

  func makeFolder(_ path: String) -> Int32 {
    let code = real.makeFolder(path)
    if code == 0 { note(.init(kind: .makeFolder, path: path)) }
    return code
  }
  func write(_ bytes: [UInt8], toNew path: String) throws(StoreFault) {
    try real.write(bytes, toNew: path)
    note(.init(kind: .write, path: path, bytes: bytes))
  }
  func sync(file path: String) throws(StoreFault) {
    try real.sync(file: path)
    note(.init(kind: .syncFile, path: path))
  }
  func move(_ path: String, to target: String) throws(StoreFault) {
    try real.move(path, to: target)
    note(.init(kind: .move, path: path, target: target))
  }
  func sync(folder path: String) throws(StoreFault) {
    try real.sync(folder: path)
    note(.init(kind: .syncFolder, path: path))
  }
  func remove(_ path: String) throws(StoreFault) {
    try real.remove(path)
    note(.init(kind: .remove, path: path))
  }

  /// Makes calls of this kind as if they had done nothing.
  func forget(_ kind: BlobOperation.Kind, from first: Int = 0) {
    recorded.withLock { recorded in
      for index in recorded.indices[first...] where recorded[index].kind == kind {
        recorded[index] = BlobOperation(kind: .syncFolder, path: "/nowhere")
      }
    }
  }

  func operation(_ number: Int64) -> BlobOperation { recorded.withLock { $0[Int(number)] } }
  /// Also what was done before the recording began.
  var operations: [BlobOperation] { recorded.withLock { $0 } }
}

/// What is below a folder, and what of it was synced.
struct BlobFolder {
  private enum Change {
    case name(String, Int)
    case move(String, String, Int)
    case unname(String)
  }
  /// Files by number, folders as -1: as a running system sees them, and as the disk has them.
  private var live: [String: Int] = [:]
  private var durable: [String: Int] = [:]
  private var waiting: [String: [Change]] = [:]
  private var contents: [[UInt8]] = []
  private var synced: Set<Int> = []

  mutating func play(_ operation: BlobOperation) {
    let path = operation.path
    switch operation.kind {
    case .makeFolder: waiting[parent(path), default: []].append(.name(path, -1))
    case .write:
      live[path] = contents.count
      waiting[parent(path), default: []].append(.name(path, contents.count))
      contents.append(operation.bytes)
    case .syncFile: if let file = live[path] { synced.insert(file) }
    case .move:
      guard let file = live.removeValue(forKey: path) else { break }
      live[operation.target] = file
      waiting[parent(path), default: []].append(.move(path, operation.target, file))
    case .remove:
      live[path] = nil
      waiting[parent(path), default: []].append(.unname(path))
    case .syncFolder: for change in waiting.removeValue(forKey: path) ?? [] { apply(change) }
    }
  }

  private func parent(_ path: String) -> String { (path as NSString).deletingLastPathComponent }

  /// After the power came back: names that were not synced with their folder are there or not, each
  /// by itself; bytes that were not synced are there whole, in part, or not at all.
  func cut(_ random: inout SplitMix) -> BlobFolder {
    var after = self
    for folder in waiting.keys.sorted() {
      for change in waiting[folder] ?? [] where random.next() % 2 == 0 { after.apply(change) }
    }
    for (file, bytes) in contents.enumerated() where !synced.contains(file) {
      switch random.next() % 4 {
      case 0: after.contents[file] = []
      case 1: break
      case 2:
        after.contents[file] = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
      default: after.contents[file] = [UInt8](repeating: 0, count: bytes.count)
      }
    }
    return after
  }

  private mutating func apply(_ change: Change) {
    switch change {
    case .name(let path, let file): durable[path] = file
    case .move(let path, let target, let file):
      durable[path] = nil
      durable[target] = file
    case .unname(let path): durable[path] = nil
    }
  }

  /// The same paths below another folder; what lies in a folder that is not there is not there
  /// either.
  func write(from root: String, to place: String) throws {
    for (path, file) in durable.sorted(by: { $0.key < $1.key }) {
      var above = (path as NSString).deletingLastPathComponent
      var isReached = path.hasPrefix(root)
      while isReached, above != root {
        isReached = durable[above] == -1
        above = (above as NSString).deletingLastPathComponent
      }
      guard isReached else { continue }
      let target = place + path.dropFirst(root.count)
      if file == -1 {
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
      } else {
        try Data(contents[file]).write(to: URL(fileURLWithPath: target))
      }
    }
  }
}
