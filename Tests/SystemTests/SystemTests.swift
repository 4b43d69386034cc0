import Glibc
import Synchronization
import Testing

@testable import System

private func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func unhex(_ text: String) -> [UInt8] {
  stride(from: 0, to: text.utf8.count, by: 2).map { at in
    let start = text.index(text.startIndex, offsetBy: at)
    return UInt8(text[start..<text.index(start, offsetBy: 2)], radix: 16)!
  }
}

@Suite struct MemoryTests {
  @Test func `memory that is free in the midst of what is in use goes back`() {
    // Every sixteenth stays: no arena's end is free.
    var blocks = (0..<120_000).map { _ in malloc(1_000)! }
    for block in blocks { memset(block, 1, 1_000) }
    for (number, block) in blocks.enumerated() where number % 16 != 0 { free(block) }
    let before = ProcessFacts.unusedBytes()
    ProcessFacts.giveBackFreePages()
    let after = ProcessFacts.unusedBytes()
    #expect(before > 80 << 20 && after < before - (60 << 20), "\(before) \(after)")
    for (number, block) in blocks.enumerated() where number % 16 == 0 { free(block) }
    blocks = []
  }
}

/// A folder for one test, removed with it.
final class ScratchFolder {
  let path: String
  init() throws {
    path = "/tmp/throughline-system-\(getpid())-\(Entropy.word)"
    try Files.createFolder(path)
  }
  deinit {
    for name in names() { unlink("\(path)/\(name)") }
    rmdir(path)
  }
  func names() -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var found: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { found.append(name) }
    }
    return found
  }
}

@Suite struct HashTests {
  // FIPS 180-4 examples; RFC 4231 §4.2, §4.3, §4.6 and §4.7.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `SHA-256 gives the published digests`(_ text: String, _ expected: String) {
    #expect(hex(SHA256.hash(Array(text.utf8)).bytes) == expected)
  }

  @Test func `hashing in pieces is hashing the whole, and a stream can be used again`() {
    let whole = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var stream = SHA256Stream()
    for _ in 0..<2 {
      for cut in [0, 1, 64, 65, 999, 1_000] {
        stream.update(Array(whole[..<cut]))
        stream.update(Array(whole[cut...]))
        #expect(stream.finish() == SHA256.hash(whole))
        let both = whole.withUnsafeBytes {
          SHA256.hash(.init(rebasing: $0[..<cut]), then: .init(rebasing: $0[cut...]))
        }
        #expect(both == SHA256.hash(whole))
      }
    }
  }

  @Test(arguments: [
    (
      String(repeating: "0b", count: 20), "4869205468657265",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      String(repeating: "aa", count: 131),
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ])
  func `HMAC gives the codes of RFC 4231`(_ key: String, _ message: String, _ expected: String) {
    let signed = HMACKey(unhex(key)).sign(unhex(message))
    #expect(hex(signed.bytes) == expected)
  }

  @Test
  func `a code is verified whole or truncated, and one changed bit or too short a code is refused`()
  {
    let key = HMACKey(Array("key".utf8))
    let message = Array("reply+c1@shop.example".utf8)
    for length in [16, 20, 32] {
      var code = key.sign(message, truncatedTo: length)
      #expect(key.verify(code, of: message))
      code[length - 1] ^= 1
      #expect(!key.verify(code, of: message))
    }
    #expect(!key.verify(key.sign(message, truncatedTo: 15), of: message))
    #expect(!key.verify([], of: message))
    #expect(!key.verify(key.sign(message).bytes + [0], of: message))
  }

  @Test func `equality in constant time is equality`() {
    #expect(ConstantTime.equal([], []))
    #expect(ConstantTime.equal([1, 2], [1, 2]))
    #expect(!ConstantTime.equal([1, 2], [1, 3]))
    #expect(!ConstantTime.equal([1, 2], [1, 2, 3]))
  }
}

@Suite struct EntropyTests {
  @Test func `entropy never repeats, in small pieces and in large`() {
    var seen: Set<[UInt8]> = []
    for _ in 0..<1_000 { #expect(seen.insert(Entropy.bytes(16)).inserted) }
    #expect(Entropy.bytes(10_000).count == 10_000)
    #expect(Set(Entropy.bytes(10_000)).count > 250)
    #expect(Entropy.bytes(0).isEmpty)
    #expect(Entropy.bytes(256) != Entropy.bytes(256))
  }
}

@Suite struct FileTests {
  @Test func `a file is replaced whole and nothing is left beside it`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/file"
    let bytes = Entropy.bytes(200_000)
    try Files.writeAtomically([1, 2, 3], to: path)
    try Files.writeAtomically(bytes, to: path)
    #expect(try Files.read(path) == bytes)
    #expect(folder.names() == ["file"])
    #expect(throws: SystemError("read", path, code: EFBIG)) {
      try Files.read(path, bytesMax: 1_000)
    }
  }

  @Test func `a failure says what was done, to what, and why`() throws {
    let error = #expect(throws: SystemError.self) { try Files.read("/nowhere/at/all") }
    #expect(error?.description == "could not open /nowhere/at/all: No such file or directory")
    let folder = try ScratchFolder()
    #expect(throws: SystemError.self) {
      try Files.writeAtomically([1], to: folder.path + "/none/file")
    }
    #expect(folder.names().isEmpty)
  }

  @Test func `space can be reserved ahead without the file growing`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/log"
    let file = try FileDescriptor(opening: path, O_WRONLY | O_CREAT)
    try file.reserve(offset: 0, bytes: 1 << 20, path)
    try file.writeAll([1, 2, 3], path)
    try file.syncData(path)
    #expect(try Files.read(path) == [1, 2, 3])
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_blocks * 512 >= 1 << 20)
  }

  @Test func `folders are made with their parents, and a file in the way is an error`() throws {
    let folder = try ScratchFolder()
    try Files.createFolder(folder.path + "/a/b/c")
    try Files.createFolder(folder.path + "/a/b/c")
    #expect(Files.exists(folder.path + "/a/b/c"))
    try Files.writeAtomically([1], to: folder.path + "/file")
    #expect(throws: SystemError.self) { try Files.createFolder(folder.path + "/file") }
    for each in ["/a/b/c", "/a/b", "/a"] { rmdir(folder.path + each) }
  }

  @Test func `a data folder has one holder, who is named to the second`() throws {
    let folder = try ScratchFolder()
    var first: FolderLock? = try FolderLock(folder: folder.path)
    let error = #expect(throws: FolderLock.Failure.self) { try FolderLock(folder: folder.path) }
    #expect(error == .held(folder: folder.path, byProcess: getpid()))
    #expect(error?.description.contains("process \(getpid())") == true)
    withExtendedLifetime(first) {}
    first = nil
    withExtendedLifetime(try FolderLock(folder: folder.path)) {}
  }
}

@Suite struct ProcessTests {
  @Test func `a signal arrives as an event`() async throws {
    let continuation = Mutex<CheckedContinuation<Signal, Never>?>(nil)
    let watch = try SignalWatch([.hangUp]) { signal in
      continuation.withLock { $0.take() }?.resume(returning: signal)
    }
    let signal = await withCheckedContinuation { waiting in
      continuation.withLock { $0 = waiting }
      kill(getpid(), SIGHUP)
    }
    #expect(signal == .hangUp)
    withExtendedLifetime(watch) {}
  }

  @Test func `facts of this process are plausible, and an opened file is counted`() throws {
    let before = ProcessFacts.now()
    #expect(before.residentBytes > 1 << 20 && before.residentBytes < 1 << 36)
    #expect(before.cpuMilliseconds >= 0 && before.descriptorLimit >= 64)
    let age = WallClock.nowMilliseconds - before.startedAtMilliseconds
    #expect(age >= 0 && age < 3_600_000)
    let held = (0..<50).map { _ in open("/dev/null", O_RDONLY) }
    #expect(ProcessFacts.now().openDescriptors >= 53)
    for each in held { close(each) }
  }

  @Test func `the monotonic clock does not go back`() {
    var last = MonotonicClock.nowNanoseconds
    for _ in 0..<10_000 {
      let now = MonotonicClock.nowNanoseconds
      #expect(now >= last)
      last = now
    }
  }
}
