import Model
import Pipeline
import Records
import Routing
import Service
import System
import Wire

extension Pipeline {
  /// A workspace's machine as it is on disk.
  ///
  /// - Parameter planner: of the version of the rules that its open work was routed by.
  init(
    _ workspace: WorkspaceID, from reads: any StoreReader, planner: (UInt32?) -> any Planner
  ) throws(StoreFault) {
    let (read, head) = try reads.snapshot { reads throws(StoreFault) in
      (try reads.router(workspace), try reads.head(workspace))
    }
    let router: Router
    do throws(UnreadableRow) { router = try read.get() } catch {
      throw StoreFault.corrupt(what: "\(error)")
    }
    self.init(
      workspace: workspace, router: router, head: head,
      planner: planner(router.configurationVersion),
      environment: .init(saltSeed: Entropy.bytes(32)) { Digest(SHA256.hash($0)) })
  }
}

extension StoreReader {
  /// The machine as the rows of open work tell it, an empty one where there are none; a failure where they match their
  /// checksums and yet make no machine.
  func router(_ workspace: WorkspaceID) throws(StoreFault) -> Result<Router, UnreadableRow> {
    try RouterRelay().run { take throws(StoreFault) in
      for kinds in RouterLoading.kinds {
        try eachOfWork(workspace, kinds: kinds) { kind, key, value in take(kind, key, value) }
      }
    }
  }
}
