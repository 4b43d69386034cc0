import HTTPTypes

/// An error for a program and a person: `application/problem+json`, RFC 9457.
public struct Problem: Sendable, Equatable, Error {
  /// A stable identifier of the kind of problem: a URI, whose last part says it and is kept for
  /// ever.
  public var type: String
  public var title: String
  public var status: Int
  /// A sentence that a person can act on.
  public var detail: String
  /// The field at fault, as a path such as `customer.identities[0].kind`.
  public var field: String?

  public init(type: String, title: String, status: Int, detail: String, field: String? = nil) {
    self.type = type
    self.title = title
    self.status = status
    self.detail = detail
    self.field = field
  }

  /// What a peer is told about a protocol error: blandly, without its own bytes, and with the bound
  /// that it broke.
  ///
  /// - Parameter bodyBytesMax: the bound on the content of the request that was read.
  init(_ error: HTTPProtocolError, _ limits: HTTPLimits, bodyBytesMax: Int) {
    let bound: String? =
      switch error.reason {
      case .requestLineTooLong: "it may have \(limits.requestLineBytesMax) bytes here"
      case .fieldsTooLarge:
        "\(limits.fieldBytesMax) bytes in \(limits.fieldCountMax) lines of at most "
          + "\(limits.fieldLineBytesMax) are taken here"
      case .bodyTooLarge: "a body may have \(bodyBytesMax) bytes here"
      default: nil
      }
    let reason = error.reason.rawValue
    self.init(status: error.status, detail: bound.map { "\(reason): \($0)" } ?? reason)
  }

  /// A problem of the protocol itself.
  public init(status: Int, detail: String) {
    self.init(
      type: Self.typePrefix + Self.kind(status), title: ReasonPhrase.of(status).description,
      status: status,
      detail: detail)
  }

  /// What every problem's type begins with, those of the API as those of the protocol.
  public static let typePrefix = "urn:throughline:problem:"

  private static func kind(_ status: Int) -> String {
    switch status {
    case 408: "request-timeout"
    case 413: "too-large"
    case 414: "target-too-long"
    case 417: "unknown-expectation"
    case 431: "fields-too-large"
    case 501: "not-implemented"
    case 505: "unsupported-version"
    default: "malformed-http"
    }
  }

  public static let contentType = HeaderField(
    .contentType, HeaderValue(fixed: "application/problem+json"))

  public var body: [UInt8] {
    var json = JSONWriter()
    json.object {
      $0.field("type", type)
      $0.field("title", title)
      $0.field("status", status)
      $0.field("detail", detail)
      if let field { $0.field("field", field) }
    }
    return json.bytes
  }

  /// Appends the whole response.
  /// - Parameter standing: fields that every answer of its server has.
  public func encode(
    to reply: ReplyContext, date: HeaderValue? = nil, _ standing: [HeaderField] = [],
    into out: inout [UInt8]
  ) {
    // HTTPResponse.Status traps outside 0–999; what we make ourselves is inside, what is handed in
    // is clamped.
    let code = (400...599).contains(status) ? status : 500
    HTTPResponseEncoder.whole(
      HTTPResponse.Status(code: code), [Self.contentType] + standing, body: body, to: reply,
      date: date,
      into: &out)
  }
}
