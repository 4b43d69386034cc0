import Dispatch
import Records
import Synchronization

/// A few threads that read the store for whoever may not block. Each has a connection of its own.
public final class ReadPool: Sendable {
  public typealias Job = @Sendable (any StoreReader) -> Void

  private let workers: [Worker]
  private let next = Atomic<Int>(0)

  public init(store: any Store, threads: Int = 2) throws(StoreFault) {
    var workers: [Worker] = []
    for index in 0..<threads { workers.append(Worker(index, ConfinedReader(try store.reader()))) }
    self.workers = workers
  }

  public func run(_ job: @escaping Job) {
    let turn = next.wrappingAdd(1, ordering: .relaxed).newValue
    workers[abs(turn % workers.count)].run(job)
  }

  private final class Worker: Sendable {
    private let queue: DispatchQueue
    private let inbox = Mutex<(jobs: [Job], scheduled: Bool)>(([], false))
    private let reader: Mutex<ConfinedReader>

    init(_ index: Int, _ reader: ConfinedReader) {
      queue = DispatchQueue(label: "read.\(index)")
      self.reader = Mutex(reader)
    }

    func run(_ job: @escaping Job) {
      let wake = inbox.withLock { inbox in
        inbox.jobs.append(job)
        defer { inbox.scheduled = true }
        return !inbox.scheduled
      }
      if wake { queue.async { self.drain() } }
    }

    private func drain() {
      while true {
        let jobs = inbox.withLock { inbox in
          defer { inbox.jobs.removeAll(keepingCapacity: true) }
          if inbox.jobs.isEmpty { inbox.scheduled = false }
          return inbox.jobs
        }
        if jobs.isEmpty { return }
        reader.withLock { held in for job in jobs { job(held.reader) } }
      }
    }
  }
}

/// A reader that is only ever used by whoever holds the mutex it sits in.
///
/// `@unchecked`, because a store's reader is not Sendable, and the compiler cannot see that it never leaves the
/// mutex: a closure that borrows it from there would merge the regions.
struct ConfinedReader: @unchecked Sendable {
  let reader: any StoreReader
  init(_ reader: any StoreReader) { self.reader = reader }
}
