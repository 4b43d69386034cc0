/// What both sides agreed on about compression, RFC 7692 §7.1.
///
/// Each direction keeps its context from message to message, which costs memory for as long as the
/// connection lives, or begins anew with each. The server holds little either way: windows of 4 kB
/// where it may choose.
public struct PermessageDeflate: Sendable, Equatable {
  public var serverKeepsContext = true
  public var clientKeepsContext = true
  /// How far back the server's bytes refer: 2 to the power of this.
  public var serverWindowBits = 15
  public var clientWindowBits = 15

  public init() {}

  /// The window that the server chooses for itself, and asks of a client that lets it choose.
  static let ownWindowBits = 12
  static let memoryLevel = 5

  /// What a connection holds when both directions keep their contexts.
  public var heldBytes: Int {
    (clientKeepsContext ? 1 << clientWindowBits : 0)
      + (serverKeepsContext
        ? Deflater.heldBytes(
          windowBits: min(serverWindowBits, Self.ownWindowBits), memoryLevel: Self.memoryLevel) : 0)
  }

  /// The answer to the client's offers: the first that can be accepted; nil where none can.
  /// - Parameters:
  ///   - fields: the values of `Sec-WebSocket-Extensions`.
  ///   - keepsContexts: whether there is memory for contexts; without, each message stands for
  ///     itself.
  static func answer(
    to fields: [String], keepsContexts: Bool
  ) throws(WebSocketHandshake.Refusal) -> (agreed: PermessageDeflate, field: HeaderValue)? {
    for offer in try ExtensionOffer.parse(fields) where offer.name == "permessage-deflate" {
      if let answer = accept(offer, keepsContexts) { return answer }
    }
    return nil
  }

  /// nil for an offer that is to be declined (§7.1): unknown, repeated or malformed parameters, or
  /// a window of 256 bytes, for which zlib has no raw DEFLATE.
  private static func accept(
    _ offer: ExtensionOffer, _ keepsContexts: Bool
  ) -> (agreed: PermessageDeflate, field: HeaderValue)? {
    var agreed = PermessageDeflate()
    (agreed.serverKeepsContext, agreed.clientKeepsContext) = (keepsContexts, keepsContexts)
    var answer = "permessage-deflate"
    var seen: [String] = []
    for (name, value) in offer.parameters {
      if seen.contains(name) { return nil }
      seen.append(name)
      switch (name, value) {
      case ("server_no_context_takeover", nil): agreed.serverKeepsContext = false
      case ("client_no_context_takeover", nil): agreed.clientKeepsContext = false
      case ("server_max_window_bits", let value?):
        guard let bits = windowBits(value), bits > 8 else { return nil }
        agreed.serverWindowBits = min(bits, ownWindowBits)
        answer += "; server_max_window_bits=\(agreed.serverWindowBits)"
      case ("client_max_window_bits", let value):
        var bits = 15
        if let value {
          guard let told = windowBits(value) else { return nil }
          bits = told
        }
        agreed.clientWindowBits = min(bits, ownWindowBits)
        answer += "; client_max_window_bits=\(agreed.clientWindowBits)"
      default: return nil
      }
    }
    if !agreed.serverKeepsContext { answer += "; server_no_context_takeover" }
    if !agreed.clientKeepsContext { answer += "; client_no_context_takeover" }
    guard let field = HeaderValue(answer) else { return nil }
    return (agreed, field)
  }

  /// `8` to `15`, without a zero before (§7.1.2.1), nor a sign, which is part of a token and which `Int`
  /// would take.
  private static func windowBits(_ text: String) -> Int? {
    guard text.utf8.count <= 2, text.utf8.first != 48, text.utf8.allSatisfy(Bytes.isDigit),
      let bits = Int(text), (8...15).contains(bits)
    else { return nil }
    return bits
  }
}

/// One element of `Sec-WebSocket-Extensions`: `token *( ";" token [ "=" ( token / quoted-string ) ]
/// )`, RFC 6455 §9.1.
struct ExtensionOffer: Equatable {
  var name: String
  var parameters: [(name: String, value: String?)] = []

  static func == (a: ExtensionOffer, b: ExtensionOffer) -> Bool {
    a.name == b.name && a.parameters.elementsEqual(b.parameters) { $0 == $1 }
  }

  /// A field that does not follow the grammar fails the handshake (§9.1).
  static func parse(_ fields: [String]) throws(WebSocketHandshake.Refusal) -> [ExtensionOffer] {
    var offers: [ExtensionOffer] = []
    for field in fields {
      var rest = Array(field.utf8)[...]
      var empty = 0
      repeat {
        blank(&rest)
        // RFC 9110 §5.6.1.2: a reasonable number of empty elements is ignored.
        if rest.isEmpty || rest.first == 44 {
          empty += 1
          guard empty <= 16 else { throw .malformed }
          continue
        }
        guard let name = token(&rest) else { throw .malformed }
        var offer = ExtensionOffer(name: name)
        blank(&rest)
        while take(59, &rest) {
          blank(&rest)
          guard let name = token(&rest), offer.parameters.count < 16 else { throw .malformed }
          blank(&rest)
          var value: String?
          if take(61, &rest) {
            blank(&rest)
            guard let found = quoted(&rest) ?? token(&rest) else { throw .malformed }
            value = found
            blank(&rest)
          }
          offer.parameters.append((name, value))
        }
        offers.append(offer)
        guard offers.count <= 16 else { throw .malformed }
      } while take(44, &rest)
      guard rest.isEmpty else { throw .malformed }
    }
    return offers
  }

  private static func take(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> Bool {
    guard rest.first == byte else { return false }
    rest.removeFirst()
    return true
  }

  private static func blank(_ rest: inout ArraySlice<UInt8>) {
    rest = rest.drop { $0 == Bytes.space || $0 == Bytes.tab }
  }

  /// In lower case: names of parameters and extensions are compared so by every implementation
  /// there is.
  private static func token(_ rest: inout ArraySlice<UInt8>) -> String? {
    let found = rest.prefix { Bytes.isToken($0) }
    rest = rest.dropFirst(found.count)
    return found.isEmpty ? nil : String(decoding: found.map(Bytes.lower), as: UTF8.self)
  }

  /// What stands between the quotes must be a token once unquoted (§9.1).
  private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
    guard rest.first == 34 else { return nil }
    var inside = rest.dropFirst()
    var found: [UInt8] = []
    while let byte = inside.popFirst() {
      if byte == 34 {
        rest = inside
        return found.isEmpty ? nil : String(decoding: found, as: UTF8.self)
      }
      guard let own = byte == 92 ? inside.popFirst() : byte, Bytes.isToken(own) else { return nil }
      found.append(own)
    }
    return nil
  }
}
