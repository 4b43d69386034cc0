import HTTPTypes
import Service
import WebCodec

/// `gzip` for answers that gain by it, RFC 9110 §8.4.1.3.
///
/// Long pages (a timeline, metrics) shrink to a tenth; what fits one packet gains nothing by being
/// smaller. No answer mixes a secret of ours with words of a stranger under a cookie, which is what
/// makes compression tell secrets (BREACH): whoever sees the length holds the token.
enum Compression {
  /// Shorter than this it fits one packet as it is.
  static let bytesMin = 1_400
  /// Past this a lane would be held up: only the read pool compresses more.
  static let laneBytesMax = 32 << 10

  static func apply(to response: inout APIResponse, if isWelcome: Bool) {
    guard response.body.count >= bytesMin, isText(response.contentType), response.status != 206,
      !response.headers.contains(where: { $0.name == "Content-Encoding" })
    else { return }
    // Caches must know that the same page comes in two forms.
    if !response.headers.contains(where: { $0.name == "Vary" }) {
      response.headers.append(.init("Vary", "Accept-Encoding"))
    }
    guard isWelcome, let deflater = Deflater(.gzip),
      let packed = deflater.whole(response.body), packed.count < response.body.count * 9 / 10
    else { return }
    response.body = packed
    response.headers.append(.init("Content-Encoding", "gzip"))
  }

  private static func isText(_ type: String) -> Bool {
    type.hasPrefix("application/json") || type.hasPrefix("application/problem+json")
      || type.hasPrefix("text/")
  }
}
