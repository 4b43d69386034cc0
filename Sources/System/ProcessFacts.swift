internal import CSystem
import Glibc

/// What the kernel knows of this process, for `/metrics`.
public struct ProcessFacts: Sendable, Equatable {
  public var residentBytes: Int64
  public var openDescriptors: Int
  public var descriptorLimit: Int
  public var cpuMilliseconds: Int64
  /// Since 1970.
  public var startedAtMilliseconds: Int64

  private static let started = WallClock.nowMilliseconds - sinceStart()

  public static func now() -> ProcessFacts {
    ProcessFacts(
      residentBytes: residentPages() * Int64(sysconf(Int32(_SC_PAGESIZE))),
      openDescriptors: countDescriptors(),
      descriptorLimit: Int(tl_descriptor_limit()),
      cpuMilliseconds: tl_cpu_ns() / 1_000_000,
      startedAtMilliseconds: started)
  }

  /// Raises the soft limit of descriptors to the hard one; answers the limit in force.
  @discardableResult
  public static func raiseDescriptorLimit() -> Int { Int(tl_raise_descriptor_limit()) }

  /// Memory of large bodies goes back to the kernel when it is freed. Left to itself, glibc takes the
  /// first such block for a sign that there will be more, and from then on keeps up to 32 MB of each
  /// arena's. Small ones are still kept: they come again with the next request.
  public static func giveBackLargeBlocks() { _ = tl_give_back_large_blocks(1 << 20, 2 << 20) }

  /// Bytes of memory that belong to no file and that nobody has in use, as far as that can be told: what
  /// glibc keeps of what was freed, and a little of its own and of stacks.
  public static func unusedBytes() -> Int64 {
    let pages = fields(of: "/proc/self/statm").dropFirst().prefix(2).compactMap { Int64($0) }
    guard pages.count == 2 else { return 0 }
    return max(0, (pages[0] - pages[1]) * Int64(sysconf(Int32(_SC_PAGESIZE))) - tl_heap_used())
  }

  /// What is free goes back to the kernel, a whole page at least. An arena that is looked through hands
  /// nothing out meanwhile: milliseconds, and a hundred where there is a gigabyte to give back.
  public static func giveBackFreePages() { tl_give_back_free_pages() }

  /// The second field of /proc/self/statm (proc(5)).
  private static func residentPages() -> Int64 {
    fields(of: "/proc/self/statm").dropFirst().first.flatMap { Int64($0) } ?? 0
  }

  /// Milliseconds since the process began: field 22 of /proc/self/stat, in clock ticks since boot.
  /// The name in field 2 may hold spaces, so counting begins after its closing parenthesis.
  private static func sinceStart() -> Int64 {
    let text = text(of: "/proc/self/stat")
    guard let end = text.lastIndex(of: ")") else { return 0 }
    let rest = text[text.index(after: end)...].split(separator: " ")
    guard rest.count > 19, let ticks = Int64(rest[19]) else { return 0 }
    let uptime = fields(of: "/proc/uptime").first.flatMap { Double($0) } ?? 0
    return max(0, Int64(uptime * 1_000) - ticks * 1_000 / Int64(sysconf(Int32(_SC_CLK_TCK))))
  }

  private static func fields(of path: String) -> [Substring] {
    text(of: path).split(separator: " ")
  }

  private static func text(of path: String) -> String {
    do {
      return String(decoding: try Files.read(path), as: UTF8.self)
    } catch {
      return ""  // The kernel's own file: where /proc is not mounted the figure is 0, which metrics show.
    }
  }

  private static func countDescriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = -3  // `.`, `..`, and the one that lists
    while readdir(folder) != nil { count += 1 }
    return max(count, 0)
  }
}
