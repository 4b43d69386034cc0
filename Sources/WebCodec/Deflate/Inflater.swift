internal import CZlib

/// zlib's expander for messages of raw DEFLATE, RFC 7692 §7.2.2: fed in any pieces, and bounded,
/// since a few bytes can grow a thousandfold.
final class Inflater {
  enum Fault: Equatable {
    /// No DEFLATE, or it refers to bytes before the window.
    case malformed
    case tooBig
    case noMemory
  }

  private let stream: OpaquePointer

  /// - Parameter windowBits: 8 to 15; one that is larger than the sender's is always right.
  init?(windowBits: Int) {
    guard (8...15).contains(windowBits), let made = cz_expander(Int32(-max(windowBits, 9))) else {
      return nil
    }
    stream = made
  }

  deinit { cz_free(stream) }

  /// zlib's own: the window, and its state.
  static func heldBytes(windowBits: Int) -> Int { 1 << windowBits + 7_200 }

  /// Appends what the bytes expand to, up to `bytesMax` in all.
  /// - Returns: why not all of it was; what stood before the fault has been appended.
  func expand(_ bytes: [UInt8], into out: inout [UInt8], bytesMax: Int) -> Fault? {
    bytes.withUnsafeBytes { raw in
      withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { room in
        run(raw, room, into: &out, bytesMax)
      }
    }
  }

  private func run(
    _ bytes: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, into out: inout [UInt8],
    _ bytesMax: Int
  ) -> Fault? {
    var at = 0
    while true {
      let step = cz_expand(
        stream, bytes.baseAddress.map { $0 + at }, bytes.count - at, room.baseAddress, room.count)
      at += step.taken
      let fits = min(step.made, max(bytesMax - out.count, 0))
      out.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<fits]))
      if step.made > fits { return .tooBig }
      switch Int(step.status) {
      case CZ_MALFORMED: return .malformed
      case CZ_NO_MEMORY: return .noMemory
      case CZ_ENDED:
        // RFC 7692 §7.2.1: blocks marked as last may come anywhere, and others after them.
        cz_go_on(stream)
        if at == bytes.count { return nil }
      default: if at == bytes.count, step.made < room.count { return nil }
      }
    }
  }

  /// The message is over: puts back the flush's end that its sender left off (RFC 7692 §7.2.2).
  func endMessage(into out: inout [UInt8], bytesMax: Int, keepsContext: Bool) -> Fault? {
    let fault = expand([0, 0, 0xFF, 0xFF], into: &out, bytesMax: bytesMax)
    if !keepsContext { cz_reset(stream) }
    return fault
  }
}
