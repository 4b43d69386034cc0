import HTTPTypes

/// One request, whole. Everything textual is a range into the head's bytes until somebody asks for
/// it.
public struct IncomingRequest: Sendable {
  /// RFC 9112 §3.2.
  public enum TargetForm: Sendable, Equatable { case origin, absolute, asterisk }

  public internal(set) var method = HTTPRequest.Method.get
  public internal(set) var targetForm = TargetForm.origin
  /// 0 or 1: the minor version of HTTP/1 that both sides speak.
  public internal(set) var minorVersion = 1
  public internal(set) var fields = FieldTable()
  /// The length of the content as the head tells it; nil for chunks, whose sum nobody knows before.
  public internal(set) var contentLength: Int? = 0
  /// The content, chunks joined.
  public internal(set) var body: [UInt8] = []
  /// Whether the connection may carry another request (RFC 9112 §9.3).
  public internal(set) var keepAlive = true
  /// The client waits for `100 Continue` before it sends the content.
  public internal(set) var expectsContinue = false
  /// `Connection: upgrade` and `Upgrade: websocket`; see `WebSocketHandshake`.
  public internal(set) var wantsWebSocket = false

  var path = 0..<0
  var queryRange: Range<Int>?
  var hostRange: Range<Int>?

  /// The path as it came, percent-encoded; `*` for the asterisk form.
  public var rawPath: String { withRawPath { String(decoding: $0, as: UTF8.self) } }
  /// What follows the `?`, as it came, or nil.
  public var rawQuery: String? { queryRange.map { text($0) } }
  /// The authority asked for: the target's own in absolute form, else the Host field (RFC 9112
  /// §3.2.2).
  public var host: String? { hostRange.map { text($0) } }

  /// The path's bytes where they lie, for routing without a String.
  public func withRawPath<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    if path.isEmpty {
      return withUnsafeBytes(of: UInt8(ascii: "/")) { body($0) }  // an absolute form without a path
    }
    return fields.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[path])) }
  }

  /// Whether the path is this one, escapes undone, without a String where there are none.
  public func hasPath(_ wanted: StaticString) -> Bool {
    withRawPath { raw in
      if raw.count == wanted.utf8CodeUnitCount { return Bytes.matches(raw, 0, wanted) }
      return raw.count > wanted.utf8CodeUnitCount && raw.contains(37)
        && PercentEncoding.decode(raw) == wanted.description
    }
  }

  /// Whether it asks of the server in general and of no page: `OPTIONS *` (RFC 9110 §9.3.7), or in
  /// absolute form without path and query, for which a proxy would say `*` (RFC 9112 §3.2.4).
  public var isOfServer: Bool {
    (targetForm == .asterisk || path.isEmpty && queryRange == nil) && method == .options
  }

  /// The path's segments, decoded; nil when an escape is malformed, not UTF-8, or hides a `/` or a
  /// NUL.
  public var pathSegments: [String]? {
    withRawPath { raw in
      var segments: [String] = []
      for part in raw.dropFirst().split(separator: 47, omittingEmptySubsequences: false) {
        guard let text = PercentEncoding.decode(UnsafeRawBufferPointer(rebasing: part)),
          !text.utf8.contains(where: { $0 == 47 || $0 == 0 })
        else { return nil }
        segments.append(text)
      }
      return segments
    }
  }

  /// The query's parameters in order; nil when an escape is malformed or not UTF-8. No query is no
  /// parameter.
  public var queryParameters: QueryParameters? {
    guard let queryRange else { return QueryParameters(pairs: []) }
    return fields.bytes.withUnsafeBytes {
      QueryParameters(parsing: UnsafeRawBufferPointer(rebasing: $0[queryRange]))
    }
  }

  /// All but the content, for whoever has handed that on.
  public var withoutBody: IncomingRequest {
    var rest = self
    rest.body = []
    return rest
  }

  /// What the reply must know of its request.
  public var reply: ReplyContext {
    ReplyContext(isHead: method == .head, minorVersion: minorVersion, keepAlive: keepAlive)
  }

  private func text(_ range: Range<Int>) -> String {
    fields.bytes.withUnsafeBytes { String(decoding: $0[range], as: UTF8.self) }
  }
}
