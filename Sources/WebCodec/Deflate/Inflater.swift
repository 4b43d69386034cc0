internal import CZlib

/// zlib's expander for messages of raw DEFLATE, RFC 7692 §7.2.2: fed in any pieces, and bounded, since a few bytes
/// can grow a thousandfold.
final class Inflater {
  enum Fault: Error, Equatable {
    /// No DEFLATE, or it refers to bytes before the window.
    case malformed
    case tooBig
    case noMemory
  }

  private let stream: OpaquePointer

  /// - Parameter windowBits: 8 to 15; one that is larger than the sender's is always right.
  init?(windowBits: Int) {
    guard (8...15).contains(windowBits), let made = cz_expander(Int32(-max(windowBits, 9))) else { return nil }
    stream = made
  }

  deinit { cz_free(stream) }

  /// zlib's own: the window, and its state.
  static func heldBytes(windowBits: Int) -> Int { 1 << windowBits + 7_200 }

  /// Appends what the bytes expand to; past `bytesMax` in all it stops before growing.
  func expand(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8], bytesMax: Int) throws(Fault) {
    var at = 0
    let fault: Fault? = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { room in
      while true {
        let step = cz_expand(
          stream, bytes.baseAddress.map { $0 + at }, bytes.count - at, room.baseAddress, room.count)
        at += step.taken
        if step.made > bytesMax - out.count { return .tooBig }
        out.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<step.made]))
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
    if let fault { throw fault }
  }

  /// The message is over: puts back the flush's end that its sender left off (RFC 7692 §7.2.2).
  func endMessage(into out: inout [UInt8], bytesMax: Int, keepsContext: Bool) throws(Fault) {
    let tail: [UInt8] = [0, 0, 0xFF, 0xFF]
    let fault: Fault? = tail.withUnsafeBytes { raw in
      do throws(Fault) {
        try expand(raw, into: &out, bytesMax: bytesMax)
        return nil
      } catch { return error }
    }
    if let fault { throw fault }
    if !keepsContext { cz_reset(stream) }
  }
}
