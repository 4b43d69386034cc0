import Dispatch
import Records
import Synchronization

/// A few threads that read the store, and may block, for whoever may not. Each has a connection of
/// its own; a job goes to whichever is free first.
public final class ReadPool: Sendable {
  public typealias Job = @Sendable (any StoreReader) -> Void

  private let workers: [Worker]
  private let inbox: Mutex<Inbox>

  private struct Inbox {
    private var jobs: [Job?] = []
    /// Of the jobs, so many have been taken.
    private var taken = 0
    var idle: [Int]

    init(idle: [Int]) { self.idle = idle }

    mutating func add(_ job: @escaping Job) {
      // It may never be empty.
      if taken >= 1_024, taken > jobs.count / 2 {
        jobs.removeFirst(taken)
        taken = 0
      }
      jobs.append(job)
    }

    mutating func take() -> Job? {
      guard taken < jobs.count else {
        jobs.removeAll(keepingCapacity: jobs.count <= 1_024)
        taken = 0
        return nil
      }
      defer {
        jobs[taken] = nil  // what it holds goes with it
        taken += 1
      }
      return jobs[taken]
    }
  }

  public init(store: any Store, name: String, threads: Int) throws(StoreFault) {
    var workers: [Worker] = []
    for index in 0..<threads {
      workers.append(Worker("\(name).\(index)", ConfinedReader(try store.reader())))
    }
    self.workers = workers
    inbox = Mutex(Inbox(idle: Array(workers.indices)))
  }

  public func run(_ job: @escaping Job) {
    let woken = inbox.withLock { inbox in
      inbox.add(job)
      return inbox.idle.popLast()
    }
    if let woken { workers[woken].queue.async { self.work(woken) } }
  }

  private func work(_ index: Int) {
    while true {
      let job = inbox.withLock { inbox in
        let job = inbox.take()
        if job == nil { inbox.idle.append(index) }
        return job
      }
      guard let job else { return }
      workers[index].run(job)
    }
  }

  private final class Worker: Sendable {
    let queue: DispatchQueue
    private let reader: Mutex<ConfinedReader>
    /// Since when a job goes on; 0 where none does.
    private let since = Atomic<UInt64>(0)

    init(_ name: String, _ reader: ConfinedReader) {
      queue = DispatchQueue(label: name)
      self.reader = Mutex(reader)
    }

    func run(_ job: Job) {
      since.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
      reader.withLock { job($0.reader) }
      since.store(0, ordering: .relaxed)
    }

    var busySince: DispatchTime? {
      let since = since.load(ordering: .relaxed)
      return since == 0 ? nil : DispatchTime(uptimeNanoseconds: since)
    }
  }

  /// Since when the job has gone on that has done so longest; nil where none does.
  var busySince: DispatchTime? { workers.compactMap(\.busySince).min() }
}

/// A reader that is only ever used by whoever holds the mutex it sits in.
///
/// `@unchecked`, because a store's reader is not Sendable, and the compiler cannot see that it
/// never leaves the mutex: a closure that borrows it from there would merge the regions.
struct ConfinedReader: @unchecked Sendable {
  let reader: any StoreReader
  init(_ reader: any StoreReader) { self.reader = reader }
}
