internal import CZlib

/// zlib's compressor: whole gzip files (RFC 1952), or messages of raw DEFLATE that end on a byte
/// (RFC 7692 §7.2.1).
///
/// It holds `heldBytes` from its making to its end. Not to be shared between lanes.
public final class Deflater {
  public enum Format: Sendable, Equatable {
    case gzip
    /// Raw, with a window of so many bits: 9 to 15.
    case raw(windowBits: Int)
  }

  private let stream: OpaquePointer
  public let heldBytes: Int

  /// nil when there is no memory for it, or the window is none that zlib makes.
  /// - Parameters:
  ///   - level: 1, fast, to 9, small.
  ///   - memoryLevel: 1 to 9: the table of strings seen has 2^(this + 9) bytes.
  public init?(_ format: Format, level: Int = 3, memoryLevel: Int = 6) {
    let (bits, argument) =
      switch format {
      case .gzip: (13, 13 + 16)
      case .raw(let windowBits): (windowBits, -windowBits)
      }
    guard (9...15).contains(bits), (1...9).contains(level), (1...9).contains(memoryLevel),
      let made = cz_compressor(Int32(level), Int32(argument), Int32(memoryLevel))
    else { return nil }
    stream = made
    heldBytes = Self.heldBytes(windowBits: bits, memoryLevel: memoryLevel)
  }

  deinit { cz_free(stream) }

  /// What zlib says of itself in zconf.h, and its state.
  public static func heldBytes(windowBits: Int, memoryLevel: Int) -> Int {
    1 << (windowBits + 2) + 1 << (memoryLevel + 9) + 6_000
  }

  /// A whole file, header to checksum; nil when memory ran out.
  public func whole(_ bytes: [UInt8]) -> [UInt8]? {
    cz_reset(stream)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count / 3 + 64)
    return run(bytes, ends: true, into: &out) ? out : nil
  }

  /// One message: compressed, flushed, and without the four bytes that every flush ends with. RFC
  /// 7692 §7.2.1.
  /// - Parameter keepsContext: whether the next message may refer to this one's bytes.
  public func message(_ bytes: [UInt8], keepsContext: Bool) -> [UInt8]? {
    if bytes.isEmpty { return [0] }  // §7.2.3.6
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count / 2 + 64)
    guard run(bytes, ends: false, into: &out), out.suffix(4) == [0, 0, 0xFF, 0xFF] else {
      return nil
    }
    out.removeLast(4)
    if !keepsContext { cz_reset(stream) }
    return out
  }

  private func run(_ bytes: [UInt8], ends: Bool, into out: inout [UInt8]) -> Bool {
    bytes.withUnsafeBytes { raw in
      withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { room in
        var at = 0
        while true {
          let step = cz_compress(
            stream, raw.baseAddress.map { $0 + at }, raw.count - at, room.baseAddress, room.count,
            ends ? 1 : 0, 1)
          out.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<step.made]))
          at += step.taken
          if step.status < 0 { return false }
          // Room that was left over says that nothing more is owed.
          if step.status == CZ_ENDED || !ends && at == raw.count && step.made < room.count {
            return true
          }
        }
      }
    }
  }
}
