import Synchronization

/// Memory for the long content of requests, over all connections: from the head that tells of it, before
/// a byte is kept, until what it asks for is known or, of an attachment, until that is on the disk.
///
/// Counted is what the head says may come. If what has come counted, uploads under way could fill all
/// there is, and none could ever end.
final class ContentRoom: Sendable {
  private let bytesMax: Int
  private let taken = Atomic<Int>(0)

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Nil where there is no room now.
  func take(_ bytes: Int) -> Share? {
    let share = Share(self, bytes)
    return taken.add(bytes, ordering: .relaxed).newValue <= bytesMax ? share : nil
  }

  /// Given back when nobody holds it any more.
  final class Share: Sendable {
    private let room: ContentRoom
    private let bytes: Int
    fileprivate init(_ room: ContentRoom, _ bytes: Int) { (self.room, self.bytes) = (room, bytes) }
    deinit { _ = room.taken.subtract(bytes, ordering: .relaxed) }
  }
}
