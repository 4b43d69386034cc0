import Foundation
import Model
import Records
import System

/// A file of erasures' receipts that somebody kept: what `throughline erasures --json` wrote.
enum KeptErasures {
  typealias Receipt = (workspace: String, receipt: ErasureReceipt)

  /// - Errors: `AdminClient.Fault`, with the file, the line and what is wrong there.
  static func read(_ file: String) throws -> [Receipt] {
    let bytes: [UInt8]
    do { bytes = try Files.read(file, bytesMax: 64 << 20) } catch {
      throw AdminClient.Fault("\(file) cannot be read: \(error)")
    }
    return try parse(bytes, file)
  }

  static func parse(_ bytes: [UInt8], _ file: String) throws -> [Receipt] {
    let lines = try Line.all(in: bytes, file)
    return try lines.enumerated().map { index, receipt in
      do { return try receipt.checked() } catch let wrong as Wrong {
        throw AdminClient.Fault(
          "\(file):\(line(ofReceipt: index, in: bytes)): \(wrong.sentence); it must be what "
            + "`throughline erasures --json` writes")
      }
    }
  }

  private struct Wrong: Error {
    var sentence: String
    init(_ sentence: String) { self.sentence = sentence }
  }

  /// Everything optional, so that what is missing is told in our words and not in the decoder's.
  private struct Line: Decodable {
    var workspace: String?
    var erasure: Int64?
    var at: String?
    var by: String?
    var customers: [String]?
    var up_to: Int64?

    static func all(in bytes: [UInt8], _ file: String) throws -> [Line] {
      do { return try JSONDecoder().decode([Line].self, from: Data(bytes)) } catch let error
        as DecodingError
      {
        throw AdminClient.Fault(KeptErasures.sentence(error, bytes, file))
      }
    }

    func checked() throws(Wrong) -> Receipt {
      func need<T>(_ value: T?, _ name: String) throws(Wrong) -> T {
        guard let value else { throw Wrong("the receipt has no \(name)") }
        return value
      }
      let time = try need(at, "at")
      guard let at = Instant(rfc3339: time) else { throw Wrong("at: \"\(time)\" is no time") }
      var ids: [CustomerID] = []
      for text in try need(customers, "customers") {
        guard let id = CustomerID(text) else {
          throw Wrong("customers: \"\(text)\" is no customer id")
        }
        ids.append(id)
      }
      return (
        try need(workspace, "workspace"),
        ErasureReceipt(
          number: try need(erasure, "erasure"), at: at, by: try need(by, "by"), customers: ids,
          upTo: EntryID(try need(up_to, "up_to")))
      )
    }
  }

  /// What the decoder met, with its line.
  private static func sentence(_ error: DecodingError, _ bytes: [UInt8], _ file: String) -> String {
    let hint = "; it must be what `throughline erasures --json` writes"
    func place(_ path: [any CodingKey]) -> String {
      guard let index = path.first?.intValue else { return "\(file):1" }
      return "\(file):\(line(ofReceipt: index, in: bytes))"
    }
    func name(_ path: [any CodingKey]) -> String {
      path.dropFirst().map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined()
    }
    switch error {
    case .typeMismatch(_, let context) where context.codingPath.isEmpty:
      return "\(file):1: it is no list of receipts\(hint)"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      let field = name(context.codingPath)
      let what = field.isEmpty ? "no receipt stands here" : "\(field) is no \(words(for: type))"
      return "\(place(context.codingPath)): \(what)\(hint)"
    case .keyNotFound(let key, let context):
      return "\(place(context.codingPath)): the receipt has no \(key.stringValue)\(hint)"
    case .dataCorrupted(let context):
      let why = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
      return "\(file):\(line(ofFault: bytes)): it is no JSON\(why.map { " (\($0))" } ?? "")\(hint)"
    @unknown default: return "\(file): \(error)"
    }
  }

  private static func words(for type: Any.Type) -> String {
    switch type {
    case is String.Type: "text"
    case is Int64.Type: "whole number"
    case is [String].Type, is [Any].Type: "list"
    default: "value of the kind that belongs here"
    }
  }

  /// The line, from 1, on which the receipt of this index begins.
  private static func line(ofReceipt index: Int, in bytes: [UInt8]) -> Int {
    var scan = JSONScan()
    for byte in bytes {
      scan.take(byte)
      if scan.receipts == index + 1 { break }
    }
    return scan.line
  }

  /// The line on which what was begun last is left open or closed by something else: a mistake that
  /// ends the reading stands there or before.
  private static func line(ofFault bytes: [UInt8]) -> Int {
    var scan = JSONScan()
    for byte in bytes {
      scan.take(byte)
      if scan.isBroken { break }
    }
    return scan.line
  }

  /// Walks through JSON counting lines and depth; knows strings and brackets, and nothing else.
  private struct JSONScan {
    private(set) var line = 1
    private(set) var receipts = 0
    private(set) var isBroken = false
    private var open: [UInt8] = []
    private var isInString = false
    private var isEscaped = false

    mutating func take(_ byte: UInt8) {
      if byte == UInt8(ascii: "\n") {
        if isInString { isBroken = true } else { line += 1 }
        return
      }
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        return
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
      case UInt8(ascii: "{"):
        if open.count == 1 { receipts += 1 }
        open.append(UInt8(ascii: "}"))
      case UInt8(ascii: "]"), UInt8(ascii: "}"): if open.popLast() != byte { isBroken = true }
      default: break
      }
    }
  }
}
