import Service
import Synchronization
import WebCodec

/// The handshake of a stream.
extension WebSocketStream {
  enum Opening {
    /// The `101` answer, and what it agreed on.
    case accepted([UInt8], PermessageDeflate?)
    case refused(APIResponse)
  }

  /// A browser sends `Origin`, and no page but our own, or one that the settings name, may speak
  /// with a user's token
  /// (cross-site WebSocket hijacking): that is checked before anything is upgraded.
  ///
  /// - Parameter isKnown: whether the request has shown its token.
  static func open(_ request: IncomingRequest, isKnown: Bool, _ edge: Edge) -> Opening {
    if let refusal = refusal(request.fields.values("origin"), request.host, edge.settings) {
      return .refused(APIResponse(refusal))
    }
    do throws(WebSocketHandshake.Refusal) {
      let accept = try WebSocketHandshake.check(request)
      let compression = try WebSocketHandshake.compression(
        request, keepsContexts: edge.streams.hasRoomForContexts(isKnown: isKnown))
      var out: [UInt8] = []
      WebSocketHandshake.respond(accept: accept, extensions: compression?.field, into: &out)
      return .accepted(out, compression?.agreed)
    } catch {
      return .refused(refused(error))
    }
  }

  private static func refused(_ refusal: WebSocketHandshake.Refusal) -> APIResponse {
    switch refusal {
    case .upgradeRequired:
      var response = APIResponse(
        APIProblem(
          426, "upgrade-required", "WebSocket only", "open this page as a WebSocket, version 13"))
      response.headers = WebSocketHandshake.spoken.map { .init($0.name, $0.value) }
      return response
    case .malformed:
      return APIResponse(
        APIProblem(
          400, "malformed-websocket", "Malformed handshake", "the WebSocket handshake is malformed")
      )
    }
  }

  private static func refusal(_ origins: [String], _ host: String?, _ settings: Settings)
    -> APIProblem?
  {
    guard let origin = origins.first else { return nil }
    let (page, own) = (origin.lowercased(), (host ?? "").lowercased())
    let isOurs =
      page == "http://\(own)" || page == "https://\(own)" || settings.allowedOrigins.contains(page)
    if origins.count == 1, isOurs { return nil }
    return APIProblem(
      403, "foreign-origin", "Page of another site",
      "a page of \(origin.prefix(100)) may not open streams here; http.origins names those that may"
    )
  }
}

/// What all streams share: the memory of their compression, and how many were closed for reading
/// too slowly.
final class StreamCounts: Sendable {
  private let contextBytesMax: Int
  private let contextBytes = Atomic<Int>(0)
  private let slow = Atomic<Int>(0)

  init(contextBytesMax: Int) { self.contextBytesMax = contextBytesMax }

  /// Past the bound new streams agree on compression that keeps nothing between messages. Whoever has
  /// shown no token yet, as a browser, which does so in the first frame, is left half of it.
  func hasRoomForContexts(isKnown: Bool) -> Bool {
    contextBytes.load(ordering: .relaxed) < (isKnown ? contextBytesMax : contextBytesMax / 2)
  }
  var heldContextBytes: Int { contextBytes.load(ordering: .relaxed) }
  func hold(_ bytes: Int) { contextBytes.add(bytes, ordering: .relaxed) }
  func letGo(_ bytes: Int) { contextBytes.subtract(bytes, ordering: .relaxed) }

  var slowReaders: Int { slow.load(ordering: .relaxed) }
  func countSlowReader() { slow.add(1, ordering: .relaxed) }
}
