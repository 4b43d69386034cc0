internal import CZlib

/// zlib's expander for one message of raw DEFLATE, RFC 7692 §7.2.2: fed in any pieces, and bounded,
/// since a few bytes can grow a thousandfold.
///
/// Its window is the largest there is, whatever was agreed: zlib takes what refers into the output of
/// the same call also from farther back than its window, so that a smaller one would refuse the same
/// bytes or not by how they were cut.
final class Inflater {
  enum Fault: Equatable {
    /// No DEFLATE, or it refers to bytes before the window.
    case malformed
    case tooBig
    case noMemory
  }

  private let stream: OpaquePointer

  /// - Parameter history: the end of what came before, to which the message may refer; at most 32 kB.
  init?(after history: [UInt8]) {
    guard let made = cz_expander(-15) else { return nil }
    stream = made
    if !history.isEmpty, cz_remember(made, history, history.count) != 0 { return nil }
  }

  deinit { cz_free(stream) }

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
  func endMessage(into out: inout [UInt8], bytesMax: Int) -> Fault? {
    expand([0, 0, 0xFF, 0xFF], into: &out, bytesMax: bytesMax)
  }
}
