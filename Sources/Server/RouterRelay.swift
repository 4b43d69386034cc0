import Dispatch
import Routing
import Synchronization
import Wire

/// Makes a machine of rows beside whoever reads them: reading a row and checking it costs about as much as making a
/// record of it, and a start with a million open conversations waits for nothing else. Rows go over in the order in which
/// they come, in bunches, so that a hand-over costs nothing and no more than a few bunches are in memory.
final class RouterRelay: Sendable {
  private enum Limit {
    static let bunchBytes = 1 << 18
    static let bunches = 8
  }

  private struct State: ~Copyable {
    var loading: RouterLoading? = RouterLoading()
    var broken: UnreadableRow?

    mutating func take(_ bunch: RowBunch) {
      guard broken == nil else { return }
      do throws(UnreadableRow) {
        try bunch.each { kind, key, value throws(UnreadableRow) in
          do throws(WireError) { try loading?.take(kind, key, value) } catch {
            throw UnreadableRow(kind: kind, key: Array(key), why: error)
          }
        }
      } catch { broken = error }
    }
  }

  private let state = Mutex(State())
  private let maker = DispatchQueue(label: "making the machine", qos: .userInitiated)
  private let room = DispatchSemaphore(value: Limit.bunches)

  /// Takes what `fill` hands to its argument, row by row.
  /// - Returns: the machine, or why the rows make none.
  func run<Failure: Error>(
    _ fill: (_ take: (UInt8, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void)
      throws(Failure)
      -> Void
  ) throws(Failure) -> Result<Router, UnreadableRow> {
    var bunch = RowBunch()
    defer { maker.sync {} }  // nothing is under way any more when this returns, however it ends
    try fill { kind, key, value in
      bunch.append(kind, key, value)
      if bunch.count >= Limit.bunchBytes {
        hand(bunch)
        bunch = RowBunch(reserving: Limit.bunchBytes)
      }
    }
    hand(bunch)
    return maker.sync {
      state.withLock { state in
        if let broken = state.broken { return .failure(broken) }
        guard let loading = state.loading.take() else { return .success(Router()) }
        return .success(loading.finish())
      }
    }
  }

  private func hand(_ bunch: RowBunch) {
    room.wait()
    maker.async { [self] in
      state.withLock { $0.take(bunch) }
      room.signal()
    }
  }
}

/// A row of open work that matches its checksum and makes no part of a machine.
struct UnreadableRow: Error, CustomStringConvertible {
  var kind: UInt8
  var key: [UInt8]
  var why: WireError
  var description: String { "row of open work, kind \(kind), key \(Hex.encode(key)): \(why)" }
}

/// Rows of open work, one behind the other: kind, lengths of key and value, key, value.
struct RowBunch: Sendable {
  private var bytes: [UInt8] = []

  init(reserving count: Int = 0) { bytes.reserveCapacity(count + count / 8) }
  var count: Int { bytes.count }

  mutating func append(
    _ kind: UInt8, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) {
    bytes.append(kind)
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: key.count)) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: value.count)) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: key)
    bytes.append(contentsOf: value)
  }

  func each(
    _ take: (UInt8, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(UnreadableRow) -> Void
  ) throws(UnreadableRow) {
    try bytes.reading { all throws(UnreadableRow) in
      var at = 0
      while at < all.count {
        let kind = all[at]
        let key = at + 9
        let value = key + Int(all.loadUnaligned(fromByteOffset: at + 1, as: UInt32.self))
        let end = value + Int(all.loadUnaligned(fromByteOffset: at + 5, as: UInt32.self))
        try take(
          kind, UnsafeRawBufferPointer(rebasing: all[key..<value]),
          UnsafeRawBufferPointer(rebasing: all[value..<end]))
        at = end
      }
    }
  }
}
