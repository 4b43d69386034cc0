import Foundation

/// A folder of its own for one test, gone with the object.
final class TemporaryFolder {
  let path: String
  init() {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("throughline-\(UUID().uuidString)").path
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
