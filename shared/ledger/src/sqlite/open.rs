//! The file: private to its owner, in WAL mode, synced at every commit, of a schema we know.

use crate::api::LedgerError;
use crate::sqlite::sql::{ledger, schema};
use domain::LedgerId;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// An open ledger, before its threads start.
pub struct Opened {
    pub id: LedgerId,
    pub writer: Connection,
    pub reader: Connection,
}

/// Pause between two looks at a lock that another process holds, and how many looks to take:
/// ten seconds, far longer than any transaction of ours.
const LOCK_PAUSE: Duration = Duration::from_millis(1);
const LOCK_LOOKS_MAX: i32 = 10_000;

/// More than the statements that we have.
const STATEMENTS: usize = 64;

/// Opens the ledger at `path`, and makes it where there is none.
pub fn open(path: &Path) -> Result<Opened, LedgerError> {
    make_private(path).map_err(|e| {
        LedgerError::Unavailable(format!("cannot open the ledger {}: {e}", path.display()))
    })?;
    let mut writer = connect(path)?;
    enter_wal_mode(&writer)?;
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::prepare(&transaction, path)?;
    let id = ledger::id(&transaction)?;
    transaction.commit()?;
    let reader = connect(path)?;
    schema::read_only(&reader)?;
    Ok(Opened { id, writer, reader })
}

/// Makes the file if it is not there, readable by its owner alone, and its name durable.
/// SQLite gives the files that it makes beside it the same permissions.
fn make_private(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => File::open(parent)?.sync_all(),
            None => File::open(".")?.sync_all(),
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_handler(Some(|looks| {
        sleep(LOCK_PAUSE);
        looks < LOCK_LOOKS_MAX
    }))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    schema::set_pragmas(&db)?;
    Ok(db)
}

/// SQLite does not wait by itself here while another process does the same.
fn enter_wal_mode(db: &Connection) -> Result<(), LedgerError> {
    let mut looks = 0;
    loop {
        match schema::enter_wal_mode(db).map_err(LedgerError::from) {
            Err(LedgerError::Unavailable(_)) if looks < LOCK_LOOKS_MAX => sleep(LOCK_PAUSE),
            done => return done,
        }
        looks += 1;
    }
}
