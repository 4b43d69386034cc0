internal import GRDB

/// The schema as a line of migrations: only ever appended, so that every old data folder goes
/// forward. Fixtures of old folders are in `Tests/StoreTests/Folders`.
enum Schema {
  static var migrations: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    for (name, sql) in zip(names, [first, second, third]) {
      migrator.registerMigration(name) { db in
        try db.execute(sql: sql)
        if name == "3" { try RowCounts.countAll(db) }
      }
    }
    return migrator
  }

  static let names = ["1", "2", "3"]

  // Every key begins with the workspace. Tables whose rows are found by their key alone have no
  // rowid: the key would be stored, and looked up, twice. (`secrets` belongs to the whole folder.)
  static let first = """
    CREATE TABLE workspaces(
      workspace INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL) STRICT;
    CREATE TABLE tokens(
      workspace INTEGER NOT NULL, token BLOB NOT NULL, hash BLOB NOT NULL, scope TEXT NOT NULL,
      holder TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER, revoked INTEGER NOT NULL,
      checksum INTEGER NOT NULL, PRIMARY KEY(workspace, token)) STRICT, WITHOUT ROWID;
    CREATE TABLE secrets(
      name TEXT PRIMARY KEY, bytes BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE heads(
      workspace INTEGER PRIMARY KEY, position INTEGER NOT NULL, chain BLOB NOT NULL, at INTEGER NOT NULL,
      entry INTEGER NOT NULL, outbox INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
    CREATE TABLE log(
      workspace INTEGER NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL,
      chain BLOB NOT NULL, PRIMARY KEY(workspace, position)) STRICT, WITHOUT ROWID;
    CREATE TABLE work(
      workspace INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
      checksum INTEGER NOT NULL, PRIMARY KEY(workspace, kind, key)) STRICT, WITHOUT ROWID;

    CREATE TABLE entries(
      workspace INTEGER NOT NULL, entry INTEGER NOT NULL, position INTEGER NOT NULL, customer BLOB NOT NULL,
      conversation BLOB, session BLOB, at INTEGER NOT NULL, visibility INTEGER NOT NULL, hash BLOB NOT NULL,
      body BLOB, checksum INTEGER NOT NULL, PRIMARY KEY(workspace, entry)) STRICT, WITHOUT ROWID;
    CREATE INDEX entries_by_customer ON entries(workspace, customer, entry, visibility);
    CREATE INDEX entries_by_conversation ON entries(workspace, conversation, entry, visibility)
      WHERE conversation IS NOT NULL;

    CREATE TABLE customers(
      workspace INTEGER NOT NULL, customer BLOB NOT NULL, root BLOB NOT NULL, created INTEGER NOT NULL,
      profile BLOB NOT NULL, entries INTEGER NOT NULL, sum BLOB NOT NULL, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, customer)) STRICT, WITHOUT ROWID;
    CREATE INDEX customers_merged ON customers(workspace, root, customer) WHERE root <> customer;
    CREATE TABLE identities(
      workspace INTEGER NOT NULL, hash BLOB NOT NULL, customer BLOB NOT NULL, kind INTEGER NOT NULL,
      value TEXT NOT NULL, assurance INTEGER NOT NULL, evidence BLOB NOT NULL, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, hash)) STRICT, WITHOUT ROWID;
    CREATE INDEX identities_by_customer ON identities(workspace, customer, hash);
    CREATE TABLE conversations(
      workspace INTEGER NOT NULL, conversation BLOB NOT NULL, customer BLOB NOT NULL, open INTEGER NOT NULL,
      epoch INTEGER NOT NULL, agent INTEGER, opened INTEGER NOT NULL, changed INTEGER NOT NULL,
      about BLOB NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY(workspace, conversation)) STRICT, WITHOUT ROWID;
    CREATE INDEX conversations_by_customer ON conversations(workspace, customer, opened, conversation);
    CREATE TABLE sessions(
      workspace INTEGER NOT NULL, session BLOB NOT NULL, conversation BLOB NOT NULL, channel INTEGER NOT NULL,
      bot INTEGER, ended INTEGER, checksum INTEGER NOT NULL, PRIMARY KEY(workspace, session)) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_conversation ON sessions(workspace, conversation, session);
    CREATE TABLE cases(
      workspace INTEGER NOT NULL, case_ BLOB NOT NULL, conversation BLOB NOT NULL, queue INTEGER NOT NULL,
      agent INTEGER, state INTEGER NOT NULL, created INTEGER NOT NULL, closed INTEGER, about BLOB NOT NULL,
      checksum INTEGER NOT NULL, PRIMARY KEY(workspace, case_)) STRICT, WITHOUT ROWID;
    CREATE INDEX cases_by_conversation ON cases(workspace, conversation, created, case_);
    CREATE TABLE facts(
      workspace INTEGER NOT NULL, case_ BLOB NOT NULL, bytes BLOB NOT NULL, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, case_)) STRICT, WITHOUT ROWID;

    CREATE TABLE outcomes(
      workspace INTEGER NOT NULL, key BLOB NOT NULL, body_hash BLOB NOT NULL, at INTEGER NOT NULL,
      answer BLOB NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY(workspace, key)) STRICT, WITHOUT ROWID;
    CREATE INDEX outcomes_by_age ON outcomes(workspace, at);
    CREATE TABLE keys(
      workspace INTEGER NOT NULL, space INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
      checksum INTEGER NOT NULL, PRIMARY KEY(workspace, space, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox(
      workspace INTEGER NOT NULL, id INTEGER NOT NULL, kind INTEGER NOT NULL, due INTEGER NOT NULL,
      tries INTEGER NOT NULL, payload BLOB NOT NULL, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE blobs(
      workspace INTEGER NOT NULL, blob BLOB NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL,
      media_type TEXT NOT NULL, file_name TEXT, conversation BLOB, uploader TEXT NOT NULL, at INTEGER NOT NULL,
      checksum INTEGER NOT NULL, PRIMARY KEY(workspace, blob)) STRICT, WITHOUT ROWID;
    CREATE INDEX blobs_by_hash ON blobs(workspace, hash);
    CREATE TABLE configurations(
      workspace INTEGER NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, version)) STRICT, WITHOUT ROWID;
    CREATE TABLE verified(
      workspace INTEGER PRIMARY KEY, position INTEGER NOT NULL, chain BLOB NOT NULL, entry INTEGER NOT NULL,
      checksum INTEGER NOT NULL) STRICT;
    """

  /// Erasures and who read what; and finding a conversation's blobs.
  static let second = """
    CREATE TABLE erasures(
      workspace INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, by_ TEXT NOT NULL,
      customers BLOB NOT NULL, up_to INTEGER NOT NULL, entries INTEGER NOT NULL, identities INTEGER NOT NULL,
      blobs INTEGER NOT NULL, done INTEGER, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, number)) STRICT, WITHOUT ROWID;
    CREATE TABLE accesses(
      workspace INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
      what INTEGER NOT NULL, customer BLOB, checksum INTEGER NOT NULL,
      PRIMARY KEY(workspace, number)) STRICT, WITHOUT ROWID;
    CREATE INDEX accesses_by_customer ON accesses(workspace, customer, number) WHERE customer IS NOT NULL;
    CREATE INDEX blobs_by_conversation ON blobs(workspace, conversation, blob) WHERE conversation IS NOT NULL;
    """

  /// How many rows there are, so that one that vanished is missed; by which record a session arrived,
  /// and which conversations it was taken out of.
  static let third = """
    CREATE TABLE counts(
      workspace INTEGER PRIMARY KEY, rows BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
    ALTER TABLE sessions ADD COLUMN customer BLOB;
    ALTER TABLE sessions ADD COLUMN former BLOB;
    """
}
