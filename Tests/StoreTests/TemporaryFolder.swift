import Foundation

/// A folder of its own for one test, gone with the object. In memory where the machine has that:
/// these tests sync
/// thousands of times, and none of them asks whether the machine's own disk keeps what it synced.
final class TemporaryFolder {
  let path: String
  init() {
    let memory = "/dev/shm"
    let parent =
      FileManager.default.isWritableFile(atPath: memory)
      ? memory : FileManager.default.temporaryDirectory.path
    path = "\(parent)/throughline-\(UUID().uuidString)"
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
