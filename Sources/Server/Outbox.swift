import Channels
import Dispatch
import Model
import Outbound
import Pipeline
import Records
import Synchronization
import System
import Wire

/// Carries the outbox out: mail to the smarthost, tried again while that is away. A row leaves the table when the
/// smarthost has it; a crash in between sends it again under the same `Message-ID`.
final class Outbox: Sendable {
  private let edge: Edge
  private let client: SMTPClient
  private let queue = DispatchQueue(label: "outbox")
  private let underWay = Mutex<Set<Key>>([])

  private struct Key: Hashable {
    var workspace: WorkspaceID
    var id: Int64
  }

  init(edge: Edge) {
    self.edge = edge
    client = SMTPClient(Outbound())
  }

  /// Looks at a workspace's outbox soon.
  func wake(_ workspace: WorkspaceID) { queue.async { self.look(workspace) } }

  private static let batch = 64
  private static let waitMaxSeconds = 3_600

  private func look(_ workspace: WorkspaceID) {
    guard !edge.settings.smarthostURL.isEmpty, !edge.isStopping else { return }
    edge.reads.run { reads in
      do throws(StoreFault) {
        let now = Instant(milliseconds: WallClock.nowMilliseconds)
        var next: Instant?
        guard !self.edge.isStopping else { return }
        for row in try reads.outbox(workspace, limit: 1_000) where row.kind == .mail {
          if row.due > now {
            next = min(next ?? row.due, row.due)
          } else {
            self.trySend(row, workspace, reads)
          }
        }
        if let next { self.wake(workspace, at: next, now) }
      } catch { Log.fault("reading the outbox", error.sentence) }
    }
  }

  private func wake(_ workspace: WorkspaceID, at: Instant, _ now: Instant) {
    let wait = max(50, min((at - now).milliseconds, 3_600_000))
    queue.asyncAfter(deadline: .now() + .milliseconds(Int(wait))) { self.look(workspace) }
  }

  /// One bad row must not keep the others from leaving.
  private func trySend(_ row: OutboxRow, _ workspace: WorkspaceID, _ reads: any StoreReader) {
    do throws(StoreFault) { try send(row, workspace, reads) } catch {
      Log.fault("sending mail \(row.id)", error.sentence)
      underWay.withLock { _ = $0.remove(Key(workspace: workspace, id: row.id)) }
    }
  }

  private func send(_ row: OutboxRow, _ workspace: WorkspaceID, _ reads: any StoreReader) throws(StoreFault) {
    let key = Key(workspace: workspace, id: row.id)
    guard let payload = row.payload, let channel = edge.mailChannel(of: workspace),
      underWay.withLock({ $0.insert(key).inserted })
    else { return }
    guard let mail = Self.decoded(payload) else { throw StoreFault.corrupt(what: "mail in the outbox") }
    var attachments: [(row: BlobRow, bytes: [UInt8])] = []
    for blob in mail.blobs {
      guard let row = try reads.blob(workspace, blob) else { continue }
      attachments.append((row, try edge.store.blobs.read(row.hash, workspace)))
    }
    guard let composed = channel.compose(mail, attachments: attachments) else {
      return finished(row, workspace, .malformed("its addresses cannot be written"))
    }
    var submission = MailSubmission(
      smarthost: edge.settings.smarthostURL, name: edge.settings.mailHostname, sender: composed.sender,
      recipients: [composed.recipient], message: composed.bytes)
    if !edge.settings.smarthostUser.isEmpty {
      submission.credentials = .init(user: edge.settings.smarthostUser, password: edge.settings.smarthostPassword)
    }
    client.send(submission) { outcome in self.finished(row, workspace, outcome) }
  }

  private static func decoded(_ bytes: [UInt8]) -> OutgoingMail? {
    do throws(WireError) { return try OutgoingMail(decoding: bytes) } catch { return nil }
  }

  private func finished(_ row: OutboxRow, _ workspace: WorkspaceID, _ outcome: MailOutcome) {
    guard let writer = edge.writer(workspace) else { return }
    switch outcome {
    case .delivered: writer.submit([Request(.outboxDelivered(row.id))])
    case .permanentFailure(let code, let text):
      writer.submit([Request(.outboxFailed(row, "the mail server refused it: \(code) \(text)"))])
    case .malformed(let why): writer.submit([Request(.outboxFailed(row, why))])
    case .temporaryFailure, .connectionFailure, .busy:
      // Only what is to be tried again is forgotten: a delivered row must not be sent by a look that still sees it.
      underWay.withLock { _ = $0.remove(Key(workspace: workspace, id: row.id)) }
      var later = row
      later.tries = min(row.tries + 1, 1_000)
      let wait = min(edge.settings.outboxRetrySeconds << min(Int(row.tries), 10), Self.waitMaxSeconds)
      later.due = Instant(milliseconds: WallClock.nowMilliseconds) + .seconds(Int64(wait))
      writer.submit([Request(.outboxDelayed(later))])
      wake(workspace, at: later.due, Instant(milliseconds: WallClock.nowMilliseconds))
    }
  }
}
