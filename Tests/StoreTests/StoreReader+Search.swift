import Model
import Records

extension StoreReader {
  /// With the words that these tests tell the index.
  func search(_ workspace: WorkspaceID, _ query: SearchQuery) throws(StoreFault) -> SearchPage {
    try search(workspace, query, words: StoreContract.words)
  }
}
