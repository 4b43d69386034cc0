internal import CCurl

/// Everything this process sends to other systems, through libcurl.
///
/// What is missing: the sockets should be on a lane (`CURLMOPT_SOCKETFUNCTION` and `_TIMERFUNCTION`
/// against the lane's event queue and `after`). Until then a few threads wait in `curl_multi_poll`,
/// none while nothing is under way; Debian's libcurl resolves names on threads of its own, so a
/// slow name delays no other transfer.
///
/// Mail would not gain by a lane: libcurl 7.88 *blocks* in `smtp_done` until the smarthost has
/// answered the end of `DATA`, and again for `QUIT`, multi interface or not. So each mail under way
/// has a thread to itself.
public final class Outbound: Sendable {
  public struct Limits: Sendable {
    /// Mails at once; each holds a thread.
    public var mailsActiveMax = 4
    /// Web calls at once, all on one thread.
    public var callsActiveMax = 32
    /// Of each kind, what waits for its turn; past it they are refused, and the outbox tries again
    /// later.
    public var waitingMax = 1_024
    public init() {}
  }

  let mails: TransferQueue
  let calls: TransferQueue

  public init(_ limits: Limits = Limits()) {
    mails = TransferQueue(
      "mail", threads: limits.mailsActiveMax, activePerThread: 1, waitingMax: limits.waitingMax)
    calls = TransferQueue(
      "web", threads: 1, activePerThread: limits.callsActiveMax, waitingMax: limits.waitingMax)
  }
}

/// How long each part of an outgoing transfer may take.
public struct OutboundTimeouts: Sendable, Equatable {
  public var connectMilliseconds: Int
  public var totalMilliseconds: Int
  public init(connectMilliseconds: Int = 10_000, totalMilliseconds: Int = 60_000) {
    self.connectMilliseconds = connectMilliseconds
    self.totalMilliseconds = totalMilliseconds
  }
}

/// The end of a transfer, out of libcurl's words.
struct TransferEnd {
  var succeeded: Bool
  var timedOut: Bool
  var forbidden: Bool
  /// Of mail: the very message was refused, and not us before it.
  var refused: Bool
  var status: Int
  var error: String
  var response: [UInt8]

  init(_ transfer: OpaquePointer) {
    succeeded = cc_transfer_succeeded(transfer) != 0
    timedOut = cc_transfer_timed_out(transfer) != 0
    forbidden = cc_transfer_was_forbidden(transfer) != 0
    refused = cc_transfer_was_refused(transfer) != 0
    status = Int(cc_transfer_status(transfer))
    error = cc_transfer_error(transfer).map { String(cString: $0) } ?? ""
    var count = 0
    let bytes = cc_transfer_response(transfer, &count)
    response = Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }
}
