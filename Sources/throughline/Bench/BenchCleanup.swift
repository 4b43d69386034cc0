import Foundation
import Glibc
import Synchronization
import System

/// What a bench has started and made, so that one that is ended by a signal leaves nothing behind.
enum BenchCleanup {
  private struct State {
    var processes: Set<Int32> = []
    var folders: Set<String> = []
    var watch: SignalWatch?
  }
  private static let state = Mutex(State())

  static func started(_ process: Int32) { note { $0.processes.insert(process) } }
  static func ended(_ process: Int32) { state.withLock { _ = $0.processes.remove(process) } }
  static func made(_ folder: String) { note { $0.folders.insert(folder) } }
  static func removed(_ folder: String) { state.withLock { _ = $0.folders.remove(folder) } }

  private static func note(_ change: (inout State) -> Void) {
    state.withLock {
      change(&$0)
      if $0.watch == nil {
        $0.watch = try? SignalWatch([.terminate, .interrupt]) { end(by: $0) }
      }
    }
  }

  private static func end(by signal: Signal) {
    state.withLock {
      for process in $0.processes { kill(process, SIGKILL) }
      // Whoever was about to write there may have one more file made meanwhile.
      for folder in $0.folders {
        for _ in 0..<50 where FileManager.default.fileExists(atPath: folder) {
          try? FileManager.default.removeItem(atPath: folder)
          usleep(20_000)
        }
      }
    }
    // As a shell tells of one that a signal ended.
    exit(signal == .interrupt ? 130 : 143)
  }
}
