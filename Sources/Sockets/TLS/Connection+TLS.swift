/// TLS on a connection: from the listener's first byte, after a `startTLS`, or towards our own
/// loopback server.
///
/// ```
/// recv ─▶ lent to OpenSSL ─▶ decrypted into the lane's buffer ─▶ received
/// write ─▶ OutputQueue (plain) ─▶ one record ─▶ send
/// ```
/// Unsent bytes wait in plain, where the limits on output see them; at most one record waits
/// encrypted.
extension Connection {
  /// Whether what is read and written here is encrypted.
  public var isSecured: Bool { phase == .open && tls?.isStarted ?? false }

  /// What the handshake agreed on; nil without TLS or before it is done.
  public var tlsAgreement: TLSAgreement? { isSecured ? tls?.agreement : nil }

  /// Goes over to TLS once everything written so far has left in plain; nothing may be written
  /// until `secured` tells that it is done. Nothing is read in plain any more.
  public func startTLS(_ identity: TLSIdentity) {
    guard phase == .open, tls == nil else { return }
    let isUpgrade = listener?.options.tls == nil
    guard let session = TLSSession.accept(identity.context, descriptor, isUpgrade: isUpgrade) else {
      return close(because: .aborted)
    }
    tls = session
    if !isUpgrade { beginHandshake() }
    unsettle()
  }

  func prepareTLS(_ client: TLSLoopbackClient) -> Bool {
    tls = TLSSession.connect(client, descriptor)
    if tls == nil { close(because: .aborted) }
    return tls != nil
  }

  func beginHandshake() {
    tls?.isStarted = true
    phase = .handshaking
    setDeadline(Self.ownDeadline, limits.handshakeMilliseconds)
    if let tls, listener == nil { advance(tls) }  // the client speaks first
    unsettle()
  }

  // MARK: Moving on

  func receiveSecured(_ bytes: UnsafeRawBufferPointer) {
    guard let tls, phase == .open || phase == .handshaking else { return }
    tls.lend(bytes)
    advance(tls)
    if !tls.keepRest() { close(because: .aborted) }
    if tls.wantsRoom { unsettle() }
  }

  /// The plain bytes before STARTTLS have left, or the socket may have room again.
  func settleSecured() {
    guard let tls else { return }
    if phase == .open, !tls.isStarted, output == nil { beginHandshake() }
    if tls.wantsRoom, phase == .handshaking || phase == .open { advance(tls) }
  }

  private func advance(_ tls: TLSSession) {
    if phase == .handshaking, !shakeHands(tls) { return }
    while phase == .open {
      let (count, then) = tls.read(into: loop.plainInput)
      if count > 0 {
        handler?.received(UnsafeRawBufferPointer(rebasing: loop.plainInput[..<count]), on: self)
      }
      switch then {
      case .done: continue
      case .waits: return
      case .ended: return endInput()
      case .failed: return fail()
      }
    }
  }

  private func shakeHands(_ tls: TLSSession) -> Bool {
    switch tls.handshake() {
    case .done: break
    case .waits: return false
    case .ended, .failed:
      fail()
      return false
    }
    loop.statistics.handshakes &+= 1
    if tls.wasResumed { loop.statistics.handshakesResumed &+= 1 }
    deadlines[Self.ownDeadline] = .max
    phase = .open
    if tls.isUpgrade { handler?.secured(self) } else { handler?.opened(self) }
    unsettle()
    return true
  }

  /// OpenSSL has sent an alert that says why; a close that resets would destroy it on its way.
  private func fail() {
    guard phase == .open || phase == .handshaking else { return }
    reason = .handshakeFailed
    returnOutput()
    linger()
    unsettle()
  }
}
