import Channels
import Model
import Records
import RuleFiles
import System

/// A workspace whose rows cannot be read keeps nobody else from being served. It stands still until
/// the folder has been restored and the server started again: what it would decide without those
/// rows would be wrong, and kept.
extension Workspaces {
  func leave(
    _ folder: RuleFolderState, _ row: WorkspaceRow, unserved what: String,
    _ reader: any StoreReader
  ) {
    let why =
      "the workspace \(row.name) cannot be served: \(what); "
      + ServerProcess.advice(edge.settings.data)
    let addresses = folder.checked.workspace.mailAddresses
    edge.leave(row, addresses, unserved: why)
    Log.fault("opening workspace \(row.name)", why)
    // Its mail is not refused for good: the sender comes again.
    do throws(StoreFault) {
      let key = HMACKey(try reader.secret(named: "identity"))
      edge.use(
        MailChannel(
          workspace: row.id, addresses: addresses, identityKey: key, replyKey: key,
          displayNames: [:]))
    } catch { edge.health.tell("opening workspace \(row.name)", error) }
  }
}

extension ServerProcess {
  /// What to do about rows that keep a server or a workspace from starting.
  static func advice(_ folder: String) -> String {
    "`throughline doctor --data \(folder)` says what else is damaged, and "
      + "`throughline restore BACKUP --data \(folder)` puts the last good backup in its place"
  }
}
