internal import CSockets

/// What a connection has yet to send. Lent to a connection by its lane while there is something to
/// send, so that an idle connection holds none, and the next borrower finds warm memory instead of
/// allocating.
final class OutputQueue {
  /// Small writes are gathered into one piece; a large array becomes a piece of its own, uncopied.
  static let gatherBytesMax = 4_096
  /// A lane keeps as many as a batch may borrow at once.
  private static let keptCapacityMax = 8_192
  private static let partsMax = 16

  private var pieces: [[UInt8]] = [[]]
  /// Whether the last piece may grow; a large array that was handed in may not.
  private var lastGathers = true
  private var first = 0
  /// Bytes of the first piece that are already sent.
  private var sent = 0
  private(set) var count = 0

  func append(_ bytes: UnsafeRawBufferPointer) {
    if !lastGathers { startGathering() }
    pieces[pieces.count - 1].append(contentsOf: bytes)
    count += bytes.count
  }

  /// Lets `body` write at the end of what is gathered; it must not take anything away.
  func gather(_ body: (inout [UInt8]) -> Void) {
    if !lastGathers { startGathering() }
    let last = pieces.count - 1
    let before = pieces[last].count
    body(&pieces[last])
    count += pieces[last].count - before
  }

  func append(_ bytes: [UInt8]) {
    if bytes.count <= Self.gatherBytesMax {
      return bytes.withUnsafeBytes { append($0) }
    }
    pieces.append(bytes)
    lastGathers = false
    count += bytes.count
  }

  private func startGathering() {
    pieces.append([])
    lastGathers = true
  }

  /// Sends once. Answers the count sent, or a negated errno.
  func send(to descriptor: Int32) -> Int {
    if first == pieces.count - 1 {
      return pieces[first].withUnsafeBytes { raw in
        sk_send(descriptor, raw.baseAddress.map { $0 + sent }, raw.count - sent)
      }
    }
    return sendGathered(to: descriptor)
  }

  /// Encrypts and sends one record, at most.
  func send(through tls: TLSSession) -> Int {
    // A large array stands behind a gathering piece that may be empty, and a record of nothing
    // would say that nothing more can be sent.
    while pieces[first].isEmpty, first < pieces.count - 1 { first += 1 }
    return pieces[first].withUnsafeBytes { raw in
      tls.write(UnsafeRawBufferPointer(rebasing: raw[sent...]))
    }
  }

  private func sendGathered(to descriptor: Int32) -> Int {
    withUnsafeTemporaryAllocation(of: sk_part.self, capacity: Self.partsMax) { parts in
      let taken = pieces[first...].prefix(Self.partsMax)
      func fill(_ index: Int) -> Int {
        // Nested, so that every piece's bytes are pinned while the kernel reads them.
        guard index < taken.count else {
          return sk_send_gathered(descriptor, parts.baseAddress, Int32(index))
        }
        return taken[taken.startIndex + index].withUnsafeBytes { raw in
          let skip = index == 0 ? sent : 0
          parts[index] = sk_part(bytes: raw.baseAddress.map { $0 + skip }, count: raw.count - skip)
          return fill(index + 1)
        }
      }
      return fill(0)
    }
  }

  /// Forgets bytes that were sent. Without any left it is as new.
  func consume(_ bytes: Int) {
    count -= bytes
    if count == 0 { return reset() }
    var rest = bytes
    while rest > 0 {
      let left = pieces[first].count - sent
      if rest < left {
        sent += rest
        return
      }
      rest -= left
      sent = 0
      pieces[first] = []
      first += 1
    }
    if first > 64, first * 2 > pieces.count {
      pieces.removeFirst(first)
      first = 0
    }
  }

  /// Empties it for the next borrower, keeping a modest gathering piece.
  func reset() {
    if pieces.count > 1 { pieces = [lastGathers ? pieces.removeLast() : []] }
    pieces[0].removeAll(keepingCapacity: pieces[0].capacity <= Self.keptCapacityMax)
    (lastGathers, first, sent, count) = (true, 0, 0, 0)
  }
}
