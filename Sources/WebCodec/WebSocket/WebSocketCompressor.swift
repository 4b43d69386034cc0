/// Messages on their way out, compressed where that was agreed and where it gains: RFC 7692 §6.1.
///
/// The compressor is made with the first message that needs it, so that a connection which says
/// nothing long holds nothing; without a context to keep it is dropped again after each.
public struct WebSocketCompressor {
  /// Shorter messages leave as they are: the frame would not shrink by more than it costs.
  public static let bytesMin = 96

  private let keepsContext: Bool
  private let windowBits: Int
  private let mayCompress: Bool
  private var deflater: Deflater?

  /// - Parameter agreed: nil when nothing was: every message leaves as it is.
  public init(_ agreed: PermessageDeflate?, role: WebSocketRole = .server) {
    mayCompress = agreed != nil
    keepsContext =
      (role == .server ? agreed?.serverKeepsContext : agreed?.clientKeepsContext) ?? false
    windowBits = min(
      (role == .server ? agreed?.serverWindowBits : agreed?.clientWindowBits) ?? 15,
      PermessageDeflate.ownWindowBits)
  }

  /// Appends a frame with the whole message.
  public mutating func message(
    _ kind: WebSocketDecoder.MessageKind, _ payload: [UInt8], mask: UInt32? = nil,
    into out: inout [UInt8]
  ) {
    let opcode = kind == .text ? WebSocketOpcode.text : .binary
    guard mayCompress, payload.count >= Self.bytesMin, let packed = pack(payload) else {
      return WebSocketEncoder.frame(opcode, payload, mask: mask, &out)
    }
    WebSocketEncoder.frame(opcode, isCompressed: true, packed, mask: mask, &out)
  }

  private mutating func pack(_ payload: [UInt8]) -> [UInt8]? {
    // zlib has no raw DEFLATE with a window of 256 bytes.
    let made =
      deflater
      ?? Deflater(.raw(windowBits: max(windowBits, 9)), memoryLevel: PermessageDeflate.memoryLevel)
    deflater = keepsContext ? made : nil
    // A message that does not shrink leaves as it was, but only where the peer's context does not
    // count on it.
    guard let packed = made?.message(payload, keepsContext: keepsContext) else { return nil }
    return keepsContext || packed.count < payload.count ? packed : nil
  }
}
