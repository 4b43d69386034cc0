import Foundation
import Glibc

/// What the allocator has handed out and not got back, over all its arenas and beside them. Resident memory would not do:
/// it keeps what was given back, and so hides a leak of less than that.
enum Heap {
  static var usedBytes: Int {
    guard let found = dlsym(nil, "malloc_info") else { return 0 }
    let info = unsafeBitCast(
      found, to: (@convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32).self)
    var text: UnsafeMutablePointer<CChar>?
    var count = 0
    guard let stream = open_memstream(&text, &count) else { return 0 }
    _ = info(0, stream)
    fclose(stream)
    defer { free(text) }
    guard let text else { return 0 }
    // Each arena first, then the sums.
    let report = String(cString: text).components(separatedBy: "</heap>").last ?? ""
    func size(_ element: String) -> Int {
      let line = report.split(separator: "\n").first { $0.contains(element) }
      let digits = line?.components(separatedBy: "size=\"").last?.prefix { $0.isNumber }
      return digits.flatMap { Int($0) } ?? 0
    }
    return size("<system type=\"current\"") + size("<total type=\"mmap\"")
      - size("<total type=\"fast\"") - size("<total type=\"rest\"")
  }
}
