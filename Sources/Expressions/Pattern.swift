import CRE2

/// A compiled regular expression of RE2: matching takes time linear in the text, and the compiled
/// form is
/// bounded, so that no pattern explodes.
final class Pattern: Sendable {
  /// - Units: bytes of RE2's program and caches.
  private static let memoryMax: Int64 = 1 << 20
  static let sourceBytesMax = 4_096
  struct Failure: Error { var message: String }

  // RE2 objects may be used by many threads at once, says its documentation.
  private nonisolated(unsafe) let pointer: OpaquePointer
  let groups: Int

  init(pointer: OpaquePointer) {
    self.pointer = pointer
    groups = Int(cre2_groups(pointer))
  }
  deinit { cre2_free(pointer) }

  convenience init?(text: String, failure: inout String) {
    guard text.utf8.count <= Self.sourceBytesMax else {
      failure = "it is longer than \(Self.sourceBytesMax) bytes"
      return nil
    }
    var message = [CChar](repeating: 0, count: 256)
    var text = text
    let made = text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { chars in
        cre2_compile(
          chars.baseAddress ?? Self.nothing, chars.count, Self.memoryMax, &message, message.count)
      }
    }
    guard let made else {
      failure = String(
        decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return nil
    }
    self.init(pointer: made)
  }

  static func make(_ text: String) -> Result<Pattern, Failure> {
    var failure = ""
    guard let made = Pattern(text: text, failure: &failure) else {
      return .failure(Failure(message: failure))
    }
    return .success(made)
  }

  private nonisolated(unsafe) static let nothing: UnsafePointer<CChar> = {
    let empty = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    empty.initialize(to: 0)
    return UnsafePointer(empty)
  }()

  func isFound(in text: String) -> Bool {
    var text = text
    return text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) {
        cre2_find(pointer, $0.baseAddress ?? Self.nothing, $0.count) == 1
      }
    }
  }

  /// The first match at or after `from`, as byte ranges: the whole, then each group; nil for one
  /// without part.
  func match(_ text: [UInt8], from: Int) -> [Range<Int>?]? {
    var offsets = [Int64](repeating: -1, count: 2 * (groups + 1))
    let count = offsets.count
    let found = text.withUnsafeBytes { raw in
      let chars = raw.bindMemory(to: CChar.self)
      return cre2_match(
        pointer, chars.baseAddress ?? Self.nothing, chars.count, from, &offsets, count) == 1
    }
    guard found else { return nil }
    return stride(from: 0, to: count, by: 2).map { at in
      offsets[at] < 0 ? nil : Int(offsets[at])..<Int(offsets[at + 1])
    }
  }
}
