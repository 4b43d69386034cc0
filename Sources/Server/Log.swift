import Foundation
import Model
import Synchronization
import System

/// What the people who run the server read: one line a thing, to standard error. Never words of a
/// customer.
public enum Log {
  private static let sink = Mutex<Handler<String>?>(nil)

  /// Tests and the demo listen here instead.
  public static func divert(to other: (@Sendable (String) -> Void)?) {
    sink.withLock { $0 = other.map { Handler($0) } }
  }

  public static func note(_ text: String) { write("note", text) }
  public static func fault(_ doing: String, _ why: String) { write("fault", "\(doing): \(why)") }

  private static func write(_ level: String, _ text: String) {
    let line = "\(Instant.now) \(level) \(text)"
    if let other = sink.withLock({ $0 }) { return other.call(line) }
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
