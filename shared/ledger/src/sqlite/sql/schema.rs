//! Tables, version, pragmas.

use crate::api::LedgerError;
use rusqlite::Connection;
use std::path::Path;

/// The version of [`TABLES`], in `PRAGMA user_version`. A change of the tables adds one, and a
/// step in [`super::migrate`] from the version before.
pub(super) const VERSION: i64 = 4;

/// "PLgr": tells our files from other people's.
const APPLICATION_ID: i64 = 0x504c_6772;

/// A payout's changing part lies in `slots`, apart from the schedule of its chunk, so that
/// neither rewrites the other. A chunk's blocks and notes are rows of their own for the same
/// reason.
const TABLES: &str = "
CREATE TABLE ledger (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    id      TEXT NOT NULL,
    mark_ms INTEGER NOT NULL          -- the high-water mark of ledger time
) STRICT;

CREATE TABLE batch (
    id              BLOB PRIMARY KEY,
    name            TEXT NOT NULL,
    file_sha256     TEXT NOT NULL,
    state           TEXT NOT NULL,
    created_ms      INTEGER NOT NULL,
    totals          TEXT NOT NULL,    -- JSON
    chunks          INTEGER NOT NULL,
    counts          BLOB NOT NULL,    -- nine numbers of eight bytes
    changes         INTEGER NOT NULL,
    reported        INTEGER,
    reason          TEXT NOT NULL,
    intake_until_ms INTEGER NOT NULL,
    report_until_ms INTEGER NOT NULL,
    ever_sent       INTEGER NOT NULL,
    not_before_ms   INTEGER NOT NULL, -- 0 for at once
    priority        TEXT NOT NULL,
    is_followed     INTEGER NOT NULL  -- its chunks are given out
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_followed ON batch (id) WHERE is_followed = 1;

CREATE TABLE file (                   -- which batch holds a file
    sha256 TEXT PRIMARY KEY,
    batch  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reference (              -- S1: no retention
    key   BLOB PRIMARY KEY,
    place BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE chunk (
    id             INTEGER PRIMARY KEY,
    batch          BLOB NOT NULL,
    no             INTEGER NOT NULL,
    lane           TEXT NOT NULL,
    rows           INTEGER NOT NULL,
    first_ordinal  INTEGER NOT NULL,
    format         TEXT NOT NULL,     -- JSON
    next_at_ms     INTEGER NOT NULL,
    wake_ms        INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL,
    token          INTEGER NOT NULL,
    UNIQUE (batch, no)
) STRICT;
CREATE INDEX chunk_ready ON chunk (lane, batch, next_at_ms, no);

CREATE TABLE slots (                  -- a chunk's payouts, packed
    chunk  INTEGER PRIMARY KEY,
    packed BLOB NOT NULL
) STRICT;

CREATE TABLE block (                  -- a chunk's rows, compressed
    chunk INTEGER NOT NULL,
    no    INTEGER NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (chunk, no)
) STRICT;

CREATE TABLE note (                   -- the notes of one write
    chunk INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    notes BLOB NOT NULL,
    PRIMARY KEY (chunk, seq)
) STRICT;

CREATE TABLE lane (
    name         TEXT PRIMARY KEY,
    version      INTEGER NOT NULL DEFAULT 0,
    record       TEXT,                -- JSON; none where only permits were drawn
    next_slot_us INTEGER NOT NULL DEFAULT 0,
    turns        TEXT                 -- JSON: fairness; none where nobody was served
) STRICT, WITHOUT ROWID;

CREATE TABLE served (                 -- fairness: a batch's virtual time on a lane
    lane         TEXT NOT NULL,
    batch        BLOB NOT NULL,
    priority     TEXT NOT NULL,       -- the batch's
    virtual_time INTEGER NOT NULL,
    PRIMARY KEY (lane, batch)
) STRICT, WITHOUT ROWID;

CREATE TABLE stray (                  -- S16: what nobody could place
    lane TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (lane, seq)
) STRICT, WITHOUT ROWID;
";

/// What version 2 added.
pub(super) const ADDED_IN_2: &str = "
CREATE TABLE rules (                  -- what a provider's rules for rows were, and when
    lane       TEXT PRIMARY KEY,
    fetched_ms INTEGER NOT NULL,
    text       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What version 3 added.
pub(super) const ADDED_IN_3: &str = "
CREATE TABLE register (               -- small texts that all processes share
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    text    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (                  -- S20: audit chains
    chain TEXT NOT NULL,
    seq   INTEGER NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
";

/// What holds for each connection. `FULL` syncs every commit: what was answered stays. What is
/// written over in a page is zeroed there: a key that was destroyed is gone (S24).
pub fn set_pragmas(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA cache_size = -16000;
         PRAGMA temp_store = MEMORY;
         PRAGMA secure_delete = FAST;
         PRAGMA wal_autocheckpoint = 16000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA trusted_schema = OFF;",
    )
}

/// Write-ahead logging: readers and the writer do not hold each other up.
pub fn enter_wal_mode(db: &Connection) -> rusqlite::Result<()> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// For the connection that only reads.
pub fn read_only(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4000;")
}

/// Makes the tables in a new file, brings those of an older version up to ours, or sees that
/// they are ours and of our version.
/// *Crash before the commit*: the file is still new. Two who come at once: one makes them, the
/// other finds them.
pub fn prepare(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    let pragma = |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    let (version, application): (i64, i64) = (pragma("user_version")?, pragma("application_id")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let refused = |why: String| Err(LedgerError::Broken(format!("{}: {why}", path.display())));
    match (application, version) {
        (0, 0) if tables == 0 => make(db),
        (APPLICATION_ID, VERSION) => Ok(()),
        (APPLICATION_ID, older @ 1..VERSION) => super::migrate::from(db, older),
        (APPLICATION_ID, newer) if newer > VERSION => refused(format!(
            "this ledger has schema version {newer}, and this program knows versions up to \
             {VERSION}; use the program that wrote it, or a newer one"
        )),
        (APPLICATION_ID, unknown) => refused(format!("no program has written version {unknown}")),
        _ => refused("this is a database, but not a ledger; name another file".to_owned()),
    }
}

fn make(db: &Connection) -> Result<(), LedgerError> {
    db.execute_batch(TABLES)?;
    db.execute_batch(ADDED_IN_2)?;
    db.execute_batch(ADDED_IN_3)?;
    db.execute_batch(&format!(
        "PRAGMA user_version = {VERSION}; PRAGMA application_id = {APPLICATION_ID};"
    ))?;
    super::ledger::make(db)
}
