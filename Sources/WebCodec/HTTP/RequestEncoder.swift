import HTTPTypes

/// Writes requests, for benches and end-to-end tests.
public enum HTTPRequestEncoder {
  /// - Parameter target: origin-form, already percent-encoded. nil is returned in place of bytes
  ///   when it holds what would break the line.
  public static func encode(
    _ method: HTTPRequest.Method, _ target: String, host: HeaderValue, _ fields: [HeaderField] = [],
    body: [UInt8]? = nil, keepAlive: Bool = true
  ) -> [UInt8]? {
    guard !target.isEmpty, target.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 35 }) else {
      return nil
    }
    var out: [UInt8] = []
    append(method.rawValue, &out)
    append(" ", &out)
    append(target, &out)
    append(" HTTP/1.1\r\nhost: ", &out)
    out += host.bytes
    append("\r\n", &out)
    for field in fields {
      append(field.name.rawName, &out)
      append(": ", &out)
      out += field.value.bytes
      append("\r\n", &out)
    }
    if let body {
      append("content-length: ", &out)
      appendDecimal(body.count, &out)
      append("\r\n", &out)
    }
    if !keepAlive { append("connection: close\r\n", &out) }
    append("\r\n", &out)
    out += body ?? []
    return out
  }
}
