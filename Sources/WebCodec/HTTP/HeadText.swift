/// Gathers the short pieces of a head on the stack, so that the array that they go to is looked at
/// and grown once for all of them. What does not fit goes on in an array.
struct HeadText: ~Copyable {
  private let room: UnsafeMutableRawBufferPointer
  private var count = 0
  private var full: [UInt8] = []

  private static let roomBytes = 512

  /// Appends to `out` what `body` appends to its text.
  @inline(__always)
  static func append<R>(to out: inout [UInt8], _ body: (inout HeadText) -> R) -> R {
    withUnsafeTemporaryAllocation(byteCount: roomBytes, alignment: 1) { room in
      var text = HeadText(room: room)
      let result = body(&text)
      if !text.full.isEmpty { out.append(contentsOf: text.full) }
      out.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<text.count]))
      return result
    }
  }

  private init(room: UnsafeMutableRawBufferPointer) { self.room = room }

  @inline(__always) mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count > room.count &- count { return spill(bytes) }
    UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
    count &+= bytes.count
  }

  @inline(never) private mutating func spill(_ bytes: UnsafeRawBufferPointer) {
    full.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<count]))
    full.append(contentsOf: bytes)
    count = 0
  }

  @inline(__always) mutating func append(_ literal: StaticString) {
    literal.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
  }

  mutating func append(text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  mutating func append(decimal number: Int) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 48)
    var (first, rest) = (20, number.magnitude)
    repeat {
      first &-= 1
      digits[first] = UInt8(truncatingIfNeeded: rest % 10 &+ 48)
      rest /= 10
    } while rest > 0
    if number < 0 { append("-") }
    withUnsafeBytes(of: digits) { append(UnsafeRawBufferPointer(rebasing: $0[first...])) }
  }
}
