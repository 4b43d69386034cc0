import Model
import Sockets
import Synchronization

/// Memory for long content, over all connections: of requests from the head that tells of it, before a
/// byte is kept, until what it asks for is known or, of an attachment, until that is on the disk; of mail
/// until each of its recipients has an answer.
///
/// Of a request counted is what its head says may come. If what has come counted, uploads under way could
/// fill all there is, and none could ever end. Mail may say nothing of its length: it grows, and gives back
/// all that it had where it cannot.
final class ContentRoom: Sendable {
  /// Who sends it.
  enum Holder: Hashable, Sendable {
    case token(TokenID)
    /// Nil of whoever has no address.
    case address(IPAddress?)

    init(_ peer: SocketAddress) {
      guard case .ip(let address, _) = peer else {
        self = .address(nil)
        return
      }
      self = .address(address.limitKey)
    }
  }

  enum Refusal: Error {
    /// The content of all takes it.
    case full
    /// What this holder has besides would leave the others less than the holder has.
    case share
  }

  /// What it tells whoever watches.
  struct Counts: Equatable {
    var taken = 0
    var full: Int64 = 0
    var share: Int64 = 0
  }

  private struct State {
    var counts = Counts()
    var held: [Holder: Int] = [:]
  }

  private let bytesMax: Int
  private let state = Mutex(State())

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  var counts: Counts { state.withLock { $0.counts } }

  /// One content may have all that is free. Whoever has others under way may have as much, all in all, as
  /// stays free for everybody else: one alone gets half of it, two a third each, and there is always
  /// some for who comes next.
  func take(_ bytes: Int, by holder: Holder) throws(Refusal) -> Share {
    try claim(bytes, by: holder, besides: 0)
    return Share(self, holder, bytes)
  }

  private func claim(_ more: Int, by holder: Holder, besides own: Int) throws(Refusal) {
    try state.withLock { state throws(Refusal) in
      let (all, held) = (state.counts.taken + more, state.held[holder] ?? 0)
      guard all <= bytesMax else {
        state.counts.full += 1
        throw .full
      }
      guard held <= own || held + more <= bytesMax - all else {
        state.counts.share += 1
        throw .share
      }
      state.counts.taken = all
      state.held[holder] = held + more
    }
  }

  private func giveBack(_ bytes: Int, of holder: Holder) {
    state.withLock { state in
      state.counts.taken -= bytes
      let left = (state.held[holder] ?? 0) - bytes
      state.held[holder] = left > 0 ? left : nil
    }
  }

  /// Given back when nobody holds it any more.
  final class Share: Sendable {
    private let room: ContentRoom
    private let holder: Holder
    private let bytes: Atomic<Int>

    fileprivate init(_ room: ContentRoom, _ holder: Holder, _ bytes: Int) {
      (self.room, self.holder) = (room, holder)
      self.bytes = Atomic(bytes)
    }
    deinit { room.giveBack(bytes.load(ordering: .relaxed), of: holder) }

    /// For the same content, of which more comes. One thread at a time.
    func grow(to wanted: Int) throws(Refusal) {
      let own = bytes.load(ordering: .relaxed)
      guard wanted > own else { return }
      try room.claim(wanted - own, by: holder, besides: own)
      bytes.store(wanted, ordering: .relaxed)
    }
  }
}
