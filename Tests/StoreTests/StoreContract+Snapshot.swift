import Dispatch
import Glibc
import Model
import Records
import Store
import Synchronization
import Testing

extension StoreContract {
  /// A writer adds entries, and their customer's digest with them, as fast as it can; whoever reads
  /// both in one snapshot finds that they fit.
  static func snapshots(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let commits: Int64 = 400
    let fault = Mutex<StoreFault?>(nil)
    let written = Atomic<Int64>(0)
    let writer = DispatchQueue(label: "writer")
    writer.async {
      var timeline = TimelineDigest()
      do throws(StoreFault) {
        for number in 1...commits {
          var commit = Commit(workspace: workspace)
          commit.entries = [Samples.entry(number)]
          timeline.add(commit.entries[0].hash)
          commit.customers = [Samples.customer(1, timeline: timeline)]
          try store.commit([commit])
          written.store(number, ordering: .releasing)
        }
      } catch { fault.withLock { $0 = error } }
    }
    let reader = try store.reader()
    var seen: Set<Int64> = []
    repeat {
      let before = written.load(ordering: .acquiring)
      let (said, found) = try reader.snapshot { reader throws(StoreFault) in
        let said = try reader.customer(workspace, Samples.id(1))?.timeline ?? TimelineDigest()
        // Not before the writer has gone on, so that the two readings could differ.
        let now = written.load(ordering: .acquiring)
        while written.load(ordering: .acquiring) == now, now < commits,
          fault.withLock({ $0 }) == nil
        { sched_yield() }
        // One inside another is of the same moment.
        let found = try reader.snapshot { reader throws(StoreFault) in
          try reader.timeline(
            workspace, of: [Samples.id(1)], from: EntryID(0), .newer, atMost: EntryID(.max),
            limit: 1_000,
            visible: .internal)
        }
        return (said, found)
      }
      var sum = TimelineDigest()
      for entry in found { sum.add(entry.hash) }
      #expect(said == sum)
      #expect(said.count >= before, "it holds every commit that had returned")
      seen.insert(said.count)
    } while written.load(ordering: .acquiring) < commits && fault.withLock { $0 } == nil
    writer.sync {}
    #expect(fault.withLock { $0 } == nil)
    #expect(seen.count > 1, "the reader ran beside the writer")
    #expect(
      try reader.customer(workspace, Samples.id(1))?.timeline.count == commits,
      "and no moment is held on to")
  }

  static func snapshotsThatFail(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let reader = try store.reader()
    #expect(throws: StoreFault.corrupt(what: "this")) {
      try reader.snapshot { reader throws(StoreFault) in
        _ = try reader.head(workspace)
        throw StoreFault.corrupt(what: "this")
      }
    }
    try store.commit([Samples.everything(workspace)])
    #expect(try reader.head(workspace).position == 2)
    #expect(
      try reader.snapshot { reader throws(StoreFault) in try reader.head(workspace).position } == 2)
  }
}
