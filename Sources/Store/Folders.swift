import Records
import Glibc

/// Folders and files that only their owner can read. Every call blocks.
enum Folders {
  static func make(_ path: String) throws(StoreFault) { try RealDisk().makeFolders(path) }

  /// An empty file of ours, unless there is one: SQLite gives its companions the same permissions.
  static func makeFile(_ path: String) throws(StoreFault) {
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw fault("make \(path)", errno) }
    close(file)
  }

  /// Nothing happens where there is no such file.
  static func remove(_ path: String) throws(StoreFault) {
    guard unlink(path) != 0 else { return }
    let code = errno
    if code != ENOENT { throw fault("remove \(path)", code) }
  }

  /// Nothing happens where there is no such file.
  static func move(_ path: String, to target: String) throws(StoreFault) {
    guard rename(path, target) != 0 else { return }
    let code = errno
    if code != ENOENT { throw fault("move \(path) to \(target)", code) }
  }

  /// A piece at a time, and under its name only when it is whole and synced.
  static func copy(_ path: String, to target: String) throws(StoreFault) {
    let beside = "\(target).new"
    try remove(beside)
    let source = open(path, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw fault("open \(path)", errno) }
    defer { close(source) }
    let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw fault("make \(beside)", errno) }
    defer { close(file) }
    while true {
      let sent = sendfile(file, source, nil, 1 << 20)
      if sent == 0 { break }
      if sent < 0, errno != EINTR { throw fault("copy \(path) to \(target)", errno) }
    }
    guard fsync(file) == 0 else { throw fault("sync \(beside)", errno) }
    try move(beside, to: target)
    try sync(folder: parent(of: target))
  }

  static func sync(folder path: String) throws(StoreFault) {
    let file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw fault("open the folder \(path)", errno) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw fault("sync the folder \(path)", errno) }
  }

  /// Sorted, without hidden ones; none where there is no such folder.
  static func names(in path: String) throws(StoreFault) -> [String] {
    guard let folder = opendir(path) else {
      let code = errno
      if code == ENOENT { return [] }
      throw fault("list the folder \(path)", code)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Whether a path, which need not be there yet, lies in a folder or is the folder, however links
  /// lead to either.
  static func isInside(_ path: String, _ folder: String) -> Bool {
    let (path, folder) = (resolved(path), resolved(folder))
    return path == folder || path.hasPrefix(folder == "/" ? "/" : folder + "/")
  }

  /// Without links and dots, as far as it is there; what is not there yet stays as it is written.
  private static func resolved(_ path: String) -> String {
    var (there, rest) = (path, "")
    while true {
      if let real = realpath(there, nil) {
        defer { free(real) }
        let found = String(cString: real)
        return rest.isEmpty ? found : (found == "/" ? "" : found) + rest
      }
      guard there != "/", there != "." else { return path }
      rest = "/" + (there.split(separator: "/").last.map(String.init) ?? "") + rest
      there = parent(of: there)
    }
  }

  static func fault(_ doing: String, _ code: Int32) -> StoreFault {
    .failed(doing: doing, why: strerror(code).map { String(cString: $0) } ?? "error \(code)")
  }
}
