import ArgumentParser
import Foundation
import Mime
import System

struct Mail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what is understood of a message, as JSON.",
    discussion:
      "Addresses, threading, own words and quoted ones, attachments, and whether a machine wrote it."
  )
  @Argument(help: "Files with one message each (.eml); - for standard input.") var files: [String]
  @Option(
    name: .long, help: "Our own addresses, so that a loop is seen; may be given several times.")
  var own: [String] = []
  @Option(name: .long, help: "Believe the Authentication-Results of this authserv-id.")
  var authservId: String?

  func run() throws {
    var configuration = MailUnderstanding.Configuration()
    configuration.ownAddresses = Set(own.map { $0.lowercased() })
    configuration.authservID = authservId
    for file in files {
      // What was understood so far stands before what went wrong, wherever both are printed.
      defer { fflush(nil) }
      let mail = MailUnderstanding(
        bytes: Self.withLineEnds(try NamedFile.read(file)), configuration: configuration)
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

/// A file that somebody named at a terminal; `-` is what comes on standard input.
enum NamedFile {
  struct Unreadable: Error, CustomStringConvertible { var description: String }

  /// - Parameter bytesMax: no more is taken into memory, also of what never ends: a pipe, a device.
  static func read(_ path: String, bytesMax: Int = 1 << 30) throws(Unreadable) -> [UInt8] {
    let name = path == "-" ? "/dev/stdin" : path
    do throws(SystemError) { return try Files.read(name, bytesMax: bytesMax) } catch {
      guard error.code != EFBIG else {
        throw Unreadable(description: "\(path) is larger than \(bytesMax >> 20) MB")
      }
      throw Unreadable(description: "\(path) cannot be read: \(error.text)")
    }
  }
}
