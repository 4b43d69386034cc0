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
    let rows = try reads.workRows(workspace)
    let router: Router
    do throws(WireError) { router = rows.isEmpty ? Router() : try Router(rows: rows) } catch {
      throw StoreFault.corrupt(what: "the rows of open work: \(error)")
    }
    self.init(
      workspace: workspace, router: router, head: try reads.head(workspace),
      planner: planner(router.configurationVersion),
      environment: .init(saltSeed: Entropy.bytes(32)) { Digest(SHA256.hash($0)) })
  }
}
