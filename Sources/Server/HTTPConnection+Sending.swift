import Model
import Records
import Service
import Sockets
import Store
import WebCodec

/// An attachment that is too large to be held whole for each of its readers leaves in pieces.
///
/// ```
/// checked, all of it ──▶ head written ──▶ piece read ──▶ written ──▶ … ──▶ the next request
///                                             ▲             │
///                                             └── has room ─┘     damaged, or erased ──▶ aborted
/// ```
/// Whoever reads slowly holds a piece or three, whoever stops is ended as any slow reader. Its hash
/// is made once more of what is sent, and the last piece goes only when it is the right one: bytes
/// that changed since the check are never a whole answer.
extension HTTPConnection {
  struct Sending {
    var file: APIResponse.File
    var pieces: BlobPieces
    var left: Int
    var isReading = false
  }

  func send(_ file: APIResponse.File, _ reply: ReplyContext, _ connection: Connection) {
    let pieces = edge.store.blobs.pieces(file.hash, file.workspace, count: file.size)
    let sending = Sending(file: file, pieces: pieces, left: pieces.count)
    exchange = Exchange(number: number, reply: reply, kind: .sending(sending))
    connection.awaitRoom()  // answers before it may be unsent
  }

  func readOn(_ known: Sending, _ connection: Connection) {
    guard !known.isReading else { return }
    var sending = known
    sending.isReading = true
    exchange?.kind = .sending(sending)
    let (edge, ref, number, file, pieces) = (
      edge, connection.ref, number, sending.file, sending.pieces
    )
    errand().run(in: edge.files) { reads in
      var piece: [UInt8]?
      do throws(StoreFault) {
        // Erased meanwhile, it is nobody's any more, though the same bytes of another may be there.
        if try reads.blob(file.workspace, file.id) != nil {
          piece =
            try edge.unlessErased(file.id, file.workspace, reads) { () throws(StoreFault) in
              try pieces.next()
            }
            ?? nil
        }
      } catch { edge.health.tell("sending an attachment", error) }
      edge.hub.post(ref, .piece(number, piece))
    }
  }

  func send(_ piece: [UInt8]?, _ number: UInt64, _ connection: Connection) {
    guard exchange?.number == number, case .sending(var sending) = exchange?.kind,
      let reply = exchange?.reply
    else { return }
    // Its end would be taken for that of the content by whoever does not count.
    guard let piece else { return connection.abort() }
    connection.write(piece)
    sending.left -= piece.count
    sending.isReading = false
    if sending.left > 0 {
      connection.awaitRoom()
      exchange?.kind = .sending(sending)
    } else {
      exchange = nil
      sent(reply, connection)
    }
  }
}

extension Edge {
  /// What is held whole for whoever reads it.
  private static let wholeBytesMax = 256 << 10

  /// What cannot be read is told of, and that it cannot is the answer.
  func answer(_ body: () throws(StoreFault) -> APIResponse) -> APIResponse {
    do throws(StoreFault) { return try body() } catch {
      health.tell("answering a request", error)
      return APIResponse(APIProblem(error))
    }
  }

  /// Reads an attachment; nil where it was erased meanwhile: then it is no damage that its file is
  /// not there.
  func unlessErased<R>(
    _ blob: BlobID, _ workspace: WorkspaceID, _ reads: any StoreReader,
    _ body: () throws(StoreFault) -> R
  ) throws(StoreFault) -> R? {
    do throws(StoreFault) { return try body() } catch {
      if try reads.blob(workspace, blob) == nil { return nil }
      throw error
    }
  }

  /// Reads the bytes of an answer's file, or sees that they are good, where they are to be sent in
  /// pieces: a long look. Both have their place where nobody waits behind them who needs no file.
  func fetch(
    _ response: APIResponse, for errand: Errand, _ then: @escaping @Sendable (APIResponse) -> Void
  ) {
    guard let file = response.file else { return then(response) }
    let blobs = store.blobs
    let isWhole = file.size <= Self.wholeBytesMax
    errand.run(in: isWhole ? files : looks) { [self] reads in
      then(
        answer { () throws(StoreFault) in
          var fetched = response
          let found: Void? = try unlessErased(file.id, file.workspace, reads) {
            () throws(StoreFault) in
            guard isWhole else { return try blobs.check(file.hash, file.workspace) }
            fetched.body = try blobs.read(file.hash, file.workspace)
            fetched.file = nil
          }
          return found == nil ? APIResponse(.notFound("blob")) : fetched
        })
    }
  }
}
