import Model
import Routing
import WebCodec

extension WaitEstimate {
  /// `{"seconds":220,"from_seconds":87,"to_seconds":494}`, or `{"unknown":"too_few_turns"}`.
  public var json: [UInt8] {
    var json = JSONWriter()
    json.object {
      switch self {
      case .about(let expected, let from, let to):
        $0.field("seconds", expected.roundedSeconds)
        $0.field("from_seconds", from.milliseconds / 1_000)
        $0.field("to_seconds", (to.milliseconds + 999) / 1_000)
      case .unknown(let why): $0.field("unknown", why.name)
      }
    }
    return json.bytes
  }
}

extension Duration64 {
  /// The nearest whole number; for what is not negative.
  public var roundedSeconds: Int64 { (milliseconds + 500) / 1_000 }
}

extension WaitUnknown {
  /// As `docs/routing.md` calls it.
  public var name: String {
    switch self {
    case .queueClosed: "queue_closed"
    case .nobodyServes: "nobody_serves"
    case .nobodyThere: "nobody_there"
    case .tooFewTurns: "too_few_turns"
    }
  }
}
