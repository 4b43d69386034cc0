internal import CSystem

/// A fault of the machine: what was being done, to what, and what the kernel said.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// In words that follow "could not": `open`, `lock the data folder`.
  public var operation: String
  /// A file, an address, or nothing.
  public var path: String
  /// The errno, positive.
  public var code: Int32

  public init(_ operation: String, _ path: String = "", code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// The kernel's sentence for the code, such as `Permission denied`.
  public var text: String {
    tl_error_text(code).map { String(cString: $0) } ?? "error \(code)"
  }

  public var description: String {
    "could not \(operation)\(path.isEmpty ? "" : " \(path)"): \(text)"
  }

  /// Turns the shims' convention (a negated errno) into a throw.
  static func check<T: SignedInteger>(
    _ result: T, _ operation: String, _ path: String = ""
  ) throws(SystemError) -> T {
    if result < 0 { throw SystemError(operation, path, code: Int32(truncatingIfNeeded: -result)) }
    return result
  }
}
