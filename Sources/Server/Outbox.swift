import Channels
import Dispatch
import Model
import Outbound
import Pipeline
import Records
import Store
import Synchronization
import System
import Wire

/// Carries the outbox out: mail to the smarthost, tried again while that is away. A row leaves the
/// table when the smarthost has it. While storage is away the row stays, and what became of it is
/// remembered here, so that it is not sent twice; only a crash in between sends it again, under the
/// same `Message-ID`.
final class Outbox: Sendable {
  private let edge: Edge
  private let client: SMTPClient
  /// Looks are taken one after the other, so that none sees rows which another has found gone.
  private let queue = DispatchQueue(label: "outbox")
  private let reader: Mutex<ConfinedReader>
  private let known = Mutex<[Key: Fate]>([:])
  private let underWay = DispatchGroup()

  private struct Key: Hashable {
    var workspace: WorkspaceID
    var id: Int64
  }

  /// What is known of a row that the table may not show yet.
  private enum Fate {
    case underWay
    /// Not to be tried before.
    case delayed(OutboxRow)
    /// Its row does not match its checksum, as far as is known since then: nobody sends that.
    case damaged(since: Instant)
    /// Delivered, or given up: the row goes when the store has that.
    case settled
  }

  init(edge: Edge) throws(StoreFault) {
    self.edge = edge
    client = SMTPClient(Outbound())
    reader = Mutex(ConfinedReader(try edge.store.reader()))
  }

  /// Looks at a workspace's outbox soon.
  func wake(_ workspace: WorkspaceID) { queue.async { self.look(workspace) } }

  /// Waits for what is at the smarthost, whose answer may be that it has it: otherwise it would be
  /// sent again. Nothing new leaves meanwhile.
  func drain(until deadline: DispatchTime) async {
    client.stop()
    await withCheckedContinuation { waiting in
      DispatchQueue.global().async {
        _ = self.underWay.wait(timeout: deadline)
        waiting.resume()
      }
    }
  }

  private static let waitMaxSeconds = 3_600
  private static let rowsMax = 1_000

  private func look(_ workspace: WorkspaceID) {
    guard !edge.settings.smarthostURL.isEmpty, !edge.isStopping else { return }
    reader.withLock { held in
      let now = edge.health.clock.now
      do throws(StoreFault) {
        var next: Instant?
        let (rows, damaged) = try Self.rows(held.reader, workspace)
        if rows.count + damaged.count < Self.rowsMax {
          forget(workspace, allBut: Set((rows + damaged).map(\.id)))
        }
        for row in damaged {
          if let end = wait(forDamaged: row, workspace, now) { next = min(next ?? end, end) }
        }
        for row in rows where row.kind == .mail {
          let due = due(row, workspace)
          if due > now {
            next = min(next ?? due, due)
          } else {
            trySend(row, workspace, held.reader)
          }
        }
        if let next { wake(workspace, at: next, now) }
      } catch {
        edge.health.tell("reading the outbox", error)
        wake(workspace, at: now + .seconds(Int64(edge.settings.outboxRetrySeconds)), now)
      }
    }
  }

  private static func rows(
    _ reader: any StoreReader, _ workspace: WorkspaceID
  ) throws(StoreFault) -> (rows: [OutboxRow], damaged: [OutboxRow]) {
    if let reader = reader as? SQLiteReader {
      return try reader.outbox(workspace, evenDamaged: rowsMax)
    }
    return (try reader.outbox(workspace, limit: rowsMax), [])
  }

  /// A damaged row waits as any other does: somebody may restore the folder. Answers when it is given
  /// up; nil where it was.
  private func wait(
    forDamaged row: OutboxRow, _ workspace: WorkspaceID, _ now: Instant
  ) -> Instant? {
    let since = known.withLock { known -> Instant? in
      let key = Key(workspace: workspace, id: row.id)
      switch known[key] {
      case .damaged(let since): return since
      case .underWay, .settled: return nil
      case nil, .delayed:
        let since = min(row.payload.flatMap(Self.decoded)?.at ?? now, now)
        known[key] = .damaged(since: since)
        return since
      }
    }
    guard let since else { return nil }
    let end = since + .seconds(Int64(edge.settings.outboxGivenUpSeconds))
    if end > now { return end }
    giveUpDamaged(row, workspace)
    return nil
  }

  /// Whose it is can be told where its words can still be taken apart; the log says so in any case.
  private func giveUpDamaged(_ row: OutboxRow, _ workspace: WorkspaceID) {
    Log.fault(
      "sending mail \(row.id) of workspace \(edge.name(of: workspace))",
      "it is damaged and is given up")
    failed(row, workspace, "it is damaged")
  }

  /// Later than the row says, where the store does not know yet that it was delayed.
  private func due(_ row: OutboxRow, _ workspace: WorkspaceID) -> Instant {
    let fate = known.withLock { $0[Key(workspace: workspace, id: row.id)] }
    if case .delayed(let later) = fate { return max(row.due, later.due) }
    return row.due
  }

  /// The table no longer has them. One that waits to be tried again goes with its person: its words
  /// stay in memory no longer than that.
  private func forget(_ workspace: WorkspaceID, allBut rows: Set<Int64>) {
    known.withLock { known in
      known = known.filter { key, fate in
        if case .underWay = fate { return true }
        return key.workspace != workspace || rows.contains(key.id)
      }
    }
  }

  private func wake(_ workspace: WorkspaceID, at: Instant, _ now: Instant) {
    let wait = max(50, min((at - now).milliseconds, 3_600_000))
    queue.asyncAfter(deadline: .now() + .milliseconds(Int(wait))) { self.look(workspace) }
  }

  /// One bad row must not keep the others from leaving.
  private func trySend(_ row: OutboxRow, _ workspace: WorkspaceID, _ reads: any StoreReader) {
    let key = Key(workspace: workspace, id: row.id)
    var row = row
    let isOurs = known.withLock { known in
      switch known[key] {
      case .underWay, .settled: return false
      case .delayed(let later): row = later
      case .damaged, nil: break
      }
      known[key] = .underWay
      return true
    }
    guard isOurs else { return }
    underWay.enter()
    do throws(Hindrance) { try send(row, workspace, reads) } catch {
      edge.health.tell("sending mail \(row.id)", error.fault)
      // After this look, which holds the reader.
      queue.async { [row] in
        self.hinder(row, workspace, error)
        self.underWay.leave()
      }
    }
  }

  /// Why a mail cannot be put together, for the log and for the agent who wrote it.
  private struct Hindrance: Error {
    var fault: StoreFault
    var why: String
  }

  /// It is tried again: somebody may mend the folder, or upload the file anew. Damage is told at once,
  /// since time alone mends none.
  private func hinder(_ row: OutboxRow, _ workspace: WorkspaceID, _ hindrance: Hindrance) {
    guard !isErased(row, workspace) else {
      return known.withLock { $0[Key(workspace: workspace, id: row.id)] = .settled }
    }
    let limit = edge.health.clock.now + .seconds(-Int64(edge.settings.outboxGivenUpSeconds))
    guard let mail = row.payload.flatMap(Self.decoded) else {
      // It does not say when it was written: by how often it was tried.
      let isOver = Int64(waited(row)) >= Int64(edge.settings.outboxGivenUpSeconds)
      return isOver ? giveUpDamaged(row, workspace) : delay(row, workspace)
    }
    if mail.at <= limit { return failed(row, workspace, hindrance.why) }
    var isDamage = false
    if case .corrupt = hindrance.fault { isDamage = true }
    delay(row, workspace, hindrance.why, isToldAtOnce: isDamage)
  }

  private func send(_ row: OutboxRow, _ workspace: WorkspaceID, _ reads: any StoreReader)
    throws(Hindrance)
  {
    guard let channel = edge.mailChannel(of: workspace) else {
      let fault = StoreFault.failed(
        doing: "find the workspace's mail addresses", why: "it has none")
      throw Hindrance(fault: fault, why: "the workspace has no mail address")
    }
    guard let mail = row.payload.flatMap(Self.decoded) else {
      throw Hindrance(
        fault: .corrupt(what: "mail \(row.id) in the outbox of workspace \(workspace.raw)"),
        why: "it is damaged")
    }
    let attachments = try attachments(of: mail, workspace, reads)
    guard let composed = channel.compose(mail, attachments: attachments) else {
      return ended(row, workspace, .malformed("its addresses cannot be written"))
    }
    var submission = MailSubmission(
      smarthost: edge.settings.smarthostURL, name: edge.settings.mailHostname,
      sender: composed.sender,
      recipients: [composed.recipient], message: composed.bytes)
    if !edge.settings.smarthostUser.isEmpty {
      submission.credentials = .init(
        user: edge.settings.smarthostUser, password: edge.settings.smarthostPassword)
    }
    client.send(submission) { outcome in self.ended(row, workspace, outcome) }
  }

  private func attachments(
    of mail: OutgoingMail, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(Hindrance) -> [(row: BlobRow, bytes: [UInt8])] {
    var attachments: [(row: BlobRow, bytes: [UInt8])] = []
    for blob in mail.blobs {
      var name = ""
      do throws(StoreFault) {
        guard let row = try reads.blob(workspace, blob) else { continue }
        name = row.fileName.map { " \($0)" } ?? ""
        let bytes = try edge.unlessErased(blob, workspace, reads) { () throws(StoreFault) in
          try edge.store.blobs.read(row.hash, workspace)
        }
        if let bytes { attachments.append((row, bytes)) }
      } catch {
        let what = if case .corrupt = error { "is damaged" } else { "cannot be read" }
        throw Hindrance(fault: error, why: "its attachment\(name) \(what)")
      }
    }
    return attachments
  }

  private static func decoded(_ bytes: [UInt8]) -> OutgoingMail? {
    do throws(WireError) { return try OutgoingMail(decoding: bytes) } catch { return nil }
  }

  private func ended(_ row: OutboxRow, _ workspace: WorkspaceID, _ outcome: MailOutcome) {
    queue.async {
      self.finished(row, workspace, outcome)
      self.underWay.leave()
    }
  }

  /// Whether the row was taken out of the table while it was under way: its person was erased. One that
  /// goes after this look is for the writer to tell.
  private func isErased(_ row: OutboxRow, _ workspace: WorkspaceID) -> Bool {
    reader.withLock { held in
      do throws(StoreFault) { return try held.reader.outbox(workspace, id: row.id) == nil } catch {
        return false
      }
    }
  }

  private func finished(_ row: OutboxRow, _ workspace: WorkspaceID, _ outcome: MailOutcome) {
    switch outcome {
    case .delivered: settle(row, workspace, .outboxDelivered(row.id))
    case _ where isErased(row, workspace):
      // Nothing of it is written anew.
      known.withLock { $0[Key(workspace: workspace, id: row.id)] = .settled }
    case .permanentFailure(let code, let text):
      failed(row, workspace, "the mail server refused it: \(Self.said(code, text))")
    case .malformed(let why): failed(row, workspace, why)
    case .unwelcome(let code, let text):
      let why = "the mail server takes no mail from us: \(Self.said(code, text))"
      Log.note("\(why); mail waits")
      delay(row, workspace, why)
    case .temporaryFailure(let code, let text):
      delay(row, workspace, "the mail server puts it off: \(Self.said(code, text))")
    case .connectionFailure(let why):
      delay(row, workspace, "the mail server cannot be reached: \(why)")
    case .busy: delay(row, workspace)
    }
  }

  /// Its words begin with the code already, where there are any.
  private static func said(_ code: Int, _ text: String) -> String {
    text.hasPrefix("\(code)") ? text : "\(code) \(text)"
  }

  private func failed(_ row: OutboxRow, _ workspace: WorkspaceID, _ why: String) {
    settle(row, workspace, .outboxFailed(row, why, .new()))
  }

  private func settle(_ row: OutboxRow, _ workspace: WorkspaceID, _ news: Intake) {
    known.withLock { $0[Key(workspace: workspace, id: row.id)] = .settled }
    edge.writer(workspace)?.submit([Request(news)])
  }

  /// In seconds.
  private func wait(after tries: Int) -> Int {
    min(edge.settings.outboxRetrySeconds << min(tries, 10), Self.waitMaxSeconds)
  }

  /// How long a row has waited by the tries that it says, in seconds.
  private func waited(_ row: OutboxRow) -> Int {
    (0..<max(0, Int(row.tries))).reduce(0) { $0 + wait(after: $1) }
  }

  /// - Parameter why: what the agent is told, once it has waited for long.
  private func delay(
    _ row: OutboxRow, _ workspace: WorkspaceID, _ why: String? = nil, isToldAtOnce: Bool = false
  ) {
    var later = row
    later.tries = min(row.tries + 1, 1_000)
    let wait = wait(after: Int(row.tries))
    let now = edge.health.clock.now
    later.due = now + .seconds(Int64(wait))
    known.withLock { $0[Key(workspace: workspace, id: row.id)] = .delayed(later) }
    let told = now + .seconds(-Int64(edge.settings.outboxToldSeconds))
    let isLate =
      isToldAtOnce || row.payload.flatMap(Self.decoded).map { $0.at <= told } ?? false
    edge.writer(workspace)?.submit([Request(.outboxDelayed(later, isLate ? why : nil))])
    wake(workspace, at: later.due, now)
  }
}
