import Wire

/// FastAGI without the socket: bytes from Asterisk in, events out; commands in, bytes for Asterisk
/// out.
///
/// Asterisk connects to us, says who calls (`AGIRequest`), and then does what we say, one command
/// at a time. A second command must not be sent before the first is answered: playing a file,
/// Asterisk stops *without any reply* when it sees more input. So commands queue here, and one is
/// in flight.
///
/// ```
/// state        line from Asterisk            event               next state
/// opening      agi_…: …                      –                   opening
/// opening      (empty)                       opened              talking
/// talking      HANGUP                        hangup              talking    also between command
/// and reply
/// talking      NNN text, one in flight       reply               talking    the next command
/// leaves
/// talking      520-…                         –                   usage
/// usage        520 …                         reply(usage)        talking
/// usage        any other line                –                   usage      HANGUP too: it is
/// their text
/// any          what no rule names            throws AGIError     failed     for good
/// ```
public struct FastAGICodec: Sendable, Equatable {
  public struct Limits: Sendable, Equatable {
    /// Bytes in one line from Asterisk, LF included. It builds a line in up to 8 KiB.
    public var lineBytesMax = 8_192
    /// Lines of the header block: some 25 variables and up to 127 arguments.
    public var headerLinesMax = 160
    /// Lines of a usage text; the longest in Asterisk 22 has some 30.
    public var usageLinesMax = 200
    /// Commands that may wait behind the one in flight; the machines here never have more than
    /// three.
    public var queueMax = 16
    public init() {}
  }

  public enum Event: Equatable, Sendable {
    case opened(AGIRequest)
    case reply(AGIReply, to: AGICommand)
    /// The channel is gone. Replies may still follow, and commands that need no live channel still
    /// work.
    case hangup
  }

  private enum State: Equatable {
    case opening(lines: Int)
    case talking
    case usage([String])
    case failed(AGIError)
  }

  private let limits: Limits
  private var state = State.opening(lines: 0)
  private var request = AGIRequest()
  private var input = ByteBuffer()
  /// How far into `input` no LF stands, so that a slow line is not searched again from its start.
  private var searched = 0
  private var consumed = 0
  private var inFlight: AGICommand?
  private var queue: [AGICommand] = []
  private var output: [UInt8] = []

  public init(limits: Limits = Limits()) { self.limits = limits }

  // MARK: - To Asterisk

  /// Sends a command, or queues it behind the one in flight.
  /// - Returns: false when the queue is full; the command is then dropped.
  @discardableResult
  public mutating func send(_ command: AGICommand) -> Bool {
    guard queue.count < limits.queueMax else { return false }
    queue.append(command)
    release()
    return true
  }

  /// Whether every command has been answered.
  public var isIdle: Bool { inFlight == nil && queue.isEmpty }

  /// What must go on the wire now.
  public mutating func takeOutput() -> [UInt8] {
    defer { output = [] }
    return output
  }

  private mutating func release() {
    guard inFlight == nil, !queue.isEmpty, case .talking = state else { return }
    let command = queue.removeFirst()
    inFlight = command
    output += command.bytes
  }

  // MARK: - From Asterisk

  public mutating func receive(_ bytes: UnsafeRawBufferPointer) { input.append(bytes) }
  public mutating func receive(_ bytes: some Sequence<UInt8>) { input.append(bytes) }

  /// The next event, nil when more bytes are needed. Call until nil after each `receive`.
  public mutating func next() throws(AGIError) -> Event? {
    if case .failed(let error) = state { throw error }
    do throws(AGIError) {
      while let (line, offset) = try takeLine() {
        if let event = try read(line, at: offset) { return event }
      }
      return nil
    } catch {
      state = .failed(error)
      input.release()
      throw error
    }
  }

  /// A line without its LF, and where it began.
  private mutating func takeLine() throws(AGIError) -> (line: [UInt8], offset: Int)? {
    guard let end = input.firstOffset(of: 10, from: searched, limit: limits.lineBytesMax) else {
      guard input.count < limits.lineBytesMax else { throw .lineTooLong(offset: consumed) }
      searched = input.count
      return nil
    }
    let line = input.take(end)
    input.consume(1)
    let offset = consumed
    searched = 0
    consumed += end + 1
    return (line, offset)
  }

  private mutating func read(_ line: [UInt8], at offset: Int) throws(AGIError) -> Event? {
    switch state {
    case .opening(let lines): try readHeader(line, at: offset, lines: lines)
    case .talking: try readTalk(line, at: offset)
    case .usage(let text): try readUsage(line, at: offset, after: text)
    case .failed(let error): throw error
    }
  }

  private mutating func readTalk(_ line: [UInt8], at offset: Int) throws(AGIError) -> Event? {
    if line.elementsEqual("HANGUP".utf8) { return .hangup }
    guard inFlight != nil else { throw .unaskedReply(offset: offset) }
    if line.starts(with: "520-".utf8) {
      state = .usage([])
      return nil
    }
    return answer(try AGIReply.read(line, at: offset))
  }

  private mutating func readUsage(
    _ line: [UInt8], at offset: Int, after text: [String]
  ) throws(AGIError) -> Event? {
    if line.starts(with: "520 ".utf8) {
      state = .talking
      return answer(.usage(text))
    }
    guard text.count < limits.usageLinesMax else { throw .tooManyLines(offset: offset) }
    state = .usage(text + [String(decoding: line, as: UTF8.self)])
    return nil
  }

  private mutating func answer(_ reply: AGIReply) -> Event? {
    guard let command = inFlight else { return nil }
    inFlight = nil
    release()
    return .reply(reply, to: command)
  }
}

// MARK: - The header block

extension FastAGICodec {
  private mutating func readHeader(
    _ line: [UInt8], at offset: Int, lines: Int
  ) throws(AGIError) -> Event? {
    if line.isEmpty {
      state = .talking
      release()
      defer { request = AGIRequest() }
      return .opened(request)
    }
    guard lines < limits.headerLinesMax else { throw .tooManyLines(offset: offset) }
    let field = try Self.field(line, at: offset)
    if let number = Self.argumentNumber(field.name) {
      guard number == request.arguments.count + 1 else { throw .argumentOutOfOrder(offset: offset) }
      request.arguments.append(field.value)
    } else {
      guard request[field.name] == nil else { throw .fieldTwice(offset: offset) }
      request.add(field)
    }
    state = .opening(lines: lines + 1)
    return nil
  }

  /// Reads one variable line, such as `agi_callerid: 15551234567`; its value may be empty.
  private static func field(_ line: [UInt8], at offset: Int) throws(AGIError) -> AGIRequest.Field {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
      throw .missingColon(offset: offset)
    }
    let name = line[..<colon]
    let isName =
      name.starts(with: "agi_".utf8)
      && name.allSatisfy {
        ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: "_")
      }
    guard isName else { throw .badFieldName(offset: offset) }
    var value = line[(colon + 1)...]
    // Asterisk 16 sends `agi_accountcode: ` with its space; exactly one belongs to the form.
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    // A caller's name comes in whatever bytes the phone sent: repaired here, never a reason to lose
    // the call.
    return AGIRequest.Field(
      name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
  }

  private static func argumentNumber(_ name: String) -> Int? {
    name.hasPrefix("agi_arg_") ? Int(name.dropFirst(8)) : nil
  }
}
