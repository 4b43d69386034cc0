internal import CCurl
import Sockets

/// One HTTP POST to a system outside.
public struct WebhookCall: Sendable {
  public var url: String
  /// Names and values; none may hold a control character.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  public var timeouts = OutboundTimeouts(connectMilliseconds: 5_000, totalMilliseconds: 15_000)
  /// Bytes of the answer that are kept; the rest is read and dropped.
  public var responseBytesMax = 64 << 10
  /// Whether loopback, private and other special-purpose addresses may be connected to. A
  /// workspace's own configuration says so, never a customer.
  public var mayReachPrivateAddresses = false
  public var authoritiesPath: String?

  public init(url: String, headers: [(name: String, value: String)] = [], body: [UInt8]) {
    (self.url, self.headers, self.body) = (url, headers, body)
  }
}

public enum WebhookOutcome: Sendable, Equatable {
  /// Any status: what it means is the caller's to say. A redirect is not followed, since where it
  /// leads was never agreed on.
  case answered(status: Int, body: [UInt8])
  /// The name leads to an address that must not be reached.
  case forbiddenAddress
  case connectionFailure(String)
  case malformed(String)
  case busy
}

/// Posts to webhooks through libcurl. A name is resolved once, and the very address that is about
/// to be connected to is checked, so that a second answer of the name server changes nothing.
public struct WebhookClient: Sendable {
  private let outbound: Outbound
  public init(_ outbound: Outbound) { self.outbound = outbound }

  public func post(_ call: WebhookCall, done: @escaping @Sendable (WebhookOutcome) -> Void) {
    if let fault = call.fault { return done(.malformed(fault)) }
    let accepted = outbound.calls.submit(
      TransferQueue.Waiting(
        make: { call.makeTransfer($0) },
        done: { transfer in
          done(transfer.map { WebhookOutcome(TransferEnd($0)) } ?? .malformed("the URL is not one"))
        },
        dropped: { done(.busy) }))
    if !accepted { done(.busy) }
  }
}

extension WebhookOutcome {
  init(_ end: TransferEnd) {
    if end.forbidden {
      self = .forbiddenAddress
    } else if end.succeeded {
      self = .answered(status: end.status, body: end.response)
    } else {
      self = .connectionFailure(end.error)
    }
  }
}

extension WebhookCall {
  var fault: String? {
    guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
      return "the URL is neither http nor https"
    }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return "the URL is not one" }
    for (name, value) in headers {
      // RFC 9110 §5.6.2 and §5.5.
      let isToken = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
      let isText = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
      if !isToken || !isText { return "a header that is none: \(name)" }
    }
    return nil
  }

  func makeTransfer(_ id: UInt64) -> OpaquePointer? {
    let made = body.withUnsafeBytes {
      cc_transfer_create(
        url, "http,https", id, $0.baseAddress, $0.count, timeouts.connectMilliseconds,
        timeouts.totalMilliseconds, max(responseBytesMax, 0))
    }
    guard let made else { return nil }
    var failed = cc_transfer_post(made)
    // libcurl leaves a header out when its value is empty, unless a semicolon stands for the colon.
    for (name, value) in headers {
      failed |= cc_transfer_add_header(made, value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    failed |= cc_transfer_add_header(made, "Expect:")  // no waiting for 100-continue
    if !mayReachPrivateAddresses { cc_transfer_check_addresses(made, refusesSpecialPurpose) }
    if let authoritiesPath { cc_transfer_trust(made, authoritiesPath) }
    if failed == 0 { return made }
    cc_transfer_free(made)
    return nil
  }
}

private func refusesSpecialPurpose(_ address: UnsafeRawPointer?, _ length: UInt32) -> Int32 {
  guard let address else { return 0 }
  let raw = UnsafeRawBufferPointer(start: address, count: Int(length))
  guard case .ip(let ip, _) = SocketAddress(kernelForm: raw) else { return 0 }
  return ip.isSpecialPurpose ? 0 : 1
}
