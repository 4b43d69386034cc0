import HTTPTypes
import WebCodec

/// What the HTTP connections of a listener on one lane share: the date's text, what stands on every
/// answer, and decoders.
///
/// A connection borrows a decoder while a request comes or is answered. Between requests it owns
/// none, and the next borrower finds warm memory.
final class HTTPLane {
  let dates = DateText()
  /// On every answer. A browser is to take what it gets for what it is said to be, and no script among
  /// what somebody attached; whoever came under TLS is to come so again, where the settings say it
  /// (RFC 6797 §7.2: never in plain).
  let standing: [HeaderField]
  private let limits: HTTPLimits
  private var idle: [LentDecoder] = []

  /// As many as a lane's batch may want at once.
  private static let idleMax = 512
  /// What an idle decoder keeps of its buffer.
  private static let keptBytesMax = 4_096

  init(_ settings: Settings, isSecured: Bool = false) {
    standing = Self.standing(isSecured ? settings.hstsSeconds : 0)
    var limits = HTTPLimits()
    limits.fieldBytesMax = settings.headBytesMax
    limits.fieldLineBytesMax = settings.fieldBytesMax
    limits.fieldCountMax = settings.fieldsMax
    limits.requestLineBytesMax = settings.requestLineBytesMax
    limits.bodyBytesMax = settings.contentBytesMax
    self.limits = limits
  }

  private static func standing(_ hstsSeconds: Int) -> [HeaderField] {
    var fields: [(String, HeaderValue?)] = [
      ("x-content-type-options", HeaderValue(fixed: "nosniff"))
    ]
    if hstsSeconds > 0 {
      fields.append(("strict-transport-security", HeaderValue("max-age=\(hstsSeconds)")))
    }
    return fields.compactMap { name, value in
      guard let name = HTTPField.Name(name), let value else { return nil }
      return HeaderField(name, value)
    }
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
