import ArgumentParser
import Foundation
import Mime

struct Mail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what is understood of a message, as JSON.",
    discussion:
      "Addresses, threading, own words and quoted ones, attachments, and whether a machine wrote it.")
  @Argument(help: "Files with one message each (.eml); - for standard input.") var files: [String]
  @Option(name: .long, help: "Our own addresses, so that a loop is seen; may be given several times.")
  var own: [String] = []
  @Option(name: .long, help: "Believe the Authentication-Results of this authserv-id.") var authservId:
    String?

  func run() throws {
    var configuration = MailUnderstanding.Configuration()
    configuration.ownAddresses = Set(own.map { $0.lowercased() })
    configuration.authservID = authservId
    for file in files {
      let data: Data
      if file == "-" {
        data = FileHandle.standardInput.readDataToEndOfFile()
      } else {
        guard let found = FileManager.default.contents(atPath: file) else {
          throw Unreadable(file)
        }
        data = found
      }
      let mail = MailUnderstanding(bytes: Self.withLineEnds(Array(data)), configuration: configuration)
      print(mail.json)
    }
  }

  /// Files on disk often end their lines with LF alone; on the wire that would be refused.
  private static func withLineEnds(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + bytes.count / 32)
    var last: UInt8 = 0
    for byte in bytes {
      if byte == 10, last != 13 { out.append(13) }
      out.append(byte)
      last = byte
    }
    return out
  }
}

/// A file that somebody named is not there, or not to be read.
struct Unreadable: Error, CustomStringConvertible {
  var description: String
  init(_ file: String) { description = "\(file) cannot be read: \(String(cString: strerror(errno)))" }
}
