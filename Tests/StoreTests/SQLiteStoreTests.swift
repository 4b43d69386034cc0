import Records
import GRDB
import Model
import Testing

@testable import Store

struct `The SQLite store` {
  let folder = TemporaryFolder()

  @Test func `every row reads back the same`() throws {
    try StoreContract.everyRowReadsBackTheSame(SQLiteStore(folder: folder.path))
  }
}
