//! Identity and time.

use crate::api::LedgerError;
use crate::sqlite::error::damaged;
use domain::{LedgerId, Millis};
use rusqlite::{Connection, params};

/// Gives a new ledger its random id, for ever.
pub fn make(db: &Connection) -> Result<(), LedgerError> {
    let bits: u32 = db.query_row("SELECT random() & 0xffffffff", [], |row| row.get(0))?;
    let id = LedgerId::from_random(bits).to_string();
    db.execute("INSERT INTO ledger (one, id, mark_ms) VALUES (1, ?1, 0)", params![id])?;
    Ok(())
}

/// The ledger's id.
pub fn id(db: &Connection) -> Result<LedgerId, LedgerError> {
    let text: String = db.query_row("SELECT id FROM ledger", [], |row| row.get(0))?;
    LedgerId::parse(&text).ok_or_else(|| damaged("a ledger id"))
}

/// The high-water mark of ledger time.
pub fn mark(db: &Connection) -> rusqlite::Result<Millis> {
    let mut statement = db.prepare_cached("SELECT mark_ms FROM ledger")?;
    statement.query_row([], |row| row.get(0).map(Millis))
}

/// Raises the mark. *Crash before the commit*: what this transaction wrote is gone with it.
pub fn set_mark(db: &Connection, now: Millis) -> rusqlite::Result<()> {
    let sql = "UPDATE ledger SET mark_ms = ?1 WHERE mark_ms < ?1";
    db.prepare_cached(sql)?.execute([now.0]).map(drop)
}
