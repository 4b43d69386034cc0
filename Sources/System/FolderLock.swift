internal import CSystem
import Glibc

/// Holds a data folder for one process. The kernel releases it with the process, however that ends;
/// the holder's process id stands in the lock file for whoever finds it taken.
public final class FolderLock: Sendable {
  public let path: String
  private let descriptor: Int32

  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process has it; nil when it has not yet written its id.
    case held(folder: String, byProcess: Int32?)
    case fault(SystemError)

    public var description: String {
      switch self {
      case .held(let folder, let process):
        let holder = process.map { "process \($0)" } ?? "another process"
        return "the data folder \(folder) is in use by \(holder); stop it, or name another folder"
      case .fault(let error): return error.description
      }
    }
  }

  public init(folder: String) throws(Failure) {
    path = folder + "/lock"
    let opened = tl_open(path, O_RDWR | O_CREAT, 0o600)
    if opened < 0 { throw .fault(SystemError("open", path, code: -opened)) }
    let locked = tl_lock_exclusively(opened)
    if locked < 0 {
      defer { close(opened) }
      if locked == -EWOULDBLOCK { throw .held(folder: folder, byProcess: Self.holder(opened)) }
      throw .fault(SystemError("lock", path, code: -locked))
    }
    descriptor = opened
    let line = Array("\(getpid())\n".utf8)
    // The lock holds without its label, so failing to write that is no reason to stop.
    _ = ftruncate(opened, 0)
    _ = line.withUnsafeBytes { pwrite(opened, $0.baseAddress, $0.count, 0) }
  }

  deinit { close(descriptor) }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var text = [UInt8](repeating: 0, count: 16)
    let got = text.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard got > 0 else { return nil }
    return Int32(String(decoding: text.prefix(got).prefix { $0 != 0x0A }, as: UTF8.self))
  }
}
