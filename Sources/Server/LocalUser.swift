import Foundation

/// Who speaks over the administration socket, for the record of what they did there.
enum LocalUser {
  /// - Units: bytes of the file of users that are looked at.
  private static let bytesMax = 1 << 20

  /// `local:ann`; `local:1000` for a user whom this machine's own file does not name, and
  /// `administrator` where the kernel does not tell. A directory on the network is not asked: that
  /// could keep a lane waiting.
  static func name(_ user: UInt32?) -> String {
    guard let user else { return "administrator" }
    return "local:" + (named(user) ?? String(user))
  }

  private static func named(_ user: UInt32) -> String? {
    guard let file = try? FileHandle(forReadingFrom: URL(filePath: "/etc/passwd")) else {
      return nil
    }
    defer { try? file.close() }  // Only read: there is nothing to lose.
    guard let bytes = try? file.read(upToCount: bytesMax) else { return nil }
    for line in bytes.split(separator: 0x0A) {
      let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
      guard fields.count > 2, UInt32(String(decoding: fields[2], as: UTF8.self)) == user else {
        continue
      }
      let name = String(decoding: fields[0], as: UTF8.self)
      return name.isEmpty ? nil : name
    }
    return nil
  }
}
