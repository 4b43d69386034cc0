internal import CSockets
import Glibc

/// Taking connections in, and making some ourselves.
extension LaneLoop {
  /// A listener whose socket this lane watches.
  struct Accepting {
    var listener: Listener
    var lanes: [Lane]
    var nextLane = 0
    var isPaused = false
  }

  /// Connections taken in per readiness, so that a storm of new ones leaves the old ones their
  /// turn.
  static let acceptBatchMax = 128
  /// How long accepting rests when the kernel has no descriptor or memory left for one.
  static let acceptRestMilliseconds = 100

  func startAccepting(_ listener: Listener, over lanes: [Lane]) {
    accepting.append(Accepting(listener: listener, lanes: lanes, nextLane: listener.id))
    watch(accepting.count - 1)
  }

  /// Where the kernel has no room for one more it is asked again, or nobody would ever be let in.
  private func watch(_ place: Int) {
    guard place < accepting.count else { return }  // it stopped meanwhile
    let listener = accepting[place].listener
    if queue.add(listener.descriptor, .readable, Tag.firstListener + UInt64(place)) < 0 {
      after(milliseconds: Self.acceptRestMilliseconds) { $0.watch(place) }
    }
  }

  func accept(_ tag: UInt64) {
    let place = Int(tag - Tag.firstListener)
    guard place < accepting.count, !accepting[place].isPaused else { return }
    let listener = accepting[place].listener
    var batches: [[Adoption]] = Array(repeating: [], count: accepting[place].lanes.count)
    for _ in 0..<Self.acceptBatchMax {
      if isFull(place) { break }
      var result: Int32 = 0
      let peer = SocketAddress.read { base, length in
        result = listener.options.accept(listener.descriptor, base, &length.pointee)
        return result
      }
      guard let peer else {
        if continuesAfter(-result, place) { continue }
        break
      }
      take(result, peer, place, &batches)
    }
    for (lane, batch) in zip(accepting[place].lanes, batches) where lane.index != self.lane.index {
      lane.adopt(batch)
    }
  }

  private func take(
    _ descriptor: Int32, _ peer: SocketAddress, _ place: Int, _ batches: inout [[Adoption]]
  ) {
    let listener = accepting[place].listener
    statistics.accepted &+= 1
    guard listener.admission.admit(peer, listener) else {
      statistics.refusedPerAddress &+= 1
      sk_close_abruptly(descriptor)
      return
    }
    let chosen = accepting[place].nextLane % accepting[place].lanes.count
    accepting[place].nextLane = chosen + 1
    let adoption = Adoption(descriptor: descriptor, peer: peer, listener: listener)
    if accepting[place].lanes[chosen].index == lane.index {
      adopt(adoption)
    } else {
      batches[chosen].append(adoption)
    }
  }

  private func isFull(_ place: Int) -> Bool {
    let full = accepting[place].listener.admission.isFull(accepting[place].listener) { [lane] in
      lane.perform { $0.resumeAccepting(place) }
    }
    if full { pauseAccepting(place) }
    return full
  }

  /// What an error of `accept` means: go on, wait for the next readiness, or rest.
  private func continuesAfter(_ code: Int32, _ place: Int) -> Bool {
    switch code {
    case EAGAIN: return false
    // accept(2): the peer was gone before we came, or the network had something to say about it.
    case ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT,
      EOPNOTSUPP:
      return true
    default:  // EMFILE, ENFILE, ENOBUFS, ENOMEM: level-triggered readiness would spin on these
      pauseAccepting(place)
      after(milliseconds: Self.acceptRestMilliseconds) { $0.resumeAccepting(place) }
      return false
    }
  }

  private func pauseAccepting(_ place: Int) {
    statistics.acceptPauses &+= 1
    accepting[place].isPaused = true
    queue.modify(accepting[place].listener.descriptor, [], Tag.firstListener + UInt64(place))
  }

  func resumeAccepting(_ place: Int) {
    guard place < accepting.count, accepting[place].isPaused, draining == nil else { return }
    accepting[place].isPaused = false
    queue.modify(accepting[place].listener.descriptor, .readable, Tag.firstListener + UInt64(place))
  }

  func stopAccepting() {
    for each in accepting {
      queue.remove(each.listener.descriptor)
      each.listener.refuse()
    }
    accepting = []
  }

  // MARK: Connections begin

  func adopt(_ adoption: Adoption) {
    guard draining == nil else { return adoption.discard() }
    let listener = adoption.listener
    let made = make(adoption.descriptor, adoption.peer, listener.options.limits, listener, .open)
    made.interest = [.readable, .peerClosed]
    let watched = queue.add(adoption.descriptor, made.interest, made.ref.tag)
    made.handler = maker(of: listener)(made)
    if watched < 0 { return made.close(because: .peerReset(-watched)) }
    if let tls = listener.options.tls { return made.startTLS(tls) }
    made.handler?.opened(made)
  }

  private func maker(of listener: Listener) -> (Connection) -> any ConnectionHandler {
    if let known = makers[listener.id] { return known }
    let made = listener.makeHandlers(self)
    makers[listener.id] = made
    return made
  }

  /// Opens an outgoing connection on this lane; the handler hears `opened`, or `closed` with the
  /// reason.
  @discardableResult
  public func connect(
    to address: SocketAddress, timeoutMilliseconds: Int,
    limits: ConnectionLimits = ConnectionLimits(),
    from source: SocketAddress? = nil, tls: TLSLoopbackClient? = nil, handler: any ConnectionHandler
  ) -> Connection {
    let descriptor = sk_socket(address.family)
    let made = make(descriptor, address, limits, nil, .connecting)
    statistics.connected &+= 1
    made.handler = handler
    if descriptor < 0 || draining != nil {
      made.close(because: descriptor < 0 ? .connectFailed(-descriptor) : .shutdown)
      return made
    }
    if case .ip = address { _ = sk_set_nodelay(descriptor) }
    if let source { _ = source.withKernelForm { sk_bind(descriptor, $0, $1) } }
    if let tls, !made.prepareTLS(tls) { return made }
    let begun = address.withKernelForm { sk_connect(descriptor, $0, $1) } ?? -ENAMETOOLONG
    made.interest = .writable
    let watched = queue.add(descriptor, made.interest, made.ref.tag)
    if begun < 0, begun != -EINPROGRESS {
      made.close(because: .connectFailed(-begun))
    } else if watched < 0 {
      made.close(because: .connectFailed(-watched))
    } else {
      made.setDeadline(Connection.ownDeadline, timeoutMilliseconds)
    }
    return made
  }
}
