import CRE2

/// A compiled regular expression of RE2: matching takes time linear in the text, and the compiled
/// form is bounded, so that no pattern explodes.
final class Pattern: Sendable {
  /// - Units: bytes of RE2's program and caches.
  private static let memoryMax: Int64 = 1 << 20
  /// Of a pattern that an evaluation makes: it must fail soon where it is too large.
  private static let computedMemoryMax: Int64 = 1 << 16
  static let sourceBytesMax = 4_096
  static let computedBytesMax = 1_024
  /// Each class of Unicode, such as `\pL`, stands for hundreds of ranges, and takes RE2 up to
  /// milliseconds to read.
  static let unicodeClassesMax = 64
  struct Failure: Error { var message: String }

  // RE2 objects may be used by many threads at once, says its documentation.
  private nonisolated(unsafe) let pointer: OpaquePointer
  let groups: Int
  /// - Units: instructions of RE2's program. Matching takes at worst so many steps a byte.
  let size: Int

  init(pointer: OpaquePointer) {
    self.pointer = pointer
    groups = Int(cre2_groups(pointer))
    size = Int(cre2_size(pointer))
  }
  deinit { cre2_free(pointer) }

  convenience init?(text: String, isComputed: Bool, failure: inout String) {
    let bytesMax = isComputed ? Self.computedBytesMax : Self.sourceBytesMax
    guard text.utf8.count <= bytesMax else {
      failure = "it is longer than \(bytesMax) bytes"
      return nil
    }
    guard Self.marks(text).unicode <= Self.unicodeClassesMax else {
      failure = "it names more than \(Self.unicodeClassesMax) classes of Unicode, such as \\pL"
      return nil
    }
    let memory = isComputed ? Self.computedMemoryMax : Self.memoryMax
    var message = [CChar](repeating: 0, count: 256)
    var text = text
    let made = text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { chars in
        cre2_compile(
          chars.baseAddress ?? Self.nothing, chars.count, memory, &message, message.count)
      }
    }
    guard let made else {
      failure = String(
        decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return nil
    }
    self.init(pointer: made)
  }

  /// - Parameter isComputed: made while an expression is evaluated, so bounded more tightly; what
  ///   it costs is `compileCost`.
  static func make(_ text: String, isComputed: Bool = false) -> Result<Pattern, Failure> {
    var failure = ""
    guard let made = Pattern(text: text, isComputed: isComputed, failure: &failure) else {
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

/// What patterns cost.
extension Pattern {
  /// How often a text names a class of Unicode, and how often a class in brackets.
  private static func marks(_ text: String) -> (unicode: Int, classes: Int) {
    var marks = (unicode: 0, classes: 0)
    var isEscaped = false
    for byte in text.utf8 {
      if isEscaped {
        if byte | 0x20 == UInt8(ascii: "p") { marks.unicode += 1 }
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "[") {
        marks.classes += 1
      }
    }
    return marks
  }

  /// What reading and compiling a pattern of this text costs, before its size is known.
  ///
  /// - Units: those of `Meter`. RE2 takes some 10 µs for a plain pattern, and up to 2 ms for each
  ///   class of Unicode.
  static func compileCost(_ text: String) -> Int {
    let marks = marks(text)
    return 1_000 + 4 * text.utf8.count + 500 * marks.classes + 5_000 * marks.unicode
  }
  /// What it costs beyond that when its size is known, or when it was too large.
  static let instructionCost = 2
  static let refusedCost = 10_000

  /// What looking for it in so many bytes costs. RE2 looks at most once at each instruction for
  /// each byte.
  ///
  /// - Units: those of `Meter`.
  func matchCost(bytes: Int) -> Int { Self.matchCost(bytes: bytes, size: size) }
  static func matchCost(bytes: Int, size: Int) -> Int { (bytes / 16 + 1) * (1 + size / 16) }

  /// About how large the program of a pattern is, without compiling it.
  static func sizeGuessed(_ text: String) -> Int { text.utf8.count + 1_200 * marks(text).unicode }
}
