/// Writes WebSocket frames, RFC 6455 §5.2. Stateless: a mask for each frame is handed in by a
/// client.
public enum WebSocketEncoder {
  public static func text(_ text: String, mask: UInt32? = nil, into out: inout [UInt8]) {
    frame(.text, Array(text.utf8), mask: mask, &out)
  }

  /// Text that is already UTF-8, such as JSON.
  public static func text(utf8 bytes: [UInt8], mask: UInt32? = nil, into out: inout [UInt8]) {
    frame(.text, bytes, mask: mask, &out)
  }

  public static func binary(_ bytes: [UInt8], mask: UInt32? = nil, into out: inout [UInt8]) {
    frame(.binary, bytes, mask: mask, &out)
  }

  /// A payload past 125 bytes is cut: a control frame may not be longer (§5.5).
  public static func ping(_ payload: [UInt8] = [], mask: UInt32? = nil, into out: inout [UInt8]) {
    frame(.ping, payload.count > 125 ? Array(payload[..<125]) : payload, mask: mask, &out)
  }

  public static func pong(_ payload: [UInt8], mask: UInt32? = nil, into out: inout [UInt8]) {
    frame(.pong, payload.count > 125 ? Array(payload[..<125]) : payload, mask: mask, &out)
  }

  /// - Parameters:
  ///   - code: nil for a close frame without a body.
  ///   - reason: for a person; cut at 123 bytes, between characters.
  public static func close(
    _ code: WebSocketCloseCode?, _ reason: String = "", mask: UInt32? = nil, into out: inout [UInt8]
  ) {
    guard let code else { return frame(.close, [], mask: mask, &out) }
    var payload = [
      UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue),
    ]
    for character in reason.unicodeScalars {
      let encoded = UTF8.encode(character) ?? UTF8.encodedReplacementCharacter
      if payload.count + encoded.count > 125 { break }
      payload.append(contentsOf: encoded)
    }
    frame(.close, payload, mask: mask, &out)
  }

  static func frame(
    _ opcode: WebSocketOpcode, isFinal: Bool = true, isCompressed: Bool = false, _ payload: [UInt8],
    mask: UInt32?,
    _ out: inout [UInt8]
  ) {
    out.append((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue)
    let maskBit: UInt8 = mask == nil ? 0 : 0x80
    let count = payload.count
    if count < 126 {
      out.append(maskBit | UInt8(truncatingIfNeeded: count))
    } else if count <= 0xFFFF {
      out.append(maskBit | 126)
      withUnsafeBytes(of: UInt16(truncatingIfNeeded: count).bigEndian) {
        out.append(contentsOf: $0)
      }
    } else {
      out.append(maskBit | 127)
      withUnsafeBytes(of: UInt64(count).bigEndian) { out.append(contentsOf: $0) }
    }
    guard let mask else { return out.append(contentsOf: payload) }
    withUnsafeBytes(of: mask.littleEndian) { out.append(contentsOf: $0) }
    let start = out.count
    out.append(contentsOf: payload)
    var masking = WebSocketMask(mask)
    out.withUnsafeMutableBytes {
      masking.apply(UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
    }
  }
}
