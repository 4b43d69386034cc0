/// The text of a message between 354 and CRLF.CRLF: unstuffed (RFC 5321 §4.5.2), bounded, strict
/// about ends.
struct SMTPText: Sendable {
  enum Place: Sendable { case lineStart, inLine, afterCR, afterDot, afterDotCR }

  enum Outcome: Equatable {
    case more
    case ended(SMTPReply?)
    case bareLineEnd
    case flooded
    /// It has all the room that it was given, and more comes.
    case outgrown
  }

  var bytes: [UInt8] = []
  var place = Place.lineStart
  var lineBytes = 0
  var total = 0
  var fault: SMTPReply?
  /// How many bytes of it may be kept.
  var room: Int

  init(room: Int = 0) { self.room = room }

  /// Reads as far as the end of the message or of `raw`; says how many bytes it took.
  mutating func read(_ raw: UnsafeRawBufferPointer, _ limits: SMTPLimits) -> (Int, Outcome) {
    var at = 0
    while at < raw.count {
      let byte = raw[at]
      switch place {
      case .inLine where byte != 13 && byte != 10,
        .lineStart where byte != 13 && byte != 10 && byte != 46:
        // A run of ordinary bytes goes over at once.
        let left = isBounded(limits) ? room - bytes.count : raw.count
        guard left > 0 else { return (at, .outgrown) }
        let last = min(raw.count, at + left)
        var end = at + 1
        while end < last, raw[end] != 13, raw[end] != 10 { end += 1 }
        keep(UnsafeRawBufferPointer(rebasing: raw[at..<end]), limits)
        place = .inLine
        at = end
      case .lineStart where byte == 46:
        place = .afterDot
        at += 1
      case .inLine, .lineStart:
        guard byte == 13 else { return (at, .bareLineEnd) }
        place = .afterCR
        at += 1
      case .afterCR:
        guard byte == 10 else { return (at, .bareLineEnd) }
        guard !isBounded(limits) || bytes.count + 2 <= room else { return (at, .outgrown) }
        endLine(limits)
        at += 1
      case .afterDot where byte == 13:
        place = .afterDotCR
        at += 1
      case .afterDot:
        // The stuffed dot is dropped, whatever follows it (RFC 5321 §4.5.2).
        guard byte != 10 else { return (at, .bareLineEnd) }
        place = .inLine
      case .afterDotCR:
        guard byte == 10 else { return (at, .bareLineEnd) }
        return (at + 1, .ended(fault))
      }
      if total > limits.messageBytesMax && total / 2 > limits.messageBytesMax {
        return (at, .flooded)
      }
    }
    return (at, .more)
  }

  /// Whether more room could be of use: past the limit of a message nothing is kept.
  private func isBounded(_ limits: SMTPLimits) -> Bool {
    fault == nil && room < limits.messageBytesMax
  }

  private mutating func keep(_ run: UnsafeRawBufferPointer, _ limits: SMTPLimits) {
    lineBytes += run.count
    total += run.count
    if lineBytes + 2 > limits.textLineBytesMax, fault == nil { refuse(.lineTooLong) }
    if total > limits.messageBytesMax { refuse(.messageTooBig) }
    if fault == nil { bytes.append(contentsOf: run) }
  }

  private mutating func endLine(_ limits: SMTPLimits) {
    place = .lineStart
    lineBytes = 0
    total += 2
    if total > limits.messageBytesMax { refuse(.messageTooBig) }
    if fault == nil {
      bytes.append(13)
      bytes.append(10)
    }
  }

  /// From here on the message is only read to its end, not kept.
  mutating func refuse(_ reply: SMTPReply) {
    fault = reply
    bytes = []
  }
}
