import Wire

/// The parameters of a structured header, such as an attachment's name. Our own, since GMime 3.2.13
/// loses all of a name behind its first padded encoded word, and takes `filename` before `filename*`.
///
/// | written | read as |
/// |---|---|
/// | `filename*=utf-8''gr%C3%B6` (RFC 2231 §4) | said charset; before any other (RFC 6266 §4.3) |
/// | `filename*0*=utf-8''gr%C3; filename*1*=%B6` (§3, §4.1) | joined before conversion: some cut inside a character |
/// | `filename="=?utf-8?B?…?="` (RFC 2047 §5 forbids it, Outlook writes it) | encoded words |
/// | `filename="grö"` in bytes | UTF-8, else Windows-1252 |
struct ParameterReader {
  private struct Piece {
    /// Of a continuation; nil for a parameter that is whole.
    var number: Int?
    var isExtended: Bool
    var bytes: [UInt8]
  }
  private var pieces: [(name: String, piece: Piece)] = []

  /// Of a header, in bytes; the rest says nothing.
  private static let bytesMax = 64 << 10
  private static let piecesMax = 1_000

  /// - Parameter header: its value as written, folding included.
  init(_ header: some Sequence<UInt8>) {
    let bytes = Array(header.lazy.filter { $0 != 13 && $0 != 10 }.prefix(Self.bytesMax))
    var at = bytes.firstIndex(of: 0x3B) ?? bytes.count
    while at < bytes.count, pieces.count < Self.piecesMax {
      at += 1
      let start = at
      while at < bytes.count, bytes[at] != 0x3D, bytes[at] != 0x3B { at += 1 }
      let name = bytes[start..<at]
      guard at < bytes.count, bytes[at] == 0x3D else { continue }
      at += 1
      let value = Self.value(bytes, &at)
      add(String(decoding: name, as: UTF8.self).trimmingBlanks.lowercased(), value)
    }
  }

  /// A quoted string or what stands up to the next semicolon, which `at` is moved to.
  private static func value(_ bytes: [UInt8], _ at: inout Int) -> [UInt8] {
    while at < bytes.count, bytes[at] == 32 || bytes[at] == 9 { at += 1 }
    var value: [UInt8] = []
    guard at < bytes.count, bytes[at] == 0x22 else {
      while at < bytes.count, bytes[at] != 0x3B {
        value.append(bytes[at])
        at += 1
      }
      while value.last == 32 || value.last == 9 { value.removeLast() }
      return value
    }
    at += 1
    while at < bytes.count, bytes[at] != 0x22 {
      // RFC 5322 §3.2.4; but who writes a path of Windows escapes nothing.
      if bytes[at] == 0x5C, at + 1 < bytes.count, bytes[at + 1] == 0x22 || bytes[at + 1] == 0x5C {
        at += 1
      }
      value.append(bytes[at])
      at += 1
    }
    while at < bytes.count, bytes[at] != 0x3B { at += 1 }
    return value
  }

  /// `filename`, `filename*`, `filename*0`, `filename*0*`.
  private mutating func add(_ written: String, _ bytes: [UInt8]) {
    var parts = written.split(separator: "*", omittingEmptySubsequences: false)
    let name = String(parts.removeFirst())
    let isExtended = parts.last?.isEmpty == true
    if isExtended { parts.removeLast() }
    let number = parts.first.flatMap { $0.utf8.count <= 3 ? Int($0) : nil }
    guard !name.isEmpty, parts.count <= 1, parts.isEmpty == (number == nil) else { return }
    pieces.append((name, Piece(number: number, isExtended: isExtended, bytes: bytes)))
  }

  /// What a parameter says; nil where it does not stand there.
  subscript(name: String) -> String? {
    let all = pieces.filter { $0.name == name }.map(\.piece)
    if let one = all.first(where: { $0.number == nil && $0.isExtended }) {
      return Self.text([one])
    }
    var continued: [Piece] = []
    while let next = all.first(where: { $0.number == continued.count }) { continued.append(next) }
    if !continued.isEmpty { return Self.text(continued) }
    return all.first { $0.number == nil }.map { Self.text([$0]) }
  }

  private static func text(_ pieces: [Piece]) -> String {
    var bytes: [UInt8] = []
    var charset: String?
    for (index, piece) in pieces.enumerated() {
      guard piece.isExtended else {
        bytes += piece.bytes
        continue
      }
      var rest = piece.bytes[...]
      // `charset'language'` stands before the first alone.
      if index == 0, let first = rest.firstIndex(of: 0x27),
        let second = rest[(first + 1)...].firstIndex(of: 0x27)
      {
        charset = String(decoding: rest[..<first], as: UTF8.self)
        rest = rest[(second + 1)...]
      }
      bytes += decoded(rest)
    }
    let text = bytes.withUnsafeBufferPointer { Charsets.text($0, charset) }
    return charset == nil ? EncodedWordReader.decode(text) : text
  }

  /// RFC 3986 §2.1, as RFC 2231 §4 has it.
  private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    var at = text.startIndex
    while at < text.endIndex {
      if text[at] == 0x25, at + 2 < text.endIndex, let high = Hex.value(text[at + 1]),
        let low = Hex.value(text[at + 2])
      {
        out.append(high << 4 | low)
        at += 3
      } else {
        out.append(text[at])
        at += 1
      }
    }
    return out
  }
}
