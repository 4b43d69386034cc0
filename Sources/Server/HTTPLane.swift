import WebCodec

/// What the HTTP connections of a listener on one lane share: the date's text, and decoders.
///
/// A connection borrows a decoder while a request comes or is answered. Between requests it owns
/// none, and the next borrower finds warm memory.
final class HTTPLane {
  let dates = DateText()
  private let limits: HTTPLimits
  private var idle: [LentDecoder] = []

  /// As many as a lane's batch may want at once.
  private static let idleMax = 512
  /// What an idle decoder keeps of its buffer.
  private static let keptBytesMax = 4_096

  init(_ settings: Settings) {
    var limits = HTTPLimits()
    limits.fieldBytesMax = settings.headBytesMax
    limits.bodyBytesMax = max(
      settings.bodyBytesMax, settings.blobBytesMax, HTTPConnection.Limit.rulesBytesMax)
    self.limits = limits
  }

  func borrow() -> LentDecoder { idle.popLast() ?? LentDecoder(limits) }

  /// Takes back one that `isFresh`.
  func takeBack(_ lent: LentDecoder) {
    guard idle.count < Self.idleMax else { return }
    lent.decoder.releaseMemory(past: Self.keptBytesMax)
    idle.append(lent)
  }
}

final class LentDecoder {
  var decoder: HTTPRequestDecoder
  init(_ limits: HTTPLimits) { decoder = HTTPRequestDecoder(limits: limits) }
}
