import Wire

/// Bytes of an upgraded connection into messages, RFC 6455.
///
/// ```
/// header ──complete──▶ payload(left) ──0 left, FIN──▶ message ─▶ header
///                          └─0 left, no FIN─▶ header (message goes on)
/// a close frame ──▶ closed        any violation ──▶ failed: answer `closeCode`, then close
/// (§7.1.7)
/// ```
/// Text is validated as it arrives: the first bad byte fails the connection, also inside an
/// unfinished frame. What is
/// compressed is expanded as it arrives, too, and bounded by what it becomes (RFC 7692).
public struct WebSocketDecoder {
  public enum MessageKind: Sendable, Equatable { case text, binary }

  public enum Event: Sendable, Equatable {
    case needMore
    /// Text is valid UTF-8. What came compressed is expanded.
    case message(MessageKind, [UInt8], isCompressed: Bool)
    /// Answer with a pong of the same payload (§5.5.2).
    case ping([UInt8])
    case pong([UInt8])
    /// The peer closes; echo the code, unless our close frame was first. Nothing will come after
    /// it.
    case closed(WebSocketCloseCode?, reason: String)
    case failed(Failure)
  }

  /// Send `closeCode` in a close frame, then close the connection.
  public struct Failure: Error, Equatable, Sendable {
    public var closeCode: WebSocketCloseCode
    public var reason: Reason
    public enum Reason: String, Sendable {
      case reservedBits = "reserved bits set"
      case badOpcode = "reserved opcode"
      case badMasking = "wrong masking"
      case badLength = "length not in its shortest form"
      case badControlFrame = "control frame too long or fragmented"
      case badFragment = "fragments out of order"
      case badClose = "malformed close frame"
      case badText = "text is not UTF-8"
      case tooBig = "message too big"
      case badCompression = "compressed data is malformed"
      case noMemory = "no memory to expand a message"
    }
  }

  struct Frame: Sendable {
    var opcode: WebSocketOpcode
    var isFinal: Bool
    var left: Int
    var mask: WebSocketMask?
  }

  private enum State: Sendable {
    case header
    case payload(Frame)
    case closed
    case failed(Failure)
  }

  let role: WebSocketRole
  let messageBytesMax: Int
  /// What does not shrink grows by packing: stored by a few bytes, in fixed codes by an eighth.
  private var packedBytesMax: Int { messageBytesMax + messageBytesMax / 8 + 64 }
  /// Whether compression was agreed on, so that RSV1 may mark a message's first frame (RFC 7692
  /// §6).
  private let allowsCompressed: Bool
  private let keepsContext: Bool
  /// How far back the peer may refer, over its earlier messages.
  private let windowBytes: Int
  private var buffer = ByteBuffer()
  private var state = State.header
  /// The message that is being gathered, over its fragments.
  private var kind: MessageKind?
  private var isCompressed = false
  private var message: [UInt8] = []
  /// Payload bytes of its frames so far: the same, unless it is compressed.
  private var wireBytes = 0
  private var text = UTF8Check()
  /// While a compressed message comes.
  private var inflater: Inflater?
  /// The end of the compressed messages before, where the next may refer to it.
  private var history: [UInt8] = []

  /// - Parameter compression: as agreed in the handshake; nil: a compressed message is a violation.
  public init(
    role: WebSocketRole = .server, messageBytesMax: Int = 1_048_576,
    compression: PermessageDeflate? = nil
  ) {
    self.role = role
    self.messageBytesMax = messageBytesMax
    allowsCompressed = compression != nil
    keepsContext =
      (role == .server ? compression?.clientKeepsContext : compression?.serverKeepsContext) ?? false
    let windowBits =
      (role == .server ? compression?.clientWindowBits : compression?.serverWindowBits) ?? 15
    windowBytes = 1 << windowBits
  }

  public mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(bytes) }
  public mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(bytes) }

  /// Bytes kept that are not yet part of an event.
  public var bufferedBytes: Int { buffer.count + message.count }
  /// Gives back what a burst took; for whoever has heard all that came, and may hear nothing more
  /// for long.
  public mutating func releaseMemory() { buffer.trim(past: Self.keptBytes) }
  /// As much as most messages need, so that they find it there.
  private static let keptBytes = 512

  public mutating func next() -> Event {
    do throws(Failure) {
      return try step()
    } catch {
      state = .failed(error)
      buffer.release()
      message = []
      inflater = nil
      history = []
      return .failed(error)
    }
  }

  private mutating func step() throws(Failure) -> Event {
    while true {
      switch state {
      case .header:
        guard let frame = try header() else { return .needMore }
        state = .payload(frame)
      case .payload(let frame) where frame.opcode.isControl:
        guard buffer.count >= frame.left else { return .needMore }
        state = .header
        return try control(frame)
      case .payload(var frame):
        try take(&frame)
        guard frame.left == 0 else {
          state = .payload(frame)
          return .needMore
        }
        state = .header
        if frame.isFinal { return try finish() }
      case .closed:
        buffer.release()  // §1.4: data after a close frame is discarded
        return .needMore
      case .failed(let failure): return .failed(failure)
      }
    }
  }

  /// Reads a frame's header, §5.2. Each byte is judged as soon as it is there.
  private mutating func header() throws(Failure) -> Frame? {
    guard let first = buffer[0] else { return nil }
    let opcode = try judge(first)
    guard let second = buffer[1] else { return nil }
    let isMasked = second & 0x80 != 0
    guard isMasked == (role == .server) else {
      throw Failure(closeCode: .protocolError, reason: .badMasking)
    }
    let short = Int(second & 0x7F)
    if opcode.isControl, short > 125 {
      throw Failure(closeCode: .protocolError, reason: .badControlFrame)
    }
    let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
    guard let length = try length(short, lengthBytes) else { return nil }
    // Bounded before anything is kept; the message so far counts.
    let isPacked = opcode == .continuation ? isCompressed : first & 0x40 != 0
    if !opcode.isControl, length > (isPacked ? packedBytesMax : messageBytesMax) - wireBytes {
      throw Failure(closeCode: .messageTooBig, reason: .tooBig)
    }
    var mask: WebSocketMask?
    let size = 2 + lengthBytes + (isMasked ? 4 : 0)
    if isMasked {
      var key: UInt32 = 0
      for index in 0..<4 {
        guard let byte = buffer[2 + lengthBytes + index] else { return nil }
        key |= UInt32(byte) << (8 * UInt32(index))
      }
      mask = WebSocketMask(key)
    }
    buffer.consume(size)
    if opcode == .text || opcode == .binary {
      kind = opcode == .text ? .text : .binary
      isCompressed = first & 0x40 != 0
    }
    return Frame(opcode: opcode, isFinal: first & 0x80 != 0, left: length, mask: mask)
  }

  private func judge(_ first: UInt8) throws(Failure) -> WebSocketOpcode {
    guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
      throw Failure(
        closeCode: .protocolError, reason: first & 0x70 != 0 ? .reservedBits : .badOpcode)
    }
    let mayCompress = allowsCompressed && (opcode == .text || opcode == .binary)
    guard first & (mayCompress ? 0x30 : 0x70) == 0 else {
      throw Failure(closeCode: .protocolError, reason: .reservedBits)
    }
    if opcode.isControl {
      guard first & 0x80 != 0 else {
        throw Failure(closeCode: .protocolError, reason: .badControlFrame)
      }  // §5.5
    } else if (opcode == .continuation) != (kind != nil) {  // §5.4
      throw Failure(closeCode: .protocolError, reason: .badFragment)
    }
    return opcode
  }

  /// nil while its bytes have not come. §5.2: the shortest form, and the highest bit of 64 is 0.
  private func length(_ short: Int, _ count: Int) throws(Failure) -> Int? {
    if count == 0 { return short }
    var value: UInt64 = 0
    for index in 0..<count {
      guard let byte = buffer[2 + index] else { return nil }
      value = value << 8 | UInt64(byte)
    }
    guard let length = Int(exactly: value), length > (count == 2 ? 125 : 0xFFFF) else {
      throw Failure(closeCode: .protocolError, reason: .badLength)
    }
    return length
  }

  /// Moves what has come of a data frame's payload to the message.
  private mutating func take(_ frame: inout Frame) throws(Failure) {
    let n = min(frame.left, buffer.count)
    if n == 0 { return }
    let start = message.count
    frame.left -= n
    wireBytes += n
    if isCompressed {
      var payload = buffer.take(n)
      if var mask = frame.mask {
        payload.withUnsafeMutableBytes { mask.apply($0) }
        frame.mask = mask
      }
      return try expanded(
        from: start, try expander().expand(payload, into: &message, bytesMax: messageBytesMax))
    } else {
      buffer.withUnsafeBytes {
        message.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<n]))
      }
      buffer.consume(n)
      if var mask = frame.mask {
        message.withUnsafeMutableBytes {
          mask.apply(UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
        }
        frame.mask = mask
      }
    }
    try check(from: start)
  }

  private mutating func check(from start: Int) throws(Failure) {
    guard kind == .text, message.count > start else { return }
    let bad = message.withUnsafeBytes { text.feed(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    if bad != nil { throw Failure(closeCode: .invalidData, reason: .badText) }  // §8.1
  }

  private mutating func finish() throws(Failure) -> Event {
    if isCompressed { try endCompressed() }
    guard text.isComplete else { throw Failure(closeCode: .invalidData, reason: .badText) }
    guard let kind else { return .needMore }
    defer {
      self.kind = nil
      message = []
      wireBytes = 0
      text = UTF8Check()
    }
    return .message(kind, message, isCompressed: isCompressed)
  }

  private mutating func endCompressed() throws(Failure) {
    let start = message.count
    try expanded(
      from: start, try expander().endMessage(into: &message, bytesMax: messageBytesMax))
    inflater = nil
    if keepsContext { remember() }
  }

  private mutating func remember() {
    if message.count >= windowBytes {
      history = Array(message.suffix(windowBytes))
    } else {
      history = Array(history.suffix(windowBytes - message.count) + message)
    }
  }

  /// What stood before the fault is judged first: so it is the same however the bytes were cut.
  private mutating func expanded(from start: Int, _ fault: Inflater.Fault?) throws(Failure) {
    try check(from: start)
    if let fault { throw Failure(fault) }
  }

  private mutating func expander() throws(Failure) -> Inflater {
    if let inflater { return inflater }
    guard let made = Inflater(after: history) else {
      throw Failure(closeCode: .internalError, reason: .noMemory)
    }
    inflater = made
    return made
  }

  private mutating func control(_ frame: Frame) throws(Failure) -> Event {
    var payload = buffer.take(frame.left)
    if var mask = frame.mask { payload.withUnsafeMutableBytes { mask.apply($0) } }
    switch frame.opcode {
    case .ping: return .ping(payload)
    case .pong: return .pong(payload)
    case .close: return try close(payload)
    case .continuation, .text, .binary: return .needMore  // no control frames
    }
  }

  /// §5.5.1: nothing, or a code and a reason in UTF-8.
  private mutating func close(_ payload: [UInt8]) throws(Failure) -> Event {
    state = .closed
    message = []
    if payload.isEmpty { return .closed(nil, reason: "") }
    guard payload.count >= 2,
      let code = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
    else { throw Failure(closeCode: .protocolError, reason: .badClose) }
    guard let reason = String(validating: payload[2...], as: UTF8.self) else {
      throw Failure(closeCode: .invalidData, reason: .badText)
    }
    return .closed(code, reason: reason)
  }
}

extension WebSocketDecoder.Failure {
  init(_ fault: Inflater.Fault) {
    switch fault {
    case .malformed: self.init(closeCode: .invalidData, reason: .badCompression)
    case .tooBig: self.init(closeCode: .messageTooBig, reason: .tooBig)
    case .noMemory: self.init(closeCode: .internalError, reason: .noMemory)
    }
  }
}
