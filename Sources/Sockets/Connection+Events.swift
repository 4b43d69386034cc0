internal import CSockets
import Glibc

/// What the kernel says of a connection, and what is made of it.
extension Connection {
  func ready(_ events: Interest) {
    if phase == .connecting { return finishConnecting() }
    if !events.isDisjoint(with: [.readable, .peerClosed, .hungUp, .failed]) {
      if isReading {
        read(untilEnd: events.contains(.peerClosed))
      } else if events.contains(.failed) {
        close(because: .peerReset(sk_pending_error(descriptor)))
      } else if events.contains(.hungUp) {
        close(because: .peerReset(EPIPE))
      } else if events.contains(.peerClosed), !peerEndSeen {
        peerEndSeen = true
        unsettle()
        if phase == .open { handler?.peerClosedWhilePaused(self) }
      }
    }
    if events.contains(.writable) { unsettle() }
  }

  private func finishConnecting() {
    let code = sk_pending_error(descriptor)
    if code != 0 { return close(because: .connectFailed(code)) }
    deadlines[Self.ownDeadline] = .max
    unsettle()
    if tls != nil { return beginHandshake() }
    phase = .open
    handler?.opened(self)
  }

  /// One read, or as many as it takes when the peer's end is known to stand behind the bytes.
  private func read(untilEnd: Bool) {
    repeat {
      let input = loop.input
      let got = sk_receive(descriptor, input.baseAddress, input.count)
      if got > 0 {
        loop.statistics.bytesIn &+= UInt64(got)
        let bytes = UnsafeRawBufferPointer(rebasing: input[..<got])
        if tls != nil {
          receiveSecured(bytes)
        } else if phase == .open {
          handler?.received(bytes, on: self)
        }
      } else if got == 0 {
        return endInput()
      } else if got != -Int(EAGAIN) && got != -Int(EINTR) {
        // Who was refused and leaves without reading why has still been refused.
        let wasRefused = phase == .lingering && reason == .handshakeFailed
        return close(because: wasRefused ? reason : .peerReset(Int32(truncatingIfNeeded: -got)))
      } else {
        return
      }
    } while untilEnd && isReading
  }

  func endInput() {
    if inputEnded && phase != .lingering { return }
    inputEnded = true
    unsettle()
    if phase == .lingering { return endLingering() }
    if phase == .handshaking { return close(because: .handshakeFailed) }
    handler?.peerClosedWrite(self)
  }

  /// The peer has ended too. Whoever closes without having read what came is told apart by a reset,
  /// which the kernel may know already, or which comes in place of an acknowledgement that is still
  /// out: that is waited for, until the linger timer. The descriptor is not watched meanwhile,
  /// since epoll calls a socket closed both ways ready for ever.
  private func endLingering() {
    if closeIfReset() { return }
    if sk_unacknowledged(descriptor) == 0 { return close(because: reason) }
    loop.queue.remove(descriptor)
    isUnwatched = true
  }

  private func closeIfReset() -> Bool {
    // Who was refused and leaves without reading why has still been refused.
    guard reason == .finished else { return false }
    let code = sk_pending_error(descriptor)
    if code != 0 { close(because: .peerReset(code)) }
    return code != 0
  }

  // MARK: Settling

  /// Brings the kernel into line with what was wished during the batch.
  func settle() {
    isUnsettled = false
    if phase == .closing { return finishClosing() }
    if phase != .connecting, phase != .handshaking, output != nil { flush() }
    if tls != nil { settleSecured() }
    if phase == .flushing, output == nil { finishFlushing() }
    if phase == .closing { return finishClosing() }
    updateInterest()
  }

  private func flush() {
    guard let output else { return }
    while output.count > 0 {
      let sent = send(output)
      if sent > 0 {
        loop.statistics.bytesOut &+= UInt64(sent)
        output.consume(sent)
        if isBlocked { setDeadline(Self.ownDeadline, outputStallMilliseconds) }
      } else if sent == -Int(EAGAIN) {
        if !isBlocked { setDeadline(Self.ownDeadline, outputStallMilliseconds) }
        isBlocked = true
        return watchBackUp(output.count)
      } else if sent != -Int(EINTR) {
        return close(because: .peerReset(Int32(truncatingIfNeeded: -sent)))
      }
    }
    isBlocked = false
    deadlines[Self.ownDeadline] = .max
    returnOutput()
    watchBackUp(0)
  }

  private func send(_ output: OutputQueue) -> Int {
    if let tls, tls.isStarted { return output.send(through: tls) }
    return output.send(to: descriptor)
  }

  private func watchBackUp(_ unsent: Int) {
    if !isBackedUp, unsent > limits.outputPauseBytes {
      isBackedUp = true
      handler?.outputBacksUp(self)
    } else if isBackedUp || awaitsRoom, unsent <= limits.outputPauseBytes / 2 {
      (isBackedUp, awaitsRoom) = (false, false)
      handler?.outputDrained(self)
    }
  }

  func returnOutput() {
    guard let output else { return }
    if output.count > 0 { output.reset() }
    if loop.idleOutputs.count < LaneLoop.idleOutputsMax { loop.idleOutputs.append(output) }
    self.output = nil
  }

  private func finishFlushing() {
    tls?.finish()
    // What is still unread would turn our close into a reset: `lingering` reads it.
    if inputEnded { return close(because: .finished) }
    linger()
  }

  func linger() {
    phase = .lingering
    _ = sk_shutdown_write(descriptor)
    setDeadline(Self.ownDeadline, limits.lingerMilliseconds)
  }

  private func updateInterest() {
    if isUnwatched { return }
    var wanted: Interest = []
    if phase == .connecting || isBlocked || tls?.wantsRoom ?? false { wanted.insert(.writable) }
    if isReading {
      wanted.formUnion([.readable, .peerClosed])
    } else if phase == .open, !inputEnded, !peerEndSeen {
      wanted.insert(.peerClosed)
    }
    if wanted == interest { return }
    interest = wanted
    loop.queue.modify(descriptor, wanted, ref.tag)
  }

  private func finishClosing() {
    phase = .closed
    // RFC 8446 §6.1: whoever ends says so. What is half sent cannot be followed by it.
    if case .timedOut = reason, !isBlocked { tls?.finish() }
    returnOutput()
    tls = nil
    if descriptor >= 0 {
      // A reset tells the peer that this was no orderly end, and leaves no TIME_WAIT behind a
      // hostile one. Whoever was merely idle, or silent, has done nothing wrong.
      if reason == .finished || reason == .handshakeFailed || reason == .timedOut(.idle)
        || reason == .timedOut(.answer)
      {
        Glibc.close(descriptor)
      } else {
        sk_close_abruptly(descriptor)
      }
      descriptor = -1
    }
    loop.forget(self)
    let last = handler
    handler = nil
    last?.closed(self, reason)
  }

  // MARK: Time

  /// The wheel asks at the tick that was noted last; an older note is void.
  func asked(atTick tick: Int64) {
    guard tick == askedAtTick else { return }
    askedAtTick = .max
    for index in 0..<deadlines.count where deadlines[index] <= loop.nowMilliseconds {
      deadlines[index] = .max
      expire(index)
    }
    guard phase != .closing, phase != .closed else { return }
    var earliest = Int64.max
    for index in 0..<deadlines.count { earliest = min(earliest, deadlines[index]) }
    if earliest != .max, TimingWheel.tick(of: earliest) < askedAtTick {
      askedAtTick = loop.wheel.insert(ref.tag, deadline: earliest)
    }
  }

  private func expire(_ index: Int) {
    if let timer = ConnectionTimer(rawValue: UInt8(index)) {
      if phase == .open { handler?.timedOut(timer, on: self) }
      return
    }
    switch phase {
    case .connecting: close(because: .connectTimedOut)
    case .handshaking: close(because: .timedOut(.head))
    case .open, .flushing: close(because: .slowReader)
    case .lingering: if !closeIfReset() { close(because: reason) }
    case .closing, .closed: break
    }
  }
}
