internal import CSystem
import Glibc
import Synchronization

/// Unpredictable bytes from the kernel. Fetched 1 kB at a time, since a system call each would cost
/// more than the id that it is for; bytes handed out are overwritten in the buffer.
public enum Entropy {
  private static let buffered = Mutex(Reserve())

  private struct Reserve {
    var bytes = [UInt8](repeating: 0, count: 1_024)
    var used = 1_024
  }

  public static func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: max(count, 0)) { target, filled in
      fill(UnsafeMutableRawBufferPointer(target))
      filled = target.count
    }
  }

  public static var word: UInt64 {
    var word: UInt64 = 0
    withUnsafeMutableBytes(of: &word) { fill($0) }
    return word
  }

  public static func fill(_ target: UnsafeMutableRawBufferPointer) {
    guard target.count <= 256 else { return fillFromKernel(target) }
    buffered.withLock { reserve in
      if reserve.bytes.count - reserve.used < target.count {
        reserve.bytes.withUnsafeMutableBytes { fillFromKernel($0) }
        reserve.used = 0
      }
      reserve.bytes.withUnsafeMutableBytes { bytes in
        let taken = UnsafeMutableRawBufferPointer(
          rebasing: bytes[reserve.used..<(reserve.used + target.count)])
        target.copyMemory(from: UnsafeRawBufferPointer(taken))
        for index in taken.indices { taken[index] = 0 }
      }
      reserve.used += target.count
    }
  }

  private static func fillFromKernel(_ target: UnsafeMutableRawBufferPointer) {
    var done = 0
    while done < target.count {
      let got = tl_getrandom(target.baseAddress.map { $0 + done }, target.count - done)
      // Only EINTR can come of a valid buffer; without entropy nothing this process says could be
      // trusted.
      if got < 0 {
        precondition(got == -Int(EINTR), "the kernel refuses entropy")
      } else {
        done += got
      }
    }
  }
}

/// `SystemRandomNumberGenerator` over the same reserve, for shuffles at the edge.
public struct EntropyGenerator: RandomNumberGenerator, Sendable {
  public init() {}
  public mutating func next() -> UInt64 { Entropy.word }
}
