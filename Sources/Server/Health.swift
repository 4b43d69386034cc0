import Model
import Records
import Synchronization

/// What the health page and the metrics tell of storage, and what the log tells once.
///
/// | it is | when | whoever asks |
/// |---|---|---|
/// | ok | nothing is known to be wrong | is served |
/// | degraded | something stored is damaged, or a whole workspace, attachments cannot be read or kept, the index does not go on, or the clock stepped back | is served, all but those who need just that |
/// | unavailable | nothing can be made durable | is refused |
public final class Health: Sendable {
  public struct Facts: Sendable {
    public var trouble: String?
    public var commits: Int64 = 0
    public var commands: Int64 = 0
    public var failures: Int64 = 0
    /// How long transactions took that were made durable: all of them, and the longest.
    public var commitMicroseconds: Int64 = 0
    public var longestCommitMicroseconds: Int64 = 0
    /// Workspaces that accept nothing just now.
    public var outages = 0
    /// What was found damaged, in sentences: by whoever looked for damage, or needed just that.
    public var damaged: Set<String> = []
    /// Whether some of it was met since a look at everything began.
    fileprivate var hasMet = false
    /// Workspaces that could not be read at the start, and why: nobody is served there.
    public fileprivate(set) var unserved: [WorkspaceID: String] = [:]
    /// Why the full-text index does not go on; nil while it does.
    public var search: String?
    public var searchFailures: Int64 = 0
    /// Commits that began, and the one that somebody is about to look at.
    fileprivate var begun: Int64 = 0
    fileprivate var watched: Int64?
    fileprivate var isCommitting = false
    fileprivate var isHanging = false
    /// Whether even what is stored cannot be looked at: whoever waits for a writer's state waits, too.
    public fileprivate(set) var isStill = false
    /// Whether reading an attachment does not come to its end.
    public fileprivate(set) var filesHang = false
    /// Since when keeping an attachment has not come to its end; nil while it does.
    public fileprivate(set) var keepsHang: Instant?

    /// What is wrong with attachments, in a sentence.
    var attachments: String? {
      if let since = keepsHang {
        return
          "attachments cannot be kept since \(since): their disk does not answer; mail and uploads that bring some wait"
      }
      return filesHang ? Health.filesHang : nil
    }
  }
  static let filesHang = "reading an attachment does not come to its end: its disk does not answer"
  static let stands = "a look at what is stored does not come to its end: the disk does not answer"
  static let hangs = "a commit does not come to its end: the disk does not answer"
  /// Past this many, damage is no longer told apart.
  static let damagedMax = 1_000
  private let facts = Mutex(Facts())
  private let hasTrouble = Atomic<Bool>(false)
  public let clock: ServiceClock
  public init(clock: ServiceClock = ServiceClock()) { self.clock = clock }
  public var now: Facts { facts.withLock { $0 } }
  /// Whether there is nothing to tell: without a lock, since whoever watches asks often.
  public var isWell: Bool { !hasTrouble.load(ordering: .relaxed) && clock.trouble == nil }

  /// Whether a commit has been told not to come to its end.
  var isHanging: Bool {
    hasTrouble.load(ordering: .relaxed) && facts.withLock { $0.isHanging }
  }

  private func change<R: Sendable>(_ body: (inout Facts) -> R) -> R {
    facts.withLock { facts in
      let result = body(&facts)
      hasTrouble.store(
        facts.trouble != nil || facts.outages > 0 || !facts.damaged.isEmpty
          || !facts.unserved.isEmpty || facts.search != nil || facts.attachments != nil,
        ordering: .relaxed)
      return result
    }
  }

  // MARK: - Commits

  /// A commit begins. Answers its number where somebody shall look at it, since nobody will yet.
  func begins() -> Int64? {
    facts.withLock {
      $0.begun += 1
      $0.isCommitting = true
      guard $0.watched == nil else { return nil }
      $0.watched = $0.begun
      return $0.begun
    }
  }

  enum Look: Equatable {
    case ended, hangs
    /// That one has ended, and this one is under way.
    case another(Int64)
  }

  /// Whether the commit of this number is still under way; that is told from now on.
  func look(at number: Int64) -> Look {
    change {
      $0.watched = nil
      guard $0.isCommitting else { return .ended }
      guard $0.begun == number else {
        $0.watched = $0.begun
        return .another($0.begun)
      }
      $0.isHanging = true
      $0.trouble = Self.hangs
      return .hangs
    }
  }

  /// The commit has come to its end, one way or the other. Answers whether it was told that it hung.
  @discardableResult func ended() -> Bool {
    change {
      $0.isCommitting = false
      guard $0.isHanging else { return false }
      $0.isHanging = false
      $0.trouble = nil
      return true
    }
  }

  /// Answers whether storage is back by that: it had failed, and everybody has read their state
  /// again.
  func committed(_ commands: Int, microseconds: Int64) -> Bool {
    change {
      $0.commits += 1
      $0.commitMicroseconds += microseconds
      $0.longestCommitMicroseconds = max($0.longestCommitMicroseconds, microseconds)
      $0.commands += Int64(commands)
      guard $0.trouble != nil, $0.outages == 0 else { return false }
      $0.trouble = nil
      return true
    }
  }

  /// Answers whether that is news: the same again and again is told once.
  @discardableResult func failed(_ why: String) -> Bool {
    change { facts in
      facts.failures += 1
      defer { facts.trouble = why }
      return facts.trouble != why
    }
  }
  func outage(_ begins: Bool) { change { $0.outages += begins ? 1 : -1 } }

  // MARK: - A disk that stands still

  func standsStill() {
    let isNews = change { facts in
      defer { facts.isStill = true }
      if facts.trouble == nil { facts.trouble = Self.stands }
      return !facts.isStill
    }
    if isNews { Log.fault("looking at what is stored", Self.stands) }
  }

  func movesOn() {
    guard hasTrouble.load(ordering: .relaxed) else { return }
    let isNews = change { facts in
      defer { facts.isStill = false }
      if facts.trouble == Self.stands { facts.trouble = nil }
      return facts.isStill
    }
    if isNews { Log.note("the disk answers again") }
  }

  func filesHang(_ isSo: Bool) {
    guard isSo || hasTrouble.load(ordering: .relaxed) else { return }
    let wasSo = change { facts in
      defer { facts.filesHang = isSo }
      return facts.filesHang
    }
    if isSo, !wasSo { Log.fault("reading attachments", Self.filesHang) }
    if wasSo, !isSo { Log.note("attachments are read again") }
  }

  func keepsHang(since: Instant?) {
    guard since != nil || hasTrouble.load(ordering: .relaxed) else { return }
    let (before, now) = change { facts in
      let before = facts.keepsHang
      // One after the other may hang: it began with the first.
      facts.keepsHang = since.map { min($0, before ?? $0) }
      return (before, facts.attachments)
    }
    if before == nil, since != nil, let now { Log.fault("keeping attachments", now) }
    if before != nil, since == nil { Log.note("attachments are kept again") }
  }

  // MARK: - Damage

  /// Something damaged was met, by whoever needed it. The log hears of each once.
  func met(_ damage: String) {
    guard isNews(damage) else { return }
    change { $0.hasMet = true }
    Log.fault("reading what is stored", damage)
  }

  /// Whether damage was met that no look at everything has found, or not found, yet.
  func takeMet() -> Bool {
    change { facts in
      defer { facts.hasMet = false }
      return facts.hasMet
    }
  }

  /// One workspace is damaged so that it cannot run: the others are served, until the next start.
  func leave(_ workspace: WorkspaceID, unserved why: String) {
    change { $0.unserved[workspace] = why }
  }

  private func isNews(_ damage: String) -> Bool {
    change { facts in
      facts.damaged.count < Self.damagedMax && facts.damaged.insert(damage).inserted
    }
  }

  /// A look at some of what is stored found these; the log hears of the first twenty that are news.
  func found(_ damage: [String], doing: String) {
    for finding in damage.filter(isNews).prefix(20) { Log.fault(doing, finding) }
  }

  /// A look at everything has come to its end: of what was known before it, nothing is left that it
  /// did not find.
  func foundAll(_ damage: Set<String>, knownBefore: Set<String>) {
    change { $0.damaged.subtract(knownBefore.subtracting(damage)) }
  }

  /// A fault of the store in the words of whoever met it: damage is told once, anything else each
  /// time.
  func tell(_ doing: String, _ fault: StoreFault) {
    if case .corrupt = fault { met(fault.sentence) } else { Log.fault(doing, fault.description) }
  }

  // MARK: - Search

  /// Whether the index goes on, and else why not. The log hears when that changes.
  func search(_ why: String?) {
    let before = change { facts in
      defer { facts.search = why }
      if why != nil { facts.searchFailures += 1 }
      return facts.search
    }
    guard (before == nil) != (why == nil) else { return }
    if let why {
      Log.fault("indexing entries", why)
    } else {
      Log.note("the full-text index goes on")
    }
  }
}
